use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Position, Rect};

use super::window::MOST;
use super::*;
use crate::domain::query::QueryError;
use crate::domain::subjects::Subjects;
use crate::domain::when::Here;
use crate::tui::effect::{Outcomes, Reply, Request};
use crate::tui::testing::Desk;
use crate::tui::words::ScreenId;

/// The numbers from 0 on, read from the beginning on or from any place; a filter is what their digits begin with.
#[derive(Debug, Default)]
struct Numbers<const BOTH_WAYS: bool>;

impl<const BOTH_WAYS: bool> Source for Numbers<BOTH_WAYS> {
    type Row = u64;
    type Id = u64;
    type Filter = String;

    const SCREEN: ScreenId = ScreenId::Audit;
    const ABOUT: Subjects = Subjects::ALL;
    const FILTER: Option<&'static str> = Some("digits");
    const MARKS: bool = true;
    const BOTH_WAYS: bool = BOTH_WAYS;

    fn id(row: &u64) -> u64 {
        *row
    }

    fn parse(text: &str, _: Here) -> Result<String, QueryError> {
        match text.chars().position(|c| !c.is_ascii_digit()) {
            Some(start) => Err(QueryError { start, end: start + 1, message: "only digits".to_owned() }),
            None => Ok(text.to_owned()),
        }
    }

    fn fits(filter: &String, row: &u64) -> bool {
        row.to_string().starts_with(filter.as_str())
    }

    fn reads_same(_: &String, _: &String) -> bool {
        true
    }

    fn answer(&self, _: Reply) -> Option<Outcomes<Chunk<u64>>> {
        None
    }

    fn request(&self, _: &String, part: Part<'_, u64>, limit: u32) -> Request {
        let words = match part {
            Part::Start => "start".to_owned(),
            Part::End => "end".to_owned(),
            Part::At(row) => format!("at {row}"),
            Part::After(row) => format!("after {row}"),
            Part::Before(row) => format!("before {row}"),
            Part::Around(row) => format!("around {row}"),
        };
        Request::Accounts { filter: words, after: None, limit }
    }
}

const PAGE: usize = 10;
/// Ten rows below a heading.
const LIST: Rect = Rect { x: 0, y: 0, width: 40, height: 11 };

/// A list of numbers, with whatever is in the database.
struct Bench<const BOTH_WAYS: bool> {
    desk: Desk,
    list: Listing<Numbers<BOTH_WAYS>>,
    numbers: Vec<u64>,
    asked: Vec<(RequestId, Request)>,
}

impl<const BOTH_WAYS: bool> Bench<BOTH_WAYS> {
    fn of(numbers: impl IntoIterator<Item = u64>) -> Self {
        let numbers = numbers.into_iter().collect();
        let mut bench = Self { desk: Desk::new(), list: Listing::default(), numbers, asked: Vec::new() };
        bench.refresh();
        bench
    }

    fn refresh(&mut self) {
        let effect = self.list.refresh(&mut self.desk.state.shell, PAGE);
        self.keep(effect.into_iter().collect());
        self.settle();
    }

    fn keep(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let Effect::Ask { to, request } = effect else { panic!("{effect:?}") };
            self.asked.push((to, request));
        }
    }

    fn settle(&mut self) {
        while !self.asked.is_empty() {
            let (id, request) = self.asked.remove(0);
            let chunk = self.answer(&request);
            let came = self.list.answered(&mut self.desk.state.shell, id, Ok(chunk), PAGE);
            self.keep(came.expect("it was asked for").effects);
        }
    }

    fn answer(&self, request: &Request) -> Chunk<u64> {
        let Request::Accounts { filter, limit, .. } = request else { panic!("{request:?}") };
        let (limit, all) = (*limit as usize, &self.numbers);
        let (words, row) = filter.split_once(' ').unwrap_or((filter, "0"));
        let at = all.iter().position(|number| number.to_string() == row).unwrap_or(0);
        let (from, to) = match words {
            "start" => (0, limit),
            "end" => (all.len().saturating_sub(limit), all.len()),
            "at" => (at, at + limit),
            "after" => (at + 1, at + 1 + limit),
            "before" => (at.saturating_sub(limit), at),
            "around" => (at.saturating_sub(limit / 3), at.saturating_sub(limit / 3) + limit),
            _ => panic!("{words}"),
        };
        let to = to.min(all.len());
        let rows = all[from.min(to)..to].to_vec();
        Chunk {
            rows,
            at: at - from.min(at),
            more_before: BOTH_WAYS && from > 0,
            more_after: Some(to < all.len()),
        }
    }

    fn strike(&mut self, action: Action) -> Taken {
        let key =
            Key { action: Some(action), event: KeyEvent::from(KeyCode::Null), hurried: false, unread: false };
        self.list.take(&mut self.desk.state.shell, Input::Key(key), LIST)
    }

    /// Acts, and lets the database answer.
    fn act(&mut self, action: Action) {
        let Taken::Done(effects) = self.strike(action) else { panic!("{action:?} is not the list's") };
        self.keep(effects);
        self.settle();
    }

    fn write(&mut self, text: &str) {
        for c in text.chars() {
            let key =
                Key { action: None, event: KeyEvent::from(KeyCode::Char(c)), hurried: false, unread: false };
            let taken = self.list.take(&mut self.desk.state.shell, Input::Key(key), LIST);
            let Taken::Done(effects) = taken else { panic!("{taken:?}") };
            self.keep(effects);
            self.settle();
        }
    }

    /// Selected row, first row on the screen, rows held.
    fn place(&self) -> (u64, u64, usize) {
        let top = self.list.iter().nth(self.list.top(PAGE)).copied();
        (*self.list.selected().unwrap(), top.unwrap(), self.list.len())
    }
}

