//! What each message changes, and what shall be done about it. No I/O here.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Size};

use super::effect::{Effect, Reply, RequestId, Timer, To};
use super::input::{Input, Key};
use super::message::Message;
use super::opening::Opening;
use super::shell::{Command, Holds, Link, Toast};
use super::state::State;
use super::widgets::text_field;
use super::words::{ExitReason, ScreenId, Severity};
use super::{receipts, sweeping, view};
use crate::config::keymap::Action;
use crate::domain::operator::Permission;
use crate::domain::secret::wipe_stack;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;

mod copying;
mod gesture;
mod going;
mod history;
mod live;
mod log;
mod seen;
mod suspend;
mod undo;

use copying::copy_command;
use gesture::{lookup, typing, waits, without_esc};
use going::everywhere;
use live::{changed, live};
use seen::{at_once, came, go, jump, open, step_back};
use suspend::suspend;
use undo::note;

/// How long a message stays in the last line.
const TOAST: Duration = Duration::from_secs(8);
/// How long the database may take to open before the screen says so.
pub const OPENING: Duration = Duration::from_secs(8);
/// Rows that one notch of the wheel moves by.
const WHEEL: i32 = 3;

/// What is said while gestures wait for the database.
const KEPT: &str = "the database has not answered yet: keys you press are kept until it does";

/// Takes note of a message. Sets `shell.redraw` if the picture may differ afterwards.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    if let Message::Key { key, hurried } = message
        && let Some(key) = without_esc(state, key)
    {
        let esc = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
        let mut effects = update(state, Message::Key { key: esc, hurried });
        effects.extend(update(state, Message::Key { key, hurried: true }));
        return effects;
    }
    if waits(state, &message) {
        state.ahead.keep(message);
        state.shell.toast(Severity::Info, KEPT);
        return Vec::new();
    }
    let answered = if let Message::Reply { to, .. } = &message { Some(*to) } else { None };
    let gesture = matches!(message, Message::Key { .. } | Message::Paste(_) | Message::Mouse(_));
    // A paste without brackets is one gesture.
    if gesture && !matches!(message, Message::Key { hurried: true, .. }) {
        state.shell.no_longer(&[Holds::Gesture, Holds::Answer]);
    } else if answered.is_some_and(|id| !matches!(id.to, To::Overlay(_))) {
        state.shell.no_longer(&[Holds::Answer]);
    }
    let mut effects = take(state, message);
    if let Some(Toast { holds: holds @ Holds::Open(number), .. }) = state.shell.toast
        && state.overlays.of_mut(number).is_none()
    {
        state.shell.no_longer(&[holds]);
    }
    if gesture {
        state.ahead.asked(&effects);
    }
    if let Some(id) = answered {
        state.ahead.answered(id);
        for kept in state.ahead.release(state.shell.link != Link::Opening) {
            state.shell.toast = state.shell.toast.take().filter(|toast| toast.text.as_str() != KEPT);
            effects.extend(take(state, kept));
        }
    }
    effects
}

fn take(state: &mut State, message: Message) -> Vec<Effect> {
    let toast = state.shell.toast.clone();
    let gesture = matches!(message, Message::Key { .. } | Message::Paste(_) | Message::Mouse(_));
    let mut effects = handle(state, message);
    loop {
        let commands = state.shell.take_commands();
        if commands.is_empty() {
            break;
        }
        for command in commands {
            effects.extend(carry_out(state, command));
        }
    }
    note(state, gesture);
    if state.shell.toast.is_some() && state.shell.toast != toast {
        effects.push(Effect::SetTimer { timer: Timer::Toast, after: TOAST });
    }
    effects
}

/// The first effects: the database is open.
pub fn opened(state: &mut State, database: SafeText) -> Vec<Effect> {
    state.shell.database = database;
    state.shell.link = Link::Live;
    state.shell.redraw = true;
    state.shell.no_longer(&[Holds::Answer]);
    let mut effects = go(state, state.shell.screen);
    effects.extend(state.standing.ask(&mut state.shell, Subjects::ALL));
    state.ahead.asked(&effects);
    effects
}

