use chrono::{Duration, TimeZone, Utc};
use proptest::prelude::*;

use super::*;
use crate::domain::key::Key;
use crate::domain::scope::Scopes;
use crate::domain::text::{composed, fold_typed};
use crate::domain::when::Here;

mod asked;
mod overlaps;
mod tidy;

fn now() -> Instant {
    Utc.with_ymd_and_hms(2026, 11, 21, 12, 0, 0).unwrap()
}

fn parse(text: &str) -> Query {
    Query::parse(text, Here::utc(now())).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn only(text: &str) -> Test {
    let mut query = parse(text);
    assert_eq!(query.terms.len(), 1, "{text:?}");
    let term = query.terms.remove(0);
    assert!(!term.negated, "{text:?}");
    term.test
}

fn at(text: &str) -> Instant {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// The error's message and the text it points at.
fn error(text: &str) -> (String, String) {
    let error = Query::parse(text, Here::utc(now())).unwrap_err();
    (error.message, text[error.start..error.end].to_owned())
}

/// A key of "acme", made 40 days ago, acknowledged, used an hour ago, without expiry.
fn key() -> Key {
    Key {
        id: uuid::Uuid::parse_str("0192f000-1111-7222-8333-0123456789ab").unwrap(),
        name: "Production – Größe".into(),
        description: "CRM sync script".into(),
        preview: "vp_live_••••••••aB3d".into(),
        scopes: Scopes::parse("calls:read calls:write"),
        last_used_at: Some(now() - Duration::hours(1)),
        ..Key::example().made(now() - Duration::days(40))
    }
}

fn fits(text: &str, key: &Key) -> bool {
    parse(text).matches(key, now())
}

#[test]
fn every_kind_of_term_is_read() {
    use Bound::{After, Before};
    use Point::{At, FromNow};
    let days = |n| FromNow(Duration::days(n).into());
    let span = |text: &str| Span::parse(text).unwrap();
    let cases = [
        ("status:active", Test::Status(vec![Status::Active])),
        ("STATUS:Active,expired,active", Test::Status(vec![Status::Active, Status::Expired])),
        ("status:ended", Test::Status(vec![Status::Expired, Status::Abandoned, Status::Revoked])),
        ("account:Acme,globex", Test::Account(vec!["acme".into(), "globex".into()])),
        ("issuer:voxpria", Test::Issuer(vec!["voxpria".into()])),
        ("by:\"Ada Lovelace\",bob", Test::CreatedBy(vec!["Ada Lovelace".into(), "bob".into()])),
        ("by:\"a,b\"", Test::CreatedBy(vec!["a,b".into()])),
        ("scope:calls:write", Test::Scope(vec!["calls:write".into()])),
        ("scope:none,calls:read", Test::Scope(vec!["none".into(), "calls:read".into()])),
        ("expires:never", Test::NeverExpires(true)),
        ("expires:set", Test::NeverExpires(false)),
        ("expires:<30d", Test::Expires(Before(days(30)))),
        ("expires:7d", Test::Expires(Before(days(7)))),
        ("expires:>90d", Test::Expires(After(days(90)))),
        ("expires:<-2w", Test::Expires(Before(days(-14)))),
        ("expires:<2027-01-31", Test::Expires(Before(At(at("2027-01-31T00:00:00Z"))))),
        ("expires:<=2027-01-31", Test::Expires(Before(At(at("2027-02-01T00:00:00Z"))))),
        ("expires:>2027-01-31", Test::Expires(After(At(at("2027-01-31T23:59:59.999999Z"))))),
        ("expires:>=2027-01-31", Test::Expires(After(At(at("2027-01-30T23:59:59.999999Z"))))),
        ("expires:<2027-01-31T12:00Z", Test::Expires(Before(At(at("2027-01-31T12:00:00Z"))))),
        ("expires:<2027-01-31T12:00:30+02:00", Test::Expires(Before(At(at("2027-01-31T10:00:30Z"))))),
        ("created:<7d", Test::Created(After(days(-7)))),
        ("created:7d", Test::Created(After(days(-7)))),
        ("created:>90d", Test::Created(Before(days(-90)))),
        ("created:<2026-01-01", Test::Created(Before(At(at("2026-01-01T00:00:00Z"))))),
        ("used:<1h", Test::Used(After(FromNow(Duration::hours(-1).into())))),
        ("used:>1mo", Test::Used(Before(FromNow(-span("1mo"))))),
        ("used:never", Test::NeverUsed(true)),
        ("used:ever", Test::NeverUsed(false)),
        ("idle:1d12h", Test::Idle(Duration::hours(36).into())),
        ("idle:>1y", Test::Idle(span("12mo"))),
        ("rotation:due", Test::RotationDue),
        ("acknowledged:yes", Test::Acknowledged(true)),
        ("acknowledged:no", Test::Acknowledged(false)),
        ("replaced:yes", Test::Replaced(true)),
        ("replaced:no", Test::Replaced(false)),
        ("id:0192F000", Test::Id("0192f000".into())),
        ("id:0192f0001111722283330123456789ab", Test::Id("0192f000-1111-7222-8333-0123456789ab".into())),
        ("name:Node", Test::NamePart(vec!["Node".into()])),
        ("name:\"node-1\"", Test::Name(vec!["node-1".into()])),
        ("name=node-1", Test::Name(vec!["node-1".into()])),
        ("name:=\"walk one\"", Test::Name(vec!["walk one".into()])),
        ("name:=\"one\",=\"two\"", Test::Name(vec!["one".into(), "two".into()])),
        ("name:\"=one\"", Test::Name(vec!["=one".into()])),
        ("by:=ada", Test::CreatedBy(vec!["ada".into()])),
        ("by:=\"ada l\"", Test::CreatedBy(vec!["ada l".into()])),
        ("=\"node 1\",x", Test::Name(vec!["node 1".into(), "x".into()])),
        ("name:\"Jose\u{301}\"", Test::Name(vec!["Jos\u{e9}".into()])),
        ("account=acme", Test::Account(vec!["acme".into()])),
        ("a=b", Test::Text("a=b".into())),
        ("by:CORP\\ada", Test::CreatedBy(vec!["CORP\\ada".into()])),
        ("by:\"CORP\\ada lovelace\"", Test::CreatedBy(vec!["CORP\\ada lovelace".into()])),
        ("by:\"CORP\\\\ada\"", Test::CreatedBy(vec!["CORP\\ada".into()])),
        ("violates:policy", Test::Violates(Vec::new())),
        ("status:suspended", Test::Status(vec![Status::Suspended])),
        ("Zapier", Test::Text("zapier".into())),
        ("\"CRM sync\"", Test::Text("crm sync".into())),
        ("\"status:active\"", Test::Text("status:active".into())),
        ("\"say \\\"hi\\\"\"", Test::Text("say \"hi\"".into())),
        ("a,b", Test::Text("a,b".into())),
        ("-", Test::Text("-".into())),
    ];
    for (text, test) in cases {
        assert_eq!(only(text), test, "{text:?}");
    }
}

#[test]
fn terms_are_separated_by_any_blanks_and_a_minus_turns_one_round() {
    let query = parse("  -status:active\tzapier\u{3000}-\"two words\" \"\" ");
    assert_eq!(query.terms.iter().map(|term| term.negated).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(query.to_string(), "-status:active zapier -\"two words\"");
    assert!(["", "\u{200d} -\u{200d} \"\u{200c}\""].iter().all(|text| parse(text).terms.is_empty()));
    assert!(error("name:node,\u{200c}").0.contains("needs a value"));
}

#[test]
fn a_mistake_is_marked_at_its_place_and_says_what_would_do() {
    for (text, place, words) in [
        ("zapier status:activ", "activ", "did you mean active?"),
        (
            "ü status:active,gone",
            "gone",
            "active, planned, paused, suspended, refused, expired, abandoned, revoked or ended",
        ),
        ("acount:acme", "acount", "did you mean account:?"),
        ("foo http:x", "http", "\"http:x\""),
        ("description:zapier", "description", "write the words alone"),
        ("name:\"a\",b", "\"a\",b", "put all names into quotation marks, or none"),
        ("status:", "status:", "needs a value"),
        ("status:active,", ",", "needs a value"),
        ("by:=", "by:=", "needs a value"),
        ("name:x,=", ",=", "needs a value"),
        ("account:a_b", "a_b", "hyphens"),
        ("expires:soon", "soon", "expires: does not know \"soon\": write never, set, <30d"),
        ("expires:2027-01-31", "2027-01-31", "put < or > before a date"),
        ("expires:<2027-02-30", "<2027-02-30", "does not know"),
        ("expires:<9999999y", "<9999999y", "at most 1000 years"),
        ("used:>3M", ">3M", "3m for minutes or 3mo for months"),
        ("idle:90", "90", "no unit: write 90m"),
        ("created:<1d,2d", "<1d,2d", "takes one value"),
        ("scope:calls", "calls", "calls:write"),
        ("idle:long", "long", "30d"),
        ("rotation:overdue", "overdue", "due"),
        ("acknowledged:maybe", "maybe", "yes or no"),
        ("replaced:maybe", "maybe", "yes or no"),
        ("id:xyz", "xyz", "the id"),
        ("a \"b c", "\"b c", "no partner"),
    ] {
        let (message, span) = error(text);
        assert_eq!(span, place, "{text:?}: {message}");
        assert!(message.contains(words), "{text:?}: {message}");
    }
}

#[test]
fn a_message_can_not_carry_escape_sequences() {
    let (message, _) = error("status:\u{1b}[2J\u{202e}");
    assert!(message.chars().all(crate::domain::text::is_safe), "{message:?}");
    let (message, _) = error("\u{1b}[2J\u{202e}:x");
    assert!(message.chars().all(crate::domain::text::is_safe), "{message:?}");
}

#[test]
fn va_14_free_text_looks_in_name_description_preview_and_id() {
    let key = key();
    for (text, expected) in [
        ("GRÖSSE", true),
        ("größe", true),
        ("PRODUCTION", true),
        ("\"crm sync\"", true),
        ("aB3d", true),
        ("vp_live", true),
        ("vp_live_••••••••ab3d", true),
        ("0192F000-1111", true),
        ("0192f0001111", true),
        ("0123456", true),
        ("012", false),
        ("6789ab", false),
    ] {
        assert_eq!(fits(text, &key), expected, "{text}");
        assert_eq!(fits(&format!("-{text}"), &key), !expected, "-{text}");
    }
    assert!(fits("production crm", &key));
    assert!(!fits("production salesforce", &key));
    assert!(fits("id:0192", &key) && fits("id:012", &key) && !fits("id:1111", &key));
}

#[test]
fn each_term_means_what_it_says() {
    let never = key();
    let soon = Key { expires_at: Some(now() + Duration::days(10)), scopes: Scopes::default(), ..key() };
    let over = Key { expires_at: Some(now() - Duration::days(3)), last_used_at: None, ..key() };
    let lost = Key { acknowledged_at: None, last_used_at: None, ..key() };
    let revoked = Key { revoked_at: Some(now()), rotation_due_at: Some(now()), ..key() };
    let due = Key { rotation_due_at: Some(now() - Duration::days(1)), ..key() };
    let all = [&never, &soon, &over, &lost, &revoked, &due];
    for (text, expected) in [
        ("", [1, 1, 1, 1, 1, 1]),
        ("status:active", [1, 1, 0, 0, 0, 1]),
        ("status:expired", [0, 0, 1, 0, 0, 0]),
        ("status:abandoned,revoked", [0, 0, 0, 1, 1, 0]),
        ("status:ended", [0, 0, 1, 1, 1, 0]),
        ("-status:active", [0, 0, 1, 1, 1, 0]),
        ("expires:never", [1, 0, 0, 1, 1, 1]),
        ("expires:set", [0, 1, 1, 0, 0, 0]),
        ("expires:<30d", [0, 1, 0, 0, 0, 0]),
        ("-expires:<30d", [1, 0, 1, 1, 1, 1]),
        ("expires:<7d", [0, 0, 0, 0, 0, 0]),
        ("expires:>7d", [0, 1, 0, 0, 0, 0]),
        ("expires:<-2d", [0, 0, 1, 0, 0, 0]),
        ("created:<41d", [1, 1, 1, 1, 1, 1]),
        ("created:<40d", [0, 0, 0, 0, 0, 0]),
        ("created:>39d", [1, 1, 1, 1, 1, 1]),
        ("created:<2026-10-13 created:>2026-10-11", [1, 1, 1, 1, 1, 1]),
        ("used:<2h", [1, 1, 0, 0, 1, 1]),
        ("used:>30m", [1, 1, 0, 0, 1, 1]),
        ("used:never", [0, 0, 1, 1, 0, 0]),
        ("-used:>30m", [0, 0, 1, 1, 0, 0]),
        ("idle:40d", [0, 0, 1, 1, 0, 0]),
        ("idle:41d", [0, 0, 0, 0, 0, 0]),
        ("scope:calls:write,credits:read", [1, 0, 1, 1, 1, 1]),
        ("scope:none", [0, 1, 0, 0, 0, 0]),
        ("scope:none,calls:read", [1, 1, 1, 1, 1, 1]),
        ("rotation:due", [0, 0, 0, 0, 0, 1]),
        ("acknowledged:no", [0, 0, 0, 1, 0, 0]),
        ("by:ada,bob account:acme issuer:voxpria", [1, 1, 1, 1, 1, 1]),
        ("by:bob", [0, 0, 0, 0, 0, 0]),
    ] {
        assert_eq!(all.map(|key| u8::from(fits(text, key))), expected, "{text}");
    }
}

#[test]
fn va_09_a_list_knows_whether_a_status_was_asked_for() {
    assert!(parse("zapier -status:active").mentions_status());
    assert!(!parse("zapier expires:never").mentions_status());
}

#[test]
fn completion_offers_fields_then_values() {
    let nothing = |_: &str| Vec::new();
    let fields = complete("zapier -st", 10, nothing);
    assert_eq!(fields, Completion { start: 8, end: 10, candidates: vec!["status:".into()] });
    let values = complete("status:active,ex zapier", 16, nothing);
    assert_eq!(values, Completion { start: 14, end: 16, candidates: vec!["expired".into()] });
    assert_eq!(complete("", 0, nothing).candidates.len(), FIELDS.len());
    assert_eq!(complete("by:", 3, |_| vec!["Ada L".into(), "bob".into()]).candidates, ["\"Ada L\"", "bob"]);
    assert!(complete("\"sta", 4, nothing).candidates.is_empty());
    // In the middle of a word the rest of it is replaced too.
    assert_eq!((complete("stxyz:a", 2, nothing).start, complete("stxyz:a", 2, nothing).end), (0, 6));
}

#[test]
fn everything_completion_offers_can_be_read() {
    for field in FIELDS {
        for value in field.values {
            parse(&format!("{}:{value}", field.name));
        }
    }
}

#[test]
fn a_broken_cursor_is_refused() {
    for text in [
        "",
        "t",
        "x0192f000111172228333",
        "i0192f000111172228333012345678900zz",
        "t0192f00011117222833301234567890é",
    ] {
        assert_eq!(Cursor::parse(text), Err(CursorError), "{text:?}");
    }
}

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-z0-9]{1,6}", 1..4).prop_map(|mut names| {
        names.sort();
        names.dedup();
        names
    })
}

