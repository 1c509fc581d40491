//! Hardens the process, parses the arguments, chooses the door, and ends with its exit code.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use keyrack::cli::{self, Cli, Exit, Failure, Session};
use keyrack::config::keymap::Keymap;
use keyrack::config::settings::ClipboardChoice;
use keyrack::config::theme::Theme;
use keyrack::harden;
use keyrack::tui::clipboard::Surroundings;
use keyrack::tui::{self, ExitReason, TuiSettings};

fn main() -> ExitCode {
    if let Err(error) = harden::harden() {
        cli::say(&format!("keyrack: warning: this process could not be hardened: {error}"));
    }
    let code = match cli::parse(std::env::args_os()).map(through_a_door) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => {
            failure.tell();
            failure.exit as u8
        }
        Err(code) => code,
    };
    ExitCode::from(code)
}

fn through_a_door(arguments: Cli) -> cli::Result<u8> {
    let (command, session) = cli::begin(arguments)?;
    match command {
        Some(command) => cli::run(command, session),
        None => console(&session),
    }
}

fn console(session: &Session) -> cli::Result<u8> {
    let settings = console_settings(session)?;
    let runtime = cli::runtime(2)?;
    let reason = runtime.block_on(tui::run(session.opening(), settings, session.clock.clone()));
    runtime.shutdown_background();
    match reason {
        Ok(ExitReason::Quit) => Ok(Exit::Done as u8),
        Ok(ExitReason::Interrupted) => Ok(Exit::Interrupted as u8),
        Ok(ExitReason::Terminated) => Ok(143),
        Ok(ExitReason::Hangup) => Ok(129),
        Ok(ExitReason::Broken(why)) => {
            Err(Failure::new(Exit::Failure, format!("the terminal can't be read: {why}")))
        }
        Err(tui::Error::Service(error)) => Err(error.into()),
        Err(error @ tui::Error::NoTerminal) => Err(Failure::usage(error.to_string())),
        Err(error @ tui::Error::Terminal(_)) => Err(Failure::new(Exit::Failure, error.to_string())),
    }
}

fn console_settings(session: &Session) -> cli::Result<TuiSettings> {
    let settings = &session.settings;
    let themes = session.places.themes();
    let mistake = |error: keyrack::config::ConfigError| Failure::usage(error.to_string());
    Ok(TuiSettings {
        theme: Theme::load(&settings.theme.value, themes.as_deref()).map_err(mistake)?,
        keymap: Keymap::load(&settings.key_files).map_err(mistake)?,
        mouse: settings.mouse.value,
        relative_times: settings.relative_times.value,
        utc: settings.utc.value,
        ascii: settings.ascii.value,
        surroundings: match settings.clipboard.value {
            ClipboardChoice::Auto => Surroundings::of(|name| std::env::var(name).ok()),
            ClipboardChoice::Terminal => Surroundings::Terminal,
            ClipboardChoice::Display => Surroundings::Display,
            ClipboardChoice::Off => Surroundings::Off,
        },
        themes,
    })
}
