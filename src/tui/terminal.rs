//! Taking the terminal over and giving it back as it was, whatever happens.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use ratatui::Terminal;
use ratatui::layout::{Position, Size};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

use super::painter::{Canvas, Painter};
use super::state::State;
use super::view;
use super::words::{ExitReason, WipedBytes};
use crate::config::display::Display;
use crate::signals;

const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l";
/// The terminal's own title is kept by it meanwhile.
const TITLE: &[u8] = b"\x1b[22;2t\x1b]2;Keyrack\x07";
/// Wrapping, mouse, paste, title, screen, cursor: each as it was, even where it was not touched.
const LEAVE: &[u8] = b"\x1b[?7h\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[23;2t\x1b[?1049l\x1b[?25h";
/// Clicks and the wheel, in the form without limits. Motion is not asked for: nothing needs it.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// The exit code of a panic, as Rust's own.
const PANICKED: i32 = 101;

/// How long the console may take to end by itself.
const ENDING: Duration = Duration::from_millis(50);
/// How long the program may take to end after that.
const LAST: Duration = Duration::from_secs(1);
/// How long a terminal that takes nothing is waited for when it is given back.
const DEAF: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// Whether the terminal is ours and has to be given back. The panic hook must see it, so it is the process's.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// How the terminal was set before it was ours.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal while it is ours. Dropping it gives it back.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<Canvas>,
    painter: Painter,
    mouse: bool,
    /// Whether it has a title that can be set.
    titled: bool,
}

impl Screen {
    /// Takes the terminal over.
    pub fn take(mouse: bool, display: &Display) -> io::Result<Self> {
        let canvas = Canvas { size: size(), cursor: None };
        let terminal = Terminal::new(canvas)?;
        let mut screen = Self {
            terminal,
            painter: Painter::new(display.colours, display.regions),
            mouse,
            titled: display.commands,
        };
        screen.enter()?;
        Ok(screen)
    }

    /// Takes the terminal, again if need be: whoever had it while this process was stopped left it in any state. Answers
    /// its size.
    pub fn enter(&mut self) -> io::Result<Size> {
        wait_for_foreground();
        let now = tcgetattr(io::stdin())?;
        // A shell sets the terminal for itself even where it was not given back, as after SIGSTOP.
        let others = !TAKEN.load(Ordering::SeqCst) || now.local_modes.contains(LocalModes::ICANON);
        let mut raw = now.clone();
        if others {
            *BEFORE.lock() = Some(now);
        }
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        let mut out = io::stdout().lock();
        out.write_all(ENTER)?;
        if !TAKEN.swap(true, Ordering::SeqCst) && self.titled {
            out.write_all(TITLE)?;
        }
        if self.mouse {
            out.write_all(MOUSE_ON)?;
        }
        out.flush()?;
        self.painter.forget();
        self.terminal.backend_mut().size = size();
        Ok(self.size())
    }

    pub fn size(&self) -> Size {
        self.terminal.backend().size
    }

    /// Draws the state.
    pub fn draw(&mut self, state: &State) -> io::Result<()> {
        self.terminal.backend_mut().size = state.shell.size;
        self.terminal.backend_mut().cursor = None;
        let painter = &mut self.painter;
        self.terminal.draw(|frame| {
            view::view(state, frame);
            painter.paint(frame.buffer_mut());
        })?;
        let cursor: Option<Position> = self.terminal.backend().cursor;
        self.painter.finish(cursor, &mut io::stdout().lock())
    }

    /// What the terminal shows is unknown from now on.
    pub fn forget(&mut self) {
        self.painter.forget();
    }

    /// Writes bytes that are no part of the picture and wipes them.
    pub fn emit(&mut self, bytes: &WipedBytes) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(&bytes.0)?;
        out.flush()
    }

    pub fn set_mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        let mut out = io::stdout().lock();
        out.write_all(if on { MOUSE_ON } else { MOUSE_OFF })?;
        out.flush()
    }

    /// Gives the terminal back, stops the process, or the whole `job` as Ctrl-Z does, and takes the terminal again when it
    /// goes on. Answers its size then.
    pub fn suspend(&mut self, job: bool) -> io::Result<Size> {
        give_back();
        signals::stop(job);
        self.enter()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// In the background the terminal is somebody else's, and setting it would be refused without an end: this process stops until
/// it is in the foreground.
fn wait_for_foreground() {
    // Where nobody can stop or wake it, setting the terminal says so.
    for _ in 0..50 {
        if !is_elsewhere() {
            return;
        }
        signals::stop(false);
    }
}

fn is_elsewhere() -> bool {
    tcgetpgrp(io::stdin()).is_ok_and(|group| group != rustix::process::getpgrp())
}

/// The size of the window; the smallest usual one where it is not known.
pub fn size() -> Size {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size { width: size.ws_col, height: size.ws_row },
        _ => Size { width: 80, height: 24 },
    }
}

/// Gives the terminal back, once. The cells are overwritten before the screen is left, so that no revealed secret stays
/// in a scroll-back (H14). Errors are no use to anybody here: the terminal may be gone. Takes no lock that a thread may
/// hold which is stuck in writing.
pub fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut bytes = b"\x1b[m\x1b[r".to_vec();
        for y in 1..=size().height {
            // Row by row: tmux without an alternate screen keeps what a clearing of the whole screen takes away.
            bytes.extend_from_slice(format!("\x1b[{y}H\x1b[2K").as_bytes());
        }
        bytes.extend_from_slice(b"\x1b[H");
        bytes.extend_from_slice(LEAVE);
        write_or_leave(&bytes);
    }
    if let Some(before) = BEFORE.lock().take().filter(|_| !is_elsewhere()) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

/// Writes to the terminal as long as it takes anything.
fn write_or_leave(mut bytes: &[u8]) {
    let stdout = io::stdout();
    while !bytes.is_empty() {
        let mut fds = [PollFd::new(&stdout, PollFlags::OUT)];
        if !matches!(poll(&mut fds, Some(&DEAF)), Ok(1..)) {
            return;
        }
        // Small pieces: a terminal that takes some bytes may not take many.
        match rustix::io::write(&stdout, &bytes[..bytes.len().min(256)]) {
            Ok(written) => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => return,
        }
    }
}

/// Sees to it that the program ends for this reason, whatever the terminal or the database does.
pub fn end_soon(reason: &ExitReason) {
    let reason = reason.clone();
    std::thread::spawn(move || {
        std::thread::sleep(ENDING);
        std::thread::spawn(|| {
            std::thread::sleep(LAST);
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        });
        give_back();
        if let ExitReason::Killed(signal) = reason {
            signals::end_by(signal);
        }
        std::process::exit(i32::from(reason.code()));
    });
}

/// Makes a panic, in whatever thread, give the terminal back, report itself and end the program: half a console is
/// worse than none.
pub fn install_panic_hook() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        give_back();
        report(info);
        std::process::exit(PANICKED);
    }));
}

/// Whether the console can run here: input and output must both be a terminal.
pub fn is_terminal() -> bool {
    rustix::termios::isatty(io::stdin().as_fd()) && rustix::termios::isatty(io::stdout().as_fd())
}
