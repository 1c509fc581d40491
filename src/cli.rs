//! The door for scripts and for people in a hurry: noun, verb; data on standard output, talk on standard error.

use std::io::Write;

use clap::{Args, FromArgMatches, Parser, Subcommand, ValueEnum};

mod account;
mod alerts;
mod approval;
mod audit;
mod completing;
mod demo;
mod doctor;
mod events;
mod examples;
mod expiring;
mod explain;
mod export;
mod failure;
mod files;
mod filter;
mod flags;
mod freeze;
mod gate;
mod hygiene;
mod import;
mod incident;
mod info;
mod issuer;
mod key;
mod leak;
mod migrate;
mod operator;
mod output;
mod prompt;
mod reminders;
mod report;
mod restored;
mod rotation;
mod run;
mod session;
mod shell;
mod status;
mod usage;

use crate::clock::Clock;
use crate::config::settings::{LogForm, Source};
use crate::service::Access;
use crate::telemetry;

pub use failure::{Exit, Failure, Result};
pub use output::Format;
pub use run::{run, runtime, until_signals};
pub use session::Session;

/// Whether output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR says otherwise
    Auto,
    Always,
    Never,
}

impl Colour {
    /// Makes the choice hold for this process. `Auto` asks the terminal, NO_COLOR, CLICOLOR and CLICOLOR_FORCE.
    fn choose(self) {
        match self {
            // The library takes any CLICOLOR_FORCE for a yes, a 0 too.
            Self::Auto
                if std::env::var_os("CLICOLOR_FORCE").is_some_and(|force| force == "0")
                    && !(output::to_terminal()
                        && std::env::var_os("CLICOLOR").is_none_or(|colour| colour != "0")) =>
            {
                anstream::ColorChoice::Never.write_global();
            }
            Self::Auto => {}
            Self::Always => anstream::ColorChoice::Always.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}

/// The terminal console for API keys. Without a command it opens the console.
#[derive(Debug, Parser)]
#[command(
    name = "keyrack",
    version,
    about,
    subcommand_required = false,
    after_help = "Exit codes: 0 done, 1 failure, 2 usage, 3 not found, 4 not permitted, 5 refused by a rule,\n\
                  6 a check or a letter failed, 7 database unreachable, 130 interrupted.\n\
                  Environment: KEYRACK_DB, KEYRACK_OUTPUT, KEYRACK_COLOR, KEYRACK_NO_INPUT, KEYRACK_LOG; `keyrack info` shows the values in use."
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(flatten)]
    pub console: flags::ForConsole,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub struct Global {
    #[command(flatten)]
    pub settings: flags::ForAll,
    /// Use a temporary database full of realistic keys
    #[arg(long, global = true, help_heading = "Global options", conflicts_with = "--db")]
    pub demo: bool,
    /// Output format
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        env = "KEYRACK_OUTPUT",
        hide_env = true,
        value_name = "FORM",
        help_heading = "Global options"
    )]
    output: Option<Format>,
    /// The same as --output json
    #[arg(long, global = true, help_heading = "Global options")]
    json: bool,
    /// Leave out the headings of tables and CSV
    #[arg(long, global = true, help_heading = "Global options")]
    no_headers: bool,
    /// Answer every question with yes
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub yes: bool,
    /// Never ask anything; fail where an answer is needed
    #[arg(
        long,
        global = true,
        env = "KEYRACK_NO_INPUT",
        hide_env = true,
        value_parser = clap::builder::FalseyValueParser::new(),
        help_heading = "Global options"
    )]
    pub no_input: bool,
    /// Show what would be done and change nothing
    #[arg(long, global = true, help_heading = "Global options")]
    pub dry_run: bool,
    /// Quiet: print only requested data, questions, warnings and errors, and no table of what was changed
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub quiet: bool,
    /// Colour the output
    #[arg(
        long,
        global = true,
        value_enum,
        env = "KEYRACK_COLOR",
        hide_env = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Global options"
    )]
    pub color: Colour,
}

impl Global {
    /// Whether tables and CSV have headings.
    pub fn headings(&self) -> bool {
        !self.no_headers
    }

