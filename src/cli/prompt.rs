//! Questions to a person at a terminal, and secrets on standard input.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};
use signal_hook::consts::SIGCONT;
use signal_hook::iterator::Signals;
use zeroize::{Zeroize, Zeroizing};

use super::Global;
use super::failure::{Exit, Failure, Result};
use crate::domain::secret::SentKey;
use crate::signals;

/// No answer is longer than this many bytes.
const LONGEST: u64 = 4096;
/// No text that is searched for secrets is longer than this many bytes.
const MOST: usize = 128 << 20;

/// How often it is looked whether the terminal still listens.
const GLANCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// The hidden prompt that waits, if one does.
static HIDDEN: Mutex<Option<Hidden>> = Mutex::new(None);

/// Whether the prompt was left and asks anew: what was typed before is dropped.
static AGAIN: AtomicBool = AtomicBool::new(false);

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
    let how = format!("Type the number {number} to continue:");
    asked(global, what, &how, |answer| answer.trim() == number.to_string()).await
}

async fn asked(global: &Global, what: &str, how: &str, is_yes: impl Fn(&str) -> bool) -> Result<bool> {
    if !must_ask(global) {
        return Ok(true);
    }
    if !can_ask(global) {
        let why = format!("{what}? No terminal to ask on: pass --yes, or --dry-run to look first");
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

/// Reads a text with secrets in it: what standard input holds, or what a person types or pastes unseen.
pub async fn secrets(global: &Global) -> Result<SentKey> {
    read(global, |bytes| Ok((!bytes.trim_ascii().is_empty()).then(|| SentKey::from(bytes)))).await
}

/// Reads what was sent as a secret, with all its white space but for the line's end.
pub async fn exact_secret(global: &Global) -> Result<SentKey> {
    read(global, |bytes| {
        let line = bytes
            .strip_suffix(b"\n")
            .map_or(bytes.as_slice(), |line| line.strip_suffix(b"\r").unwrap_or(line));
        Ok((!line.is_empty()).then(|| SentKey::exact(line)))
    })
    .await
}

/// Makes a secret of what was given; `None`: nothing was.
type Take<T> = fn(Zeroizing<Vec<u8>>) -> io::Result<Option<T>>;

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
    take(typed?)
}

/// Turns the echo off, whatever the terminal was set to meanwhile, and asks.
fn ask_hidden(typed_meanwhile: OptionalActions) -> io::Result<()> {
    let hidden = HIDDEN.lock();
    let Some(Hidden { terminal, before }) = &*hidden else { return Ok(()) };
    let mut silent = before.clone();
    // Line by line, a terminal would cut a long line.
    silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON);
    silent.local_modes.insert(LocalModes::ISIG);
    silent.special_codes[SpecialCodeIndex::VMIN] = 1;
    silent.special_codes[SpecialCodeIndex::VTIME] = 0;
    // In the background this stops the process, until it is in the foreground again.
    tcsetattr(terminal, typed_meanwhile, &silent)?;
    rustix::io::write(terminal, b"Secret (not shown): ")?;
    Ok(())
}

/// Reads what is typed or pasted, up to Enter, and all the lines that come at once.
fn read_line(terminal: &OwnedFd) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut typed = Zeroizing::new(Vec::new());
    let mut some = Zeroizing::new([0; LONGEST as usize]);
    loop {
        wait_for_foreground();
        if !ready(terminal, GLANCE)? {
            continue;
        }
        let length = match rustix::io::read(terminal, some.as_mut_slice()) {
            Err(rustix::io::Errno::INTR) => continue,
            read => read?,
        };
        if AGAIN.swap(false, Ordering::SeqCst) {
            typed.zeroize();
        }
        let mut ended = length == 0;
        for byte in &some[..length] {
            match byte {
                0x04 => ended = true,
                0x08 | 0x7f => drop(typed.pop()),
                0x15 => typed.zeroize(),
                byte => append(&mut typed, &[*byte]),
            }
        }
        too_long(typed.len())?;
        let line = matches!(typed.last(), Some(b'\n' | b'\r'));
        if ended || line && !more(terminal)? {
            rustix::io::write(terminal, b"\n")?;
            return Ok(typed);
        }
    }
}

