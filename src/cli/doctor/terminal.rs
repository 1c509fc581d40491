//! The terminal: its colours, its size, and whether a copied text can get out of it (H13).

use std::io::IsTerminal;
use std::process::{Command, Stdio};

use super::Finding;
use crate::config::display::Display;

/// What the console needs at least.
const LEAST: (u16, u16) = (60, 16);

pub fn examine(environment: &dyn Fn(&str) -> Option<String>) -> Vec<Finding> {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return vec![Finding::ok("terminal", "none: the output goes elsewhere")];
    }
    let mut findings = vec![colours(environment)];
    if let Ok(size) = rustix::termios::tcgetwinsize(&stdout) {
        let words = format!("{}×{}", size.ws_col, size.ws_row);
        findings.push(if size.ws_col < LEAST.0 || size.ws_row < LEAST.1 {
            Finding::warning("size", words, format!("the console needs {}×{}", LEAST.0, LEAST.1))
        } else {
            Finding::ok("size", words)
        });
    }
    findings.push(locale(environment));
    findings.push(clipboard(environment, &tmux_option));
    findings
}

fn colours(environment: &dyn Fn(&str) -> Option<String>) -> Finding {
    let display = Display::of(environment);
    if let Some(why) = display.refuses() {
        return Finding::warning("terminal", why, "set TERM to what it is, for example xterm-256color");
    }
    let Display { name, colours, .. } = display;
    if environment("NO_COLOR").is_some() {
        return Finding::ok("colours", "none, because NO_COLOR is set");
    }
    Finding::ok("colours", format!("{} ({name})", colours.words()))
}

fn locale(environment: &dyn Fn(&str) -> Option<String>) -> Finding {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(environment).unwrap_or_default();
    let plain = locale.to_ascii_lowercase().replace('-', "");
    if plain.contains("utf8") {
        Finding::ok("characters", locale)
    } else {
        Finding::warning(
            "characters",
            if locale.is_empty() { "no locale is set".into() } else { format!("{locale} is not UTF-8") },
            "set LANG, for example to C.UTF-8, or start the console with --ascii",
        )
    }
}

fn clipboard(environment: &dyn Fn(&str) -> Option<String>, tmux: &dyn Fn(&str) -> Option<String>) -> Finding {
    let ssh = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].into_iter().any(|name| environment(name).is_some());
    if environment("TMUX").is_some() {
        let passthrough = tmux("allow-passthrough").unwrap_or_default();
        if matches!(passthrough.as_str(), "on" | "all") {
            return Finding::ok("clipboard", "through tmux to the terminal outside");
        }
        return Finding::warning(
            "clipboard",
            "tmux lets no copied secret out to the terminal",
            "tmux set -g allow-passthrough on; else write the secret into a file",
        );
    }
    if !ssh && ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().any(|name| environment(name).is_some()) {
        return Finding::ok("clipboard", "that of the display");
    }
    Finding::ok("clipboard", "what is copied is sent to the terminal, which may or may not take it")
}

/// Asks tmux for the value of one of its options.
fn tmux_option(name: &str) -> Option<String> {
    let output = Command::new("tmux")
        .args(["show-options", "-gAv", name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    fn of<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn tmux_without_passthrough_swallows_a_secret_and_the_cure_is_told() {
        let inside = of(&[("TMUX", "/tmp/tmux,1,0")]);
        let swallowed = clipboard(&inside, &of(&[("allow-passthrough", "off")]));
        assert_eq!(swallowed.level, Level::Warning);
        assert!(swallowed.cure.contains("allow-passthrough on"));
        assert_eq!(clipboard(&inside, &of(&[("allow-passthrough", "on")])).level, Level::Ok);
    }

    #[test]
    fn a_display_counts_only_without_ssh() {
        let none = of(&[]);
        let local = of(&[("DISPLAY", ":0")]);
        assert_eq!(clipboard(&local, &none).found, "that of the display");
        let forwarded = of(&[("DISPLAY", "localhost:10"), ("SSH_TTY", "/dev/pts/1")]);
        assert!(clipboard(&forwarded, &none).found.contains("sent to the terminal"));
    }

    #[test]
    fn colours_and_characters_are_read_from_the_environment() {
        assert_eq!(colours(&of(&[("TERM", "xterm-256color")])).found, "256 (xterm-256color)");
        assert_eq!(colours(&of(&[("TERM", "dumb")])).level, Level::Warning);
        assert_eq!(locale(&of(&[("LANG", "de_DE.UTF-8")])).level, Level::Ok);
        assert_eq!(locale(&of(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")])).level, Level::Warning);
    }
}
