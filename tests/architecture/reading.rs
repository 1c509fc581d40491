//! Reads a module's source into what it declares, brings into scope and names.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::house::{House, Import, Module, Named};

/// Takes a source in as the body of a module. Answers with the modules whose files are to be read next; they lie in
/// `folder`.
pub fn read(house: &mut House, module: usize, source: TokenStream, folder: &str) -> Vec<usize> {
    let mut reader = Reader { house, folder: folder.to_owned(), found: Vec::new() };
    let test = reader.house.modules[module].test;
    reader.body(module, source, Place::Module, test);
    reader.found
}

struct Reader<'a> {
    house: &'a mut House,
    folder: String,
    found: Vec<usize>,
}

/// What the words of a group of tokens are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Items, which a module defines.
    Module,
    /// The variants of an enum.
    Enum,
    Code,
}

const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "extern", "false", "fn",
    "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return",
    "static", "struct", "trait", "true", "type", "unsafe", "use", "where", "while", "Self",
];

impl Reader<'_> {
    fn body(&mut self, module: usize, source: TokenStream, place: Place, test: bool) {
        let tokens: Vec<TokenTree> = source.into_iter().collect();
        let (mut at, mut public, mut for_tests) = (0, false, false);
        while let Some(token) = tokens.get(at) {
            let test_now = test || for_tests;
            let (mut next, mut ends) = (at + 1, false);
            match token {
                TokenTree::Punct(mark) if mark.as_char() == '#' => {
                    let attribute = at + 1 + usize::from(is_punct(tokens.get(at + 1), '!'));
                    if let Some(TokenTree::Group(group)) = tokens.get(attribute) {
                        for_tests |= is_cfg_test(group);
                        self.body(module, group.stream(), Place::Code, test_now);
                        next = attribute + 1;
                    }
                }
                TokenTree::Punct(mark) => ends = mark.as_char() == ';' || mark.as_char() == ',',
                TokenTree::Literal(_) => {}
                TokenTree::Group(group) => {
                    let is_enum = place == Place::Module
                        && group.delimiter() == Delimiter::Brace
                        && after_enum(&tokens, at);
                    let inner = if is_enum { Place::Enum } else { Place::Code };
                    self.body(module, group.stream(), inner, test_now);
                    ends = group.delimiter() == Delimiter::Brace;
                }
                TokenTree::Ident(word) => match word.to_string().as_str() {
                    "pub" => {
                        public = true;
                        if matches!(tokens.get(next), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
                        {
                            next += 1;
                        }
                    }
                    "use" if !is_punct(tokens.get(next), '<') => {
                        let end = (next..tokens.len())
                            .find(|&i| is_punct(tokens.get(i), ';'))
                            .unwrap_or(tokens.len());
                        let mut tree = Tree { public, test: test_now, into: &mut self.house.modules[module] };
                        tree.take(&[], &tokens[next..end]);
                        (next, ends) = (end + 1, true);
                    }
                    "mod" if place == Place::Module => {
                        next = self.module(module, &tokens, at, test_now);
                        ends = true;
                    }
                    word => {
                        if place == Place::Module {
                            self.item(module, word, &tokens[next..]);
                        }
                        let variant = place == Place::Enum && (at == 0 || ended_before(&tokens, at));
                        if !KEYWORDS.contains(&word) && !variant && !is_field(&tokens, at) {
                            next = self.path(module, &tokens, at, test_now);
                        }
                    }
                },
            }
            if ends {
                (public, for_tests) = (false, false);
            }
            at = next;
        }
    }

    /// `mod x;` or `mod x { … }`, which begins at a token. Answers where it ends.
    fn module(&mut self, parent: usize, tokens: &[TokenTree], at: usize, test: bool) -> usize {
        let Some(TokenTree::Ident(name)) = tokens.get(at + 1) else { return at + 1 };
        let name = name.to_string();
        if let Some(TokenTree::Group(group)) = tokens.get(at + 2) {
            let file = self.house.modules[parent].file.clone();
            let id = self.house.add(&file, Some(parent), test);
            self.house.modules[parent].children.insert(name.clone(), id);
            let folder = format!("{}/{name}", self.folder);
            let outer = std::mem::replace(&mut self.folder, folder);
            self.body(id, group.stream(), Place::Module, test);
            self.folder = outer;
        } else {
            let id = self.house.add(&format!("{}/{name}.rs", self.folder), Some(parent), test);
            self.house.modules[parent].children.insert(name, id);
            self.found.push(id);
        }
        at + 3
    }

    /// Notes the name of an item, if this word begins one.
    fn item(&mut self, module: usize, word: &str, after: &[TokenTree]) {
        let skipped = |word: &TokenTree| matches!(word, TokenTree::Ident(word) if word == "mut");
        let name = match word {
            "struct" | "enum" | "union" | "trait" | "type" | "fn" => after.first(),
            "const" | "static" => after.iter().find(|word| !skipped(word)),
            "macro_rules" => after.get(1),
            _ => None,
        };
        if let Some(TokenTree::Ident(name)) = name {
            self.house.modules[module].items.insert(name.to_string());
        }
    }

    /// A path, or a single name, that begins at a token. Answers where it ends.
    fn path(&mut self, module: usize, tokens: &[TokenTree], at: usize, test: bool) -> usize {
        let line = tokens[at].span().start().line;
        let mut path = vec![tokens[at].to_string()];
        let mut next = at + 1;
        while is_punct(tokens.get(next), ':') && is_punct(tokens.get(next + 1), ':') {
            let Some(TokenTree::Ident(word)) = tokens.get(next + 2) else { break };
            path.push(word.to_string());
            next += 3;
        }
        self.house.modules[module].named.push(Named { line, path, test });
        next
    }
}

