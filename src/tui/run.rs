//! The only loop: takes messages, lets `update` answer, has the effects carried out, draws.

use std::collections::HashMap;
use std::future::Future;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ratatui::layout::Size;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

use super::choices;
use super::clipboard::Clipboard;
use super::effect::{Effect, Timer};
use super::message::Message;
use super::settings::TuiSettings;
use super::state::State;
use super::styles::Styles;
use super::terminal::{self, Screen};
use super::views::{OfKeys, View};
use super::words::{ExitReason, ScreenId, Severity};
use super::worker::{self, Running, Worker};
use super::{input, signals, update};
use crate::clock::Clock;
use crate::domain::steady::CURE;
use crate::domain::text::SafeText;
use crate::service::{self, Location, Service};

/// How often the ages on the screen are told anew.
const CLOCK: std::time::Duration = std::time::Duration::from_secs(60);

/// Why the console could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the console needs a terminal for input and output. For scripts use the commands: `keyrack --help`"
    )]
    NoTerminal,
    #[error(
        "{0}. Set TERM to what the terminal is, for example xterm-256color; or use the commands: `keyrack --help`"
    )]
    NoScreen(String),
    #[error("the terminal failed: {0}")]
    Terminal(#[from] io::Error),
    #[error(transparent)]
    Service(#[from] service::Error),
}

/// Whether the console can be shown here at all: asked before anything else is.
///
/// # Errors
/// When there is a terminal, but one that can only write line by line.
pub fn check(settings: &TuiSettings) -> Result<(), Error> {
    match settings.display.refuses().filter(|_| terminal::is_terminal()) {
        Some(why) => Err(Error::NoScreen(why)),
        None => Ok(()),
    }
}

/// Runs the console until it ends. The first picture is drawn while `opening` opens the database, at this place.
pub async fn run<F>(
    opening: F,
    place: Option<Location>,
    settings: TuiSettings,
    clock: Clock,
) -> Result<ExitReason, Error>
where
    F: Future<Output = service::Result<Service>> + Send + 'static,
{
    if !terminal::is_terminal() {
        return Err(Error::NoTerminal);
    }
    let mut opening = tokio::spawn(opening);
    let (messages, mut inbox) = unbounded_channel();
    let posting = Arc::new(AtomicBool::new(false));
    signals::listen(&messages, &posting)?;
    terminal::install_panic_hook();
    let mut screen = Screen::take(settings.mouse, &settings.display)?;
    let to = messages.clone();
    std::thread::Builder::new().name("input".into()).spawn(move || input::read_terminal(&to))?;

    let mut state = first_state(&settings, &screen, &clock);
    let mut hands =
        Hands { worker: None, waiting: Vec::new(), messages, timers: HashMap::new(), sweep: None };
    hands.set_timer(Timer::Opening, update::OPENING);
    let waiting = tokio::spawn(worker::late::opening(place, hands.messages.clone()));
    // A database on this machine is open before the eye could see a picture without rows.
    let patience = tokio::time::sleep(super::view::body::PATIENCE);
    tokio::pin!(patience);
    let (mut open, mut shown) = (false, false);
    let reason = loop {
        if shown && draw(&mut state, &mut screen)? {
            state.drawn(clock.now());
            hands.keep_clock(&state);
        }
        // The database is waited for, but not longer than the person does.
        let message = tokio::select! {
            biased;
            opened = &mut opening, if !open => {
                waiting.abort();
                let service = opened.map_err(io::Error::other)??;
                (open, shown) = (true, true);
                state.shell.now = clock.now();
                let first = update::opened(&mut state, SafeText::new(service.location()));
                if let Some(trouble) = service.clock_trouble() {
                    state.shell.toast(Severity::Bad, format!("{trouble}. {CURE}"));
                } else if let Some(weakness) = service.weakness() {
                    state.shell.toast(Severity::Warning, weakness);
                }
                if let Some(trouble) = service.missing_pepper() {
                    state.shell.toast(Severity::Bad, format!("{trouble}. See keyrack doctor"));
                }
                let clipboard = Arc::new(Clipboard::new(settings.surroundings));
                let worker = Worker::new(service, clipboard, hands.messages.clone(), Arc::clone(&posting));
                worker.watch();
                hands.worker = Some(worker);
                // What was asked for while it opened comes first.
                let mut effects = std::mem::take(&mut hands.waiting);
                effects.extend(first);
                hands.carry_out(effects, &mut screen)?;
                continue;
            }
            message = inbox.recv() => message,
            () = &mut patience, if !shown => {
                shown = true;
                continue;
            }
        };
        let Some(message) = message else { break ExitReason::Terminated };
        state.shell.now = clock.now();
        if let Some(reason) = handle(message, &mut inbox, &mut state, &mut hands, &mut screen)? {
            break reason;
        }
    };
    if let Some(worker) = &hands.worker {
        worker.remember().await;
    }
    let unanswered = std::mem::take(&mut state.shell.unanswered);
    let reason =
        if reason == ExitReason::Quit && !unanswered.is_empty() { ExitReason::Unanswered } else { reason };
    if hands.sweep.is_none() {
        terminal::end_soon(&reason);
    }
    // What the state holds of secrets is wiped before the terminal is given back.
    drop(state);
    drop(screen);
    for (_, change) in unanswered {
        // Nobody reads it where the terminal is gone.
        let _ = writeln!(io::stderr(), "keyrack: {}", change.sentence());
    }
    if let Some(sweep) = hands.sweep {
        sweep.finish(&mut inbox).await;
        terminal::end_soon(&reason);
    }
    Ok(reason)
}

/// Handles a message and all that has come in after it: together they make one picture. Answers the reason if the
/// console shall end.
fn handle(
    message: Message,
    inbox: &mut UnboundedReceiver<Message>,
    state: &mut State,
    hands: &mut Hands,
    screen: &mut Screen,
) -> io::Result<Option<ExitReason>> {
    let mut next = Some(message);
    while let Some(message) = next {
        let effects = update::update(state, message);
        let reason = hands.carry_out(effects, screen)?;
        if reason.is_some() {
            return Ok(reason);
        }
        next = inbox.try_recv().ok();
    }
    Ok(None)
}

fn first_state(settings: &TuiSettings, screen: &Screen, clock: &Clock) -> State {
    let styles = Styles::new(&settings.theme);
    let mut state = State::new(clock.now(), screen.size(), styles, settings.keymap.clone(), rand::random());
    state.shell.mouse = settings.mouse;
    state.shell.columns = settings.columns.clone();
    state.shell.kept = settings.kept.clone();
    state.shell.relative_times = settings.relative_times;
    state.shell.utc = settings.utc;
    state.shell.ascii = settings.ascii;
    state.shell.themes = settings.themes.clone();
    state.shell.named = settings.named;
    state.shell.theme = settings.theme.name.clone();
    let view = View { sort: settings.sort, tab: settings.tab, ..View::default() };
    if !settings.amiss.is_empty() {
        let words = format!("{}: the default holds", settings.amiss.join("; "));
        state.shell.toast(Severity::Warning, words);
    }
    state.screens.of_mut(ScreenId::Keys).show(&mut state.shell, &view, None);
    state.shell.screen = settings.screen;
    let now = choices::now(&state.shell, OfKeys::from(&view));
    state.shell.kept.begin(now);
    state
}

/// Answers whether there was anything to draw.
fn draw(state: &mut State, screen: &mut Screen) -> io::Result<bool> {
    let due = std::mem::take(&mut state.shell.redraw);
    if due {
        screen.draw(state)?;
    }
    Ok(due)
}

/// Carries out effects that are not the worker's.
struct Hands {
    /// `None` until the database is open.
    worker: Option<Worker>,
    /// What is for the worker, until there is one.
    waiting: Vec<Effect>,
    messages: UnboundedSender<Message>,
    timers: HashMap<Timer, AbortHandle>,
    /// The sweep that was started last.
    sweep: Option<Running>,
}

impl Hands {
    /// Answers the reason if the console shall end.
    fn carry_out(&mut self, effects: Vec<Effect>, screen: &mut Screen) -> io::Result<Option<ExitReason>> {
        for effect in effects {
            match (effect, &mut self.worker) {
                (Effect::Ask { to, request }, Some(worker)) => worker.ask(to, request),
                (Effect::Sweep { of, order }, Some(worker)) => self.sweep = Some(worker.sweep(of, order)),
                (effect @ (Effect::Ask { .. } | Effect::Sweep { .. }), None) => self.waiting.push(effect),
                (Effect::TakeOver, Some(worker)) => worker.take_over(),
                (Effect::TakeOver, None) => {}
                (Effect::SetTimer { timer, after }, _) => self.set_timer(timer, after),
                (Effect::Emit(bytes), _) => screen.emit(&bytes)?,
                (Effect::Mouse(on), _) => screen.set_mouse(on)?,
                (Effect::StopSweep, _) => self.sweep.iter().for_each(Running::stop),
                (Effect::Repaint, _) => screen.forget(),
                (Effect::Suspend { job }, _) => self.resized(screen.suspend(job)?),
                (Effect::Resume, _) => self.resized(screen.enter()?),
                (Effect::Quit(reason), _) => return Ok(Some(reason)),
            }
        }
        Ok(None)
    }

    /// The screen has to be drawn anew, in whatever size.
    fn resized(&self, size: Size) {
        let _ = self.messages.send(Message::Resize { width: size.width, height: size.height });
    }

    /// Wakes up once a minute, while times on the screen are ages. A frame in between does not put that off.
    fn keep_clock(&mut self, state: &State) {
        if self.timers.get(&Timer::Clock).is_some_and(|task| !task.is_finished()) || !state.shows_ages() {
            return;
        }
        self.set_timer(Timer::Clock, CLOCK);
    }

    fn set_timer(&mut self, timer: Timer, after: std::time::Duration) {
        let messages = self.messages.clone();
        let task = tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let _ = messages.send(Message::Timer(timer));
        });
        if let Some(earlier) = self.timers.insert(timer, task.abort_handle()) {
            earlier.abort();
        }
    }
}
