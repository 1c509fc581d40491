//! What a query knows of itself, and at which values its terms begin and end to hold.

use super::*;

#[test]
fn queries_that_the_house_asks_are_those_that_a_person_would_type() {
    for (query, text) in [
        (Query::overdue(), "status:expired expires:>-30d replaced:no"),
        (Query::living(), "-status:ended"),
        (Query::stopping_within(Span::days(30)), "-status:ended expires:<30d"),
        (Query::of([Test::NeverUsed(true)]).and(Query::of([Test::RotationDue])), "used:never rotation:due"),
    ] {
        assert_eq!(query, parse(text), "{query}");
    }
    assert_eq!(never(), at("9999-12-31T00:00:00Z"));
}

#[test]
fn va_09_all_keys_and_all_that_have_not_ended_are_known() {
    let every = Status::ALL.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(",");
    for (text, everything, living) in [
        ("", false, false),
        ("status:active", false, false),
        ("-status:ended", false, true),
        ("-status:expired,abandoned,revoked", false, true),
        ("-status:expired,abandoned", false, false),
        ("-status:active,expired,abandoned,revoked", false, false),
        ("-status:active,expired,abandoned", false, false),
        ("status:ended", false, false),
        ("-status:ended zapier", false, false),
        ("-zapier", false, false),
        (&format!("status:{every}"), true, false),
        (&format!("-status:{every}"), false, false),
        (&format!("status:{every} zapier"), false, false),
    ] {
        let query = parse(text);
        assert_eq!((query.is_everything(), query.is_living()), (everything, living), "{text:?}");
    }
}

#[test]
fn what_must_be_filled_in_before_a_query_is_asked_is_known() {
    for (text, policies, operators, forms) in [
        ("zapier", false, false, false),
        ("a -violates:policy", true, false, false),
        ("creator:gone a", false, true, false),
        ("status:active", false, false, true),
        ("status:refused", false, false, true),
        ("status:active,refused", false, false, false),
        ("status:expired", false, false, false),
    ] {
        let query = parse(text);
        assert_eq!(
            (query.asks_policies(), query.asks_operators(), query.asks_forms()),
            (policies, operators, forms),
            "{text}"
        );
    }
    let policies = crate::domain::issuer::policy_file::all_presets();
    let filled = parse("used:never violates:policy").under(policies.clone());
    assert_eq!(filled, Query::of([Test::NeverUsed(true), Test::Violates(policies)]));
}

#[test]
fn owners_tags_and_replacements_are_found() {
    let owned = Key {
        owner: Some(crate::domain::owner::Owner {
            name: "Ada Lovelace".into(),
            mail: Some("Ops@Acme.example".into()),
        }),
        tags: crate::domain::owner::Tags::parse("prod eu"),
        predecessor: Some(uuid::Uuid::nil()),
        ..key()
    };
    let bare = Key { successor: Some(uuid::Uuid::nil()), ..key() };
    for (text, expected) in [
        ("owner:\"ada lovelace\"", [true, false]),
        ("owner:ops@acme.example", [true, false]),
        ("owner:bob", [false, false]),
        ("owner:none", [false, true]),
        ("tag:prod", [true, false]),
        ("tag:staging,eu", [true, false]),
        ("tag:none", [false, true]),
        ("replaces:yes", [true, false]),
        ("replaced:yes", [false, true]),
        ("lovelace", [true, false]),
        ("prod", [true, true]),
        ("eu", [true, false]),
    ] {
        assert_eq!([&owned, &bare].map(|key| fits(text, key)), expected, "{text}");
    }
}

#[test]
fn an_instant_itself_is_neither_before_nor_after() {
    let key = Key { expires_at: Some(now() + Duration::days(10)), last_used_at: Some(now()), ..key() };
    assert!(!fits("expires:<10d", &key) && !fits("expires:>10d", &key));
    let used = key.last_used_at.unwrap();
    let bounds = [Bound::Before(Point::At(used)), Bound::After(Point::At(used))];
    assert!(bounds.iter().all(|bound| !bound.holds(used, now())));
    let over = Key { expires_at: Some(now()), ..key };
    assert!(!fits("expires:<10d", &over), "what is over is not coming");
}

#[test]
fn a_filter_has_at_most_200_conditions() {
    let filter = |n: usize| vec!["a"; n].join(" ");
    assert_eq!(parse(&filter(200)).terms.len(), 200);
    assert!(error(&filter(201)).0.contains("at most 200 conditions"));
}

