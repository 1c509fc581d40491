//! The frame around the screens.

use chrono::Duration;

use crate::domain::hold::{Hold, HoldKind};
use crate::domain::pause::Pause;
use crate::domain::subjects::Subjects;
use crate::tui::effect::{Effect, Timer};
use crate::tui::message::Message;
use crate::tui::testing::approvals::approval;
use crate::tui::testing::{Desk, keys, noon};

fn footer(desk: &mut Desk) -> String {
    desk.screen().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn the_narrowest_footer_shows_the_way_to_help_and_commands() {
    for width in 60..=200 {
        for screen in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
            let mut desk = Desk::ready(width, 24, keys(3));
            desk.play(screen);
            let footer = footer(&mut desk);
            assert!(footer.ends_with("? help  : commands"), "{width}, screen {screen}: {footer:?}");
        }
    }
}

#[test]
fn at_80_columns_the_footer_names_what_is_done_in_a_hurry() {
    let footer = footer(&mut Desk::ready(80, 24, keys(3)));
    for hint in ["/ filter", "n Create New API Key", "d revoke", "x exposed key"] {
        assert!(footer.contains(hint), "{footer:?}");
    }
}

#[test]
fn the_footer_of_an_open_detail_names_the_keys_of_the_detail() {
    let mut desk = Desk::ready(120, 40, keys(3));
    desk.play("enter");
    let beside = footer(&mut desk);
    assert!(beside.contains("Esc close") && beside.contains("Tab scroll"), "{beside:?}");
    assert!(!beside.contains("Enter open"), "{beside:?}");
    desk.play("tab");
    let inside = footer(&mut desk);
    assert!(inside.contains("Esc close") && inside.contains("j scroll"), "{inside:?}");
    assert!(inside.contains("Tab list"), "{inside:?}");
    desk.play("esc");
    assert!(footer(&mut desk).contains("r rotate  Enter open"));
}

/// What stands at the hardware cursor and right of it.
fn under_cursor(desk: &Desk) -> String {
    let (x, y) = desk.cursor();
    let screen = desk.screen();
    screen.lines().nth(y.into()).unwrap_or_default().chars().skip(x.into()).collect()
}

#[test]
fn the_hardware_cursor_is_on_the_selected_row_of_every_list() {
    for screen in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        let mut desk = Desk::ready(120, 30, keys(3));
        desk.play(screen);
        let marked = desk.screen().lines().position(|line| line.starts_with('▌'));
        let at = usize::from(desk.cursor().1);
        assert!(marked.is_none_or(|row| row == at) && at >= 2, "{screen}: {at}\n{}", desk.screen());
    }
    let mut desk = Desk::ready(120, 30, keys(3));
    desk.play("enter tab");
    assert!(desk.cursor().0 > 40, "in the detail:\n{}", desk.screen());
}

#[test]
fn the_hardware_cursor_is_on_the_focus_of_every_dialog() {
    for (opens, moves, focus) in [
        ("d", "", "[ "),
        ("d", "tab", "[ "),
        ("r", "", "(•)"),
        (":", "down", "› "),
        ("s", "down", "▌"),
        ("?", "", ""),
        ("x", "", ""),
        ("E", "", ""),
        ("n", "", ""),
    ] {
        let mut desk = Desk::ready(120, 40, keys(3));
        let row = desk.cursor();
        desk.role(crate::domain::operator::Role::Admin);
        desk.play(opens).play(moves);
        let under = under_cursor(&desk);
        assert!(under.starts_with(focus), "{opens} {moves}: {under:?}\n{}", desk.screen());
        // Never on what lies below the dialog.
        let before: String = desk.screen().lines().nth(desk.cursor().1.into()).unwrap().to_owned();
        assert!(desk.cursor() != row && before.contains('│'), "{opens} {moves}\n{}", desk.screen());
    }
}

fn hold(n: i64, kind: HoldKind, filter: &str, minutes: i64) -> Hold {
    Hold {
        n,
        kind,
        filter: filter.into(),
        account: None,
        issuer: None,
        pause: Pause {
            at: noon(),
            until: noon() + Duration::minutes(minutes),
            by: "grace".into(),
            message: Some("Call us.".into()),
            reason: Some("looking into a leak".into()),
            freeze: Some(n),
        },
        lifted_at: None,
        lifted_by: None,
    }
}

fn frozen(width: u16, height: u16) -> Desk {
    let mut desk = Desk::ready(width, height, keys(40));
    desk.database.holds = vec![
        hold(2, HoldKind::Creation, "", 30),
        hold(1, HoldKind::Freeze, "account:acme scope:calls:write", 90),
    ];
    desk.live(Subjects::HOLDS);
    desk
}

#[test]
fn kr_05_a_freeze_stands_in_the_header_of_every_screen_until_it_is_over() {
    let mut desk = frozen(80, 24);
    for screen in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"] {
        desk.play(screen).sees("✕ Creation of keys stopped: all, until 12:30:00, by grace: looking");
        desk.sees(" · 1 more");
    }
    let after = |desk: &Desk| {
        let timers = desk.effects.iter().rev();
        timers.clone().find_map(|effect| match effect {
            Effect::SetTimer { timer: Timer::Holds, after } => Some(*after),
            _ => None,
        })
    };
    assert_eq!(after(&desk), Some(std::time::Duration::from_secs(30 * 60)));
    desk.wait(Duration::minutes(30));
    desk.sees_not("Creation of keys stopped").sees("✕ Keys frozen: account:acme scope:calls:");
    desk.database.holds.remove(0);
    desk.send(Message::Timer(Timer::Holds)).settle();
    assert_eq!(after(&desk), Some(std::time::Duration::from_secs(60 * 60)));
    desk.sees_not(" more");
    desk.wait(Duration::hours(1));
    desk.sees_not("✕");
    // One that is lifted goes with the news of that.
    let mut desk = frozen(80, 24);
    desk.database.holds.clear();
    desk.live(Subjects::HOLDS).sees_not("✕");
}

#[test]
fn kr_05_the_line_of_a_freeze_at_80_by_24() {
    insta::assert_snapshot!(frozen(80, 24).screen());
}

#[test]
fn kr_05_the_line_of_a_freeze_at_200_by_50() {
    insta::assert_snapshot!(frozen(200, 50).screen());
}

#[test]
fn kr_16_what_waits_for_approval_stands_in_the_header_until_its_hour_is_over() {
    let mut desk = Desk::ready(80, 24, keys(4));
    desk.database.approvals = vec![approval(3, "grace")];
    desk.live(Subjects::HOLDS).sees("! grace asks to revoke 12 keys until 13:00:00: A shows it");
    desk.wait(Duration::hours(1));
    desk.sees_not("asks to revoke");
}
