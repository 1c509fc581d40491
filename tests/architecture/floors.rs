//! The floors of the console: a file names only what lies on floors below its own, or on its own.

use crate::circles::Edges;

/// From the ground up. A file lies on the floor of the longest path that it begins with.
pub const FLOORS: &[&[&str]] = &[
    &[
        "fields",
        "kept",
        "words",
        "styles",
        "painter",
        "view/ascii",
        "view/body",
        "view/limits",
        "view/reminders",
        "view/text",
        "view/times",
    ],
    &["ahead", "effect", "log", "message", "opening", "toast", "undo", "views"],
    &["input", "clipboard", "settings", "sweep_state", "tracked", "widgets"],
    &["shell"],
    &[
        "completing",
        "edits",
        "form",
        "latest",
        "layer",
        "receipts",
        "standing",
        "sweeping",
        "typed",
        "view/key_facts",
        "view/reach",
        "view/room",
        "view/shown",
        "wish",
    ],
    &["listing", "screen"],
    &["screens"],
    &["choices", "overlays"],
    &["state"],
    &["view"],
    &["signals", "terminal", "update", "worker"],
    &["run"],
];

/// What climbs, with file and line; and the files of the console that lie on no floor.
pub fn climbs(edges: &Edges) -> Vec<String> {
    let mut faults = Vec::new();
    for (from, to) in edges.iter().filter(|(from, _)| from.starts_with("src/tui/")) {
        let Some(own) = floor(from) else {
            faults.push(format!("{from}:1: lies on no floor; list it"));
            continue;
        };
        for (to, (line, path)) in to {
            if floor(to).is_some_and(|other| other > own) {
                faults.push(format!("{from}:{line}: names {path}, of a floor above ({to})"));
            }
        }
    }
    faults
}

fn floor(file: &str) -> Option<usize> {
    let file = file.strip_prefix("src/tui/")?;
    let length = |path: &str| match file.strip_prefix(path) {
        Some(rest) if rest.starts_with('/') || rest == ".rs" => path.len(),
        _ => 0,
    };
    let floors =
        FLOORS.iter().map(|floor| floor.iter().map(|path| length(path)).max().unwrap_or(0)).enumerate();
    floors.filter(|(_, length)| *length > 0).max_by_key(|(_, length)| *length).map(|(floor, _)| floor)
}