/// Whether more comes at once, as the next line of a paste does.
fn more(terminal: &OwnedFd) -> io::Result<bool> {
    ready(terminal, Timespec { tv_sec: 0, tv_nsec: 150_000_000 })
}

fn ready(terminal: &OwnedFd, wait: Timespec) -> io::Result<bool> {
    match rustix::event::poll(&mut [PollFd::new(terminal, PollFlags::IN)], Some(&wait)) {
        Err(rustix::io::Errno::INTR) => Ok(false),
        ready => Ok(ready? > 0),
    }
}

/// Stops until the terminal listens to this process. Who reads in the background is stopped by signals that may be heard
/// only when it is in the foreground again.
fn wait_for_foreground() {
    // Nobody can stop or wake a process whose shell is gone: reading says so.
    for _ in 0..50 {
        if has_terminal() {
            return;
        }
        stop();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Sees to it that a shell gets its terminal back while this program is stopped, and that a prompt is hidden again when it
/// goes on. The thread stays: what it listens to would otherwise have no effect any more.
fn watch_stops() -> io::Result<()> {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if WATCHED.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    let mut heard = Signals::new(signals::deadly().chain(signals::STOPS).chain([SIGCONT]))?;
    let watch = move || {
        for signal in heard.forever() {
            match signal {
                SIGCONT => hide_again(),
                stops if signals::STOPS.contains(&stops) => stop(),
                deadly => {
                    restore_terminal();
                    signals::end_by(deadly);
                }
            }
        }
    };
    std::thread::Builder::new().name("stops".into()).spawn(watch).map(drop)
}

/// Has the signals of faults that others send restore the terminal before they end the program. Before there are other
/// threads, which would be killed by them.
pub fn hear_faults() -> io::Result<()> {
    signals::hold_faults();
    let fault = || {
        if let Some(signal) = signals::wait_for_fault() {
            restore_terminal();
            signals::end_by(signal);
        }
    };
    std::thread::Builder::new().name("faults".into()).spawn(fault).map(drop)
}

/// Gives the terminal back, if it is this process's, and stops.
fn stop() {
    let own = has_terminal();
    if let Some(Hidden { terminal, before }) = HIDDEN.lock().as_ref().filter(|_| own) {
        let _ = tcsetattr(terminal, OptionalActions::Now, before);
    }
    signals::stop(false);
}

/// Whatever was typed meanwhile may be half a secret: it is dropped, and typed again. In the background the terminal is
/// somebody else's, and reading from it stops the process again.
fn hide_again() {
    if has_terminal() {
        AGAIN.store(true, Ordering::SeqCst);
        drop(ask_hidden(OptionalActions::Flush));
    }
}

/// Whether a prompt waits and its terminal listens to this process.
fn has_terminal() -> bool {
    let hidden = HIDDEN.lock();
    let elsewhere = |terminal| tcgetpgrp(terminal).is_ok_and(|group| group != rustix::process::getpgrp());
    hidden.as_ref().is_some_and(|hidden| !elsewhere(&hidden.terminal))
}

fn piped<T>(take: Take<T>) -> io::Result<Option<T>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let mut some = Zeroizing::new(vec![0; 64 * 1024]);
    let mut input = io::stdin().lock();
    loop {
        let length = match input.read(&mut some) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if length == 0 {
            return take(bytes);
        }
        append(&mut bytes, &some[..length]);
        too_long(bytes.len())?;
    }
}

/// Appends without leaving a copy behind where the bytes need another place.
fn append(bytes: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    let length = bytes.len() + more.len();
    if length > bytes.capacity() {
        let mut place = Zeroizing::new(Vec::with_capacity(length.next_power_of_two().max(4096)));
        place.extend_from_slice(bytes);
        *bytes = place;
    }
    bytes.extend_from_slice(more);
}

fn too_long(length: usize) -> io::Result<()> {
    if length > MOST {
        return Err(io::Error::other(format!("it is longer than {} MB: give it in parts", MOST >> 20)));
    }
    Ok(())
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
