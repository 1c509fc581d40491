//! The signals that end a program, and ending by one of them: whoever has a terminal to give back does so first.

use nix::libc;
use nix::sys::signal::{SigSet, Signal};
use rustix::process::{self, Pid};
use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGBUS, SIGPROF, SIGQUIT, SIGSYS, SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2,
    SIGVTALRM, SIGXCPU, SIGXFSZ,
};

/// Meant for other programs, or about a file that may grow no further: they end nothing. Unheard they would.
pub const HARMLESS: [i32; 3] = [SIGUSR1, SIGUSR2, SIGXFSZ];

/// What stops a program by default and can be listened to.
pub const STOPS: [i32; 3] = [SIGTSTP, SIGTTIN, SIGTTOU];

/// Faults of the program itself, which no handler may survive. Sent by another process they can be waited for.
const FAULTS: [Signal; 3] = [Signal::SIGSEGV, Signal::SIGILL, Signal::SIGFPE];

/// All that ends a program and can be listened to, besides those that ask it to end: HUP, INT and TERM.
pub fn deadly() -> impl Iterator<Item = i32> {
    let everywhere =
        [SIGQUIT, SIGABRT, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGSYS, SIGTRAP, SIGBUS].into_iter();
    #[cfg(target_os = "linux")]
    let everywhere = everywhere
        .chain([libc::SIGIO, libc::SIGPWR, libc::SIGSTKFLT])
        .chain(libc::SIGRTMIN()..=libc::SIGRTMAX());
    everywhere
}

/// Keeps faults that others send for [`wait_for_fault`], in this thread and all that it starts. The program's own faults
/// end it as ever.
pub fn hold_faults() {
    let _ = SigSet::from_iter(FAULTS).thread_block();
}

/// Waits for such a fault; answers its number.
pub fn wait_for_fault() -> Option<i32> {
    SigSet::from_iter(FAULTS).wait().ok().map(|signal| signal as i32)
}

/// Stops this process, or the whole `job` as Ctrl-Z does, so that a shell sees it even if something stands between it and us.
/// All of [`STOPS`] are listened to, so that it takes the one that can't be; nothing stops where no shell could wake us.
pub fn stop(job: bool) {
    if !can_be_woken() {
        return;
    }
    let _ = match job {
        true => process::kill_current_process_group(process::Signal::STOP),
        false => process::kill_process(process::getpid(), process::Signal::STOP),
    };
    // The signal may take effect in another thread: this one must not go on before.
    std::thread::sleep(std::time::Duration::from_millis(30));
}

/// Whether a process of another job of this session has started this one's: a shell. The system asks the same before one of
/// [`STOPS`] stops anything.
fn can_be_woken() -> bool {
    let (job, session) = (process::getpgrp(), process::getsid(None));
    let mut parent = process::getppid();
    while let Some(pid) = parent {
        if process::getsid(Some(pid)) != session {
            return false;
        }
        if process::getpgid(Some(pid)) != Ok(job) {
            return true;
        }
        parent = parent_of(pid);
    }
    false
}

fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // Its name may hold anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    Pid::from_raw(rest.split(' ').nth(1)?.parse().ok()?)
}

/// Ends this process by a signal, so that who waits for it sees which one it was; with the code that shells make of it
/// where the signal can't be sent.
pub fn end_by(signal: i32) -> ! {
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    std::process::exit(code(signal).into())
}

/// The exit code that shells make of a signal.
pub fn code(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}