fn spans() -> impl Strategy<Value = Span> {
    let fixed =
        prop_oneof![(0i64..5_000).prop_map(Duration::days), (0i64..100_000_000).prop_map(Duration::seconds)];
    prop_oneof![
        fixed.prop_map(Span::from),
        (1u32..1_000, 0u32..50)
            .prop_map(|(months, days)| Span::parse(&format!("{months}mo{days}d")).unwrap())
    ]
}

fn bounds() -> impl Strategy<Value = Bound> {
    let points = prop_oneof![
        spans().prop_map(Point::FromNow),
        spans().prop_map(|span| Point::FromNow(-span)),
        (0i64..4_000_000_000_000_000)
            .prop_map(|m| Point::At(chrono::DateTime::from_timestamp_micros(m).unwrap())),
        (0i64..40_000).prop_map(|d| Point::At(chrono::DateTime::from_timestamp(d * 86_400, 0).unwrap())),
    ];
    (points, any::<bool>())
        .prop_map(|(point, before)| if before { Bound::Before(point) } else { Bound::After(point) })
}

fn tests() -> impl Strategy<Value = Test> {
    prop_oneof![
        prop::sample::subsequence(Status::ALL.to_vec(), 1..=5).prop_map(Test::Status),
        names().prop_map(Test::Account),
        names().prop_map(Test::Issuer),
        prop::collection::hash_set("\\PC{1,8}", 1..3)
            .prop_map(|names| Test::CreatedBy(names.iter().map(|name| composed(name)).collect())),
        names().prop_map(|names| Test::Scope(names.into_iter().map(|name| format!("{name}:read")).collect())),
        Just(Test::Scope(vec!["none".into()])),
        any::<bool>().prop_map(Test::NeverExpires),
        bounds().prop_map(Test::Expires),
        bounds().prop_map(Test::Created),
        bounds().prop_map(Test::Used),
        bounds().prop_map(Test::Revoked),
        any::<bool>().prop_map(Test::NeverUsed),
        spans().prop_map(Test::Idle),
        prop_oneof![Just(Test::RotationDue), Just(Test::Violates(Vec::new()))],
        any::<bool>().prop_map(Test::Anywhere),
        any::<bool>().prop_map(Test::Acknowledged),
        any::<bool>().prop_map(Test::Replaced),
        "[0-9a-f]{1,8}".prop_map(Test::Id),
        prop::collection::hash_set("\\PC{1,8}", 1..3)
            .prop_map(|names| Test::Name(names.iter().map(|name| composed(name)).collect())),
        names().prop_map(Test::NamePart),
        ".{1,12}x".prop_map(|text| Test::Text(fold_typed(&text))),
    ]
}

