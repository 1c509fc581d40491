//! What the parser of arguments refuses, in one line.

use std::ffi::OsString;
use std::io::Write;

use clap::error::{Error, ErrorKind};

use super::failure::{Exit, Failure, clean};
use crate::domain::secret::find_secret;

/// Prints help and version as they are, and a mistake as one line. Answers the exit code.
pub fn tell(error: &Error) -> u8 {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        let printed = error.print().and_then(|()| std::io::stdout().flush());
        return match printed {
            _ if error.use_stderr() => Exit::Usage as u8,
            Err(broken) => Failure::output(&broken).tell(),
            Ok(()) => 0,
        };
    }
    super::say(&format!("keyrack: {}", one_line(&error.render().to_string())));
    Exit::Usage as u8
}

/// Refuses every argument that holds what looks like a whole secret, before anything could repeat or keep it: arguments
/// are seen by everybody on the machine. A path may have such a name.
///
/// # Errors
/// The exit code, after the refusal was told.
pub fn refuse_secrets(arguments: &[OsString]) -> Result<(), u8> {
    if !arguments.iter().skip(1).any(|argument| holds_secret(&argument.to_string_lossy())) {
        return Ok(());
    }
    super::say(
        "keyrack: that looks like a whole secret, and arguments are seen by everybody on this machine and kept by the \
         shell: send it on standard input, with `keyrack key find` or `keyrack key revoke --secret-stdin`",
    );
    Err(Exit::Usage as u8)
}

fn holds_secret(argument: &str) -> bool {
    let value = match argument.split_once('=') {
        Some((option, value)) if option.starts_with("--") => value,
        _ => argument,
    };
    let is_path = ["/", "./", "../", "sqlite:"].iter().any(|start| value.starts_with(start));
    !is_path && find_secret(value).is_some()
}

/// The parser's message without its usage lines: what is wrong, and its hints.
fn one_line(message: &str) -> String {
    let mut words = Vec::new();
    for line in message.lines() {
        let line = line.trim();
        if line.starts_with("Usage:") {
            break;
        }
        if line.is_empty() || line.starts_with("For more information") {
            continue;
        }
        let line = line.strip_prefix("error: ").unwrap_or(line);
        words.push(line.strip_prefix("tip: ").map_or_else(|| line.to_owned(), |tip| format!("({tip})")));
    }
    let mut text = clean(&words.join(" "));
    if !text.ends_with('.') {
        text.push('.');
    }
    text.push_str(" See --help");
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn refused(arguments: &[&str]) -> String {
        let error = Cli::command().try_get_matches_from(arguments).unwrap_err();
        one_line(&error.render().to_string())
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_mistake_is_one_line_that_says_how_to_mend_it() {
        assert_eq!(
            refused(&["keyrack", "key", "create", "--name", "x"]),
            "the following required arguments were not provided: --account <SLUG>. See --help"
        );
        let typo = refused(&["keyrack", "key", "list", "--filtre", "x"]);
        assert!(typo.contains("(a similar argument exists: '--filter')") && !typo.contains('\n'), "{typo}");
    }

    #[test]
    fn an_argument_in_a_refusal_is_cleaned() {
        let text = refused(&["keyrack", "\u{1b}]0;x\u{7}"]);
        assert!(text.chars().all(crate::domain::text::is_safe), "{text:?}");
    }
}
