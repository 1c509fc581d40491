//! The clipboard: which way there is, and what really happened, in words.
//!
//! | where | way |
//! |---|---|
//! | local display | the desktop's clipboard, kept out of clipboard histories |
//! | tmux with `allow-passthrough` | OSC 52 wrapped for the terminal outside |
//! | tmux otherwise | a preview: `tmux load-buffer -w -`; a secret: not at all (H13) |
//! | SSH, or no display | OSC 52: the terminal never answers, so nothing claims "copied" |

use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::UnboundedSender;

use super::effect::CopyText;
use super::message::Message;
use super::words::{Copied, WipedBytes};

mod osc52;
#[cfg(test)]
mod tests;

use osc52::{Wrapping, sequence};

/// What the environment says about the way to a clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surroundings {
    /// A desktop on this machine.
    Display,
    /// Inside tmux, wherever that runs.
    Tmux,
    /// Inside GNU screen.
    Screen,
    /// Inside Zellij.
    Zellij,
    /// A bare terminal, over SSH or on a console.
    Terminal,
    /// A terminal without a clipboard, such as a machine's own console.
    None,
    /// Nothing is ever copied: the settings say so.
    Off,
}

impl Surroundings {
    /// Looks at the environment through `get`; an empty variable counts as unset.
    pub fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| get(name).is_some_and(|value| !value.is_empty());
        let remote = set("SSH_TTY") || set("SSH_CONNECTION") || set("SSH_CLIENT");
        if !remote && (set("DISPLAY") || set("WAYLAND_DISPLAY") || cfg!(target_os = "macos")) {
            Self::Display
        } else if set("TMUX") {
            Self::Tmux
        } else if set("ZELLIJ") {
            Self::Zellij
        } else if set("STY") {
            Self::Screen
        } else {
            Self::Terminal
        }
    }
}

/// The way to the clipboard, found out once.
#[derive(derive_more::Debug)]
pub struct Clipboard {
    surroundings: Surroundings,
    /// The desktop's clipboard is served by this process while it lives.
    #[debug(skip)]
    desktop: tokio::sync::Mutex<Option<arboard::Clipboard>>,
}

impl Clipboard {
    pub fn new(surroundings: Surroundings) -> Self {
        Self { surroundings, desktop: tokio::sync::Mutex::new(None) }
    }

    /// Copies, or says why not. Bytes for the terminal are sent to the loop, the only writer of the terminal.
    pub async fn copy(&self, text: CopyText, messages: &UnboundedSender<Message>) -> Copied {
        match self.surroundings {
            Surroundings::Display => self.copy_to_desktop(text, messages).await,
            Surroundings::Tmux => copy_in_tmux(text, messages).await,
            Surroundings::Screen => emit(&text, Wrapping::Screen, messages),
            Surroundings::None => {
                Copied::failed(format!("Not copied: this terminal has no clipboard. {BY_HAND}"))
            }
            Surroundings::Off => Copied::failed("Not copied: the setting `clipboard` is off"),
            Surroundings::Zellij | Surroundings::Terminal => emit(&text, Wrapping::None, messages),
        }
    }

    async fn copy_to_desktop(&self, text: CopyText, messages: &UnboundedSender<Message>) -> Copied {
        let mut held = self.desktop.lock().await;
        let clipboard = held.take();
        let what = noun(&text);
        let kept = text.clone();
        // X11 can take seconds to say that nobody is there.
        let done = tokio::task::spawn_blocking(move || set_desktop(clipboard, &kept)).await;
        match done {
            Ok(Ok(clipboard)) => {
                *held = Some(clipboard);
                Copied::reached(format!("{what} copied to this desktop's clipboard"))
            }
            Ok(Err(_)) | Err(_) => emit(&text, Wrapping::None, messages),
        }
    }
}

#[cfg(target_os = "linux")]
fn set_desktop(
    clipboard: Option<arboard::Clipboard>,
    text: &CopyText,
) -> Result<arboard::Clipboard, arboard::Error> {
    use arboard::SetExtLinux;
    let mut clipboard = clipboard.map_or_else(arboard::Clipboard::new, Ok)?;
    match text {
        CopyText::Preview(text) | CopyText::Ids(text) | CopyText::Check(text) => {
            clipboard.set_text(text.as_str())?;
        }
        CopyText::Lines(_, text) => clipboard.set_text(&**text)?,
        // arboard takes an owned string and keeps it to serve it: the desktop's clipboard is not ours to wipe.
        CopyText::Secret(secret) => clipboard.set().exclude_from_history().text(secret.expose())?,
    }
    Ok(clipboard)
}