fn handle(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Key { key, hurried } => press(state, key, hurried),
        Message::Paste(pasted) => {
            // A secret is looked for in all of it; any other field has an end.
            let cut = typing(state)
                && state.overlays.takes_lines()
                && pasted.as_str().chars().nth(text_field::LIMIT).is_some();
            let effects = input(state, Input::Paste(pasted));
            wipe_stack();
            if cut {
                let words =
                    "a field holds at most 2,000 characters: the rest of what you pasted was left out";
                state.shell.toast(Severity::Warning, words);
            }
            effects
        }
        Message::Mouse(mouse) => point(state, mouse),
        Message::Resize { width, height } => {
            state.shell.size = Size { width, height };
            state.shell.redraw = true;
            // A wider screen may show what was not read yet.
            let mut effects = vec![Effect::Repaint];
            effects.extend(state.screens.timer(&mut state.shell, Timer::Clock));
            effects
        }
        Message::Reply { to, reply } => answer(state, to, reply),
        Message::Sweep { of, news } => {
            sweeping::news(&mut state.shell, of, news);
            Vec::new()
        }
        Message::Live(event) => live(state, event),
        Message::History(history) => history::noticed(&mut state.shell, history).into_iter().collect(),
        Message::Waits { seconds, holder } => {
            let words = holder.map_or_else(|| late(state, seconds), |holder| holder.to_string());
            state.shell.toast_until(Holds::Answer, Severity::Warning, words);
            Vec::new()
        }
        Message::Timer(timer) => ring(state, timer),
        Message::Emit(bytes) => vec![Effect::Emit(bytes)],
        Message::Stop => suspend(state, false),
        Message::Continue => vec![Effect::Resume],
        Message::Hangup => vec![Effect::Quit(ExitReason::Hangup)],
        Message::Terminate => vec![Effect::Quit(ExitReason::Terminated)],
        Message::Interrupt => vec![Effect::Quit(ExitReason::Interrupted)],
        Message::Kill(signal) => vec![Effect::Quit(ExitReason::Killed(signal))],
        Message::Broken(why) => vec![Effect::Quit(ExitReason::Broken(why))],
    }
}

fn press(state: &mut State, event: KeyEvent, hurried: bool) -> Vec<Effect> {
    let action = lookup(state, event);
    match action {
        // Gets out from anywhere. Where something would be lost the overlay asks, once: a second Ctrl-C is the answer.
        Some(Action::Interrupt) if !state.overlays.guard_exit() => {
            state.shell.open(Opening::Leave(ExitReason::Interrupted));
            return Vec::new();
        }
        Some(Action::Suspend) => return suspend(state, true),
        Some(Action::Redraw) => {
            state.shell.redraw = true;
            return vec![Effect::Repaint];
        }
        _ => {}
    }
    if !state.overlays.is_empty() {
        // Over a page that one reads there is nothing to lose: the way to an exposed key is open there too.
        let open = match action {
            Some(Action::Emergency) => Some(Opening::Emergency),
            Some(Action::ExplainSecret) => Some(Opening::ExplainSecret),
            _ => None,
        };
        if let Some(opening) = open {
            state.shell.open(opening);
            return Vec::new();
        }
    }
    input(state, Input::Key(Key { action, event, hurried, unread: false }))
}

/// Gives a gesture to what is on top.
fn input(state: &mut State, input: Input) -> Vec<Effect> {
    state.shell.redraw = true;
    if matches!(input.action(), Some(Action::CopyCommand | Action::CopyCommandTyping)) {
        return copy_command(state).into_iter().collect();
    }
    if !state.overlays.is_empty() {
        return state.overlays.input(&mut state.shell, input).unwrap_or_default();
    }
    if let Input::Click(at) = input
        && let Some(screen) = view::tab_at(state, at)
    {
        return go(state, screen);
    }
    if let Some(action) = input.action()
        && let Some(effects) = everywhere(state, action)
    {
        return effects;
    }
    // One step back: what is nearest goes first.
    if input.action() == Some(Action::Back) && !state.screens.shown(&state.shell).nearer(!came(state)) {
        return step_back(state).unwrap_or_default();
    }
    state.screens.of_mut(state.shell.screen).input(&mut state.shell, input)
}

fn point(state: &mut State, mouse: MouseEvent) -> Vec<Effect> {
    let at = Position { x: mouse.column, y: mouse.row };
    match mouse.kind {
        MouseEventKind::ScrollDown => input(state, Input::Scroll { lines: WHEEL }),
        MouseEventKind::ScrollUp => input(state, Input::Scroll { lines: -WHEEL }),
        MouseEventKind::Down(MouseButton::Left) => input(state, Input::Click(at)),
        _ => Vec::new(),
    }
}

fn answer(state: &mut State, id: RequestId, reply: Reply) -> Vec<Effect> {
    let (change, done) = (state.shell.hears(id), reply.lets_leave());
    let failure = reply.failure().map(|failure| failure.text.clone());
    let effects = pass_on(state, id, reply);
    if let Some(change) = change {
        log::note(&mut state.shell, change.what, failure);
        state.leave_or_stay(done);
    }
    effects
}

fn pass_on(state: &mut State, id: RequestId, reply: Reply) -> Vec<Effect> {
    match id.to {
        To::Shell => answer_shell(state, id, reply),
        To::Screen(screen) => state.screens.of_mut(screen).reply(&mut state.shell, id, reply),
        To::Overlay(number) => state.overlays.reply(&mut state.shell, number, id, reply),
    }
}

