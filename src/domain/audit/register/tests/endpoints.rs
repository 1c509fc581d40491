use super::*;

type Edit = fn(&mut StoredEndpoint);

/// The register with its endpoint changed past the program.
fn changed(change: impl FnOnce(&mut StoredEndpoint)) -> Register {
    let mut register = register();
    change(&mut register.endpoints[0]);
    register
}

fn finding(words: &str) -> [String; 1] {
    [format!("endpoint.unexplained hook: {words}")]
}

#[test]
fn an_endpoint_that_no_row_added_is_found() {
    let mut register = register();
    let other = StoredEndpoint {
        name: "spy".into(),
        place: "https://spy.example".into(),
        ..StoredEndpoint::default()
    };
    register.endpoints.push(other);
    assert_eq!(
        told(&register),
        ["endpoint.unexplained spy: no row records it / events go to https://spy.example"]
    );
}

#[test]
fn an_endpoint_that_was_removed_and_is_there_is_found() {
    let register = changed(|one| one.name = "gone".into());
    assert_eq!(
        told(&register),
        [
            "endpoint.unexplained gone: no row records it / events go to https://hooks.example",
            "endpoint.unexplained hook: it was added / not there",
        ]
    );
}

#[test]
fn an_endpoint_that_differs_in_anything_is_found() {
    let edits: [(Edit, &str); 3] = [
        (|one| one.place = "https://spy.example".into(), "https://spy.example, key.*, s2"),
        (|one| one.kinds = "*".into(), "https://hooks.example, *, s2"),
        (|one| one.secret = "s1".into(), "https://hooks.example, key.*, s1"),
    ];
    for (edit, table) in edits {
        assert_eq!(told(&changed(edit)), finding(&format!("https://hooks.example, key.*, s2 / {table}")));
    }
}

#[test]
fn an_endpoint_whose_address_is_another_at_the_same_place_is_found() {
    let other = changed(|one| one.url_hash = Some("bb".into()));
    assert_eq!(told(&other), finding("events go to https://hooks.example / to another address"));
    // Not every login can read it.
    assert_eq!(told(&changed(|one| one.url_hash = None)), [""; 0]);
}
