//! Hardens the process, parses the arguments, chooses the door, and ends with its exit code.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use keyrack::anchor::Anchoring;
use keyrack::cli::{self, Cli, Command, Exit, Failure, Session};
use keyrack::gate;
use keyrack::tui::{self, ExitReason, TuiSettings};
use keyrack::{harden, signals, telemetry};

/// The system's own takes a lock for each larger block, which the requests of a gate would queue for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let _log = telemetry::Finish;
    if let Err(error) = harden::harden() {
        cli::say(&format!("keyrack: warning: this process could not be hardened: {error}"));
    }
    ExitCode::from(match cli::parse(std::env::args_os()).map(through_a_door) {
        Ok(Ok(code)) | Err(code) => code,
        Ok(Err(failure)) => failure.tell(),
    })
}

fn through_a_door(arguments: Cli) -> cli::Result<u8> {
    let (command, session) = cli::begin(arguments)?;
    end_with_the_driver();
    match command {
        Some(Command::Gate(_)) => gate(&session),
        Some(command) => cli::run(command, session),
        None => console(session),
    }
}

/// What the names of the SQLite driver's threads begin with.
const DRIVER: &str = "sqlx-sqlite-worker";

/// Ends the program when a thread breaks that reads and writes a SQLite file: what it was asked for would look like an answer
/// without rows. The driver breaks so for want of memory.
fn end_with_the_driver() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name().is_some_and(|name| name.starts_with(DRIVER)) {
            drop(telemetry::Finish);
            let words = "keyrack: the database could not be read to its end, for want of memory. See what was changed before \
                         you try again\n";
            let _ = std::io::stderr().write_all(words.as_bytes());
            std::process::exit(1);
        }
        report(panic);
    }));
}

fn console(mut session: Session) -> cli::Result<u8> {
    let environment = |name: &str| std::env::var(name).ok();
    let mut settings = TuiSettings::of(&session.settings, session.places.themes(), environment)?;
    settings.named |= session.is_throwaway();
    tui::check(&settings).map_err(|error| Failure::usage(error.to_string()))?;
    // Before there are other threads, which would be killed by them.
    signals::hold_faults();
    let runtime = cli::runtime(2)?;
    runtime.block_on(session.ask_for_new())?;
    let opening = session.opening();
    let opening = async move { Ok(opening.await?.knowing_peppers().await) };
    let reason = runtime.block_on(tui::run(opening, session.place().ok(), settings, session.clock.clone()));
    runtime.shutdown_background();
    match reason {
        Ok(ExitReason::Broken(why)) => Err(Failure::new(Exit::Failure, why)),
        Ok(ExitReason::Killed(signal)) => {
            drop(telemetry::Finish);
            signals::end_by(signal)
        }
        Ok(reason) => Ok(reason.code()),
        Err(tui::Error::Service(error)) => Err(session.ask_again(error)),
        Err(error @ tui::Error::NoTerminal) => Err(Failure::usage(error.to_string())),
        Err(error) => Err(Failure::new(Exit::Failure, error.to_string())),
    }
}

fn gate(session: &Session) -> cli::Result<u8> {
    if let Err(error) = harden::open_many_files() {
        tracing::warn!(%error, "the number of open files could not be raised");
    }
    let mut settings = gate::Settings::of(&session.settings.gate, telemetry::lost_lines)?;
    settings.own.memory = (!session.is_throwaway()).then(|| session.places.memory());
    settings.own.peppers = session.peppers().map_err(Failure::usage)?;
    let anchoring = Anchoring::of(&session.settings.audit)?;
    let runtime = cli::runtime(std::thread::available_parallelism().map_or(2, usize::from))?;
    let done = runtime.block_on(async {
        let mut stop = cli::until_signals();
        session.fill_throwaway().await?;
        let location = session.location()?;
        let begun = tokio::select! {
            begun = gate::begin(&location, session.clock.clone(), settings) => begun,
            _ = stop.wait_for(|stop| *stop) => return Ok(0),
        };
        let listening = begun.map_err(|error| match error {
            gate::Error::Service(error) => error.into(),
            gate::Error::Settings(error) => error.into(),
            error => Failure::new(Exit::Failure, error.to_string()),
        })?;
        for address in listening.places() {
            tracing::info!(%address, database = %location, "listening");
        }
        // Whoever started it under systemd goes on from here; elsewhere nobody listens.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        if let Some(anchoring) = anchoring {
            let gate = listening.gate();
            let checkpoint = move || {
                let gate = gate.clone();
                async move { gate.checkpoint().await.map_err(|error| error.to_string()) }
            };
            tokio::spawn(anchoring.run(session.clock.clone(), checkpoint, stop.clone()));
        }
        let served = listening.serve(stop).await;
        served.map(|()| 0).map_err(|error| Failure::new(Exit::Failure, error.to_string()))
    });
    session.remove_throwaway();
    runtime.shutdown_timeout(Duration::from_millis(300));
    done
}
