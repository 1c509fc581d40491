//! The packages that `dist/package` makes, and a newcomer's first minutes with one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::database::skipped;
use crate::support::program::{self, PROGRAM};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The tests' own program without what debuggers want, as a release has none.
fn stripped(folder: &Path) -> PathBuf {
    let binary = folder.join("keyrack-stripped");
    let done = Command::new("strip").arg("-o").arg(&binary).arg(PROGRAM).status().unwrap();
    assert!(done.success());
    binary
}

/// Makes the .deb; its path.
fn deb(binary: &Path, folder: &Path) -> PathBuf {
    let made = Command::new(root().join("dist/package"))
        .arg(folder)
        .args(["--only", "deb", "--binary"])
        .arg(binary)
        // Quick and the same: how small a real one gets is no matter here.
        .envs([
            ("DPKG_DEB_COMPRESSOR_TYPE", "gzip"),
            ("DPKG_DEB_COMPRESSOR_LEVEL", "1"),
            ("SOURCE_DATE_EPOCH", "1790000000"),
        ])
        .output()
        .unwrap();
    told(&made);
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|ending| ending == "deb")).unwrap()
}

fn told(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_package_is_the_same_twice_and_has_what_a_machine_needs() {
    let folder = tempfile::tempdir().unwrap();
    let binary = stripped(folder.path());
    let [one, two] = ["one", "two"].map(|name| deb(&binary, &folder.path().join(name)));
    assert!(
        std::fs::read(&one).unwrap() == std::fs::read(&two).unwrap(),
        "the same bytes from the same commit"
    );
    let sums = std::fs::read_to_string(folder.path().join("one/SHA256SUMS")).unwrap();
    assert!(sums.contains(one.file_name().unwrap().to_str().unwrap()), "{sums}");
    let laid = folder.path().join("laid");
    told(&Command::new("dpkg-deb").arg("-x").arg(&one).arg(&laid).output().unwrap());
    for file in [
        "usr/share/man/man1/keyrack.1.gz",
        "usr/share/man/man1/keyrack-key-revoke.1.gz",
        "usr/share/bash-completion/completions/keyrack",
        "usr/share/zsh/vendor-completions/_keyrack",
        "usr/share/fish/vendor_completions.d/keyrack.fish",
        "usr/lib/systemd/system/keyrack-gate.service",
        "usr/lib/systemd/system/keyrack-reminders.timer",
        "usr/lib/sysusers.d/keyrack.conf",
        "usr/lib/tmpfiles.d/keyrack.conf",
        "usr/share/doc/keyrack/copyright",
        "usr/share/doc/keyrack/docs/emergency.md",
        "usr/share/doc/keyrack/docs/json/key-list.schema.json",
    ] {
        assert!(laid.join(file).is_file(), "{file}");
    }
    let unit = std::fs::read_to_string(laid.join("usr/lib/systemd/system/keyrack-gate.service")).unwrap();
    assert!(unit.contains("ExecStart=/usr/bin/keyrack gate"), "{unit}");
    // The sample settings say nothing until somebody takes a # away, and then they are taken.
    let sample = std::fs::read_to_string(laid.join("etc/keyrack/config.toml")).unwrap();
    let taken: String = sample
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| rest.starts_with('[') || rest.contains(" = "))
                .unwrap_or(line)
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    for text in [sample, taken] {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join(".config/keyrack")).unwrap();
        std::fs::write(home.path().join(".config/keyrack/config.toml"), text).unwrap();
        program::stdout(home.path(), ["info"]);
    }
    let version = Command::new(laid.join("usr/bin/keyrack")).arg("--version").output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&version.stdout).trim(),
        concat!("keyrack ", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_formula_has_the_checksum_of_the_sources_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new(root().join("dist/package"))
        .arg(folder.path())
        .args(["--only", "formula", "--url", "https://keys.example.com/"])
        .output()
        .unwrap();
    told(&made);
    let Ok(formula) = std::fs::read_to_string(folder.path().join("keyrack.rb")) else {
        return skipped("the formula", "this is no checkout");
    };
    let name = concat!("keyrack-", env!("CARGO_PKG_VERSION"), ".tar.gz");
    assert!(formula.contains(&format!("url \"https://keys.example.com/{name}\"")), "{formula}");
    let sum = Command::new("sha256sum").arg(folder.path().join(name)).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    assert!(formula.contains(&format!("sha256 \"{}\"", &sum[..64])) && !formula.contains('@'), "{formula}");
    let listed = Command::new("tar").arg("-tzf").arg(folder.path().join(name)).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for file in ["Cargo.lock", "src/main.rs", ".cargo/config.toml", "migrations/sqlite"] {
        assert!(listed.contains(&format!("{}/{file}", name.trim_end_matches(".tar.gz"))), "{file}");
    }
}

#[test]
fn what_is_published_builds_and_has_nothing_else_in_it() {
    let listed = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    told(&listed);
    let listed = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<&str> = listed.lines().collect();
    for file in [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "src/main.rs",
        "themes/dark.toml",
    ] {
        assert!(files.contains(&file), "{file}: {listed}");
    }
    let known = ["src", "migrations", "themes", "docs", "dist"];
    let single = [
        "Cargo.toml",
        "Cargo.toml.orig",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        ".cargo_vcs_info.json",
    ];
    let strangers: Vec<_> = files
        .iter()
        .filter(|file| {
            !single.contains(file) && !known.iter().any(|top| file.starts_with(&format!("{top}/")))
        })
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    // What the sources take in at build is among them.
    for number in ["sqlite", "postgres"] {
        let there = std::fs::read_dir(root().join("migrations").join(number)).unwrap().count();
        let packed = files.iter().filter(|file| file.starts_with(&format!("migrations/{number}/"))).count();
        assert_eq!(there, packed, "{number}");
    }
}

#[test]
fn a_newcomer_has_a_key_that_passes_and_then_is_refused_on_a_bare_debian() {
    let folder = tempfile::tempdir().unwrap();
    let package = deb(&stripped(folder.path()), folder.path());
    let tried = Command::new(root().join("tests/newcomer")).arg(package).output().unwrap();
    if tried.status.code() == Some(77) {
        // No root, or no mirror of Debian.
        return skipped("a newcomer on a bare Debian", &String::from_utf8_lossy(&tried.stderr));
    }
    told(&tried);
    let said = String::from_utf8_lossy(&tried.stdout);
    assert!(said.contains("to one that is refused"), "{said}");
}
