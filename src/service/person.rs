//! Finds out who is behind the acting login, as far as this machine can tell. Nothing of it decides about a right.
//!
//! What the environment says is a claim: whoever starts the program sets it. Checked is
//! - an SSH key or certificate, where the file that `SSH_USER_AUTH` names looks like what this session's sshd wrote: it lies where
//!   sshd puts it, belongs to the session's login with mode 0600, was written at once, between the start of the session's sshd and
//!   that of its first process; and that process, right below an sshd of root's, was given this very name. The file belongs to
//!   the login, so that who has a shell there can forge it in the moment in which a session begins, and in no other;
//! - a user from whom somebody became the acting login: by the kernel's login uid, where root set it, or by the
//!   owner of a process above this one.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::time::UNIX_EPOCH;

use nix::unistd::{Uid, User};
use rustix::fs::OFlags;

use crate::clock::Clock;
use crate::domain::person::{Mark, Person, Proof, from_ssh};

/// Where sshd names the file that tells how the session was authenticated.
const SSH_USER_AUTH: &str = "SSH_USER_AUTH";
/// How that file's name begins.
const SSHD_WRITES: &str = "/tmp/sshauth.";
/// What sshd's processes are called; the second from OpenSSH 9.8 on.
const SSHD: [&str; 2] = ["sshd", "sshd-session"];
/// Processes above this one that are looked at.
const DEEP: usize = 64;
/// What is read of any file.
const LENGTH: u64 = 64 << 10;
/// The kernel tells when a process began in steps of a hundredth of a second, as it does how long it has been up.
const STEPS: f64 = 100.0;
const SLACK: f64 = 0.02;
/// Seconds that sshd takes at most, from when it became the login, until it has written whose key it was.
const AT_ONCE: f64 = 2.0;
/// No user.
const NOBODY: [u32; 2] = [u32::MAX, 65_534];

/// A process, as `/proc` tells of it.
#[derive(Clone, Debug, PartialEq)]
struct Process {
    pid: u32,
    parent: u32,
    name: String,
    /// Seconds after the machine's start.
    began: f64,
    /// Real, effective, saved, of the file system.
    uids: Vec<u32>,
    /// As whom its session began: given down to all that it starts, and changed by root alone once it is set.
    login: u32,
}

impl Process {
    fn read(pid: u32) -> Option<Self> {
        let file = |name: &str| read(File::open(format!("/proc/{pid}/{name}")).ok()?);
        let login = file("loginuid").and_then(|text| text.trim().parse().ok()).unwrap_or(u32::MAX);
        Self::parse(pid, &file("stat")?, &file("status")?, login)
    }

    fn parse(pid: u32, stat: &str, status: &str, login: u32) -> Option<Self> {
        // A name may hold brackets and blanks; what comes behind it holds none.
        let (front, rest) = stat.rsplit_once(')')?;
        let name = front.split_once('(')?.1.to_owned();
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let began = fields.get(19)?.parse::<f64>().ok()? / STEPS;
        let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        let uids = uids.split_whitespace().map(|uid| uid.parse().ok()).collect::<Option<Vec<u32>>>()?;
        Some(Self { pid, parent: fields.get(1)?.parse().ok()?, name, began, uids, login })
    }

    /// Whether all that it is is root: what a setuid program is that a user started is not.
    fn is_root(&self) -> bool {
        self.uids.iter().all(|uid| *uid == 0)
    }

    fn owner(&self) -> u32 {
        self.uids.first().copied().unwrap_or(u32::MAX)
    }

    fn is_sshd(&self) -> bool {
        SSHD.contains(&self.name.as_str())
    }

    /// A variable as the process was started with it; where it may be asked for that.
    fn variable(&self, name: &str) -> Option<String> {
        if self.pid == own_pid() {
            return std::env::var(name).ok();
        }
        let all = read(File::open(format!("/proc/{}/environ", self.pid)).ok()?)?;
        all.split('\0').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    }
}

fn own_pid() -> u32 {
    rustix::process::getpid().as_raw_nonzero().get().unsigned_abs()
}

/// This process, and those above it, the nearest first.
fn lineage() -> Vec<Process> {
    let mut found: Vec<Process> = Vec::new();
    let mut next = own_pid();
    while let Some(process) = (next > 0 && found.len() < DEEP).then(|| Process::read(next)).flatten() {
        next = process.parent;
        found.push(process);
    }
    found
}

