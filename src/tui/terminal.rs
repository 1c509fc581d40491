//! Taking the terminal over and giving it back as it was, whatever happens.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::terminal;
use ratatui::Terminal;
use ratatui::layout::{Position, Size};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc::UnboundedSender;

use super::message::Message;
use super::painter::{Canvas, Painter};
use super::state::State;
use super::view;
use super::words::WipedBytes;

const ENTER: &[u8] = b"\x1b[?1049h\x1b[22;2t\x1b]2;Keyrack\x07\x1b[?2004h\x1b[?25l";
/// Wrapping, mouse, paste, title, screen, cursor: each as it was, even where it was not touched.
const LEAVE: &[u8] = b"\x1b[?7h\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[23;2t\x1b[?1049l\x1b[?25h";
/// Clicks and the wheel, in the form without limits. Motion is not asked for: nothing needs it.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// The exit code of a panic, as Rust's own.
const PANICKED: i32 = 101;

/// Whether the terminal is ours and has to be given back. The panic hook must see it, so it is the process's.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours. Dropping it gives it back.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<Canvas>,
    painter: Painter,
    mouse: bool,
}

impl Screen {
    /// Takes the terminal over.
    pub fn take(mouse: bool) -> io::Result<Self> {
        let (width, height) = terminal::size()?;
        let canvas = Canvas { size: Size { width, height }, cursor: None };
        let terminal = Terminal::new(canvas)?;
        let mut screen = Self { terminal, painter: Painter::new(), mouse };
        screen.enter()?;
        Ok(screen)
    }

    pub fn size(&self) -> Size {
        self.terminal.backend().size
    }

    fn enter(&mut self) -> io::Result<()> {
        terminal::enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let mut out = io::stdout().lock();
        out.write_all(ENTER)?;
        if self.mouse {
            out.write_all(MOUSE_ON)?;
        }
        out.flush()?;
        self.painter.forget();
        Ok(())
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

    /// Gives the terminal back, stops the process as Ctrl-Z does, and takes the terminal again when it goes on.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // The whole job stops, so that a shell sees it even if something stands between it and us. Where there is no
        // job control nothing stops, and the console goes on.
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        // The signal may take effect in another thread: this one must not go on before.
        std::thread::sleep(std::time::Duration::from_millis(30));
        self.enter()?;
        let (width, height) = terminal::size()?;
        self.terminal.backend_mut().size = Size { width, height };
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back, once. The cells are overwritten before the screen is left, so that no revealed secret stays
/// in a scroll-back (H14). Errors are no use to anybody here: the terminal may be gone.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout().lock();
    let mut bytes = b"\x1b[m\x1b[r".to_vec();
    let (_, height) = terminal::size().unwrap_or((80, 24));
    for y in 1..=height {
        // Row by row: tmux without an alternate screen keeps what a clearing of the whole screen takes away.
        bytes.extend_from_slice(format!("\x1b[{y}H\x1b[2K").as_bytes());
    }
    bytes.extend_from_slice(b"\x1b[H");
    bytes.extend_from_slice(LEAVE);
    let _ = out.write_all(&bytes);
    let _ = out.flush();
    let _ = terminal::disable_raw_mode();
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

/// Waits until the terminal is gone and says so. Blocks: for a thread of its own. crossterm itself never notices and
/// spins (H2).
pub fn watch_hangup(messages: &UnboundedSender<Message>) {
    let stdin = io::stdin();
    loop {
        // No flags: only hang-ups and errors are reported, input is not.
        let mut fds = [PollFd::new(&stdin, PollFlags::empty())];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
            Ok(_) => {
                if fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                    let _ = messages.send(Message::Hangup);
                    return;
                }
            }
        }
    }
}

/// Whether the console can run here: input and output must both be a terminal.
pub fn is_terminal() -> bool {
    rustix::termios::isatty(io::stdin().as_fd()) && rustix::termios::isatty(io::stdout().as_fd())
}