fn answer_shell(state: &mut State, id: RequestId, reply: Reply) -> Vec<Effect> {
    let shell = &mut state.shell;
    shell.redraw = true;
    let mut effects: Vec<Effect> = state.standing.settle(shell, id).into_iter().collect();
    match reply {
        Reply::Whoami(Ok(who)) => shell.who = Some(who),
        Reply::Issuers(Ok(issuers)) => shell.issuers = Some(issuers),
        Reply::Whoami(Err(failure)) | Reply::Issuers(Err(failure)) => shell.failed(&failure),
        // Without an answer the last one stays: what is wrong with the database is said elsewhere.
        Reply::Outbox(Ok(outbox)) => shell.outbox = Some(outbox),
        Reply::Undone(Ok(list)) => shell.undone = list.undone,
        Reply::OpenAlerts(Ok(count)) => shell.alerts = Some(count),
        Reply::Holds(Ok((holds, approvals))) => {
            shell.approvals = approvals;
            effects.extend(shell.hold(holds));
        }
        Reply::Copy(copied) | Reply::Export(Ok(copied)) | Reply::SaveChoices(Ok(copied)) => {
            shell.copied(&copied);
        }
        Reply::Export(Err(failure)) | Reply::SaveChoices(Err(failure)) => shell.failed(&failure),
        Reply::Sweep(outcome) => sweeping::ended(shell, id, outcome),
        Reply::Post(outcome) => shell.post = Some(outcome),
        Reply::Receipt(outcome) => {
            let overlays = &mut state.overlays;
            let answered = receipts::answered(shell, id, outcome, |number| overlays.show_receipt(number));
            if let (Some(number), Some(layer)) = (answered.nothing, overlays.top_mut())
                && layer.receipt() == Some(number)
            {
                layer.no_gates(shell);
            }
            effects.extend(answered.effects);
        }
        _ => {}
    }
    welcome(state);
    effects
}

/// A new database without any issuer: its admin is offered one, once.
fn welcome(state: &mut State) {
    let shell = &mut state.shell;
    let empty = shell.issuers.as_ref().is_some_and(Vec::is_empty);
    if !empty || shell.welcomed || !state.overlays.is_empty() || !shell.may(Permission::ChangeIssuers) {
        return;
    }
    shell.welcomed = true;
    shell.open(Opening::Preset { first_run: true });
}

fn late(state: &State, seconds: u64) -> String {
    let key = state.shell.keymap.key(Action::Quit);
    format!("the database has not answered for {seconds} s. Still trying; {key} leaves")
}

fn ring(state: &mut State, timer: Timer) -> Vec<Effect> {
    state.shell.redraw = true;
    match timer {
        Timer::Toast => {
            state.shell.toast = None;
            Vec::new()
        }
        // Opening ends by itself, with what went wrong; until then nobody shall wonder.
        Timer::Opening if state.shell.link == Link::Opening => {
            let words = late(state, OPENING.as_secs());
            state.shell.toast_until(Holds::Answer, Severity::Warning, words);
            Vec::new()
        }
        Timer::Opening => Vec::new(),
        Timer::Of(To::Shell) => state.standing.ring(&mut state.shell).into_iter().collect(),
        Timer::Holds => state.standing.ask(&mut state.shell, Subjects::HOLDS),
        // One that is not shown reads its rows when it is entered.
        Timer::Rows(screen) if screen != state.shell.screen => Vec::new(),
        Timer::Rows(screen) => {
            state.screens.of_mut(screen).list_mut().rested();
            state.screens.of_mut(screen).changed(&mut state.shell, Subjects::ALL)
        }
        Timer::Clock | Timer::Slow | Timer::Of(To::Screen(_)) => state.screens.timer(&mut state.shell, timer),
        Timer::Of(To::Overlay(number)) => state.overlays.timer(&mut state.shell, number),
    }
}

fn carry_out(state: &mut State, command: Command) -> Vec<Effect> {
    state.shell.redraw = true;
    match command {
        Command::Open(opening) => open(state, opening),
        Command::Close => {
            state.overlays.close();
            Vec::new()
        }
        Command::Show(screen, filter) => jump(state, screen, &filter),
        Command::Tab(tab) => state.screens.of_mut(state.shell.screen).open_tab(&mut state.shell, tab),
        Command::Sort(sort) => state.screens.of_mut(ScreenId::Keys).sort(&mut state.shell, sort),
        Command::TabOfKeys(tab) => state.screens.of_mut(ScreenId::Keys).open_tab(&mut state.shell, tab),
        Command::Changed(touched) => at_once(state, |state| changed(state, touched)),
        Command::Made(made) => state.screens.made(&mut state.shell, &made),
        Command::Act(Action::Interrupt) => open(state, Opening::Leave(ExitReason::Interrupted)),
        Command::Act(Action::Suspend) => suspend(state, true),
        Command::Act(Action::Redraw) => vec![Effect::Repaint],
        Command::Act(action) => {
            let event = KeyEvent::new(KeyCode::Null, KeyModifiers::NONE);
            input(state, Input::Key(Key { action: Some(action), event, hurried: false, unread: false }))
        }
        Command::Quit(reason) => vec![Effect::Quit(reason)],
    }
}
