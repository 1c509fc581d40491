//! Which room may name which other room, and which crate. What isn't listed is forbidden: a new room starts closed.

use std::collections::BTreeSet;

use crate::house::House;

/// One room, and all that its code may name apart from itself. A room within a room may name what that may, and more.
pub struct Room {
    /// Its path without `.rs`: `src/store` is `src/store.rs` and all below `src/store/`.
    pub path: &'static str,
    /// Other rooms.
    pub rooms: &'static [&'static str],
    /// Crates, and those parts of `std` that reach out of the process ([`reaching_out`]).
    pub crates: &'static [&'static str],
}

const fn room(path: &'static str, rooms: &'static [&'static str], crates: &'static [&'static str]) -> Room {
    Room { path, rooms, crates }
}

/// Imports go one way: domain <- {store, mail} <- service <- {tui, cli, gate} <- main.
pub const ROOMS: &[Room] = &[
    // Pure rules: no I/O, no clock, no randomness of its own.
    room(
        "src/domain",
        &[],
        &[
            "strsim",
            "chrono",
            "crc32fast",
            "derive_more",
            "ed25519_dalek",
            "idna",
            "ipnet",
            "itoa",
            "memchr",
            "rand",
            "serde",
            "serde_json",
            "sha2",
            "strum",
            "thiserror",
            "toml",
            "unicode_normalization",
            "unicode_properties",
            "uuid",
            "zeroize",
        ],
    ),
    room("src/domain/secret/pepper", &[], &["hmac"]),
    // Its tests write in base64 what it has to find.
    room("src/domain/secret/search", &[], &["aho_corasick", "base64ct"]),
    room("src/domain/import", &[], &["base64ct"]),
    // SSH writes its keys in base64.
    room("src/domain/person", &[], &["base64ct"]),
    room("src/clock", &["src/domain"], &["chrono", "parking_lot", "rustix", "tokio"]),
    // The only room that speaks SQL.
    room(
        "src/store",
        &["src/domain", "src/clock"],
        &[
            "parking_lot",
            "crc32fast",
            "chrono",
            "derive_more",
            "futures",
            "ipnet",
            "rustix",
            "serde_json",
            "sqlx",
            "strsim",
            "std::env",
            "std::fs",
            "thiserror",
            "tokio",
            "tracing",
            "uuid",
        ],
    ),
    // The only room that speaks SMTP, and TLS of its own; the only one with templates.
    room(
        "src/mail",
        &["src/domain"],
        &[
            "parking_lot",
            "base64ct",
            "chrono",
            "derive_more",
            "futures",
            "lettre",
            "minijinja",
            "rustls_native_certs",
            "std::fs",
            "std::process",
            "strum",
            "thiserror",
            "tokio",
            "tokio_rustls",
            "unicode_segmentation",
            "unicode_width",
            "zeroize",
        ],
    ),
    // Knows no door.
    room(
        "src/service",
        &["src/domain", "src/clock", "src/store", "src/mail"],
        &[
            "parking_lot",
            "chrono",
            "derive_more",
            "futures",
            "ipnet",
            "nix",
            "rand",
            "rustix",
            "serde",
            "serde_json",
            "sha2",
            "std::env",
            "strum",
            "thiserror",
            "tokio",
            "tracing",
            "uuid",
            "whoami",
            "zeroize",
        ],
    ),
    // What is remembered outside of the database.
    room("src/service/memory/file", &[], &["std::fs", "std::thread"]),
    // Where the secrets of many keys go.
    room("src/service/rotate/handout", &[], &["std::fs"]),
    // What /proc and sshd tell.
    room("src/service/person", &[], &["std::fs"]),
    room("src/service/export", &[], &["csv"]),
    room("src/service/import", &[], &["csv"]),
    // Whatever may hold leaked secrets.
    room("src/service/leak", &[], &["flate2", "memchr", "std::fs"]),
    // The names of keys are crokey's; nothing here draws.
    room(
        "src/config",
        &["src/domain"],
        &["strsim", "crokey", "derive_more", "etcetera", "ipnet", "std::fs", "strum", "termini", "toml"],
    ),
    room(
        "src/telemetry",
        &[],
        &["parking_lot", "std::fs", "std::thread", "thiserror", "tracing", "tracing_subscriber"],
    ),
    // Secrets that others keep: a file or a credential.
    room("src/secret_file", &[], &["rustix", "std::env", "std::fs", "thiserror", "zeroize"]),
    // Brings anchors of the audit to files, syslogs and webhooks.
    room(
        "src/anchor",
        &["src/domain", "src/clock", "src/config", "src/https", "src/secret_file"],
        &[
            "chrono",
            "derive_more",
            "rustix",
            "std::fs",
            "std::net",
            "std::process",
            "tokio",
            "tracing",
            "ureq",
        ],
    ),
    room("src/harden", &[], &["rustix"]),
    // Opens single parts of rooms to tests.
    room("src/fuzzing", &["src/gate", "src/store", "src/tui"], &[]),
    room("src/https", &["src/domain"], &["derive_more", "hmac", "sha2", "ureq", "zeroize"]),
    // Brings events to their endpoints.
    room(
        "src/herald",
        &["src/domain", "src/https", "src/secret_file", "src/service"],
        &["tokio", "tracing", "ureq"],
    ),
    room("src/signals", &[], &["nix", "rustix", "signal_hook", "std::fs", "std::process", "std::thread"]),
    // The doors go through the service, and know nothing of each other.
    room(
        "src/cli",
        &[
            "src/domain",
            "src/clock",
            "src/mail",
            "src/service",
            "src/anchor",
            "src/config",
            "src/herald",
            "src/secret_file",
            "src/signals",
            "src/telemetry",
        ],
        &[
            "parking_lot",
            "anstream",
            "anstyle",
            "chrono",
            "clap",
            "clap_complete",
            "clap_mangen",
            "csv",
            "derive_more",
            "humantime",
            "indicatif",
            "ipnet",
            "rand",
            "rustix",
            "sd_notify",
            "serde",
            "serde_json",
            "std::env",
            "std::fs",
            "std::process",
            "strum",
            "tokio",
            "tracing",
            "unicode_segmentation",
            "unicode_width",
            "uuid",
            "zeroize",
        ],
    ),
    // The only room that speaks HTTP, gRPC, Prometheus, OpenAPI and Redis.
    room(
        "src/gate",
        &["src/domain", "src/clock", "src/service", "src/config", "src/https", "src/secret_file"],
        &[
            "parking_lot",
            "axum",
            "base64ct",
            "chrono",
            "crc16",
            "derive_more",
            "futures",
            "hmac",
            "hyper",
            "hyper_util",
            "ipnet",
            "nix",
            "prometheus_client",
            "prost",
            "rand",
            "redis",
            "ring",
            "serde",
            "serde_json",
            "sha2",
            "std::fs",
            "thiserror",
            "tokio",
            "tonic",
            "tonic_prost",
            "tracing",
            "ureq",
            "utoipa",
            "uuid",
            "zeroize",
        ],
    ),
    room(
        "src/tui",
        &["src/domain", "src/clock", "src/service", "src/config", "src/signals"],
        &[
            "chrono",
            "crossterm",
            "derive_more",
            "nucleo_matcher",
            "rand",
            "ratatui",
            "serde_json",
            "strum",
            "tui_input",
            "unicode_segmentation",
            "unicode_width",
            "uuid",
            "zeroize",
        ],
    ),
    room("src/cli/prompt", &[], &["signal_hook", "std::thread"]),
    // In the console only these reach out of the process.
    room("src/tui/clipboard", &[], &["base64ct", "arboard", "std::process", "tokio"]),
    room("src/tui/input", &[], &["rustix", "tokio"]),
    room("src/tui/run", &[], &["std::thread", "thiserror", "tokio"]),
    room("src/tui/signals", &[], &["signal_hook", "std::thread", "tokio"]),
    room("src/tui/terminal", &[], &["parking_lot", "rustix", "std::process", "std::thread", "tokio"]),
    room("src/tui/testing", &[], &["crokey"]),
    // What is copied from the console is parsed as it is typed.
    room("src/tui/typed/tests", &["src/cli"], &["clap"]),
    room("src/tui/worker", &[], &["std::fs", "tokio"]),
    room(
        "src/main",
        &["src/anchor", "src/cli", "src/gate", "src/harden", "src/signals", "src/telemetry", "src/tui"],
        &["mimalloc", "sd_notify", "std::env", "std::process", "std::thread", "tokio", "tracing"],
    ),
];

/// What the rooms of a house name without leave, with file and line.
///
/// `crates` are the dependencies of the program. Those of tests only, and what unit tests do with files, threads and
/// processes, are no room's business.
pub fn trespasses(house: &House, rooms: &[Room], crates: &BTreeSet<String>) -> Vec<String> {
    let mut faults = BTreeSet::new();
    for (id, module) in house.modules.iter().enumerate().filter(|(_, module)| module.file != "src/lib.rs") {
        let own: Vec<&Room> = rooms_of(rooms, &module.file).collect();
        if own.is_empty() {
            faults.insert(format!("{}:1: belongs to no room; list it, and what it may name", module.file));
            continue;
        }
        let imports =
            module.imports.iter().chain(&module.globs).map(|import| (import.line, &import.path, import.test));
        let named = module.named.iter().filter(|named| named.path.len() > 1);
        for (line, path, test) in imports.chain(named.map(|named| (named.line, &named.path, named.test))) {
            let what = if let Some(target) = house.named_module(id, path) {
                let mut others = rooms_of(rooms, &house.modules[target].file).map(|other| other.path);
                let allowed =
                    |other| own.iter().any(|room| room.path == other || room.rooms.contains(&other));
                // The root of the house belongs to nobody.
                if house.modules[target].parent.is_none() || others.clone().any(allowed) {
                    continue;
                }
                others.next().unwrap_or("what belongs to no room").to_owned()
            } else {
                match outside(house, id, path, crates) {
                    Some(name) if name.starts_with("std::") && (module.test || test) => continue,
                    Some(name) if own.iter().any(|room| room.crates.contains(&name.as_str())) => continue,
                    Some(name) => name,
                    None => continue,
                }
            };
            faults.insert(format!("{}:{line}: {} may not name {what}", module.file, own[0].path));
        }
    }
    faults.into_iter().collect()
}

/// The rooms that a file lies in, the outermost first.
fn rooms_of<'a>(rooms: &'a [Room], file: &str) -> impl Iterator<Item = &'a Room> + Clone {
    let file = file.to_owned();
    rooms.iter().filter(move |room| {
        file.strip_prefix(room.path).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
    })
}

/// The crate that a path names, or the part of `std` that reaches out of the process.
fn outside(house: &House, module: usize, path: &[String], crates: &BTreeSet<String>) -> Option<String> {
    if house.lookup(module, &path[0], true, 1).is_some() {
        return None;
    }
    match path {
        [std, part, more @ ..] if std == "std" => reaching_out(part, more).then(|| format!("std::{part}")),
        [name, ..] => crates.contains(name).then(|| name.clone()),
        [] => None,
    }
}

/// Files, processes, threads, the environment and sockets; an address is data.
fn reaching_out(part: &str, more: &[String]) -> bool {
    let socket = |name: &String| ["TcpListener", "TcpStream", "UdpSocket"].contains(&name.as_str());
    match part {
        "env" | "fs" | "process" | "thread" => true,
        "net" => more.first().is_none_or(socket),
        _ => false,
    }
}
