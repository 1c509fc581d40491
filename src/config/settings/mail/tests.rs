use std::path::Path;

use super::super::tests::{self, write};
use super::super::{Flags, Settings};
use super::*;

fn load(root: &Path, table: &str, variables: &[(&str, &str)], flags: &Flags) -> Settings {
    write(&root.join("home/config.toml"), table);
    tests::load(root, variables, flags).unwrap()
}

fn mail(table: &str) -> MailSettings {
    let root = tempfile::tempdir().unwrap();
    load(root.path(), table, &[], &Flags::default()).mail
}

/// What is wrong with a table, with the file called `config.toml`.
fn refused(table: &str) -> String {
    let mut error = mail(table).check().unwrap_err();
    error.file = error.file.map(|file| file.file_name().unwrap().into());
    error.to_string()
}

#[test]
fn without_a_word_letters_become_files_below_the_data_folder() {
    let root = tempfile::tempdir().unwrap();
    let mail = load(root.path(), "", &[], &Flags::default()).mail;
    assert_eq!(mail.transport, Setting { value: Transport::Directory, source: Source::Default });
    assert_eq!(mail.directory.value, root.path().join("data/mail"));
    assert_eq!(mail.check(), Ok(()));
}

#[test]
fn a_mail_server_that_is_named_is_used_unless_somebody_said_otherwise() {
    let named = mail("[mail]\nhost = \"smtp.example.com\"\nfrom = \"k@example.com\"\n");
    assert_eq!(named.transport.value, Transport::Smtp);
    assert!(matches!(named.transport.source, Source::File(_, 2)));
    assert_eq!(named.check(), Ok(()));
    let told = mail("[mail]\nhost = \"smtp.example.com\"\ntransport = \"directory\"\n");
    assert_eq!(told.transport.value, Transport::Directory);
}

#[test]
fn the_port_goes_with_the_security() {
    let port = |table: &str| mail(&format!("[mail]\n{table}")).port();
    assert_eq!(port(""), 587);
    assert_eq!(port("security = \"tls\""), 465);
    assert_eq!(port("security = \"plain-loopback\""), 25);
    assert_eq!(port("security = \"tls\"\nport = 2465"), 2465);
}

#[test]
fn each_layer_outranks_the_one_before_and_is_remembered() {
    let root = tempfile::tempdir().unwrap();
    let table = "[mail]\nhost = \"a.example\"\nfrom = \"k@example.com\"\nreply_to = \"desk@example.com\"\nport = 25\n";
    let variables = [("KEYRACK_MAIL_HOST", "b.example"), ("KEYRACK_MAIL_PORT", "2525")];
    let mail = load(root.path(), table, &variables, &Flags::default()).mail;
    assert_eq!(mail.host.value.as_deref(), Some("b.example"));
    assert_eq!(mail.host.source, Source::Environment("KEYRACK_MAIL_HOST"));
    assert_eq!(mail.port(), 2525);
    assert!(matches!(mail.reply_to.source, Source::File(_, 4)));

    let flags = Flags::default().with("--mail-dir", ["/tmp/letters"]);
    let mail = load(root.path(), table, &variables, &flags).mail;
    assert_eq!(mail.transport, Setting { value: Transport::Directory, source: Source::Flag("--mail-dir") });
    assert_eq!(mail.directory.value, Path::new("/tmp/letters"));
}

#[test]
fn a_credential_of_a_unit_stands_for_the_file_that_the_settings_name() {
    let root = tempfile::tempdir().unwrap();
    let table =
        "[mail]\nhost = \"a.example\"\nfrom = \"k@example.com\"\nusername = \"k\"\npassword-file = \"/p\"\n";
    let variables = [("KEYRACK_MAIL_PASSWORD_CREDENTIAL", "mail-password")];
    let mail = load(root.path(), table, &variables, &Flags::default()).mail;
    assert_eq!(mail.check(), Ok(()));
    assert_eq!(
        (mail.password_file.value, mail.password_credential.value.as_deref()),
        (None, Some("mail-password"))
    );
}

