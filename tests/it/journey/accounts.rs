//! Accounts in the console, in a real terminal.

use super::keys::home;
use crate::support::people::{make_kept, office, preset};
use crate::support::pty::Start;
use crate::support::script::Script;

on_both! {
    async fn kr_14_the_page_of_an_account_is_one_key_away_and_follows_what_others_do(db) {
        let service = office(&db, preset("voxpria")).await;
        make_kept(&service, "acme", "Hub").await;
        let home = home();
        let mut terminal = Start::new(home.path()).on(&db.address()).size(100, 36).spawn();
        terminal.wait_for("Hub");
        terminal.press("4");
        terminal.wait_for("acme");
        terminal.press("enter");
        terminal.wait_for("Admins");
        terminal.wait_for("Done lately");
        terminal.wait_for("key.create");
        Script::on(&db).ok(&["account", "suspend", "acme"]);
        terminal.wait_for("account.suspend");
        terminal.press("p");
        terminal.wait_for("Reinstate");
        terminal.answer("y");
        terminal.wait_for("account.reinstate");
        terminal.press("enter");
        terminal.wait_for("account:acme");
        terminal.wait_for("Hub");
    }
}