/// What has to be so whichever way a list is read.
fn both(test: impl Fn(&mut dyn Walk)) {
    test(&mut Bench::<true>::of(0..5_000));
    test(&mut Bench::<false>::of(0..5_000));
}

trait Walk {
    fn act(&mut self, action: Action);
    fn place(&self) -> (u64, u64, usize);
    fn change(&mut self, change: &dyn Fn(&mut Vec<u64>));
    fn marked(&self) -> Vec<u64>;
}

impl<const BOTH_WAYS: bool> Walk for Bench<BOTH_WAYS> {
    fn act(&mut self, action: Action) {
        self.act(action);
    }

    fn place(&self) -> (u64, u64, usize) {
        self.place()
    }

    fn change(&mut self, change: &dyn Fn(&mut Vec<u64>)) {
        change(&mut self.numbers);
        self.refresh();
    }

    fn marked(&self) -> Vec<u64> {
        if !self.list.marks.is_empty() { self.list.chosen() } else { Vec::new() }
    }
}

#[test]
fn page_keys_move_the_screen_with_the_selection() {
    both(|list| {
        list.act(Action::Down);
        list.act(Action::PageDown);
        assert_eq!(list.place(), (11, 10, 200));
        list.act(Action::PageUp);
        assert_eq!(list.place(), (1, 0, 200));
        list.act(Action::HalfPageDown);
        assert_eq!(list.place(), (6, 0, 200));
    });
}

#[test]
fn selection_stays_with_its_row_when_others_come_and_go() {
    both(|list| {
        list.act(Action::Down);
        list.change(&|numbers| numbers.insert(0, 9_000));
        assert_eq!(list.place(), (1, 9_000, 200), "at the beginning what is new comes into sight");
        list.act(Action::PageDown);
        list.act(Action::PageDown);
        let (selected, top, _) = list.place();
        list.change(&|numbers| numbers.insert(0, 9_001));
        let (selected_now, top_now, _) = list.place();
        assert_eq!((selected_now, top_now), (selected, top), "elsewhere nothing moves");
        list.change(&|numbers| numbers.retain(|number| *number != selected));
        assert_eq!(list.place().0, selected, "it stays until the cursor moves");
        list.act(Action::Down);
        assert_eq!(list.place().0, selected + 1);
        list.act(Action::Up);
        assert_eq!(list.place().0, selected - 1, "and is gone then");
    });
}

#[test]
fn the_first_row_keeps_the_selection_when_one_comes_before_it() {
    both(|list| {
        list.change(&|numbers| numbers.insert(0, 9_000));
        assert_eq!(list.place(), (0, 9_000, 200));
    });
}

#[test]
fn marks_go_with_their_rows_and_one_step_back_takes_them_away() {
    both(|list| {
        list.act(Action::Mark);
        list.act(Action::Down);
        list.act(Action::MarkRange);
        assert_eq!(list.marked(), [0, 1, 2]);
        list.act(Action::Back);
        assert!(list.marked().is_empty());
    });
    let mut few = Bench::<true>::of(0..20);
    few.act(Action::MarkAll);
    few.numbers.retain(|number| *number != 7);
    few.refresh();
    assert_eq!(few.list.chosen().len(), 19);
}

#[test]
fn both_ways_the_end_is_one_leap_and_the_window_bounded() {
    let mut list = Bench::<true>::of(0..5_000);
    list.act(Action::Bottom);
    assert_eq!(list.place().0, 4_999);
    for _ in 0..100 {
        list.act(Action::PageUp);
    }
    assert_eq!((list.place().0, list.list.len() <= 600), (3_999, true));
    list.act(Action::Top);
    assert_eq!(list.place(), (0, 0, 200));
}

#[test]
fn forward_the_end_is_what_can_be_read_and_said_to_be() {
    let mut list = Bench::<false>::of(0..5_000);
    list.act(Action::Bottom);
    assert_eq!(list.place(), (1_999, 1_990, MOST));
    assert!(list.desk.toast().contains("narrow the filter"), "{}", list.desk.toast());
    let mut list = Bench::<false>::of(0..700);
    list.act(Action::Bottom);
    assert_eq!(list.place(), (699, 690, 700));
}

