//! A disk that fails and a clock that is wrong on demand: a library between the real program and the kernel, which lets chosen
//! writes to a database's files fail.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::program::PROGRAM;

/// A call is, by the kind that is asked for: a write, a sync or a change of length of a file `*.db`, `*.db-wal` or `*.db-shm`; a
/// lock of one; or SQLite's asking for memory. What it reads and counts lies in a file that the test shares.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
extern void *__libc_malloc(size_t);
extern void *__libc_realloc(void *, size_t);
static struct { volatile long first, count, error, all, calls, clock, kind, callers[4]; } *shared;
static long base;
static int program(struct dl_phdr_info *info, size_t size, void *data) { base = info->dlpi_addr; return 1; }
__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("KEYRACK_TEST_FAULTS");
  int file = name ? open(name, O_RDWR) : -1;
  void *map = file < 0 ? MAP_FAILED : mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  dl_iterate_phdr(program, 0);
  if (map != MAP_FAILED) shared = map;
}
static int due(void) {
  long call = __sync_add_and_fetch(&shared->calls, 1), first = shared->first;
  if (!shared->all && !(first > 0 && call >= first && call < first + shared->count)) return 0;
  errno = shared->error;
  return 1;
}
static int fails(int kind, int file) {
  char link[64], name[4096];
  if (!shared || shared->kind != kind) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, name, sizeof name - 1);
  if (length < 0) return 0;
  name[length] = 0;
  return strstr(name, ".db") && due();
}
#define WRAP(result, name, parameters, ...) \
  result name parameters { \
    static result (*real) parameters; \
    if (!real) real = (result (*) parameters)dlsym(RTLD_NEXT, #name); \
    return fails(0, file) ? -1 : real(__VA_ARGS__); \
  }
WRAP(ssize_t, write, (int file, const void *bytes, size_t length), file, bytes, length)
WRAP(ssize_t, pwrite, (int file, const void *bytes, size_t length, off_t at), file, bytes, length, at)
WRAP(ssize_t, pwrite64, (int file, const void *bytes, size_t length, off_t at), file, bytes, length, at)
WRAP(int, fsync, (int file), file)
WRAP(int, fdatasync, (int file), file)
WRAP(int, ftruncate, (int file, off_t length), file, length)
WRAP(int, ftruncate64, (int file, off_t length), file, length)
#define LOCKS(name) \
  int name(int file, int command, ...) { \
    static int (*real)(int, int, ...); \
    if (!real) real = (int (*)(int, int, ...))dlsym(RTLD_NEXT, #name); \
    va_list rest; \
    va_start(rest, command); \
    void *argument = va_arg(rest, void *); \
    va_end(rest); \
    if (command == F_SETLK && ((struct flock *)argument)->l_type != F_UNLCK && fails(1, file)) return -1; \
    return real(file, command, argument); \
  }
LOCKS(fcntl)
LOCKS(fcntl64)
/* SQLite counts how long it has waited for a lock by how often it slept. */
int usleep(useconds_t time) {
  struct timespec span = {0, (shared && shared->kind == 1 ? 10 : time) * 1000L};
  return clock_nanosleep(CLOCK_MONOTONIC, 0, &span, 0);
}
int nanosleep(const struct timespec *span, struct timespec *rest) {
  struct timespec soon = {0, 10000};
  return clock_nanosleep(CLOCK_MONOTONIC, 0, shared && shared->kind == 1 ? &soon : span, rest);
}
static int starves(void *from) {
  if (!shared || shared->kind != 2) return 0;
  long at = (long)from - base;
  volatile long *of = shared->callers;
  return ((at >= of[0] && at < of[1]) || (at >= of[2] && at < of[3])) && due();
}
void *malloc(size_t size) { return starves(__builtin_return_address(0)) ? 0 : __libc_malloc(size); }
void *realloc(void *old, size_t size) { return starves(__builtin_return_address(0)) ? 0 : __libc_realloc(old, size); }
int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int done = real(clock, time);
  if (done == 0 && clock == CLOCK_REALTIME && shared) time->tv_sec += shared->clock;
  return done;
}
"#;

/// What fails: which calls, the error's number, and how many calls in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    kind: i64,
    error: i64,
    count: i64,
}

pub const FULL: Fault = Fault { kind: 0, error: 28, count: 1 };
pub const BROKEN: Fault = Fault { kind: 0, error: 5, count: 1 };
/// Another process holds the lock, for longer than SQLite asks for it.
pub const BUSY: Fault = Fault { kind: 1, error: 11, count: 150 };
pub const NO_MEMORY: Fault = Fault { kind: 2, error: 12, count: 1 };

/// The library, and what the test and the program share.
pub struct Faults {
    library: PathBuf,
    shared: PathBuf,
    file: File,
}

impl Faults {
    pub fn new(folder: &Path) -> Self {
        let (library, shared) = (folder.join("faults.so"), folder.join("faults"));
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-x", "c", "-o"]).arg(&library).args(["-", "-ldl"]);
        let mut cc = cc.stdin(Stdio::piped()).spawn().expect("cc is installed: Rust links with it");
        cc.stdin.take().unwrap().write_all(SOURCE.as_bytes()).unwrap();
        assert!(cc.wait().unwrap().success());
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&shared).unwrap();
        file.set_len(4096).unwrap();
        let faults = Self { library, shared, file };
        for (place, number) in (7..).zip(askers_for_memory()) {
            faults.set(place, number);
        }
        faults
    }

    /// What the program's environment needs.
    pub fn variables(&self) -> [(&'static str, &str); 2] {
        [
            ("LD_PRELOAD", self.library.to_str().unwrap()),
            ("KEYRACK_TEST_FAULTS", self.shared.to_str().unwrap()),
        ]
    }

    fn set(&self, place: u64, number: i64) {
        self.file.write_all_at(&number.to_ne_bytes(), place * 8).unwrap();
    }

    fn get(&self, place: u64) -> i64 {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, place * 8).unwrap();
        i64::from_ne_bytes(bytes)
    }

    /// The call of this number from now on fails.
    pub fn at(&self, call: i64, fault: Fault) {
        self.ask(call, fault, false);
    }

    /// Whether the fault that was asked for has come.
    pub fn came(&self) -> bool {
        self.get(4) >= self.get(0)
    }

    /// Every call fails, or none.
    pub fn all(&self, fault: Option<Fault>) {
        self.ask(0, fault.unwrap_or(FULL), fault.is_some());
    }

    fn ask(&self, call: i64, fault: Fault, all: bool) {
        // What is asked for comes last: the program reads meanwhile.
        self.set(0, 0);
        self.set(3, 0);
        self.set(1, fault.count);
        self.set(2, fault.error);
        self.set(6, fault.kind);
        self.set(4, 0);
        self.set(0, call);
        self.set(3, i64::from(all));
    }

    /// The clock is ahead by so long.
    pub fn clock(&self, by: chrono::Duration) {
        self.set(5, by.num_seconds());
    }
}

/// Where the two functions lie in the program by which SQLite asks for memory: the first byte of each, and the end.
fn askers_for_memory() -> Vec<i64> {
    let listed = Command::new("nm").args(["-S", PROGRAM]).output().expect("nm comes with the linker");
    let listed = String::from_utf8(listed.stdout).unwrap();
    let of = |name: &str| {
        let line = listed.lines().find(|line| line.ends_with(name)).unwrap();
        let number = |place| i64::from_str_radix(line.split(' ').nth(place).unwrap(), 16).unwrap();
        [number(0), number(0) + number(1)]
    };
    [of(" sqlite3MemMalloc"), of(" sqlite3MemRealloc")].concat()
}
