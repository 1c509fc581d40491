use chrono::Duration;

use super::filter::Filter;
use crate::domain::key::KeyId;
use crate::domain::operator::Role;
use crate::domain::subjects::Subjects;
use crate::domain::usage::{Alert, Source, What};
use crate::service::{AlertRequest, GateStanding, RaisedAlert};
use crate::tui::effect::{Effect, Reply, Request, Timer, To};
use crate::tui::testing::{Desk, asked, asks_nothing, key, noon, only_request};
use crate::tui::words::ScreenId;

const ME: To = To::Screen(ScreenId::Alerts);

fn raised(id: i64, hours: i64, what: What) -> RaisedAlert {
    let alert = Alert { at: noon() - Duration::hours(hours), what };
    let about_key = alert.key().is_some();
    RaisedAlert {
        id,
        alert,
        gate: "gate-1".into(),
        account: about_key.then(|| "acme".into()),
        name: about_key.then(|| "CI runner".into()),
        preview: about_key.then(|| key("voxpria", "CI runner").preview),
        acknowledged_at: None,
        acknowledged_by: None,
    }
}

fn ci_runner() -> KeyId {
    key("voxpria", "CI runner").id
}

/// Newest first: a grave spike, a run of failed attempts, a new network that somebody has looked at.
fn rows() -> Vec<RaisedAlert> {
    let spike = What::Spike { key: ci_runner(), requests: 12_000, usual: 40, busiest: 310 };
    let source = Source::Address("203.0.113.7".parse().unwrap());
    let failed = What::FailedAuthentications { source, attempts: 64, seconds: 300 };
    let network = What::NewNetwork {
        key: ci_runner(),
        network: "198.51.100.0/24".parse().unwrap(),
        address: "198.51.100.9".parse().unwrap(),
        expected: false,
    };
    let looked_at = RaisedAlert {
        acknowledged_at: Some(noon() - Duration::hours(20)),
        acknowledged_by: Some("grace".into()),
        ..raised(3, 26, network)
    };
    vec![raised(9, 1, spike), raised(7, 3, failed), looked_at]
}

fn gate(name: &str, alive: bool, applied: i64) -> GateStanding {
    GateStanding {
        freshness: Default::default(),
        name: name.into(),
        host: "web-1".into(),
        listen: "127.0.0.1:8080".into(),
        version: "0.1.0".into(),
        began_at: noon() - Duration::hours(30),
        heard_at: if alive { noon() } else { noon() - Duration::minutes(4) },
        alive,
        applied,
    }
}

fn screen_of(width: u16, height: u16, rows: Vec<RaisedAlert>, gates: Vec<GateStanding>) -> Desk {
    let mut desk = Desk::sized(width, height);
    let open = rows.iter().filter(|row| row.acknowledged_at.is_none()).count();
    desk.state.shell.alerts = Some(open as u64);
    let effects = desk.press("8");
    let all = AlertRequest { open: false, key: None, account: None, before: None, limit: 200 };
    let id = asked(&effects, |request| *request == Request::Alerts(all.clone()));
    let look = asked(&effects, |request| *request == Request::Gates);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::SetTimer { timer: Timer::Of(ME), .. })));
    desk.reply(id, Reply::Alerts(Ok(rows)));
    desk.reply(look, Reply::Gates(Ok(gates)));
    desk
}

fn screen(width: u16, height: u16) -> Desk {
    screen_of(width, height, rows(), vec![gate("gate-1", true, 812), gate("gate-2", false, 790)])
}

