//! The only loop: takes messages, lets `update` answer, has the effects carried out, draws.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

use super::clipboard::Clipboard;
use super::effect::{Effect, Request, RequestId, Timer};
use super::message::Message;
use super::settings::TuiSettings;
use super::state::State;
use super::styles::Styles;
use super::terminal::{self, Screen};
use super::words::ExitReason;
use super::worker::{Running, Worker};
use super::{input, update};
use crate::clock::Clock;
use crate::domain::text::SafeText;
use crate::service::{self, Service};

/// How often the ages on the screen are told anew.
const CLOCK: std::time::Duration = std::time::Duration::from_secs(60);

/// Why the console could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the console needs a terminal for input and output. For scripts use the commands: `keyrack --help`"
    )]
    NoTerminal,
    #[error("the terminal failed: {0}")]
    Terminal(#[from] io::Error),
    #[error(transparent)]
    Service(#[from] service::Error),
}

/// Runs the console until it ends. The first picture is drawn while `opening` opens the database.
pub async fn run<F>(opening: F, settings: TuiSettings, clock: Clock) -> Result<ExitReason, Error>
where
    F: Future<Output = service::Result<Service>> + Send + 'static,
{
    if !terminal::is_terminal() {
        return Err(Error::NoTerminal);
    }
    let opening = tokio::spawn(opening);
    let (messages, mut inbox) = unbounded_channel();
    listen_to_signals(&messages)?;
    terminal::install_panic_hook();
    let mut screen = Screen::take(settings.mouse)?;
    start_threads(&messages)?;

    let mut state = first_state(&settings, &screen, &clock);
    let service = match wait_for_service(opening, &mut state, &mut screen, &mut inbox).await? {
        Opened::Service(service) => service,
        Opened::Left(reason) => return Ok(reason),
    };
    let clipboard = Arc::new(Clipboard::new(settings.surroundings));
    let worker = Worker::new(service.clone(), clipboard, messages.clone());
    worker.watch();
    let mut hands = Hands { worker, messages, timers: HashMap::new(), sweep: None };

    state.shell.now = clock.now();
    let first = update::opened(&mut state, SafeText::new(service.location()));
    let mut reason = hands.carry_out(first, &mut state, &mut screen)?;
    while reason.is_none() {
        if draw(&mut state, &mut screen)? {
            hands.keep_clock(&state);
        }
        let Some(message) = inbox.recv().await else { break };
        state.shell.now = clock.now();
        // All that has come in makes one picture.
        let mut next = Some(message);
        while let Some(message) = next {
            let effects = update::update(&mut state, message);
            reason = hands.carry_out(effects, &mut state, &mut screen)?;
            if reason.is_some() {
                break;
            }
            next = inbox.try_recv().ok();
        }
    }
    let reason = reason.unwrap_or(ExitReason::Terminated);
    // What the state holds of secrets is wiped before the terminal is given back.
    drop(state);
    drop(screen);
    if let Some(sweep) = hands.sweep {
        sweep.finish(&mut inbox).await;
    }
    Ok(reason)
}

fn first_state(settings: &TuiSettings, screen: &Screen, clock: &Clock) -> State {
    let styles = Styles::new(&settings.theme);
    let mut state = State::new(clock.now(), screen.size(), styles, settings.keymap.clone(), rand::random());
    state.shell.mouse = settings.mouse;
    state.shell.relative_times = settings.relative_times;
    state.shell.utc = settings.utc;
    state.shell.ascii = settings.ascii;
    state.shell.themes = settings.themes.clone();
    state.shell.theme = settings.theme.name.clone();
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

enum Opened {
    Service(Service),
    Left(ExitReason),
}

/// Waits for the database, but not longer than the person does.
async fn wait_for_service(
    mut opening: tokio::task::JoinHandle<service::Result<Service>>,
    state: &mut State,
    screen: &mut Screen,
    inbox: &mut UnboundedReceiver<Message>,
) -> Result<Opened, Error> {
    // A database on this machine is open before the eye could see a picture without rows.
    let patience = tokio::time::sleep(super::view::body::PATIENCE);
    tokio::pin!(patience);
    let mut shown = false;
    loop {
        tokio::select! {
            biased;
            opened = &mut opening => {
                return match opened {
                    Ok(service) => Ok(Opened::Service(service?)),
                    Err(error) => Err(Error::Terminal(io::Error::other(error))),
                };
            }
            message = inbox.recv() => {
                let Some(message) = message else { return Ok(Opened::Left(ExitReason::Terminated)) };
                for effect in update::update(state, message) {
                    match effect {
                        Effect::Quit(reason) => return Ok(Opened::Left(reason)),
                        Effect::Repaint => screen.forget(),
                        Effect::Suspend => screen.suspend()?,
                        _ => {}
                    }
                }
                if shown {
                    draw(state, screen)?;
                }
            }
            () = &mut patience, if !shown => {
                shown = true;
                draw(state, screen)?;
            }
        }
    }
}

/// Carries out effects that are not the worker's.
struct Hands {
    worker: Worker,
    messages: UnboundedSender<Message>,
    timers: HashMap<Timer, AbortHandle>,
    /// The sweep that was started last.
    sweep: Option<Running>,
}

impl Hands {
    /// Answers the reason if the console shall end.
    fn carry_out(
        &mut self,
        effects: Vec<Effect>,
        state: &mut State,
        screen: &mut Screen,
    ) -> io::Result<Option<ExitReason>> {
        for effect in effects {
            match effect {
                Effect::Ask { to, request } => self.ask(to, request),
                Effect::SetTimer { timer, after } => self.set_timer(timer, after),
                Effect::Emit(bytes) => screen.emit(&bytes)?,
                Effect::Mouse(on) => screen.set_mouse(on)?,
                Effect::Sweep { of, order } => self.sweep = Some(self.worker.sweep(of, order)),
                Effect::StopSweep => self.sweep.iter().for_each(Running::stop),
                Effect::Repaint => screen.forget(),
                Effect::Suspend => {
                    screen.suspend()?;
                    state.shell.size = screen.size();
                    let _ = self.messages.send(Message::Resumed);
                }
                Effect::Quit(reason) => return Ok(Some(reason)),
            }
        }
        Ok(None)
    }

    fn ask(&self, to: RequestId, request: Request) {
        self.worker.ask(to, request);
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

/// The two threads that wait for the terminal. They end with the process.
fn start_threads(messages: &UnboundedSender<Message>) -> io::Result<()> {
    let to = messages.clone();
    std::thread::Builder::new().name("input".into()).spawn(move || input::read_terminal(&to))?;
    let to = messages.clone();
    std::thread::Builder::new().name("hang-up".into()).spawn(move || terminal::watch_hangup(&to))?;
    Ok(())
}

fn listen_to_signals(messages: &UnboundedSender<Message>) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let to = messages.clone();
    tokio::spawn(async move {
        loop {
            let message = tokio::select! {
                _ = terminate.recv() => Message::Terminate,
                _ = hangup.recv() => Message::Hangup,
                _ = interrupt.recv() => Message::Interrupt,
            };
            if to.send(message).is_err() {
                return;
            }
        }
    });
    Ok(())
}
