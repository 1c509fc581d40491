//! Questions to a person at a terminal, and secrets on standard input.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rustix::fs::{Mode, OFlags};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGCONT, SIGQUIT, SIGTSTP, SIGTTIN};
use signal_hook::iterator::Signals;
use zeroize::Zeroizing;

use super::Global;
use super::failure::{Exit, Failure, Result};
use crate::domain::secret::{PlainKey, SentKey};

/// No secret and no answer is longer than this many bytes.
const LONGEST: u64 = 4096;

/// The hidden prompt that waits, if one does.
static HIDDEN: Mutex<Option<Hidden>> = Mutex::new(None);

/// A terminal, and how it was set before the prompt.
struct Hidden {
    terminal: OwnedFd,
    before: Termios,
}

/// Whether somebody is there to answer.
pub fn can_ask(global: &Global) -> bool {
    !global.no_input && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether an answer is needed: nobody gave it beforehand, and it is no dry run, which needs none.
pub fn must_ask(global: &Global) -> bool {
    !global.yes && !global.dry_run
}

/// Asks for a yes; anything else is a no. `what` is a sentence without its question mark.
pub async fn confirm(global: &Global, what: &str) -> Result<bool> {
    asked(global, what, "[y/N]", |answer| matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
        .await
}

/// Asks for a number to be typed; anything else is a no.
pub async fn confirm_number(global: &Global, what: &str, number: usize) -> Result<bool> {
    let how = format!("Type the number {number} to go on:");
    asked(global, what, &how, |answer| answer.trim() == number.to_string()).await
}

async fn asked(global: &Global, what: &str, how: &str, is_yes: impl Fn(&str) -> bool) -> Result<bool> {
    if !must_ask(global) {
        return Ok(true);
    }
    if !can_ask(global) {
        let why = format!("{what}? Nobody is there to answer: say --yes, or --dry-run to look first");
        return Err(Failure::usage(why));
    }
    Ok(is_yes(&answer(format!("{what}? {how} ")).await?))
}

async fn answer(question: String) -> Result<String> {
    waiting(move || {
        // Nothing is locked while a person thinks: who interrupts is to be answered.
        io::stderr().write_all(super::failure::clean(&question).as_bytes())?;
        let mut line = String::new();
        io::stdin().lock().take(LONGEST).read_line(&mut line)?;
        if !line.ends_with('\n') {
            io::stderr().write_all(b"\n")?;
        }
        Ok(line)
    })
    .await
}

/// Reads a secret: what standard input holds, or what a person types unseen, without the white space around it.
pub async fn secret(global: &Global) -> Result<PlainKey> {
    read(global, |bytes| {
        let text = std::str::from_utf8(bytes).map_err(|_| io::Error::other("it is no UTF-8"))?;
        let secret = PlainKey::from_input(text);
        Ok((!secret.expose().is_empty()).then_some(secret))
    })
    .await
}

/// Reads what was sent as a secret, with all its white space but for the line's end.
pub async fn exact_secret(global: &Global) -> Result<SentKey> {
    read(global, |bytes| {
        let line = bytes.strip_suffix(b"\n").map_or(bytes, |line| line.strip_suffix(b"\r").unwrap_or(line));
        Ok((!line.is_empty()).then(|| SentKey::exact(line)))
    })
    .await
}

/// Makes a secret of what was given; `None`: nothing was.
type Take<T> = fn(&[u8]) -> io::Result<Option<T>>;

async fn read<T: Send + 'static>(global: &Global, take: Take<T>) -> Result<T> {
    let secret = if io::stdin().is_terminal() {
        if global.no_input {
            return Err(Failure::usage("the secret is expected on standard input: keyrack … < FILE"));
        }
        waiting(move || hidden(take)).await?
    } else {
        waiting(move || piped(take)).await?
    };
    secret.ok_or_else(|| {
        Failure::usage("no secret was given: paste it at the prompt, or send it on standard input")
    })
}

fn hidden<T>(take: Take<T>) -> io::Result<Option<T>> {
    let terminal = rustix::fs::open("/dev/tty", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    let before = tcgetattr(&terminal)?;
    *HIDDEN.lock() = Some(Hidden { terminal: terminal.try_clone()?, before });
    let typed =
        watch_stops().and_then(|()| ask_hidden(OptionalActions::Now)).and_then(|()| read_line(&terminal));
    restore_terminal();
    take(&typed?)
}

/// Turns the echo off, whatever the terminal was set to meanwhile, and asks.
fn ask_hidden(typed_meanwhile: OptionalActions) -> io::Result<()> {
    let hidden = HIDDEN.lock();
    let Some(Hidden { terminal, before }) = &*hidden else { return Ok(()) };
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
    // In the background this stops the process, until it is in the foreground again.
    tcsetattr(terminal, typed_meanwhile, &silent)?;
    rustix::io::write(terminal, b"Secret (not shown): ")?;
    Ok(())
}

fn read_line(terminal: &OwnedFd) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    let mut bytes = Zeroizing::new([0; LONGEST as usize]);
    while line.last() != Some(&b'\n') && line.len() <= LONGEST as usize {
        match rustix::io::read(terminal, bytes.as_mut_slice()) {
            Ok(0) => break,
            Ok(count) => line.extend_from_slice(&bytes[..count]),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(line)
}

/// Sees to it that a shell gets its terminal back while this program is stopped, and that a prompt is hidden again when it
/// goes on. The thread stays: what it listens to would otherwise have no effect any more.
fn watch_stops() -> io::Result<()> {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if WATCHED.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    let mut signals = Signals::new([SIGTSTP, SIGTTIN, SIGCONT, SIGQUIT])?;
    let watch = move || {
        for signal in signals.forever() {
            match signal {
                // Whatever was typed meanwhile may be half a secret: it is dropped, and typed again.
                SIGCONT => drop(ask_hidden(OptionalActions::Flush)),
                SIGQUIT => {
                    restore_terminal();
                    let _ = signal_hook::low_level::emulate_default_handler(SIGQUIT);
                }
                _ => {
                    if let Some(Hidden { terminal, before }) = &*HIDDEN.lock() {
                        let _ = tcsetattr(terminal, OptionalActions::Now, before);
                    }
                    // Stops as SIGTSTP would, where somebody can wake us, and is not listened to.
                    let _ = rustix::process::kill_process(
                        rustix::process::getpid(),
                        rustix::process::Signal::TTOU,
                    );
                }
            }
        }
    };
    std::thread::Builder::new().name("stops".into()).spawn(watch).map(drop)
}

fn piped<T>(take: Take<T>) -> io::Result<Option<T>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    let read = io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)?;
    if read as u64 > LONGEST {
        return Err(io::Error::other("it is longer than any secret"));
    }
    take(&bytes)
}

/// Makes a terminal show again what is typed, after a hidden prompt was left in whatever way.
pub fn restore_terminal() {
    if let Some(Hidden { terminal, before }) = HIDDEN.lock().take() {
        let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
    }
}

/// Runs something that waits for a person off the threads that do the work.
async fn waiting<T: Send + 'static>(read: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {
            Err(Failure::quiet(Exit::Interrupted))
        }
        Ok(Err(error)) => Err(Failure::usage(format!("standard input can't be read: {error}"))),
        Err(error) => Err(Failure::new(Exit::Failure, format!("the prompt broke: {error}"))),
    }
}
