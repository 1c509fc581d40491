//! A real sshd on loopback with keys of its own, and people who come in by it as the login that runs the test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::database::{Database, skip};
use super::http::{free_port, wait_for_port};
use super::program::{PROGRAM, environment};
use super::script::succeeded;
use super::servers::program;

pub struct Sshd {
    child: Child,
    port: u16,
    dir: PathBuf,
    login: String,
}

impl Sshd {
    /// `None`, and the test is skipped, where there is none.
    pub fn start(test: &str, dir: &Path) -> Option<Self> {
        let (Some(sshd), Some(_), Some(_)) = (program("sshd"), program("ssh"), program("ssh-keygen")) else {
            skip(test, "sshd is not installed (apt-get install openssh-server)");
            return None;
        };
        let dir = dir.join("ssh");
        std::fs::create_dir(&dir).unwrap();
        if rustix::process::getuid().is_root() {
            // It is compiled in, and the service makes it where the system runs one.
            let _ = std::fs::create_dir("/run/sshd");
        }
        let port = free_port();
        let own = dir.display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {own}/host\nPidFile none\nLogLevel ERROR\nStrictModes no\nUsePAM no\n\
             AuthorizedKeysFile {own}/authorized\nTrustedUserCAKeys {own}/authority.pub\nAuthorizedPrincipalsFile {own}/principals\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nExposeAuthInfo yes\n"
        );
        std::fs::write(dir.join("config"), config).unwrap();
        let login = Command::new("id").arg("-un").output().unwrap();
        let login = String::from_utf8(login.stdout).unwrap().trim().to_owned();
        std::fs::write(dir.join("authorized"), "").unwrap();
        for name in ["host", "authority"] {
            keygen(&["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name], &dir);
        }
        let out = std::fs::File::create(dir.join("out")).unwrap();
        let mut command = Command::new(sshd);
        command
            .args(["-D", "-e", "-f"])
            .arg(dir.join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(out);
        let child = command.spawn().unwrap();
        wait_for_port(SocketAddr::from(([127, 0, 0, 1], port)));
        Some(Self { child, port, dir, login })
    }

    /// Makes a key for a person, and lets it in. Answers its fingerprint.
    pub fn person(&self, name: &str) -> String {
        keygen(&["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name], &self.dir);
        let (all, own) = (self.dir.join("authorized"), self.dir.join(name).with_extension("pub"));
        let key = std::fs::read_to_string(own).unwrap();
        std::fs::write(&all, std::fs::read_to_string(&all).unwrap() + &key).unwrap();
        self.fingerprint(name)
    }

    /// Makes a key for a person, which nothing but a certificate lets in.
    pub fn certified(&self, name: &str, id: &str, principal: &str) -> String {
        keygen(&["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name], &self.dir);
        keygen(&["-q", "-s", "authority", "-I", id, "-n", principal, &format!("{name}.pub")], &self.dir);
        std::fs::write(self.dir.join("principals"), format!("{principal}\n")).unwrap();
        self.fingerprint(name)
    }

    pub fn fingerprint(&self, name: &str) -> String {
        let told = keygen(&["-l", "-f", &format!("{name}.pub")], &self.dir);
        told.split(' ').nth(1).unwrap().to_owned()
    }

    /// What sshd would write of this person.
    pub fn written(&self, name: &str) -> String {
        let key = std::fs::read_to_string(self.dir.join(name).with_extension("pub")).unwrap();
        format!("publickey {}", key.split(' ').take(2).collect::<Vec<_>>().join(" "))
    }

    /// Has a person run a line of the shell.
    pub fn run(&self, name: &str, line: &str) -> Output {
        let mut command = Command::new("ssh");
        command.args(["-F", "none", "-p", &self.port.to_string(), "-i"]).arg(self.dir.join(name));
        for option in [
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
        ] {
            command.args(["-o", option]);
        }
        command.arg(format!("{}@127.0.0.1", self.login)).arg(line).stdin(Stdio::null()).output().unwrap()
    }

    /// Has a person run keyrack on a database, behind `before`.
    #[track_caller]
    pub fn keyrack(&self, name: &str, db: &Database, before: &str, args: &[&str]) -> String {
        let variables: String =
            environment(db.dir()).iter().map(|(name, value)| format!("export {name}='{value}'; ")).collect();
        let args: Vec<String> = args.iter().map(|arg| format!("'{arg}'")).collect();
        let line = format!("{variables}{before} {PROGRAM} {} --db '{}'", args.join(" "), db.address());
        succeeded(&[&line], &self.run(name, &line))
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn keygen(args: &[&str], dir: &Path) -> String {
    let done = Command::new("ssh-keygen").args(args).current_dir(dir).stdin(Stdio::null()).output().unwrap();
    assert!(done.status.success(), "{args:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}