#[test]
fn steps_faster_than_rows_come_are_owed() {
    let mut list = Bench::<false>::of(0..700);
    for _ in 0..30 {
        let Taken::Done(effects) = list.strike(Action::PageDown) else { panic!("it moves") };
        list.keep(effects);
    }
    assert_eq!(list.place().0, 199);
    list.settle();
    assert_eq!(list.place().0, 300);
}

#[test]
fn a_mistake_leaves_the_rows_and_esc_leaves_the_cursor_on_its_row() {
    let mut list = Bench::<false>::of(0..150);
    list.act(Action::PageDown);
    list.act(Action::Filter);
    list.write("12");
    assert_eq!(list.place(), (12, 12, 11));
    list.write("x");
    let message = list.list.filter.mistake.as_ref().map(|mistake| mistake.message.as_str());
    assert_eq!((message, list.place()), (Some("only digits"), (12, 12, 11)));
    list.act(Action::CancelPrompt);
    assert_eq!((list.list.filter.typing, list.place()), (false, (12, 12, 150)));
}

#[test]
fn a_click_selects_and_a_second_one_opens() {
    let mut list = Bench::<false>::of(0..150);
    let mut click = |y| list.list.take(&mut list.desk.state.shell, Input::Click(Position { x: 3, y }), LIST);
    assert_eq!(click(5), Taken::Done(vec![]));
    assert_eq!(click(5), Taken::Left(Action::Open));
    assert_eq!(click(0), Taken::Done(vec![]), "the heading");
    assert_eq!(list.place().0, 4);
}

#[test]
fn a_failure_says_why_where_there_is_nothing_to_show() {
    use crate::tui::effect::{Failure, FailureKind};
    let mut list = Bench::<false> {
        desk: Desk::new(),
        list: Listing::default(),
        numbers: Vec::new(),
        asked: Vec::new(),
    };
    assert_eq!(list.list.absent(), Some(Absent::NotYet));
    let effect = list.list.refresh(&mut list.desk.state.shell, PAGE);
    let Some(Effect::Ask { to, .. }) = effect else { panic!("{effect:?}") };
    let failure = Failure { kind: FailureKind::Unreachable, text: "gone".into() };
    list.list.answered(&mut list.desk.state.shell, to, Err(failure), PAGE);
    assert_eq!(list.list.absent(), Some(Absent::Failed("gone")));
    list.refresh();
    assert_eq!(list.list.absent(), Some(Absent::None));
}

/// A list under a new filter whose rows have not come.
fn turning() -> Bench<false> {
    let mut list = Bench::of(0..1_000);
    let here = list.desk.state.shell.here();
    list.list.set_filter("49", here);
    let effect = list.list.refresh(&mut list.desk.state.shell, PAGE);
    list.keep(effect.into_iter().collect());
    list
}

#[test]
fn what_is_marked_is_the_filters_while_its_rows_are_read() {
    let mut list = turning();
    for action in [Action::Mark, Action::MarkRange] {
        assert_eq!(list.strike(action), Taken::Done(vec![]));
    }
    let Taken::Done(effects) = list.strike(Action::MarkAll) else { panic!("it marks") };
    list.keep(effects);
    list.settle();
    let mut wanted = vec![49];
    wanted.extend(490..500);
    assert_eq!(list.list.chosen(), wanted);
}

#[test]
fn a_failure_under_a_new_filter_leaves_no_row_of_the_old_one() {
    use crate::tui::effect::{Failure, FailureKind};
    let mut list = turning();
    let (id, _) = list.asked.remove(0);
    let failure = Failure { kind: FailureKind::Unreachable, text: "gone".into() };
    list.list.answered(&mut list.desk.state.shell, id, Err(failure.clone()), PAGE);
    assert_eq!(list.list.absent(), Some(Absent::Failed("gone")));
    assert!(list.list.chosen().is_empty());
    assert_eq!(list.strike(Action::MarkAll), Taken::Done(vec![]));
    list.refresh();
    assert_eq!(list.place().0, 49);
    // A failure under the same filter takes nothing away.
    let effect = list.list.refresh(&mut list.desk.state.shell, PAGE);
    let Some(Effect::Ask { to, .. }) = effect else { panic!("{effect:?}") };
    list.list.answered(&mut list.desk.state.shell, to, Err(failure), PAGE);
    assert_eq!(list.place().0, 49);
}

#[test]
fn a_change_on_the_way_to_the_end_leads_to_the_end_as_it_is_now() {
    let mut list = Bench::<true>::of(0..5_000);
    let Taken::Done(effects) = list.strike(Action::Bottom) else { panic!("it moves") };
    list.keep(effects);
    list.numbers.push(5_000);
    list.refresh();
    assert_eq!(list.place().0, 5_000);
}