proptest! {
    #[test]
    fn a_printed_query_reads_back_as_the_same_query(
        terms in prop::collection::vec((any::<bool>(), tests()), 0..5)
    ) {
        let query = Query { terms: terms.into_iter().map(|(negated, test)| Term { negated, test }).collect() };
        let text = query.to_string();
        prop_assert_eq!(Query::parse(&text, Here::utc(now())), Ok(query), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused_at_a_place_inside_it(text in ".{0,40}|[a-z:,<>\"\\\\ -]{0,30}") {
        match Query::parse(&text, Here::utc(now())) {
            Ok(query) => prop_assert_eq!(Query::parse(&query.to_string(), Here::utc(now())), Ok(query)),
            Err(error) => prop_assert!(error.start < error.end && text.get(error.start..error.end).is_some()),
        }
    }

    #[test]
    fn completion_stays_inside_the_text(text in ".{0,20}|[a-z:,\" -]{0,20}", cursor in 0usize..30) {
        let completion = complete(&text, cursor, |_| vec!["x".into()]);
        prop_assert!(text.get(completion.start..completion.end).is_some());
    }

    #[test]
    fn a_cursor_survives_its_text_form(
        (id, odd_id, instant) in any::<(u128, Option<Vec<u8>>, bool)>(), text in ".{0,20}", micros in 0..4_000_000_000_000_000i64
    ) {
        let value = if instant {
            CursorValue::Instant(chrono::DateTime::from_timestamp_micros(micros).unwrap())
        } else {
            CursorValue::Text(text)
        };
        let cursor = Cursor { value, id: uuid::Uuid::from_u128(id), odd_id };
        let text = cursor.to_string();
        prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()));
        prop_assert_eq!(Cursor::parse(&text), Ok(cursor));
    }
}
