use super::*;

fn asked(places: &[(&str, Option<&str>)]) -> String {
    ask(places.iter().map(|(issuer, contact)| Place { issuer, contact: *contact }))
}

#[test]
fn one_address_for_all_is_asked_without_more_words() {
    assert_eq!(asked(&[("Voicegram", Some("a@x.example")); 13]), "a@x.example");
    assert_eq!(asked(&[("Voicegram", Some("a@x.example")), ("VoxPria", Some("a@x.example"))]), "a@x.example");
}

#[test]
fn two_addresses_are_told_with_their_products() {
    let (voicegram, voxpria) = (("Voicegram", Some("a@x.example")), ("VoxPria", Some("b@y.example")));
    assert_eq!(asked(&[voicegram, voxpria, voicegram]), "a@x.example (Voicegram) or b@y.example (VoxPria)");
    assert_eq!(
        asked(&[voicegram, ("VoxPria", None)]),
        "a@x.example (Voicegram) or the team that runs VoxPria"
    );
}

#[test]
fn without_an_address_the_team_of_the_product_is_asked() {
    assert_eq!(asked(&[("Voicegram", None), ("Voicegram", None)]), "the team that runs Voicegram");
    assert_eq!(asked(&[("A", None), ("B", None)]), "the teams that run A and B");
    assert_eq!(
        asked(&["A", "B", "C", "D"].map(|issuer| (issuer, None))),
        "the teams that run A, B and 2 others"
    );
}

#[test]
fn only_what_all_have_is_shared() {
    assert_eq!(shared([Some("a"), Some("a")].into_iter()), Some("a"));
    for all in [&[Some("a"), Some("b")][..], &[Some("a"), None], &[None, Some("a")], &[None, None], &[]] {
        assert_eq!(shared(all.iter().copied()), None, "{all:?}");
    }
}