#[test]
fn vp_09_alerts_are_told_newest_first_with_sign_and_word_and_counted_in_the_header() {
    let desk = screen(80, 24);
    let words = desk.words();
    for told in
        ["! 2 alerts", "✕ critical 1h ago spike CI runner", "! warning 3h ago failed attempts 203.0.113.7"]
    {
        assert!(words.contains(told), "{told}: {words}");
    }
    assert!(words.contains("new network CI runner acme ✓ grace"), "{words}");
    assert!(words.contains("12000 requests in 5 minutes; usual are 40"), "the selected one in full: {words}");
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn a_wide_screen_tells_each_alert_in_its_own_words() {
    insta::assert_snapshot!(screen(200, 50).screen());
}

#[test]
fn the_gates_say_what_they_applied_and_which_is_silent() {
    let mut desk = screen(80, 24);
    desk.says("gate-1 ✓ alive 127.0.0.1:8080 #812");
    desk.says("gate-2 ✕ silent since 11:56:00 127.0.0.1:8080 #790, 22 behind");
}

#[test]
fn without_alerts_it_says_what_would_be_here_and_that_a_gate_must_run() {
    let desk = screen_of(80, 24, Vec::new(), Vec::new());
    let words = desk.words();
    assert!(words.contains("No gate is running") && words.contains("keyrack --db test.db gate"), "{words}");
    assert!(words.contains("No alert was raised yet. A gate raises one when"), "{words}");
    assert!(!words.contains("0 alerts"), "no badge without alerts: {words}");
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn the_gates_are_looked_at_only_while_the_screen_is_shown() {
    let mut desk = screen(80, 24);
    let ring = |desk: &mut Desk| {
        crate::tui::update::update(&mut desk.state, crate::tui::message::Message::Timer(Timer::Of(ME)))
    };
    let effects = ring(&mut desk);
    asked(&effects, |request| *request == Request::Gates);
    desk.press("5");
    assert_eq!(ring(&mut desk), []);
}

#[test]
fn a_acknowledges_the_selected_alert_or_all_marked_ones() {
    let mut desk = screen(80, 24);
    let (_, request) = only_request(desk.press("a"));
    let Request::AcknowledgeAlerts { alerts, .. } = request else { panic!("{request:?}") };
    assert_eq!(alerts, [9]);
    let mut desk = screen(80, 24);
    let (id, request) = only_request(desk.press("ctrl-a a"));
    let Request::AcknowledgeAlerts { alerts, .. } = request else { panic!("{request:?}") };
    assert_eq!(alerts, [9, 7], "what somebody looked at already is left out");
    assert_eq!(desk.press("a"), [], "nothing is sent twice");
    let effects = desk.reply(id, Reply::AcknowledgeAlerts(Ok(2)));
    assert_eq!(desk.toast(), "2 alerts acknowledged");
    asked(&effects, |request| *request == Request::OpenAlerts);
}

#[test]
fn a_viewer_may_not_acknowledge() {
    let mut desk = screen(80, 24);
    desk.role(Role::Viewer);
    let effects = desk.press("a");
    asks_nothing(&effects);
    desk.told("viewers can't acknowledge alerts");
}

#[test]
fn enter_shows_an_alert_and_leads_to_its_key() {
    let mut desk = screen(80, 24);
    desk.strike("enter").says("Alert 9: spike").says("Most before 310 requests in 5 minutes");
    desk.says("o goes to the key, d revokes it. In the list a acknowledges it.");
    let (id, request) = only_request(desk.press("d"));
    assert_eq!(request, Request::Key(ci_runner()), "the question shows whose key it is");
    desk.reply(id, Reply::Key(Ok(Box::new(key("voxpria", "CI runner")))));
    desk.says("key CI runner?").sees("[ No, keep ]");
    desk.press("esc o");
    assert_eq!(desk.state.shell.screen, ScreenId::Keys);
    let filter = desk.keys().rows.filter.value();
    assert_eq!(
        filter,
        format!(
            "status:active,planned,paused,suspended,refused,expired,abandoned,revoked id:{}",
            ci_runner()
        )
    );
}

#[test]
fn an_alert_about_no_key_can_not_lead_to_one() {
    let mut desk = screen(80, 24);
    desk.strike("j d").closed().told("no key of this database was used there");
    desk.strike("enter").says("From 203.0.113.7").says_not("d revoke");
}

#[test]
fn the_database_filters_by_key_and_account_the_list_by_words() {
    let mut desk = screen(80, 24);
    desk.press("/");
    assert_eq!(desk.write("203.0"), []);
    desk.says("failed attempts").says_not("spike CI");
    desk.press("ctrl-u");
    let request = desk.write("account:globex").into_iter().rev().find_map(|effect| match effect {
        Effect::Ask { to, request: Request::Alerts(_) } => Some(to),
        _ => None,
    });
    assert!(request.is_some(), "{}", desk.screen());
    desk.strike("ctrl-u \"key:7\"").says("✕ key: needs a key's ID");
}

#[test]
fn a_filter_reads_conditions_and_words() {
    let filter = Filter::parse("account:acme CRITICAL ci").unwrap();
    assert_eq!((filter.account.as_deref(), filter.key), (Some("acme"), None));
    let rows = rows();
    assert!(filter.fits(&rows[0]) && !filter.fits(&rows[1]) && !filter.fits(&rows[2]));
    assert!(Filter::parse("key:nothing").is_err());
}

#[test]
fn what_nobody_acknowledged_has_a_tab_of_its_own() {
    let mut desk = screen(80, 24);
    let (_, request) = only_request(desk.press("right"));
    let open = AlertRequest { open: true, key: None, account: None, before: None, limit: 200 };
    assert_eq!(request, Request::Alerts(open));
    desk.says("[Unacknowledged 2]");
}

#[test]
fn a_new_alert_comes_at_the_top_and_the_selection_stays() {
    for (keys, selected) in [("j", "203.0.113.7"), ("", "spike")] {
        let mut desk = screen(80, 24);
        desk.press(keys);
        let effects = desk.with(|shell| shell.changed(Subjects::ALERTS));
        let id = asked(&effects, |request| matches!(request, Request::Alerts(_)));
        let mut rows = rows();
        let source = Source::Issuer("voxpria".into());
        rows.insert(0, raised(12, 0, What::FailedAuthentications { source, attempts: 900, seconds: 300 }));
        desk.reply(id, Reply::Alerts(Ok(rows)));
        desk.selects(selected).sees("keys of voxpr");
    }
}

#[test]
fn the_command_that_starts_a_gate_names_the_database() {
    for (database, argument) in [
        ("/tmp/keyrack-demo-3fe2da3c/demo.db", "/tmp/keyrack-demo-3fe2da3c/demo.db"),
        (
            "postgres://ada@localhost/keyrack?host=/run/postgresql",
            "'postgres://ada@localhost/keyrack?host=/run/postgresql'",
        ),
    ] {
        let mut desk = screen(80, 24);
        desk.state.shell.database = database.into();
        desk.on_mut::<super::State>().gates = Some(Vec::new());
        desk.says(&format!("`keyrack --db {argument} gate` starts one."));
    }
}
