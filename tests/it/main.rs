//! The tests of the whole: each door and each promise, on both databases, with the real program where it matters.
//!
//! `cargo test --test it -- contract::keys` runs one file of them.
#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

#[macro_use]
#[path = "../support/support.rs"]
mod support;

/// The command line, as people and scripts use it.
mod cli {
    mod addresses;
    mod anchors;
    mod approvals;
    mod completing;
    mod doctor;
    mod dry_run;
    mod durable;
    mod edits;
    mod explain;
    mod group_roles;
    mod hostile;
    mod hygiene;
    mod incident;
    mod issuers;
    mod json;
    mod leaks;
    mod leaver;
    mod lists;
    mod passwords;
    mod pauses;
    mod planned;
    mod pooled;
    mod poolers;
    mod refusals;
    mod reminders;
    mod reports;
    mod restored;
    mod revoke;
    mod rotation;
    mod scripts;
    mod secrets;
    mod standby;
    mod status;
    mod terminal;
    mod times;
    mod which;
}

/// What the service promises to every door.
mod contract {
    mod accounts;
    mod ahead;
    mod alerts;
    mod audit;
    mod caps;
    mod compare;
    mod demo;
    mod edits;
    mod gate;
    mod gate_faults;
    mod gate_history;
    mod gate_receipt;
    mod gate_usage;
    mod hygiene;
    mod keys;
    mod lanes;
    mod leaver;
    mod live;
    mod logins;
    mod moved;
    mod names;
    pub mod odd;
    mod outbox;
    mod overlaps;
    mod page;
    mod pauses;
    mod planned;
    mod policies;
    mod races;
    mod reminders;
    mod rights;
    mod rotation;
    mod seeds;
    mod server_log;
    mod standing;
    mod storm;
    mod sweeps;
    mod tables;
    mod together;
    mod written;
    mod year;
}

/// What happens, told to other programs.
mod events {
    mod endpoints;
    mod follow;
    pub mod receiver;
    mod sender;
}

/// The gate, over the wire.
mod gate {
    mod after_end;
    mod api;
    mod cluster;
    mod edits;
    mod frozen;
    mod grpc;
    mod hostile;
    mod import;
    mod journal;
    mod keys;
    mod leaks;
    mod lease;
    mod limits;
    mod log;
    mod outage;
    mod planned;
    mod pooled;
    mod proxies;
    mod restart;
    mod revoked;
    mod settings;
    mod shared;
    mod stop;
    mod timing;
    mod unhindered;
    mod webhook;
    mod written;
}

/// What people do in the console, in a real terminal.
mod journey {
    mod about;
    mod accounts;
    mod approvals;
    mod copying;
    mod edits;
    mod exposed;
    mod filmed;
    mod gate;
    mod held_up;
    mod hygiene;
    mod incident;
    mod keys;
    mod lines;
    mod memory;
    mod others;
    mod pauses;
    mod planned;
    mod reminders;
    mod replaced;
    mod restored;
    mod rotations;
    mod scene;
    mod selection;
    mod signals;
    mod terminal;
    mod told;
    mod waiting;
}

/// Letters to real mail servers and to hostile ones.
mod mail {
    mod hostile;
    mod relay;
    mod smtp;
}

/// Who is behind a login that several share.
mod acting;
/// Where things lie on the machine that builds.
mod build_paths;
mod clocks;
mod disk;
mod failover;
mod first_steps;
/// Licences, sources, and the book of the pages.
mod materials;
mod packages;
mod processes;
mod promises;
mod readme;
mod reference;
mod reminder_service;
mod secret_files;
mod support_rig;
mod worker_signals;
