//! Hardens the process, parses the arguments, chooses the door, and ends with its exit code.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Duration;

use keyrack::cli::gate::{Arguments, HeaderNames};
use keyrack::cli::{self, Cli, Command, Exit, Failure, Session};
use keyrack::config::keymap::Keymap;
use keyrack::config::settings::ClipboardChoice;
use keyrack::config::theme::Theme;
use keyrack::domain::network::Networks;
use keyrack::domain::secret::HashedKey;
use keyrack::gate;
use keyrack::gate::brake::Pace;
use keyrack::gate::limiter::Address;
use keyrack::gate::origin::Listed;
use keyrack::gate::server::Limits;
use keyrack::gate::settings::{Issuers, Settings as GateDoor, VerifyRule};
use keyrack::gate::webhook::WebhookSettings;
use keyrack::harden;
use keyrack::service::{Gate, GateSettings};
use keyrack::telemetry;
use keyrack::tui::clipboard::Surroundings;
use keyrack::tui::{self, ExitReason, TuiSettings};

/// The system's own takes a lock for each larger block, which the requests of a gate would queue for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let _log = telemetry::Finish;
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
        Some(Command::Gate(arguments)) => gate(&arguments, &session),
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

fn gate(arguments: &Arguments, session: &Session) -> cli::Result<u8> {
    if let Err(error) = harden::open_many_files() {
        tracing::warn!(%error, "the number of open files could not be raised");
    }
    let door = gate_door(arguments)?;
    let name = arguments.name.clone().or_else(|| arguments.listen.first().map(ToString::to_string));
    let listen: Vec<String> = arguments.listen.iter().map(ToString::to_string).collect();
    let settings = GateSettings {
        name: name.unwrap_or_else(|| "gate".into()),
        listen: listen.join(" "),
        lease: arguments.lease,
        cache: arguments.cache,
        keep_usage: arguments.keep_usage,
        ..GateSettings::default()
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let runtime = cli::runtime(cores)?;
    let done = runtime.block_on(async {
        if session.is_throwaway() {
            session.service().await?;
        }
        let opened = Gate::open(&session.location()?, session.clock.clone(), settings).await?;
        let listening = gate::begin(opened, door).await.map_err(|error| match error {
            gate::Error::Service(error) => error.into(),
            gate::Error::NoIssuer(_) => Failure::usage(error.to_string()),
            error => Failure::new(Exit::Failure, error.to_string()),
        })?;
        for address in listening.addresses() {
            tracing::info!(%address, database = %session.location()?, "listening");
        }
        // Whoever started it under systemd goes on from here; elsewhere nobody listens.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        listening.serve(cli::until_signals()).await;
        Ok(0)
    });
    session.remove_throwaway();
    runtime.shutdown_timeout(Duration::from_millis(300));
    done
}

fn gate_door(arguments: &Arguments) -> cli::Result<GateDoor> {
    let usage = |error: &dyn std::fmt::Display| Failure::usage(error.to_string());
    let password = arguments.limits_password()?;
    let limits =
        arguments.limits.as_deref().map(|url| Address::parse(url, password.as_deref().map(String::as_str)));
    Ok(GateDoor {
        listen: arguments.listen.clone(),
        admin: arguments.admin_listen,
        issuers: Issuers::parse(arguments.issuer.iter().map(String::as_str))
            .map_err(|error| usage(&error))?,
        trusted: Listed::new(Networks::new(arguments.trusted_proxy.iter().copied())),
        spelling_kept: arguments.header_names == HeaderNames::Kept,
        verify: VerifyRule {
            from: Listed::new(arguments.askers()),
            token: arguments.token()?.map(|token| HashedKey::of(token.as_bytes())),
        },
        pace: Pace { burst: arguments.unknown_keys, every: Duration::from_secs(1) },
        limits: limits.transpose().map_err(|error| usage(&error))?,
        webhook: match &arguments.webhook {
            Some(url) => {
                Some(WebhookSettings::new(url, arguments.webhook_secret()?).map_err(|error| usage(&error))?)
            }
            None => None,
        },
        lost_lines: telemetry::lost_lines,
        connections: Limits { connections: arguments.connections.max(1), ..Limits::default() },
    })
}
