//! The screen at three sizes, as text. Colours are asserted elsewhere.

use crate::domain::key::Key;
use crate::tui::testing::{Desk, keys, noon};

/// Keys of every kind.
fn mixed() -> Vec<Key> {
    let mut keys = keys(60);
    keys[1].revoked_at = Some(noon() - chrono::Duration::hours(1));
    keys[2].expires_at = Some(noon() - chrono::Duration::hours(3));
    keys[3].acknowledged_at = None;
    keys[3].last_used_at = None;
    keys[4].rotation_due_at = Some(noon());
    keys[5].name = "Production Server – Main App".into();
    keys[6].name = "称号 通話 レコーダー".into();
    keys[7].scopes = Default::default();
    keys[8].account = "a-very-long-account-slug-indeed".into();
    keys
}

#[test]
fn the_table_at_80_by_24() {
    insta::assert_snapshot!(Desk::ready(80, 24, mixed()).play("right").screen());
}

#[test]
fn the_table_at_120_by_40() {
    insta::assert_snapshot!(Desk::ready(120, 40, mixed()).play("right j space").screen());
}

#[test]
fn the_table_at_200_by_50() {
    insta::assert_snapshot!(Desk::ready(200, 50, mixed()).play("right").screen());
}

#[test]
fn the_detail_at_80_by_24() {
    insta::assert_snapshot!(Desk::ready(80, 24, mixed()).play("right j enter").screen());
}

#[test]
fn the_detail_at_120_by_40() {
    insta::assert_snapshot!(Desk::ready(120, 40, mixed()).play("right j j enter").screen());
}

#[test]
fn the_live_keys_and_those_that_have_ended_at_80_by_24() {
    let mut desk = Desk::ready(80, 24, mixed());
    insta::assert_snapshot!("live", desk.screen());
    insta::assert_snapshot!("ended", desk.play("right right").screen());
}