#[cfg(not(target_os = "linux"))]
fn set_desktop(
    clipboard: Option<arboard::Clipboard>,
    text: &CopyText,
) -> Result<arboard::Clipboard, arboard::Error> {
    let mut clipboard = clipboard.map_or_else(arboard::Clipboard::new, Ok)?;
    clipboard.set_text(content(text))?;
    Ok(clipboard)
}

fn content(text: &CopyText) -> &str {
    match text {
        CopyText::Preview(text) | CopyText::Ids(text) | CopyText::Check(text) => text.as_str(),
        CopyText::Lines(_, text) => text,
        CopyText::Secret(secret) => secret.expose(),
    }
}

fn noun(text: &CopyText) -> &'static str {
    match text {
        CopyText::Preview(_) => "the masked preview was",
        CopyText::Ids(ids) if ids.contains(' ') => "the ids were",
        CopyText::Ids(_) => "the id was",
        CopyText::Check(_) => "the command was",
        CopyText::Lines(what, _) => what,
        CopyText::Secret(_) => "the secret was",
    }
}

/// What to do where no clipboard took a secret, or nobody knows whether one did.
const BY_HAND: &str =
    "Select it with the mouse (with Shift where a plain drag does nothing), or press w to write it to a file";

/// Hands OSC 52 to the loop for writing.
fn emit(text: &CopyText, wrapping: Wrapping, messages: &UnboundedSender<Message>) -> Copied {
    let bytes = WipedBytes(sequence(content(text), wrapping));
    if messages.send(Message::Emit(bytes)).is_err() {
        return Copied::failed("not copied: the console is closing");
    }
    let what = noun(text);
    let mut words = match wrapping {
        Wrapping::None => {
            format!("{what} sent to your terminal, which may or may not put it on its clipboard")
        }
        Wrapping::Tmux => format!("{what} sent through tmux to your terminal, which may or may not take it"),
        Wrapping::Screen => {
            format!("{what} sent through screen to your terminal, which may or may not take it")
        }
    };
    if matches!(text, CopyText::Secret(_)) {
        words.push_str(&format!(". If pasting does not bring it: {BY_HAND}"));
    }
    Copied::reached(words)
}

async fn copy_in_tmux(text: CopyText, messages: &UnboundedSender<Message>) -> Copied {
    if tmux_option("allow-passthrough").await.is_some_and(|value| matches!(value.as_str(), "on" | "all")) {
        return emit(&text, Wrapping::Tmux, messages);
    }
    match text {
        CopyText::Preview(_) | CopyText::Ids(_) | CopyText::Check(_) | CopyText::Lines(..) => {
            load_tmux_buffer(&text).await
        }
        // A tmux buffer keeps the secret for everyone who can reach the tmux server.
        CopyText::Secret(_) => Copied::failed(format!(
            "not copied: tmux would swallow it or keep it. {BY_HAND}; or run `tmux set -p allow-passthrough on` and copy again"
        )),
    }
}

/// One of tmux's options as this pane has it; `None` where tmux does not know it.
async fn tmux_option(name: &str) -> Option<String> {
    let output = tokio::process::Command::new("tmux")
        .args(["show", "-gwv", name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(2), output).await.ok()?.ok()?;
    let pane = tokio::process::Command::new("tmux")
        .args(["show", "-pv", name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let pane = tokio::time::timeout(std::time::Duration::from_secs(2), pane).await.ok()?.ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let own = text(&pane.stdout);
    Some(if own.is_empty() { text(&output.stdout) } else { own }).filter(|value| !value.is_empty())
}

/// `load-buffer -w` also sends it on to the terminal outside, if that takes it.
async fn load_tmux_buffer(text: &CopyText) -> Copied {
    let load = async {
        let mut child = tokio::process::Command::new("tmux")
            .args(["load-buffer", "-w", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(content(text).as_bytes()).await?;
        }
        child.wait().await
    };
    match tokio::time::timeout(std::time::Duration::from_secs(2), load).await {
        Ok(Ok(status)) if status.success() => {
            Copied::reached(format!("{} put into tmux's buffer and sent on to your terminal", noun(text)))
        }
        _ => Copied::failed("not copied: tmux did not take it"),
    }
}