/// Takes the tree of one `use` apart.
struct Tree<'a> {
    public: bool,
    test: bool,
    into: &'a mut Module,
}

impl Tree<'_> {
    fn take(&mut self, before: &[String], tokens: &[TokenTree]) {
        for branch in tokens.split(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',')) {
            let mut path = before.to_vec();
            let mut name = None;
            let mut words = branch.iter();
            while let Some(token) = words.next() {
                match token {
                    TokenTree::Ident(word) if word == "as" => name = words.next().map(ToString::to_string),
                    TokenTree::Ident(word)
                        if word == "self" && !before.is_empty() && path.len() == before.len() => {}
                    TokenTree::Ident(word) => path.push(word.to_string()),
                    TokenTree::Group(group) => {
                        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                        self.take(&path, &inner);
                        path.clear();
                    }
                    TokenTree::Punct(mark) if mark.as_char() == '*' => {
                        self.into.globs.push(self.import(token, std::mem::take(&mut path), "*".into()));
                    }
                    _ => {}
                }
            }
            if let (Some(first), Some(last)) = (branch.first(), path.last()) {
                let name = name.unwrap_or_else(|| last.clone());
                self.into.imports.push(self.import(first, path, name));
            }
        }
    }

    fn import(&self, token: &TokenTree, path: Vec<String>, name: String) -> Import {
        Import { line: token.span().start().line, path, name, public: self.public, test: self.test }
    }
}

fn is_punct(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

/// Whether the word is a field or a method: `.word`, though not `..word`.
fn is_field(tokens: &[TokenTree], at: usize) -> bool {
    let dot = |back: usize| at.checked_sub(back).is_some_and(|i| is_punct(tokens.get(i), '.'));
    dot(1) && !dot(2)
}

fn ended_before(tokens: &[TokenTree], at: usize) -> bool {
    // The variant's name stands after a comma, or after the attributes.
    is_punct(tokens.get(at - 1), ',')
        || matches!(&tokens[at - 1], TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

/// Whether the braces at a token are those of an `enum`.
fn after_enum(tokens: &[TokenTree], at: usize) -> bool {
    let words = tokens[..at].iter().rev();
    let head = words.take_while(|token| match token {
        TokenTree::Group(group) => group.delimiter() != Delimiter::Brace,
        token => !is_punct(Some(token), ';'),
    });
    head.into_iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "enum"))
}

/// `[cfg(test)]`, alone or among other conditions, but not `not(test)`.
fn is_cfg_test(attribute: &Group) -> bool {
    let text = attribute.stream().to_string().replace(' ', "");
    text.starts_with("cfg(") && text.contains("test") && !text.contains("not(test")
}
