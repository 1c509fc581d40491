use std::path::Path;

use clap::{CommandFactory, Parser};

use super::super::{Cli, Command};
use super::*;
use crate::config::settings::{Flags, Places, Settings, Source};

fn settings() -> Settings {
    let nowhere = Path::new("/nonexistent").to_owned();
    let places = Places { system: nowhere.clone(), config: None, data: nowhere.clone(), state: nowhere };
    Settings::load(&places, &|_| None, &Flags::default()).unwrap()
}

#[test]
fn every_flag_has_a_setting_of_its_name_and_outranks_it() {
    let command = Cli::command();
    let gate = command.find_subcommand("gate").unwrap();
    let flags: Vec<String> =
        gate.get_arguments().filter_map(|flag| flag.get_long().map(|long| format!("gate.{long}"))).collect();
    let mut settings = settings();
    let names: Vec<&str> =
        settings.rows().into_iter().map(|(name, ..)| name).filter(|name| name.starts_with("gate.")).collect();
    assert_eq!(names, flags);

    let said = [
        "--listen=127.0.0.1:1",
        "--listen=127.0.0.1:2",
        "--listen-grpc=127.0.0.1:4",
        "--admin-listen=127.0.0.1:3",
        "--socket-mode=0600",
        "--socket-group=www-data",
        "--issuer=voxpria",
        "--trusted-proxy=10.0.0.1",
        "--header-names=rewritten",
        "--verify-from=10.0.0.2",
        "--verify-token-file=/t",
        "--limits=redis://x",
        "--limits-password-file=/p",
        "--name=east",
        "--freshness=lease=1s",
        "--lease=2s",
        "--cache=5",
        "--keep-usage=1d",
        "--webhook=https://x",
        "--webhook-secret-file=/s",
        "--leaks-github-keys=/g",
        "--leaks-revoke=open",
        "--connections=6",
        "--unknown-keys=7",
        "--log-form=json",
    ];
    let cli = Cli::try_parse_from(["keyrack", "gate"].into_iter().chain(said)).unwrap();
    let Some(Command::Gate(arguments)) = cli.command else { panic!("no gate") };
    arguments.outrank(&mut settings.gate).unwrap();
    for (name, _, source) in settings.rows().into_iter().filter(|(name, ..)| name.starts_with("gate.")) {
        let flag = name.replace("gate.", "--");
        assert!(matches!(source, Source::Flag(own) if *own == flag), "{name}: {source}");
    }
    assert_eq!(settings.gate.listen.value.len(), 2);
}

#[test]
fn the_help_tells_the_defaults_that_hold() {
    let mut command = Cli::command();
    let help = command.find_subcommand_mut("gate").unwrap().render_long_help().to_string();
    assert!(help.contains("below [gate]"));
    let settings = settings();
    let rows = settings.rows();
    let told = rows.iter().filter(|(name, value, _)| name.starts_with("gate.") && !value.is_empty());
    let mut count = 0;
    for (name, value, _) in told {
        assert!(help.contains(&format!("[default: {value}]")), "{name}: {value} is not in\n{help}");
        count += 1;
    }
    assert_eq!((count, help.matches("[default: ").count()), (11, 11));
    let mut untouched = settings.gate.clone();
    Arguments::default().outrank(&mut untouched).unwrap();
    assert_eq!(untouched, settings.gate);
}
