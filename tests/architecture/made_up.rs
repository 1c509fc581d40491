//! The finder and the walls, tried on small houses that are made up.

use std::collections::{BTreeMap, BTreeSet};

use crate::circles;
use crate::house::House;
use crate::rooms::{Room, trespasses};

fn house(files: &[(&str, &str)]) -> House {
    let name = |file: &str| format!("src/{file}.rs");
    let sources: BTreeMap<_, _> = files.iter().map(|(file, text)| (name(file), (*text).to_owned())).collect();
    let (house, unread) = House::read(&sources, "house");
    assert!(unread.is_empty(), "{unread:?}");
    house
}

/// The circles of a house, each as its files without folder and ending.
fn circles_in(files: &[(&str, &str)]) -> Vec<String> {
    let short = |file: &String| file.trim_start_matches("src/").trim_end_matches(".rs").to_owned();
    let groups = circles::of(&circles::edges(&house(files)));
    groups.iter().map(|circle| circle.files.iter().map(short).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn circle_of_two_is_found() {
    let a = ("a", "use crate::b::B; pub struct A(B);");
    assert_eq!(
        circles_in(&[("lib", "mod a; mod b;"), a, ("b", "use crate::a::A; pub struct B(A);")]),
        ["a b"]
    );
    // By paths in the code, in a macro's arguments, and in a group.
    assert_eq!(
        circles_in(&[
            ("lib", "mod a; mod b;"),
            a,
            ("b", "pub struct B; fn f() { say!(\"{}\", crate::a::A::new()) }")
        ]),
        ["a b"]
    );
    assert_eq!(
        circles_in(&[("lib", "mod a; mod b;"), a, ("b", "use crate::{a::{self, A as C}}; pub struct B(C);")]),
        ["a b"]
    );
}

#[test]
fn circle_of_three_is_told_with_its_lines() {
    let house = house(&[
        ("lib", "mod a; mod b; mod c; mod d;"),
        ("a", "use crate::b::f;\npub fn a() { f() }"),
        ("b", "use crate::c;\n\npub fn f() { c::f() }"),
        ("c", "pub fn f() { crate::a::a() }"),
        ("d", "use crate::a::a;"),
    ]);
    let groups = circles::of(&circles::edges(&house));
    assert_eq!(groups.len(), 1);
    let text = &groups[0].picture;
    for line in [
        "src/a.rs:1 imports src/b.rs (crate::b::f)",
        "src/b.rs:3 imports src/c.rs (c::f)",
        "src/c.rs:1 imports src/a.rs (crate::a::a)",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("src/d.rs"), "{text}");
}

#[test]
fn circle_through_super_and_self_is_found() {
    let files = [
        ("lib", "mod room;"),
        ("room", "mod a; mod b;"),
        ("room/a", "use super::b::B; pub struct A(B);"),
        ("room/b", "mod inner { use super::super::a::A; pub struct C(A); } pub struct B;"),
    ];
    assert_eq!(circles_in(&files), ["room/a room/b"]);
    let own = ("room", "mod a; mod b; use self::a::A; pub fn f(_: A) {}");
    assert_eq!(circles_in(&[files[0], own, files[2], ("room/b", "pub struct B;")]), [] as [&str; 0]);
}

#[test]
fn circle_through_a_reexport_or_a_glob_is_found() {
    // `room` hands `A` and `B` on; whoever takes them from there imports the file that defines them.
    let files = [
        ("lib", "mod room;"),
        ("room", "mod a; mod b; pub use a::A; pub use b::*;"),
        ("room/a", "use crate::room::B; pub struct A(B);"),
        ("room/b", "use super::A; pub struct B(A);"),
    ];
    assert_eq!(circles_in(&files), ["room/a room/b"]);
    assert_eq!(
        circles_in(&[files[0], files[1], ("room/a", "use super::*; pub struct A(B);"), files[3]]),
        ["room/a room/b"]
    );
    // A private `use` of the parent's is open to its children too.
    let shared = ("room", "mod a; mod b; use a::A; use b::B;");
    assert_eq!(
        circles_in(&[files[0], shared, ("room/a", "use super::B; pub struct A(B);"), files[3]]),
        ["room/a room/b"]
    );
}

#[test]
fn circle_from_room_to_room_through_parents_is_found() {
    let lib = ("lib", "mod a; mod b;");
    let up = [lib, ("a", "mod x; use crate::b::B; pub struct A(B);"), ("b", "pub struct B(crate::a::x::X);")];
    assert_eq!(circles_in(&[up[0], up[1], up[2], ("a/x", "use super::A; pub struct X(A);")]), ["a a/x b"]);
    let down = [lib, ("a", "mod x; fn f() { x::g() } pub struct A;"), ("b", "pub struct B(crate::a::A);")];
    assert_eq!(
        circles_in(&[down[0], down[1], down[2], ("a/x", "use crate::b::B; pub fn g(_: B) {}")]),
        ["a a/x b"]
    );
}

#[test]
fn houses_without_a_circle_are_left_in_peace() {
    let lib = ("lib", "mod a; mod b;");
    let a = ("a", "use crate::b::B; pub struct A(B);");
    for b in [
        "pub struct B;",
        "pub struct B; // use crate::a::A;",
        "pub struct B; const S: &str = \"crate::a::A\";",
        "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }",
        "pub struct B; #[cfg(test)] use crate::a::A;",
        "pub use crate::a::A; pub struct B;",
        "pub struct B { pub a: u8 } fn a(b: B) -> u8 { b.a }",
        "pub struct B; enum E { A, C(B) }",
    ] {
        assert_eq!(circles_in(&[lib, a, ("b", b)]), [] as [&str; 0], "{b}");
    }
    // A file and those below it belong together.
    let folder = ("a", "mod x; use x::X; pub struct A(X); pub struct C;");
    assert_eq!(
        circles_in(&[("lib", "mod a;"), folder, ("a/x", "use super::C; pub struct X(C);")]),
        [] as [&str; 0]
    );
}

#[test]
fn file_that_no_module_declares_is_found() {
    let sources = [("src/lib.rs", "mod a;"), ("src/a.rs", ""), ("src/b.rs", "")];
    let (_, unread) = House::read(&sources.map(|(file, text)| (file.into(), text.into())).into(), "house");
    assert_eq!(unread, ["src/b.rs"]);
}

#[test]
fn room_names_only_what_is_listed_for_it() {
    let rooms = [
        Room { path: "src/low", rooms: &[], crates: &["plain"] },
        Room { path: "src/high", rooms: &["src/low"], crates: &[] },
        Room { path: "src/high/pipe", rooms: &[], crates: &["std::fs"] },
    ];
    let faults = |low: &str, high: &str, pipe: &str| {
        let house =
            house(&[("lib", "mod low; mod high;"), ("low", low), ("high", high), ("high/pipe", pipe)]);
        let crates = ["plain", "wide"].map(str::to_owned);
        trespasses(&house, &rooms, &BTreeSet::from(crates)).join("; ")
    };
    let high = "mod pipe; pub use crate::low::L;";
    assert_eq!(faults("use plain::P; pub struct L;", high, "use super::L; use std::{fs, net::IpAddr};"), "");
    assert_eq!(
        faults("pub struct L(crate::high::H);", high, ""),
        "src/low.rs:1: src/low may not name src/high"
    );
    assert_eq!(
        faults("pub struct L;", "mod pipe;\nfn f() { wide::f() }", ""),
        "src/high.rs:2: src/high may not name wide"
    );
    assert_eq!(faults("use std::fs;", "mod pipe;", ""), "src/low.rs:1: src/low may not name std::fs");
    assert_eq!(faults("#[cfg(test)] mod tests { use std::fs; }", "mod pipe;", ""), "");
    let attic = house(&[("lib", "mod attic;"), ("attic", "")]);
    let closed = trespasses(&attic, &rooms, &BTreeSet::new());
    assert_eq!(closed, ["src/attic.rs:1: belongs to no room; list it, and what it may name"]);
}
