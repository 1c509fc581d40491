//! What lies over the screen: a stack, the last one on top. The only file that builds an overlay from its [`Opening`].

use ratatui::Frame;
use ratatui::layout::Rect;

use super::effect::Effect;
use super::layer::{Layer, Opened};
use super::opening::Opening;
use super::shell::Shell;

mod account;
mod confirm;
mod create;
mod emergency;
mod explain;
mod help;
mod leave;
mod limit;
mod palette;
mod preset;
mod reader;
mod reveal;
mod revoke;
mod rotate;
mod sort;
mod sweep;
#[cfg(test)]
mod tests;
mod themes;

/// The open overlays, each with the number that its requests carry.
#[derive(Debug, Default)]
pub struct Overlays(Vec<(u64, Box<dyn Layer>)>);

/// Builds the overlay. What it asks for carries `number`.
fn build(shell: &mut Shell, number: u64, opening: Opening) -> Opened {
    match opening {
        Opening::Sort(present) => sort::open(present),
        Opening::Create { account } => create::open(shell, number, account),
        Opening::Reveal { created, replaces } => reveal::open(shell, number, *created, replaces),
        Opening::Revoke { ids, known } => revoke::open(shell, number, ids, known),
        Opening::Revoked(revoked) => revoke::told(shell, number, revoked),
        Opening::Emergency => emergency::open(shell, number),
        Opening::Explain(key) => explain::open(shell, number, *key),
        Opening::ExplainId(key) => explain::open_by_id(shell, number, key),
        Opening::ExplainSecret => explain::open_for_secret(shell, number),
        Opening::Rotate(key) => rotate::open(shell, number, *key),
        Opening::Confirm(question) => confirm::open(shell, number, question),
        Opening::Account { issuer, first_run } => account::open(shell, number, issuer.as_deref(), first_run),
        Opening::ChangeAccount(account) => account::change(shell, number, &account),
        Opening::Limit(key) => limit::open(shell, number, *key),
        Opening::Preset { first_run } => preset::open(shell, number, first_run),
        Opening::Help(context) => help::open(context),
        Opening::Palette(context) => palette::open(shell, context),
        Opening::Themes => themes::open(shell, number),
        Opening::Reader { title, parts, about } => reader::open(title, parts, about),
        Opening::Sweep => sweep::open(shell, number),
        Opening::Leave(reason) => leave::open(shell, reason),
    }
}

impl Overlays {
    /// Puts an overlay on top, unless there is a reason not to.
    pub fn open(&mut self, shell: &mut Shell, opening: Opening) -> Vec<Effect> {
        let number = shell.number();
        let Opened { layer, effects } = build(shell, number, opening);
        self.0.extend(layer.map(|layer| (number, layer)));
        effects
    }

    /// Takes the topmost away.
    pub fn close(&mut self) {
        self.0.pop();
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn top(&self) -> Option<&dyn Layer> {
        self.0.last().map(|(_, layer)| layer.as_ref())
    }

    pub fn top_mut(&mut self) -> Option<&mut dyn Layer> {
        self.0.last_mut().map(|(_, layer)| layer.as_mut())
    }

    /// The one whose requests carry this number; `None` if it was closed meanwhile.
    pub fn of_mut(&mut self, number: u64) -> Option<&mut dyn Layer> {
        self.0.iter_mut().find(|(own, _)| *own == number).map(|(_, layer)| layer.as_mut())
    }

    /// Whether what is pasted becomes a line of text, and no search for secrets.
    pub fn takes_lines(&self) -> bool {
        self.top().is_none_or(|layer| !layer.searches())
    }

    /// Whether any of them wants Ctrl-C for itself.
    pub fn guard_exit(&self) -> bool {
        self.0.iter().any(|(_, layer)| layer.guards_exit())
    }

    /// Whether any of them shows the receipt of this number.
    pub fn show_receipt(&self, number: u64) -> bool {
        self.0.iter().any(|(_, layer)| layer.receipt() == Some(number))
    }

    /// Draws them, the topmost last.
    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        for (_, layer) in &self.0 {
            layer.draw(shell, frame, area);
        }
    }
}