/// The beginning of a file, as text.
fn read(file: File) -> Option<String> {
    let mut bytes = Vec::new();
    file.take(LENGTH).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Who is behind this process.
pub(super) fn behind() -> Person {
    let lineage = lineage();
    let mut person = of_ssh(&lineage);
    let own = rustix::process::getuid().as_raw();
    match caller(&lineage, own) {
        Some(uid) => person.add(Mark::User, &name_of(uid), Proof::Checked),
        None => {
            let named = std::env::var("SUDO_USER").unwrap_or_default();
            if named != name_of(own) {
                person.add(Mark::User, &named, Proof::Claimed);
            }
        }
    }
    person
}

fn name_of(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}

/// From whom somebody became the acting login.
fn caller(lineage: &[Process], own: u32) -> Option<u32> {
    let is_other = |uid: u32| uid != own && !NOBODY.contains(&uid);
    if let Some(login) = lineage.first().map(|process| process.login).filter(|login| *login != u32::MAX) {
        // Where it is not set yet, anybody may set it to anything: then the topmost process that has it is not root's.
        let topmost = lineage.iter().take_while(|process| process.login == login).last();
        if topmost.is_some_and(Process::is_root) {
            return is_other(login).then_some(login);
        }
    }
    // Who started the sshd is nobody of this session.
    let mut own_session = lineage.iter().take_while(|process| !(process.is_sshd() && process.is_root()));
    own_session.find_map(|process| Some(process.owner()).filter(|uid| *uid != 0 && is_other(*uid)))
}

/// What sshd, or the environment, says of the key of this session.
fn of_ssh(lineage: &[Process]) -> Person {
    let session = session(lineage);
    let given = session.and_then(|(first, _)| first.variable(SSH_USER_AUTH));
    let Some(path) = std::env::var(SSH_USER_AUTH).ok().or_else(|| given.clone()) else {
        return Person::default();
    };
    // Neither a link nor something that waits.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(&path);
    let found = file.and_then(|file| Ok((file.metadata()?, file))).ok();
    let Some((found, file)) = found.filter(|(found, _)| found.is_file()) else { return Person::default() };
    let checked = session.is_some_and(|(first, sshd)| {
        let changed = found.ctime() as f64 + found.ctime_nsec() as f64 / 1e9;
        // Where the file system doesn't tell when it was made, nothing is checked.
        let made = found.created().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
        let name = path.strip_prefix(SSHD_WRITES);
        given.as_deref() == Some(&path)
            && name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            && found.uid() == first.owner()
            && found.mode() & 0o7777 == 0o600
            && found.nlink() == 1
            && made.is_some_and(|made| changed - made.as_secs_f64() <= SLACK)
            && began().is_some_and(|start| is_within(changed - start, sshd.began, last(first, sshd)))
    });
    let proof = if checked { Proof::Checked } else { Proof::Claimed };
    read(file).map_or_else(Person::default, |text| from_ssh(&text, proof))
}

/// Until when sshd writes the file. The one that became the login does at once; later sessions of the same connection have processes
/// of their own, but no file.
fn last(first: &Process, sshd: &Process) -> f64 {
    if sshd.is_root() { first.began } else { first.began.min(sshd.began + AT_ONCE) }
}

fn is_within(at: f64, from: f64, until: f64) -> bool {
    at >= from - SLACK && at <= until + SLACK
}

/// When this machine was started, in seconds after 1970.
fn began() -> Option<f64> {
    let uptime = read(File::open("/proc/uptime").ok()?)?;
    let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Some(Clock::System.now().timestamp_micros() as f64 / 1e6 - uptime)
}

/// The first process of the SSH session that this one belongs to, and the sshd that started it.
fn session(lineage: &[Process]) -> Option<(&Process, &Process)> {
    let mut above: VecDeque<&Process> = lineage.iter().collect();
    let mut first = above.pop_front()?;
    while let Some(sshd) = above.pop_front() {
        // The one that became the login hangs on one of root's: any program can be called sshd.
        let of_root = sshd.is_root() || above.front().is_some_and(|over| over.is_sshd() && over.is_root());
        if sshd.is_sshd() && of_root && (sshd.is_root() || sshd.owner() == first.owner()) {
            return Some((first, sshd));
        }
        first = sshd;
    }
    None
}

#[cfg(test)]
mod tests;
