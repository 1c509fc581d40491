//! What is written down of the settings that were changed in the console.

use crate::config::settings::{CONSOLE, Saved, Source};

/// The settings by their names, as they were when they were read or written last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    saved: Saved,
    since: Vec<(&'static str, String)>,
    /// Of these the file says something that it shall not say any more.
    forgotten: Vec<&'static str>,
    /// The way to the clipboard and the first screen from the next start on, by their names.
    pub clipboard: String,
    pub screen: String,
}

impl Kept {
    pub fn new(saved: Saved, clipboard: String, screen: String) -> Self {
        Self { saved, clipboard, screen, ..Self::default() }
    }

    /// Takes note of what holds at the start.
    pub fn begin(&mut self, now: Vec<(&'static str, String)>) {
        self.since = now;
    }

    /// Whether the value is another one than was read or written last.
    pub fn is_new(&self, name: &str, now: &str) -> bool {
        let same = self.since.iter().any(|since| since.0 == name && since.1 == now);
        !same || self.forgotten.contains(&name)
    }

    /// What holds where nothing was saved of it; from here on nothing shall be.
    pub fn forget(&mut self, name: &'static str) -> Option<String> {
        let below = self.saved.below(name)?.0.to_owned();
        if self.saved.line(name).is_some() && !self.forgotten.contains(&name) {
            self.forgotten.push(name);
        }
        self.since.retain(|since| since.0 != name);
        self.since.push((name, below.clone()));
        Some(below)
    }

    /// Who decided what was read or written last, in a word or two; empty: nobody did. Of what can't be used, the default holds
    /// in its place.
    pub fn decided(&self, name: &str) -> String {
        let (said, who) = match (self.saved.outranked(name), self.saved.line(name), self.saved.below(name)) {
            (None, Some(line), _) => (line, "saved".to_owned()),
            (Some(source), _, Some((value, _))) => (value, source.to_string()),
            (None, None, Some((value, Source::File(file, line)))) => {
                (value, format!("{}:{line}", file.file_name().unwrap_or(file.as_os_str()).display()))
            }
            _ => return String::new(),
        };
        let default = CONSOLE.rows.iter().find(|row| row.name == name).and_then(|row| row.default);
        let holds = self.since.iter().find(|since| since.0 == name).map_or(said, |(_, held)| held.as_str());
        if said != holds && holds == default.unwrap_or_default() { "default".into() } else { who }
    }

    /// What outranks the file, if something does.
    pub fn outranked(&self, name: &str) -> Option<String> {
        self.saved.outranked(name).map(Source::to_string)
    }

    /// The file, with what is new in it; from here on nothing is. `None` where there is nothing to write.
    pub fn write(&mut self, now: Vec<(&'static str, String)>) -> Option<String> {
        let forgotten = std::mem::take(&mut self.forgotten);
        forgotten.iter().for_each(|name| self.saved.forget(name));
        let new: Vec<_> = now.iter().filter(|(name, value)| self.is_new(name, value)).cloned().collect();
        let any = !new.is_empty() || !forgotten.is_empty();
        new.into_iter().for_each(|(name, value)| self.saved.keep(name, value));
        self.since = now;
        any.then(|| self.saved.text())
    }
}
