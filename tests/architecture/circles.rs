//! Import circles between files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::house::{Found, House};

/// Which file imports which, and where it does so first: line and path.
pub type Edges = BTreeMap<String, BTreeMap<String, (usize, String)>>;

/// Who imports whom: by `use`, by a path in the code, or by a name that a glob or a re-export brought along. A
/// re-export alone imports nothing; whoever uses it imports the file that defines what is meant. Unit tests don't count.
pub fn edges(house: &House) -> Edges {
    let mut edges = Edges::new();
    for (id, module) in house.modules.iter().enumerate().filter(|(_, module)| !module.test) {
        let mut add = |line: usize, path: &[String], found: Option<Found>| {
            if let Some(Found::Item(target)) = found
                && house.modules[target].file != module.file
            {
                let from = edges.entry(module.file.clone()).or_default();
                let place = (line, path.join("::"));
                let first = from.entry(house.modules[target].file.clone()).or_insert_with(|| place.clone());
                *first = std::cmp::min(first.clone(), place);
            }
        };
        for import in module.imports.iter().filter(|import| !import.public && !import.test) {
            add(import.line, &import.path, house.resolve(id, &import.path));
        }
        for named in module.named.iter().filter(|named| !named.test) {
            let found = match named.path.as_slice() {
                [name] => house.indirect(id, name),
                path => house.resolve(id, path),
            };
            add(named.line, &named.path, found);
        }
    }
    edges
}

/// Files that import each other in a circle, and a short way round, line by line.
pub struct Circle {
    pub files: BTreeSet<String>,
    pub picture: String,
}

/// The circles of a house. A file and those above it (`a.rs` and `a/b.rs`) belong together and may import each other, so
/// they count in one direction at a time: once what lies above may not lead down, once what lies below may not lead up.
pub fn of(edges: &Edges) -> Vec<Circle> {
    let above = |a: &str, b: &str| {
        a.strip_suffix(".rs").and_then(|a| b.strip_prefix(a)).is_some_and(|rest| rest.starts_with('/'))
    };
    let mut found = circles(&without(edges, |from, to| above(to, from)));
    for circle in circles(&without(edges, above)) {
        if !found.iter().any(|other| circle.files.is_subset(&other.files)) {
            found.retain(|other| !other.files.is_subset(&circle.files));
            found.push(circle);
        }
    }
    found
}

fn without(edges: &Edges, dropped: impl Fn(&str, &str) -> bool) -> Edges {
    let mut edges = edges.clone();
    for (from, to) in &mut edges {
        to.retain(|to, _| !dropped(from, to));
    }
    edges
}

/// The groups of files that can reach each other; a file alone is none.
fn circles(edges: &Edges) -> Vec<Circle> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        edges.keys().map(|from| (from.as_str(), reach(edges, from))).collect();
    let mut groups: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for (from, to) in &reached {
        let back = |other: &&&str| reached.get(**other).is_some_and(|theirs| theirs.contains(from));
        groups.insert(to.iter().filter(back).map(|file| (*file).to_owned()).collect());
    }
    groups.retain(|files| files.len() > 1);
    groups.into_iter().map(|files| Circle { picture: picture(edges, &files), files }).collect()
}

fn reach<'a>(edges: &'a Edges, from: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&str> = vec![from];
    while let Some(file) = next.pop() {
        for to in edges.get(file).into_iter().flat_map(BTreeMap::keys) {
            if seen.insert(to.as_str()) {
                next.push(to);
            }
        }
    }
    seen
}

fn picture(edges: &Edges, group: &BTreeSet<String>) -> String {
    let shortest =
        group.iter().filter_map(|file| round(edges, file)).min_by_key(Vec::len).unwrap_or_default();
    let steps = shortest.windows(2).map(|step| {
        let (line, path) = &edges[&step[0]][&step[1]];
        format!("  {}:{line} imports {} ({path})\n", step[0], step[1])
    });
    let whole: Vec<_> = group.iter().map(String::as_str).collect();
    format!(
        "{} files import each other in a circle; a short way round:\n{}  All: {}",
        group.len(),
        steps.collect::<String>(),
        whole.join(", ")
    )
}

/// The shortest way from a file back to itself, with the file at both ends.
fn round(edges: &Edges, start: &str) -> Option<Vec<String>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for to in edges.get(file).into_iter().flat_map(BTreeMap::keys) {
            if to == start {
                let mut way = vec![start.to_owned(), file.to_owned()];
                let mut at = file;
                while at != start {
                    at = before[at];
                    way.push(at.to_owned());
                }
                way.reverse();
                return Some(way);
            }
            if !before.contains_key(to.as_str()) {
                before.insert(to, file);
                queue.push_back(to);
            }
        }
    }
    None
}
