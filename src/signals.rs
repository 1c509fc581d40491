//! The signals that end a program, and ending by one of them: whoever has a terminal to give back does so first.

use nix::libc;
use nix::sys::signal::{SigSet, Signal};
use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGBUS, SIGPROF, SIGQUIT, SIGSYS, SIGTRAP, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
    SIGXFSZ,
};

/// Meant for other programs, or about a file that may grow no further: they end nothing. Unheard they would.
pub const HARMLESS: [i32; 3] = [SIGUSR1, SIGUSR2, SIGXFSZ];

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
