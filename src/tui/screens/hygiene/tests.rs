use crate::domain::hygiene::{Card, Unknown};
use crate::domain::query::Query;
use crate::service::{Counted, Hygiene};
use crate::tui::effect::{Reply, Request};
use crate::tui::testing::{Desk, noon, only_request};
use crate::tui::words::ScreenId;

fn told() -> Hygiene {
    let counts = [1234, 271, 40, 143, 0, 1190, 870, 252, 12, 3];
    let cards = Card::ALL.iter().zip(counts).map(|(card, keys)| Counted {
        card: *card,
        filter: card.filter(&Query::default()),
        count: if *card == Card::UnusedScopes { Err(Unknown::Scopes) } else { Ok(keys) },
    });
    Hygiene { now: noon(), keys: Some(1684), cards: cards.collect() }
}

fn screen(mut desk: Desk, told: Hygiene) -> Desk {
    let (id, request) = only_request(desk.press("9"));
    assert_eq!(request, Request::Hygiene);
    assert_eq!(desk.reply(id, Reply::Hygiene(Ok(Box::new(told)))), []);
    desk
}

#[test]
fn kr_12_enter_on_a_card_shows_its_keys_in_the_table() {
    let mut desk = screen(Desk::new(), told());
    desk.says("Never expires").says("1,234").says("not recorded").says("1,684");
    desk.press("down");
    let effects = desk.press("enter");
    assert_eq!(desk.state.shell.screen, ScreenId::Keys);
    assert!(!effects.is_empty());
    desk.says("-status:ended idle:90d");
}

#[test]
fn kr_12_what_nothing_records_is_told_and_opens_nothing() {
    let mut unused = told();
    for row in unused.cards.iter_mut().filter(|row| row.card.asks_use()) {
        row.count = Err(Unknown::Use);
    }
    let mut desk = screen(Desk::new(), unused);
    desk.says("no use recorded");
    desk.press("down");
    desk.strike("enter").told("no gate has recorded the use of any key");
    desk.press("down down down");
    desk.strike("enter").told("Not recorded");
    assert_eq!(desk.state.shell.screen, ScreenId::Hygiene);
}

#[test]
fn the_screen_at_80_by_24() {
    insta::assert_snapshot!(screen(Desk::new(), told()).screen());
}

#[test]
fn the_screen_at_200_by_50() {
    insta::assert_snapshot!(screen(Desk::sized(200, 50), told()).screen());
}
