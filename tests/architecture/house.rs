//! The modules of a crate, as its sources declare them: what each defines, brings into scope and names.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;

use crate::reading;

/// The modules of one crate and what they say.
pub struct House {
    pub modules: Vec<Module>,
    /// The libraries that the crate may name from outside of itself, with the module that stands for each here.
    pub outside: BTreeMap<String, usize>,
}

/// One module: a file, or a `mod x { … }` inside of one.
#[derive(Default)]
pub struct Module {
    pub file: String,
    pub parent: Option<usize>,
    /// Compiled for unit tests only.
    pub test: bool,
    pub children: BTreeMap<String, usize>,
    pub items: BTreeSet<String>,
    pub imports: Vec<Import>,
    pub globs: Vec<Import>,
    pub named: Vec<Named>,
}

/// One name that a `use` brings into scope; of a glob, the module that it opens.
#[derive(Debug)]
pub struct Import {
    pub line: usize,
    pub path: Vec<String>,
    pub name: String,
    /// Handed on to others (`pub use`).
    pub public: bool,
    pub test: bool,
}

/// A path or a single name that stands in the code.
#[derive(Debug)]
pub struct Named {
    pub line: usize,
    pub path: Vec<String>,
    pub test: bool,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Module(usize),
    /// Something that this module defines.
    Item(usize),
}

/// So many re-exports may lie between a name and its definition.
const HOPS: u8 = 16;

impl House {
    /// Reads the crates of a package: the library and, where there is one, the program that names it as `library`.
    ///
    /// `sources` are paths below the package with their texts. Answers also with the files that no module declares.
    pub fn read(sources: &BTreeMap<String, String>, library: &str) -> (Self, Vec<String>) {
        let mut house = Self { modules: Vec::new(), outside: BTreeMap::new() };
        let mut unread: BTreeSet<&str> = sources.keys().map(String::as_str).collect();
        for root in ["src/lib.rs", "src/main.rs"] {
            if sources.contains_key(root) {
                let id = house.add(root, None, false);
                house.fill(id, sources, &mut unread);
                house.outside.entry(library.to_owned()).or_insert(id);
            }
        }
        (house, unread.into_iter().map(str::to_owned).collect())
    }

    pub fn add(&mut self, file: &str, parent: Option<usize>, test: bool) -> usize {
        self.modules.push(Module { file: file.to_owned(), parent, test, ..Module::default() });
        self.modules.len() - 1
    }

    /// Reads the module's file, and then the files of the modules that it declares.
    fn fill<'a>(&mut self, id: usize, sources: &'a BTreeMap<String, String>, unread: &mut BTreeSet<&'a str>) {
        let file = self.modules[id].file.clone();
        let Some((path, text)) = sources.get_key_value(&file) else {
            panic!("{file} is declared and not there")
        };
        unread.remove(path.as_str());
        let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
        let folder = match file.strip_suffix(".rs") {
            Some(stem) if !["src/lib", "src/main"].contains(&stem) => stem.to_owned(),
            _ => "src".to_owned(),
        };
        for child in reading::read(self, id, stream, &folder) {
            self.fill(child, sources, unread);
        }
    }

    /// Where a path leads that stands in a module; `None` for what isn't of this house.
    pub fn resolve(&self, module: usize, path: &[String]) -> Option<Found> {
        self.follow(module, path, HOPS)
    }

    fn follow(&self, module: usize, path: &[String], hops: u8) -> Option<Found> {
        let (mut at, mut rest) = self.begin(module, path, hops)?;
        while let (Found::Module(here), [name, more @ ..]) = (at, rest) {
            at = self.lookup(here, name, !more.is_empty(), hops)?;
            rest = more;
        }
        Some(at)
    }

    /// What the first word of a path means, and the words after it.
    fn begin<'a>(&self, module: usize, path: &'a [String], hops: u8) -> Option<(Found, &'a [String])> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => self.root(module),
            "self" => module,
            "super" => self.modules[module].parent?,
            name => {
                let found = self.lookup(module, name, !rest.is_empty(), hops);
                return found
                    .or_else(|| self.outside.get(name).copied().map(Found::Module))
                    .map(|at| (at, rest));
            }
        };
        while let Some(("super", more)) = rest.split_first().map(|(word, more)| (word.as_str(), more)) {
            at = self.modules[at].parent?;
            rest = more;
        }
        Some((Found::Module(at), rest))
    }

    /// What a name means in a module; where a module and an item share it, `module_first` says which is meant.
    pub fn lookup(&self, module: usize, name: &str, module_first: bool, hops: u8) -> Option<Found> {
        let here = &self.modules[module];
        let child = here.children.get(name).copied().map(Found::Module);
        let item = here.items.contains(name).then_some(Found::Item(module));
        let own = if module_first { child.or(item) } else { item.or(child) };
        let hops = hops.checked_sub(1)?;
        own.or_else(|| {
            let imports = here.imports.iter().filter(|import| import.name == name);
            imports
                .filter(|import| import.path != [name])
                .find_map(|import| self.follow(module, &import.path, hops))
        })
        .or_else(|| self.through_globs(module, name, module_first, hops))
    }

    fn through_globs(&self, module: usize, name: &str, module_first: bool, hops: u8) -> Option<Found> {
        self.modules[module].globs.iter().find_map(|glob| match self.follow(module, &glob.path, hops)? {
            Found::Module(opened) => self.lookup(opened, name, module_first, hops),
            Found::Item(_) => None,
        })
    }

    /// What a single name means that no private `use` has brought in: it came through a glob or a re-export.
    pub fn indirect(&self, module: usize, name: &str) -> Option<Found> {
        let here = &self.modules[module];
        if here.items.contains(name)
            || here.imports.iter().any(|import| import.name == name && !import.public)
        {
            return None;
        }
        let shared = here.imports.iter().find(|import| import.name == name);
        match shared {
            Some(import) => self.follow(module, &import.path, HOPS),
            None => self.through_globs(module, name, false, HOPS),
        }
    }

    /// The deepest module that a path names on its way, however the last word came to be there.
    pub fn named_module(&self, module: usize, path: &[String]) -> Option<usize> {
        let (found, mut rest) = self.begin(module, path, HOPS)?;
        let Found::Module(mut at) = found else { return None };
        while let Some((name, more)) = rest.split_first()
            && let Some(&child) = self.modules[at].children.get(name)
        {
            (at, rest) = (child, more);
        }
        Some(at)
    }

    fn root(&self, mut module: usize) -> usize {
        while let Some(parent) = self.modules[module].parent {
            module = parent;
        }
        module
    }
}
