//! The real program in a real terminal, seen as a person sees it.
//!
//! Nothing here sleeps: every wait is for a condition, with a deadline, and a wait that fails prints the screen.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};

use super::program;

mod keys;
mod person;

pub use keys::key;

/// How long a wait lasts before it fails. Long, for a machine with much else to do; a passing test never waits it out.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A program in a terminal.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<Seen>,
    writer: Option<Box<dyn Write + Send>>,
    master: Option<Box<dyn MasterPty + Send>>,
    /// Kept open, so that the terminal's settings can be read once the program has gone.
    slave: Option<Box<dyn SlavePty + Send>>,
    name: PathBuf,
    /// The program's end, to see what it has not read yet.
    queue: Option<OwnedFd>,
    before: String,
    /// When something was sent last.
    sent: Instant,
}

#[derive(Default)]
struct Seen {
    state: Mutex<State>,
    changed: Condvar,
    stop: AtomicBool,
    /// Nobody reads what the program sends, as in a terminal whose line is stuck.
    stuck: AtomicBool,
}

#[derive(Default)]
struct State {
    parser: Option<vt100::Parser>,
    /// Every byte that the program sent.
    raw: Vec<u8>,
    closed: bool,
}

/// How to start a program: its home, its arguments, and the terminal it finds.
pub struct Start<'a> {
    home: &'a Path,
    args: Vec<String>,
    columns: u16,
    rows: u16,
    env: Vec<(String, String)>,
    through: Vec<String>,
}

impl<'a> Start<'a> {
    pub fn new(home: &'a Path) -> Self {
        let env = vec![("TERM".to_owned(), "xterm-256color".to_owned())];
        Self { home, args: Vec::new(), columns: 120, rows: 40, env, through: Vec::new() }
    }

    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// `--db` and the address.
    pub fn on(self, address: &str) -> Self {
        self.args(["--db", address])
    }

    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Runs the program through `/bin/sh -c`, where `"$@"` is the program with its arguments.
    pub fn through_shell(self, script: &str) -> Self {
        self.through(["/bin/sh", "-c", script, "sh"])
    }

    /// Runs another program, whose last arguments are the program and its own.
    pub fn through<const N: usize>(mut self, other: [&str; N]) -> Self {
        self.through = other.map(str::to_owned).to_vec();
        self
    }