    /// The form of the output that was asked for.
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { self.output.unwrap_or_default() }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create, list, show, find, rotate and revoke keys
    #[command(subcommand, visible_alias = "keys")]
    Key(key::Command),
    /// List, close and extend the overlaps of old keys and their replacements
    #[command(subcommand, visible_alias = "rotations")]
    Rotation(rotation::Command),
    /// Manage accounts, the customers of an issuer
    #[command(subcommand, visible_alias = "accounts")]
    Account(account::Command),
    /// Manage issuers and their policies
    #[command(subcommand, visible_alias = "issuers")]
    Issuer(issuer::Command),
    /// Manage the people who may use this database
    #[command(subcommand, visible_alias = "operators")]
    Operator(operator::Command),
    /// Count the keys that need attention: never expiring, unused, without an owner, and more
    Hygiene(hygiene::Arguments),
    /// Refuse all keys that match a filter for a while, including keys created later
    #[command(subcommand)]
    Freeze(freeze::Freeze),
    /// Stop the creation of keys for a while
    #[command(subcommand)]
    Creation(freeze::Creation),
    /// Import keys of another product with their hashes; their secrets keep working
    Import(import::Arguments),
    /// Export everything: issuers, accounts, and keys with their hashes
    Export(export::Arguments),
    /// Search files and reports for leaked secrets, and revoke the keys that work
    #[command(subcommand)]
    Leak(leak::Command),
    /// Report what happened in an incident, ready to paste into a ticket
    #[command(subcommand)]
    Incident(incident::Command),
    /// Report what happened since a date and what expires next, for a weekly meeting, an auditor or a spreadsheet
    Report(report::Arguments),
    /// List the keys that expire next, or write them as a calendar
    Expiring(expiring::Arguments),
    /// Show what needs attention now: expiring keys, alerts, gates, reminders, paused and frozen keys
    Status(status::Arguments),
    /// Explain step by step why a key is refused, or that it would pass
    Explain(explain::Arguments),
    /// List and acknowledge alerts about how keys are used
    #[command(subcommand, visible_alias = "alert")]
    Alerts(alerts::Command),
    /// Approve or decline changes to many keys that need a second person
    #[command(subcommand)]
    Approval(approval::Command),
    /// Send every change to other programs, in order: as JSON lines or signed webhooks
    #[command(subcommand, visible_alias = "event")]
    Events(events::Command),
    /// Read and verify the record of every change
    #[command(subcommand)]
    Audit(audit::Command),
    /// Send reminder mail before keys expire, and see what was sent
    #[command(subcommand, visible_alias = "reminder")]
    Reminders(reminders::Command),
    /// Run the gate: decide for services and proxies whether a request with a key may pass
    Gate(gate::Arguments),
    /// Check the database, the settings and the terminal, and say how to fix what is wrong
    Doctor {
        /// End the session of this process on PostgreSQL, which holds what a change waits for; takes an admin
        #[arg(long, value_name = "PROCESS")]
        end_lock: Option<i32>,
    },
    /// Show the version, and each setting with its source
    Info,
    /// Bring the database's schema up to date
    Migrate,
    /// Fill an empty database with realistic demo keys
    Demo(demo::Arguments),
    /// Print a shell completion script for commands, accounts, keys and more
    Completions { shell: clap_complete::Shell },
    /// Write the manual pages into a folder
    Man { folder: std::path::PathBuf },
}

/// Parses the arguments. What can't be parsed is told on standard error in one line.
///
/// # Errors
/// The exit code that the program ends with: 2, or 0 after `--help` and `--version`.
pub fn parse(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> std::result::Result<Cli, u8> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    if let Some(code) = completing::answer(&arguments) {
        return Err(code);
    }
    usage::refuse_secrets(&arguments)?;
    let cli = examples::command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    cli.map_err(|error| usage::tell(&error))
}