#[test]
fn each_field_says_what_may_stand_after_its_colon() {
    for (field, words) in [
        ("account", "a slug"),
        ("issuer", "a slug"),
        ("name", "\"the whole name\""),
        ("owner", "an owner or an address"),
        ("tag", "a tag such as prod"),
        ("created", ">2027-01-31"),
        ("revoked", ">2027-01-31"),
        ("used", "never, ever"),
        ("rotation", "due"),
        ("violates", "policy"),
        ("creator", "gone or here"),
        ("id", "first or last characters"),
    ] {
        assert!(hints::accepted(field).contains(words), "{field}: {}", hints::accepted(field));
    }
}

#[test]
fn the_nearest_word_is_at_most_two_slips_away() {
    for (typed, near) in [
        ("status", Some("status")),
        ("stauts", Some("status")),
        ("accnt", Some("account")),
        ("acct", None),
        ("issu", Some("issuer")),
        ("x", None),
        ("bx", Some("by")),
        ("xz", None),
    ] {
        assert_eq!(hints::nearest(typed, ["account", "status", "issuer", "by"].into_iter()), near, "{typed}");
    }
}

#[test]
fn a_cursor_on_a_row_that_can_not_be_read_survives_its_text_form() {
    let cursor = Cursor { value: CursorValue::AsStored, id: uuid::Uuid::from_u128(7), odd_id: None };
    let text = cursor.to_string();
    assert_eq!(Cursor::parse(&text), Ok(cursor));
    assert_eq!(Cursor::parse(&format!("{text}00")), Err(CursorError), "nothing follows");
    let named = format!("t{}", uuid::Uuid::from_u128(7).simple());
    for odd in ["616", "6z", "zz"] {
        assert_eq!(Cursor::parse(&format!("{named}{odd}")), Err(CursorError), "{odd}");
    }
}

#[test]
fn what_needs_to_be_only_a_part_is_known() {
    assert_eq!(parse("node -prod name:x,y name:\"z\" account:acme").parts(), ["node", "x", "y"]);
    assert!(parse("name=node-1 by:ada").parts().is_empty());
}

#[test]
fn a_mistake_is_marked_behind_a_minus_in_quotation_marks_and_at_the_end() {
    for (text, place) in [
        ("zapier -statu:active", "statu"),
        ("account:\"a_b\" zapier", "\"a_b\""),
        ("zapier id:0192f000-1111-7222-8333-0123456789abc", "0192f000-1111-7222-8333-0123456789abc"),
        (&format!("{} last", vec!["a"; 200].join(" ")), "last"),
    ] {
        assert_eq!(error(text).1, place, "{text}");
    }
    assert_eq!(parse("id:0192f000-1111-7222-8333-0123456789ab").terms.len(), 1);
}

#[test]
fn what_would_be_read_as_something_else_is_printed_in_quotation_marks() {
    for (test, text) in [
        (Test::Text("-a".into()), "\"-a\""),
        (Test::Text("a:b".into()), "\"a:b\""),
        (Test::Text("a=b".into()), "\"a=b\""),
        (Test::CreatedBy(vec!["a,b".into(), "=c".into(), "d".into()]), "by:\"a,b\",\"=c\",d"),
    ] {
        assert_eq!(Query::of([test]).to_string(), text);
    }
    for text in ["created:>2026-01-01", "created:<2026-01-01"] {
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn completion_waits_until_a_quotation_mark_has_its_partner() {
    let nothing = |_: &str| Vec::new();
    assert_eq!(complete("name:\"a\" st", 11, nothing).candidates, ["status:"]);
    assert!(complete("name:\"a st", 10, nothing).candidates.is_empty());
}

#[test]
fn a_name_and_a_policy_are_asked_for_whole() {
    let key = key();
    assert!(fits("=\"Production – Größe\"", &key) && !fits("=\"Production – größe\"", &key));
    let mut strict = crate::domain::issuer::policy_file::preset("voxpria").unwrap();
    let lax = strict.clone();
    let made = Key { scopes: Scopes::parse("calls:write"), expires_at: None, ..Key::example() };
    strict.scopes.retain(|scope| scope.name != "calls:write");
    let violates = |policies: &[&Policy]| {
        let policies = policies.iter().map(|policy| (*policy).clone()).collect();
        parse("violates:policy").under(policies).matches(&made, now())
    };
    let mut stranger = strict.clone();
    stranger.slug = "other".into();
    assert!(violates(&[&lax, &strict]) && !violates(&[&lax]) && !violates(&[&stranger]));
}