#[test]
fn mistakes_are_told_with_file_line_and_what_to_do() {
    assert_eq!(
        refused("\n[mail]\nhots = \"x\"\n"),
        "config.toml:3: there is no setting `hots` in [mail]. Did you mean `host`?"
    );
    assert_eq!(
        refused("[mail]\nsecurity = \"ssl\"\n"),
        "config.toml:2: `security` is \"ssl\": write starttls, tls or plain-loopback"
    );
    assert_eq!(
        refused("[mail]\nport = \"587\"\n"),
        "config.toml:2: `port` must be a whole number, not string"
    );
    assert_eq!(
        refused("[mail]\nport = 70000\n"),
        "config.toml:2: `port` is \"70000\": write a number from 1 to 65535"
    );
    assert_eq!(
        refused("[mail]\nconnections = 0\n"),
        "config.toml:2: `connections` is \"0\": write a number from 1 to 64"
    );
    assert_eq!(
        refused("[mail]\nhost = \"smtp.example.com:587\"\n"),
        "config.toml:2: `host` is \"smtp.example.com:587\": write `host = \"smtp.example.com\"` and `port = 587`"
    );
    assert_eq!(refused("mail = 3\n"), "config.toml:1: `mail` must be a table, not integer");
    assert!(refused("[mail]\nfrom = \"\"\n").contains("`from` is empty"));
    assert!(
        refused("[mail]\ntransport = \"smtp\"\n")
            .starts_with("config.toml:2: `transport` is smtp and no mail server")
    );
    assert!(
        refused("[mail]\nhost = \"a.example\"\n")
            .starts_with("config.toml:2: a mail server is named and no sender")
    );
    let server = "[mail]\nhost = \"a.example\"\nfrom = \"k@example.com\"\n";
    assert!(
        refused(&format!("{server}username = \"k\"\n"))
            .starts_with("config.toml:4: `username` is set and no password")
    );
    assert!(refused(&format!("{server}password-file = \"/p\"\n")).contains("no `username`"));
    let both = format!("{server}username = \"k\"\npassword-file = \"/p\"\npassword-credential = \"p\"\n");
    assert!(refused(&both).starts_with("config.toml:6: `password-file` and `password-credential` are both"));
}

#[test]
fn a_password_has_no_place_in_the_file_nor_in_the_environment_and_is_never_repeated() {
    let in_file = refused("[mail]\npassword = \"hunter2\"\n");
    assert!(
        in_file.starts_with("config.toml:2: `password` does not belong in this file")
            && in_file.contains("`password-file`"),
        "{in_file}"
    );
    let root = tempfile::tempdir().unwrap();
    let variables = [("KEYRACK_MAIL_PASSWORD", "hunter2")];
    let mail = load(root.path(), "", &variables, &Flags::default()).mail;
    let in_environment = mail.check().unwrap_err().to_string();
    assert!(in_environment.contains("`password-file`"), "{in_environment}");
    assert!(!format!("{in_file}{in_environment}{mail:?}").contains("hunter2"));
}

#[test]
fn a_mistake_in_the_mail_stops_nothing_but_the_mail() {
    let root = tempfile::tempdir().unwrap();
    let variables = [("KEYRACK_MAIL_SECURITY", "none")];
    let table = "mouse = false\n[mail]\nhots = \"x\"\nport = 0\n";
    let settings = load(root.path(), table, &variables, &Flags::default());
    assert!(!settings.mouse.value);
    assert_eq!(settings.mail.mistakes.len(), 3);
    assert!(settings.mail.check().is_err());
}

#[test]
fn a_demo_writes_to_nobody_whatever_the_settings_say() {
    let root = tempfile::tempdir().unwrap();
    let table = "[mail]\nhost = \"smtp.example.com\"\nfrom = \"k@example.com\"\n";
    let mut settings = load(root.path(), table, &[], &Flags::default());
    settings.mail.keep_in("/tmp/demo/mail".into());
    assert_eq!(settings.mail.transport.value, Transport::Directory);
    assert_eq!(settings.mail.check(), Ok(()));
}
