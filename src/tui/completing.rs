//! What the owner or the tag that somebody begins to type may be completed to: what other keys have already.

use crossterm::event::{KeyCode, KeyEvent};

use super::effect::{Effect, Outcomes, Request, RequestId, To};
use super::latest::Latest;
use super::shell::Shell;
use super::widgets::text_field::TextField;
use crate::domain::text::SafeText;
use crate::service::InUse;

#[cfg(test)]
mod tests;

/// Words that are offered.
const OFFERED: u32 = 5;

/// The words that were found for the beginning that was asked for last.
#[derive(Debug, Default)]
pub struct Completing {
    latest: Latest,
    asked: Option<(InUse, String)>,
    found: Vec<SafeText>,
}

/// Where the word before the cursor begins; `None` where something follows.
fn start(known: InUse, field: &TextField) -> Option<usize> {
    let text = field.value();
    if field.cursor() != text.len() {
        return None;
    }
    Some(match known {
        InUse::Owners => text.len() - text.trim_start().len(),
        InUse::Tags => text.rfind([' ', ',']).map_or(0, |at| at + 1),
    })
}

fn word(known: InUse, field: &TextField) -> &str {
    start(known, field).and_then(|at| field.value().get(at..)).unwrap_or_default()
}

impl Completing {
    /// Asks what the word before the cursor may become. A secret is asked for nowhere.
    pub fn follow(&mut self, shell: &mut Shell, to: To, known: InUse, field: &TextField) -> Option<Effect> {
        let word = word(known, field);
        if word.is_empty() || shell.holds_secret(word) {
            self.asked = None;
            return None;
        }
        let asked = (known, word.to_owned());
        if self.asked.as_ref() == Some(&asked) {
            return None;
        }
        self.asked = Some(asked);
        self.found.clear();
        let request = Request::Known { known, beginning: word.to_owned(), limit: OFFERED + 1 };
        self.latest.ask(shell, to, request)
    }

    /// Takes in an answer. Where none comes, nothing is offered.
    pub fn settle(
        &mut self,
        shell: &mut Shell,
        id: RequestId,
        outcome: Outcomes<Vec<SafeText>>,
    ) -> Vec<Effect> {
        let Some(settled) = self.latest.settle(shell, id) else { return Vec::new() };
        if settled.newest {
            self.found = outcome.unwrap_or_default();
        }
        settled.next.into_iter().collect()
    }

    /// What the word before the cursor may become, without what it is already.
    fn offers<'s>(&'s self, known: InUse, field: &'s TextField) -> impl Iterator<Item = &'s SafeText> {
        let word = word(known, field);
        let current = self.asked.as_ref().is_some_and(|(of, asked)| *of == known && asked == word);
        let there =
            move |one: &str| known == InUse::Tags && field.value().split([' ', ',']).any(|tag| tag == one);
        self.found.iter().filter(move |one| current && one.as_str() != word && !there(one))
    }

    /// The line below the field; `None` where nothing is offered.
    pub fn hint(&self, known: InUse, field: &TextField) -> Option<String> {
        let offers: Vec<&str> =
            self.offers(known, field).take(OFFERED as usize).map(SafeText::as_str).collect();
        (!offers.is_empty()).then(|| format!("→ {}", offers.join(" · ")))
    }

    /// Completes the word to the first offer, if this key asks for that.
    pub fn take(&self, known: InUse, field: &mut TextField, event: KeyEvent) -> bool {
        let (Some(start), KeyCode::Right, true) =
            (start(known, field), event.code, event.modifiers.is_empty())
        else {
            return false;
        };
        let Some(offer) = self.offers(known, field).next().cloned() else { return false };
        // In its own spelling, which may be another than what was typed.
        let text = format!("{}{}", field.value().get(..start).unwrap_or_default(), offer.as_str());
        *field = TextField::with(&text);
        true
    }
}
