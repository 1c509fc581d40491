//! Hardens the process, parses the arguments, chooses the door, and ends with its exit code.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Duration;

use keyrack::cli::gate::{askers, mistake, secret};
use keyrack::cli::{self, Cli, Command, Exit, Failure, Session};
use keyrack::config::keymap::Keymap;
use keyrack::config::settings::{ClipboardChoice, GateTable, HeaderNames};
use keyrack::config::theme::Theme;
use keyrack::domain::network::Networks;
use keyrack::domain::secret::HashedKey;
use keyrack::gate;
use keyrack::gate::brake::Pace;
use keyrack::gate::limiter::Address;
use keyrack::gate::limits::Limits;
use keyrack::gate::origin::Listed;
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

/// What people choose themselves shall have this many characters; the password of a server is that server's business.
const SHORTEST_SECRET: usize = 8;

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
        Some(Command::Gate(_)) => gate(&session),
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

fn gate(session: &Session) -> cli::Result<u8> {
    if let Err(error) = harden::open_many_files() {
        tracing::warn!(%error, "the number of open files could not be raised");
    }
    let table = &session.settings.gate;
    let door = gate_door(table)?;
    let listen: Vec<String> = door.listen.iter().map(ToString::to_string).collect();
    let name = table.name.value.clone().or_else(|| listen.first().cloned());
    let settings = GateSettings {
        name: name.unwrap_or_else(|| "gate".into()),
        listen: listen.join(" "),
        lease: table.lease.value,
        cache: table.cache.value,
        keep_usage: table.keep_usage.value,
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
            gate::Error::NoIssuer(_) => mistake(&table.issuer, error),
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

fn gate_door(table: &GateTable) -> cli::Result<GateDoor> {
    table.check().map_err(|error| Failure::usage(error.to_string()))?;
    let issuers = Issuers::parse(table.issuer.value.iter().map(String::as_str))
        .map_err(|error| mistake(&table.issuer, error))?;
    let password = secret(&table.limits_password_file, 1)?;
    let address = |url: &String| Address::parse(url, password.as_deref().map(String::as_str));
    let limits = table.limits.value.as_ref().map(address).transpose();
    let signed = secret(&table.webhook_secret_file, SHORTEST_SECRET)?;
    let webhook = table.webhook.value.as_ref().map(|url| WebhookSettings::new(url, signed)).transpose();
    Ok(GateDoor {
        listen: table.listen.value.clone(),
        admin: table.admin_listen.value,
        issuers,
        trusted: Listed::new(Networks::new(table.trusted_proxy.value.iter().copied())),
        spelling_kept: table.header_names.value == HeaderNames::Kept,
        verify: VerifyRule {
            from: Listed::new(askers(table)),
            token: secret(&table.verify_token_file, SHORTEST_SECRET)?
                .map(|token| HashedKey::of(token.as_bytes())),
        },
        pace: Pace { burst: table.unknown_keys.value, every: Duration::from_secs(1) },
        limits: limits.map_err(|error| mistake(&table.limits, error))?,
        webhook: webhook.map_err(|error| mistake(&table.webhook, error))?,
        lost_lines: telemetry::lost_lines,
        connections: Limits { connections: table.connections.value.max(1), ..Limits::default() },
    })
}
