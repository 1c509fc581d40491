//! Which key does what. One registry of actions drives the keys, the palette, the help and the hints of the footer.

use std::collections::HashMap;

use super::document::{Result, Text, nearest};
use super::settings::KeyFile;

mod action;
mod chord;
mod context;
mod entry;
mod registry;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use chord::Chord;
pub use context::Context;
pub use entry::Registered;
pub use registry::REGISTRY;

/// The bindings in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    /// The chords of each entry of [`REGISTRY`], in its order. The first is the one shown where room is scarce.
    chords: Vec<Vec<Chord>>,
    index: HashMap<(Context, Chord), Action>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::build(registry::defaults())
    }
}

impl Keymap {
    /// The defaults, overridden by the files in their order. Unknown actions, unreadable keys and keys that would do two
    /// things at one place are refused with file and line.
    pub fn load(files: &[KeyFile]) -> Result<Self> {
        let mut map = Self::default();
        for file in files {
            map.apply(Text { file: &file.path, text: &file.text })?;
        }
        Ok(map)
    }

    /// Overrides bindings by one file: a `[keys]` table, or the whole file if it is called `keys.toml`.
    ///
    /// ```toml
    /// [keys]
    /// revoke = "d"
    /// rotate = ["r", "f7"]
    /// themes = []            # no key; the palette still has it
    /// ```
    fn apply(&mut self, source: Text<'_>) -> Result<()> {
        let table = source.parse()?;
        let whole_file = source.file.file_name().is_some_and(|name| name == "keys.toml");
        let keys = source.members(&table).into_iter().find(|member| member.key == "keys");
        let members = match keys {
            Some(keys) => source.members(keys.table()?),
            None if whole_file => source.members(&table),
            None => return Ok(()),
        };
        let mut chords = self.chords.clone();
        for member in &members {
            let id = member.key.replace('_', "-");
            let Some(place) = REGISTRY.iter().position(|entry| entry.action.id() == id) else {
                let hint = nearest(&id, REGISTRY.iter().map(|entry| entry.action.id())).map_or_else(
                    || "`?` in the console lists all actions".to_owned(),
                    |near| format!("Did you mean `{near}`?"),
                );
                return Err(member.at.error(format!("there is no action `{}`. {hint}", member.key)));
            };
            let entry = &REGISTRY[place];
            let mut own = Vec::new();
            for text in member.strings()? {
                let chord = Chord::parse(text).map_err(|why| member.at.error(why))?;
                let typing = entry.contexts.iter().find(|context| context.takes_text());
                if let (true, Some(context)) = (chord.is_text(), typing) {
                    return Err(member.at.error(format!(
                        "`{id}` can't be {chord}: that key types a character in {}. Add ctrl- or alt-",
                        context.title()
                    )));
                }
                own.push(chord);
            }
            if own.is_empty() && entry.action == Action::Interrupt {
                return Err(member.at.error("`interrupt` must keep a key: it is the last way to quit"));
            }
            chords[place] = own;
        }
        for member in &members {
            let id = member.key.replace('_', "-");
            let Some(place) = REGISTRY.iter().position(|entry| entry.action.id() == id) else { continue };
            if let Some((chord, other, context)) = conflict(&chords, place) {
                return Err(member.at.error(format!(
                    "{chord} would be both `{id}` and `{}` in {}. Give one of them another key",
                    REGISTRY[other].action.id(),
                    context.title()
                )));
            }
        }
        *self = Self::build(chords);
        Ok(())
    }

    fn build(chords: Vec<Vec<Chord>>) -> Self {
        let index = REGISTRY
            .iter()
            .zip(&chords)
            .flat_map(|(entry, own)| {
                entry
                    .contexts
                    .iter()
                    .flat_map(move |context| own.iter().map(move |chord| ((*context, *chord), entry.action)))
            })
            .collect();
        Self { chords, index }
    }

    /// What `chord` does at `context`, or at the contexts that it falls back to.
    ///
    /// While `typing` (the cursor stands in a text field) keys that type a character do nothing else.
    pub fn lookup(&self, context: Context, chord: impl Into<Chord>, typing: bool) -> Option<Action> {
        let chord = chord.into();
        if typing && chord.is_text() {
            return None;
        }
        context.chain().find_map(|context| self.index.get(&(context, chord)).copied())
    }

    /// All keys of an action, the one to show first.
    pub fn keys(&self, action: Action) -> &[Chord] {
        REGISTRY
            .iter()
            .position(|entry| entry.action == action)
            .and_then(|place| self.chords.get(place))
            .map_or(&[], Vec::as_slice)
    }

    /// The key of an action as people write it, or an empty text where it has none.
    pub fn key(&self, action: Action) -> String {
        self.keys(action).first().map(ToString::to_string).unwrap_or_default()
    }

    /// What the footer offers at `context`: action, key and label, the most useful first.
    pub fn hinted(&self, context: Context) -> Vec<(Action, String, &'static str)> {
        let mut entries: Vec<(u8, usize)> = REGISTRY
            .iter()
            .enumerate()
            .filter(|(place, entry)| entry.hint > 0 && !self.chords[*place].is_empty())
            .filter(|(_, entry)| entry.holds_at(context))
            .map(|(place, entry)| (entry.hint, place))
            .collect();
        entries.sort_unstable();
        entries
            .into_iter()
            .map(|(_, place)| {
                (REGISTRY[place].action, self.chords[place][0].to_string(), REGISTRY[place].label)
            })
            .collect()
    }

    /// Every action that holds at `context`, with its keys: the nearest context first. For the help and the palette.
    pub fn entries(&self, context: Context) -> Vec<(Context, &'static Registered, &[Chord])> {
        let mut seen = Vec::new();
        let mut entries = Vec::new();
        for context in context.chain() {
            for (place, entry) in REGISTRY.iter().enumerate() {
                if entry.contexts.contains(&context) && !seen.contains(&place) {
                    seen.push(place);
                    entries.push((context, entry, self.chords[place].as_slice()));
                }
            }
        }
        entries
    }
}

/// The first key of the entry at `place` that another entry has too, somewhere where both hold.
fn conflict(chords: &[Vec<Chord>], place: usize) -> Option<(Chord, usize, Context)> {
    let entry = &REGISTRY[place];
    for (other, _) in REGISTRY.iter().enumerate().filter(|(other, _)| *other != place) {
        let Some(chord) = chords[place].iter().find(|chord| chords[other].contains(chord)) else { continue };
        let both = |context: &Context| entry.holds_at(*context) && REGISTRY[other].holds_at(*context);
        let shared = Context::ALL.iter().copied().find(both);
        if let Some(context) = shared {
            return Some((*chord, other, context));
        }
    }
    None
}
