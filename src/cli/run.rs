//! Runs a command until it ends or somebody ends it.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use super::failure::{Exit, Failure, Result};
use super::session::Session;
use super::{Command, carry_out, prompt, say};
use crate::{signals, telemetry};

/// How long an interrupted command may take to put its things in order.
const GRACE: Duration = Duration::from_millis(300);

/// How long a command that stops by itself may take: a letter under way needs half a minute at most.
const PATIENCE: Duration = Duration::from_secs(45);

/// The exit code of who was ended by TERM.
const TERMINATED: u8 = 143;

/// What a signal does to a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It is cut off.
    AtOnce,
    /// It is asked to stop between two letters. Whoever started it by hand ended it early by Ctrl-C or by leaving; what
    /// ends it by TERM is a supervisor, which it obeys.
    Gently,
    /// So is it, and that is its usual end, whatever the signal.
    Service,
}

impl Ending {
    fn of(command: &Command) -> Self {
        use super::reminders::Command as Reminders;
        match command {
            Command::Reminders(Reminders::Sweep(_)) => Self::Gently,
            Command::Reminders(Reminders::Watch(_)) => Self::Service,
            Command::Events(command) if command.goes_on() => Self::Service,
            _ => Self::AtOnce,
        }
    }

    /// Whether a hang-up says only that the log's file was moved: there is no terminal that could be gone.
    fn outlives_its_terminal(self) -> bool {
        match self {
            Self::Service => true,
            Self::Gently => {
                ![io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()]
                    .contains(&true)
            }
            Self::AtOnce => false,
        }
    }
}

/// Runs a command to its end; answers the exit code.
pub fn run(command: Command, session: Session) -> Result<u8> {
    match command {
        // These need no database, and are called while a shell starts.
        Command::Completions { shell } => super::shell::completions(shell).map(|()| 0),
        Command::Man { folder } => super::shell::man(&folder, session.global.dry_run).map(|()| 0),
        command => until_signal(command, session),
    }
}

/// A runtime with this many threads besides the caller's.
pub fn runtime(threads: usize) -> Result<Runtime> {
    let runtime =
        Builder::new_multi_thread().worker_threads(threads).enable_all().build().map_err(no_threads)?;
    let inside = runtime.enter();
    // Once somebody listens, they end nothing.
    for number in signals::HARMLESS {
        let _ = signal(SignalKind::from_raw(number));
    }
    drop(inside);
    Ok(runtime)
}

fn no_threads(error: std::io::Error) -> Failure {
    Failure::new(Exit::Failure, format!("the program can't start its threads: {error}"))
}

fn until_signal(command: Command, session: Session) -> Result<u8> {
    super::prompt::hear_faults().map_err(no_threads)?;
    let runtime = runtime(1)?;
    let session = Arc::new(session);
    let hint = hint(&command);
    let ending = Ending::of(&command);
    let own = Arc::clone(&session);
    // The command has a thread of its own, so that a signal is heard while it waits for a person or a pipe.
    let mut work = runtime.spawn(async move {
        let done = carry_out(command, &own).await;
        own.close().await;
        done
    });
    let ended = runtime.block_on(async {
        let hangs_up = !ending.outlives_its_terminal();
        if !hangs_up {
            reopen_on_hangup();
        }
        let code = tokio::select! {
            done = &mut work => return Ok(done.map(|done| done.map(|()| 0))),
            code = ended_by_signal(hangs_up) => code,
        };
        if ending != Ending::AtOnce {
            session.ask_to_stop();
            if ending == Ending::Gently {
                say("keyrack: stopping after the letters under way; interrupt again to stop immediately");
            }
            tokio::select! {
                done = &mut work => return Ok(done.map(|done| stopped(done, ending, code))),
                _ = ended_by_signal(hangs_up) => {}
                () = tokio::time::sleep(PATIENCE) => {}
            }
        }
        work.abort();
        let _ = tokio::time::timeout(GRACE, work).await;
        Err(code)
    });
    prompt::restore_terminal();
    match ended {
        Ok(Ok(done)) => {
            runtime.shutdown_background();
            done
        }
        Ok(Err(broken)) => Err(Failure::new(Exit::Failure, format!("the command failed: {broken}"))),
        Err(code) => {
            session.remove_throwaway();
            say(&format!("keyrack: interrupted{hint}"));
            runtime.shutdown_background();
            Ok(code)
        }
    }
}

/// The end of a command that was asked to stop and did.
fn stopped(done: Result, ending: Ending, code: u8) -> Result<u8> {
    if ending == Ending::Service || code == TERMINATED {
        return done.map(|()| 0);
    }
    if let Err(failure) = done {
        failure.tell();
    }
    Ok(code)
}

/// What a person should know who interrupts a command that changes something.
fn hint(command: &Command) -> &'static str {
    use super::key;
    match command {
        Command::Key(key::Command::Rotate(rotate)) if rotate.has_place() => {
            ": the keys may have been rotated all the same. Look at one of them with `keyrack key show`. If it was replaced, \
             the new secrets are in the place of --out-dir or --out-env; if not, delete what lies there"
        }
        Command::Key(key::Command::Create(_) | key::Command::Rotate(_)) => {
            "; if a key was created, it is not confirmed and stops working 10 minutes after its creation"
        }
        Command::Key(key::Command::Revoke(_)) => {
            ": what was not reported as revoked may still work; look with `keyrack key show`, or revoke again"
        }
        Command::Import(_) => ": the keys may have been imported anyway. Import again: that does no harm",
        Command::Reminders(super::reminders::Command::Sweep(_) | super::reminders::Command::Watch(_)) => {
            ": letters that were under way may have been sent; the next sweep shows them as ambiguous"
        }
        _ => "",
    }
}

/// From now on a hang-up lets the log go on in the file of its name, and ends nothing.
fn reopen_on_hangup() {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            telemetry::reopen();
        }
    });
}

/// Waits for a signal that ends programs; answers the exit code that goes with it.
async fn ended_by_signal(hangs_up: bool) -> u8 {
    let heard = async |kind| match signal(kind) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        // Without a listener the signal ends the program by itself.
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = heard(SignalKind::interrupt()) => Exit::Interrupted as u8,
        () = heard(SignalKind::terminate()) => TERMINATED,
        () = heard(SignalKind::hangup()), if hangs_up => 129,
    }
}

/// For a service: says when a signal comes that ends it. A second one ends this program at once; a hang-up opens the log
/// anew.
pub fn until_signals() -> tokio::sync::watch::Receiver<bool> {
    let (stop, told) = tokio::sync::watch::channel(false);
    reopen_on_hangup();
    tokio::spawn(async move {
        ended_by_signal(false).await;
        tracing::info!("stopping: open requests are answered, no new ones are accepted");
        stop.send_replace(true);
        let code = ended_by_signal(false).await;
        tracing::warn!("stopped immediately");
        telemetry::finish(GRACE);
        std::process::exit(i32::from(code));
    });
    told
}