    pub fn spawn(self) -> Terminal {
        let size = PtySize { rows: self.rows, cols: self.columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = match self.through.split_first() {
            None => CommandBuilder::new(program::PROGRAM),
            Some((other, args)) => {
                let mut other = CommandBuilder::new(other);
                other.args(args);
                other.arg(program::PROGRAM);
                other
            }
        };
        command.args(&self.args);
        command.env_clear();
        for (name, value) in program::environment(self.home) {
            command.env(name, value);
        }
        for (name, value) in &self.env {
            command.env(name, value);
        }
        command.cwd(self.home);
        let before = settings(pair.master.as_ref());
        let child = pair.slave.spawn_command(command).unwrap();
        let seen = Arc::new(Seen::default());
        let (rows, columns) = (nonzero(self.rows), nonzero(self.columns));
        seen.state.lock().unwrap().parser = Some(vt100::Parser::new(rows, columns, 0));
        let reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let name = pair.master.tty_name().unwrap();
        std::thread::spawn({
            let seen = Arc::clone(&seen);
            move || read(reader, &seen)
        });
        Terminal {
            child,
            seen,
            writer: Some(writer),
            master: Some(pair.master),
            slave: Some(pair.slave),
            queue: Some(rustix::fs::open(&name, OFlags::RDONLY | OFlags::NOCTTY, Mode::empty()).unwrap()),
            name,
            before,
            sent: Instant::now(),
        }
    }
}

fn nonzero(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

fn read(mut reader: Box<dyn Read + Send>, seen: &Seen) {
    let mut buffer = [0; 65536];
    while let Ok(n @ 1..) = reader.read(&mut buffer) {
        if seen.stop.load(Ordering::SeqCst) {
            break;
        }
        while seen.stuck.load(Ordering::SeqCst) {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        let mut state = seen.state.lock().unwrap();
        state.raw.extend_from_slice(&buffer[..n]);
        state.parser.as_mut().unwrap().process(&buffer[..n]);
        drop(state);
        seen.changed.notify_all();
    }
    seen.state.lock().unwrap().closed = true;
    seen.changed.notify_all();
}

/// The terminal's settings (echo, line mode, signals, …), for comparison.
fn settings(master: &(dyn MasterPty + Send)) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

impl Terminal {
    /// Sends bytes just as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(bytes).unwrap();
        writer.flush().unwrap();
        self.sent = Instant::now();
    }

    /// Waits until `what` holds of the screen.
    #[track_caller]
    pub fn wait(&self, what: &str, mut holds: impl FnMut(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.seen.state.lock().unwrap();
        while !holds(state.parser.as_ref().unwrap().screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.closed {
                let why = if state.closed { "the program has gone" } else { "too long" };
                let screen = picture(state.parser.as_ref().unwrap().screen());
                drop(state);
                panic!("waited for {what} in vain ({why}). The screen:\n{screen}");
            }
            state = self.seen.changed.wait_timeout(state, left.min(Duration::from_millis(500))).unwrap().0;
        }
    }

    /// Waits until the screen holds `text`.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait(&format!("{text:?}"), |screen| screen.contents().contains(text));
    }

    /// Waits until the screen does not hold `text` any more.
    #[track_caller]
    pub fn wait_until_gone(&self, text: &str) {
        self.wait(&format!("{text:?} to go"), |screen| !screen.contents().contains(text));
    }

    /// Waits until nothing has come from the program for this long, at most [`PATIENCE`].
    pub fn quiet(&self, long: Duration) {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.seen.state.lock().unwrap();
        let (mut length, mut since) = (state.raw.len(), Instant::now());
        while Instant::now() < deadline && !state.closed {
            let Some(left) = long.checked_sub(since.elapsed()).filter(|left| !left.is_zero()) else { return };
            state = self.seen.changed.wait_timeout(state, left).unwrap().0;
            if state.raw.len() != length {
                (length, since) = (state.raw.len(), Instant::now());
            }
        }
    }

    /// Lets this long pass, whatever comes.
    pub fn wait_quietly(&self, long: Duration) {
        let deadline = Instant::now() + long;
        let mut state = self.seen.state.lock().unwrap();
        while let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
        {
            state = self.seen.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// The screen as text, without the blanks at the ends of its lines.
    pub fn text(&self) -> String {
        self.with(|screen| screen.contents())
    }

    /// Looks at the screen: cells, attributes, cursor, modes.
    pub fn with<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.seen.state.lock().unwrap().parser.as_ref().unwrap().screen())
    }

    /// The line that holds `text`, if any.
    pub fn line_with(&self, text: &str) -> Option<String> {
        self.text().lines().find(|line| line.contains(text)).map(str::to_owned)
    }

    /// Every byte that the program has sent.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.state.lock().unwrap().raw.clone()
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let mut state = self.seen.state.lock().unwrap();
        state.parser.as_mut().unwrap().screen_mut().set_size(nonzero(rows), nonzero(columns));
        drop(state);
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Takes the terminal away, as a lost connection does.
    pub fn hang_up(&mut self) {
        self.seen.stop.store(true, Ordering::SeqCst);
        // The reader holds the terminal too and sleeps until something comes: wake it with a byte of our own.
        OpenOptions::new().write(true).open(&self.name).unwrap().write_all(b" ").unwrap();
        let mut state = self.seen.state.lock().unwrap();
        while !state.closed {
            state = self.seen.changed.wait(state).unwrap();
        }
        drop(state);
        self.writer = None;
        self.slave = None;
        self.queue = None;
        self.master = None;
    }

    /// Another program writes to the same terminal.
    pub fn scribble(&self, text: &str) {
        OpenOptions::new().write(true).open(&self.name).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Takes nothing more of what the program sends, or takes it again.
    pub fn stop_reading(&self, stop: bool) {
        self.seen.stuck.store(stop, Ordering::SeqCst);
    }

    /// Waits for the end of the program.
    #[track_caller]
    pub fn wait_for_exit(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it wrote at its end may not be read yet.
                self.quiet(Duration::from_millis(50));
                return status;
            }
            if Instant::now() > deadline {
                panic!("the program still runs after {within:?}. The screen:\n{}", self.with(picture));
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// What is not as the program found it. Empty is how a program should leave its terminal.
    pub fn left_behind(&self) -> Vec<String> {
        self.quiet(Duration::from_millis(50));
        let mut left = self.with(|screen| {
            let modes = [
                ("the alternate screen", screen.alternate_screen()),
                ("a hidden cursor", screen.hide_cursor()),
                ("bracketed paste", screen.bracketed_paste()),
                ("application cursor keys", screen.application_cursor()),
                ("the mouse", screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None),
            ];
            modes.iter().filter(|(_, on)| *on).map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>()
        });
        let now = settings(self.master.as_deref().unwrap());
        if now != self.before {
            left.push(format!("settings: {now} instead of {}", self.before));
        }
        left
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.stop_reading(false);
        // Only the process that this test started, and only if it is still there.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The screen in a frame, for a failed test's words.
pub fn picture(screen: &vt100::Screen) -> String {
    let columns = screen.size().1.get();
    let rows: String = screen.rows(0, columns).map(|row| format!("│{row}\n")).collect();
    let edge = "─".repeat(columns.into());
    format!("┌{edge}┐\n{rows}└{edge}┘")
}