/// Reads the settings and begins the log. Answers the command, if there is one, and what it works with.
pub fn begin(cli: Cli) -> Result<(Option<Command>, Session)> {
    cli.global.color.choose();
    let mut session = Session::new(cli.global, &cli.console, Clock::System)?;
    session.access = cli.command.as_ref().map_or(Access::OrNew, Command::access);
    session.warns = cli.command.as_ref().is_some_and(|command| !command.tells_history());
    if let Some(Command::Gate(arguments)) = &cli.command {
        arguments.outrank(&mut session.settings.gate)?;
    }
    let log = &session.settings;
    // A service's log is its standard error, which systemd keeps, unless somebody named a file.
    let file = (log.log_file.source != Source::Default).then(|| log.log_file.value.clone());
    let journal = file.is_none() && std::env::var_os("JOURNAL_STREAM").is_some();
    let lines = if journal { telemetry::Lines::Journal } else { telemetry::Lines::Text };
    let service = match &cli.command {
        Some(Command::Reminders(reminders::Command::Watch(_))) => Some(lines),
        Some(Command::Events(command)) if command.is_service() => Some(lines),
        Some(Command::Gate(_)) => Some(match log.gate.log_form.value {
            LogForm::Text => lines,
            LogForm::Json => telemetry::Lines::Json,
        }),
        _ => None,
    };
    let begun = match service {
        Some(lines) => telemetry::begin_service(&log.log.value, lines, file),
        None => telemetry::begin(&log.log.value, log.log_file.value.clone()),
    };
    if let Err(error) = begun {
        say(&format!("keyrack: warning: {error}"));
    }
    Ok((cli.command, session))
}

impl Command {
    /// What it may do to the database to open it. Who only reads or changes keys makes none by a slip of the finger.
    fn access(&self) -> Access {
        match self {
            Self::Migrate => Access::UpToDate,
            Self::Demo(_) | Self::Issuer(issuer::Command::Add { .. }) => Access::OrNew,
            _ => Access::Existing,
        }
    }

    /// Whether it says by itself that the database went back.
    fn tells_history(&self) -> bool {
        match self {
            Self::Doctor { .. } => true,
            Self::Audit(command) => command.tells_history(),
            Self::Key(key::Command::Revoke(arguments)) => arguments.undone(),
            _ => false,
        }
    }
}

/// Carries out a command.
async fn carry_out(command: Command, session: &Session) -> Result {
    let is_page = matches!(session.format(), Format::Markdown | Format::Html);
    if is_page && !matches!(command, Command::Report(_) | Command::Incident(_)) {
        let why =
            "only `keyrack report` and `keyrack incident report` write Markdown, and only the first HTML";
        return Err(Failure::usage(why));
    }
    match command {
        Command::Key(command) => key::run(command, session).await,
        Command::Rotation(command) => rotation::run(command, session).await,
        Command::Account(command) => account::run(command, session).await,
        Command::Issuer(command) => issuer::run(command, session).await,
        Command::Operator(command) => operator::run(command, session).await,
        Command::Hygiene(arguments) => hygiene::run(arguments, session).await,
        Command::Freeze(command) => freeze::freeze(command, session).await,
        Command::Creation(command) => freeze::creation(command, session).await,
        Command::Import(arguments) => import::run(arguments, session).await,
        Command::Export(arguments) => export::run(&arguments, session).await,
        Command::Leak(command) => leak::run(command, session).await,
        Command::Incident(command) => incident::run(command, session).await,
        Command::Report(arguments) => report::run(arguments, session).await,
        Command::Status(arguments) => status::run(arguments, session).await,
        Command::Expiring(arguments) => expiring::run(arguments, session).await,
        Command::Explain(arguments) => explain::run(arguments, session).await,
        Command::Alerts(command) => alerts::run(command, session).await,
        Command::Approval(command) => approval::run(command, session).await,
        Command::Events(command) => events::run(command, session).await,
        Command::Audit(command) => audit::run(command, session).await,
        Command::Reminders(command) => reminders::run(command, session).await,
        Command::Doctor { end_lock } => doctor::run(session, end_lock).await,
        Command::Info => info::run(session).await,
        Command::Migrate => migrate::run(session).await,
        // Not a command that ends by itself but a door, which the program opens without coming here.
        Command::Gate(_) => Err(Failure::usage("a gate can't be run as a part of another command")),
        Command::Demo(arguments) => demo::run(arguments, session).await,
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { folder } => shell::man(&folder, session.global.dry_run),
    }
}

/// `1 letter`, `3 letters`.
fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// Says something on standard error, cleaned of whatever could harm a terminal. A closed standard error is no failure.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", failure::clean(text));
}
