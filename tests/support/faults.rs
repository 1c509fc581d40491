//! A disk that fails and a clock that is wrong on demand: a library between the real program and the kernel, which lets chosen
//! writes to a database's files fail.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Every write, sync and change of length of a file `*.db`, `*.db-wal` or `*.db-shm` counts as a call. What it reads and
/// counts lies in a file that the test shares: calls until the fault, the error's number, whether all fail from then on, the
/// calls so far, and by how many seconds the clock is wrong.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
static struct { volatile long until, error, all, calls, clock; } *shared;
__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("KEYRACK_TEST_FAULTS");
  int file = name ? open(name, O_RDWR) : -1;
  void *map = file < 0 ? MAP_FAILED : mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (map != MAP_FAILED) shared = map;
}
static int fails(int file) {
  char link[64], name[4096];
  if (!shared) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, name, sizeof name - 1);
  if (length < 0) return 0;
  name[length] = 0;
  if (!strstr(name, ".db")) return 0;
  __sync_fetch_and_add(&shared->calls, 1);
  if (shared->all || (shared->until > 0 && __sync_sub_and_fetch(&shared->until, 1) == 0)) {
    errno = shared->error;
    return 1;
  }
  return 0;
}
#define WRAP(result, name, parameters, ...) \
  result name parameters { \
    static result (*real) parameters; \
    if (!real) real = (result (*) parameters)dlsym(RTLD_NEXT, #name); \
    return fails(file) ? -1 : real(__VA_ARGS__); \
  }
WRAP(ssize_t, write, (int file, const void *bytes, size_t length), file, bytes, length)
WRAP(ssize_t, pwrite, (int file, const void *bytes, size_t length, off_t at), file, bytes, length, at)
WRAP(ssize_t, pwrite64, (int file, const void *bytes, size_t length, off_t at), file, bytes, length, at)
WRAP(int, fsync, (int file), file)
WRAP(int, fdatasync, (int file), file)
WRAP(int, ftruncate, (int file, off_t length), file, length)
WRAP(int, ftruncate64, (int file, off_t length), file, length)
int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int done = real(clock, time);
  if (done == 0 && clock == CLOCK_REALTIME && shared) time->tv_sec += shared->clock;
  return done;
}
"#;

pub const FULL: i64 = 28;
pub const BROKEN: i64 = 5;

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
        Self { library, shared, file }
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

    /// The call of this number from now on fails, once.
    pub fn at(&self, call: i64, error: i64) {
        self.set(1, error);
        self.set(0, call);
    }

    /// Whether the fault that was asked for has come.
    pub fn came(&self) -> bool {
        self.get(0) == 0
    }

    /// Every call fails, or none.
    pub fn all(&self, error: Option<i64>) {
        self.set(0, 0);
        self.set(1, error.unwrap_or_default());
        self.set(2, i64::from(error.is_some()));
    }

    /// The clock is ahead by so long.
    pub fn clock(&self, by: chrono::Duration) {
        self.set(4, by.num_seconds());
    }
}
