//! What lies over the screen: a stack, the last one on top. The only file that builds an overlay from its [`Opening`].

use std::any::Any;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::effect::{Effect, Reply, RequestId};
use super::input::Input;
use super::layer::{Layer, Opened};
use super::opening::Opening;
use super::shell::{Holds, Shell};
use super::typed::Typed;
use super::words::Severity;
use crate::config::keymap::{Action, Chord, Context};
use crate::domain::Instant;
use crate::domain::key::OperationId;
use crate::domain::subjects::Subjects;
use crate::domain::text::SafeText;

mod account;
mod account_page;
mod alone;
mod approvals;
mod columns;
mod confirm;
mod create;
mod edit_many;
mod emergency;
mod explain;
mod export;
mod extend;
mod help;
mod hold;
mod how_long;
mod incident;
mod leave;
mod leaver;
mod limit;
mod looked;
mod palette;
mod pause;
mod preset;
mod reader;
mod reading;
mod reveal;
mod revoke;
mod rotate;
mod settings;
mod sort;
mod sweep;
#[cfg(test)]
mod tests;
mod themes;

use reading::{Question, Reading};

/// What questions are about.
const ASKED: Subjects =
    Subjects::KEYS.and(Subjects::ACCOUNTS).and(Subjects::ISSUERS).and(Subjects::OPERATORS);

/// The open overlays.
#[derive(Debug, Default)]
pub struct Overlays {
    /// Each with the number that its requests carry.
    stack: Vec<(u64, Box<dyn Layer>)>,
    reading: Reading,
}

/// Builds the overlay. What it asks for carries `number`.
fn build(shell: &mut Shell, number: u64, opening: Opening) -> Opened {
    match opening {
        Opening::Sort(present) => sort::open(present),
        Opening::Columns => columns::open(shell),
        Opening::Create { account } => create::open(shell, number, account),
        Opening::Alike(key) => create::like(shell, number, key),
        Opening::EditMany(ids) => edit_many::open(shell, number, ids),
        Opening::Edit(key) => create::edit(shell, number, *key),
        Opening::Reveal { created, replaces } => reveal::open(shell, number, *created, replaces),
        Opening::Revoke { ids, known, states } => revoke::open(shell, number, ids, known, states),
        Opening::CloseOverlaps { ids, known, states } => revoke::close(shell, number, ids, known, states),
        Opening::Pause { ids, known, states, resume } => {
            pause::open(shell, number, ids, known, states, resume)
        }
        Opening::Hold { of, lift } => hold::open(shell, number, &of, lift),
        Opening::ExtendOverlaps { ids, known } => extend::open(shell, number, ids, known),
        Opening::Looked { ids, looked } => looked::open(shell, number, ids, looked),
        Opening::Export(ids) => export::open(number, ids),
        Opening::Restored => revoke::again(shell, number),
        Opening::Revoked(revoked) => revoke::told(shell, number, revoked),
        Opening::Emergency => emergency::open(shell, number, None),
        Opening::Exposed(given) => emergency::open(shell, number, Some(given)),
        Opening::Incident(keys) => incident::open(shell, number, keys),
        Opening::Explain(key) => explain::open(shell, number, *key),
        Opening::ExplainId(key) => explain::open_by_id(shell, number, key),
        Opening::ExplainSecret => explain::open_for_secret(shell, number),
        Opening::Rotate(key) => rotate::open(shell, number, *key),
        Opening::Leaver(name) => leaver::open(shell, number, name),
        Opening::RotateMany { ids, known, states } => rotate::many::open(shell, number, ids, known, states),
        Opening::RotateEach { keys, overlap, expiry } => {
            rotate::each::open(shell, number, keys, overlap, expiry)
        }
        Opening::Confirm(question) => confirm::open(shell, number, question),
        Opening::Account { issuer, first_run } => account::open(shell, number, issuer.as_deref(), first_run),
        Opening::Approvals => approvals::open(shell, number),
        Opening::Alone(approval) => alone::open(shell, number, *approval),
        Opening::AccountPage(slug) => account_page::open(shell, number, slug),
        Opening::ChangeAccount(account) => account::change(shell, number, &account),
        Opening::Limit(key) => limit::open(shell, number, *key),
        Opening::Preset { first_run } => preset::open(shell, number, first_run),
        Opening::Help(context) => help::open(context),
        Opening::Palette(context) => palette::open(shell, number, context),
        Opening::Themes => themes::open(shell, number),
        Opening::Settings(keys) => settings::open(shell, number, keys),
        Opening::Reader { title, parts, about } => reader::open(title, parts, about),
        Opening::Sweep => sweep::open(shell, number),
        Opening::Leave(reason) => leave::open(shell, number, reason),
    }
}

impl Overlays {
    /// What is asked on top.
    fn question(&mut self, shell: &Shell) -> Option<Question> {
        let (overlay, layer) = self.stack.last_mut()?;
        let told = layer.wish().map_or(0, |wish| wish.told());
        Some(Question { overlay: *overlay, which: layer.question(shell), told })
    }

    /// What is open is on the screen.
    pub fn drawn(&mut self, shell: &Shell, now: Instant) {
        if let Some(question) = self.question(shell) {
            self.reading.meet(question);
            self.reading.drawn(now);
        }
    }

    /// Nothing of what is open is on the screen.
    pub fn hidden(&mut self) {
        self.reading = Reading::default();
    }

    /// A person's pause: time enough to have read what is open.
    #[cfg(test)]
    pub fn pause(&mut self, shell: &Shell) {
        let now = shell.now;
        self.reading.press(now - chrono::Duration::minutes(2));
        self.drawn(shell, now);
        self.reading.again(now - chrono::Duration::minutes(1));
    }

    /// The number of the topmost.
    #[cfg(test)]
    pub fn number(&self) -> u64 {
        self.stack.last().map_or(0, |(number, _)| *number)
    }

    /// Gives a gesture to the topmost; `None` where nothing is open. Whoever answers too early is told what to do; a paste
    /// is nobody who reads.
    pub fn input(&mut self, shell: &mut Shell, mut input: Input) -> Option<Vec<Effect>> {
        let question = self.question(shell)?;
        let (number, layer) = self.stack.last_mut()?;
        let number = *number;
        self.reading.meet(question);
        let (told, asks, context) = (!input.hurried(), layer.asks(), layer.context());
        let mut stray = asks && matches!(input, Input::Paste(_));
        let mut early = None;
        if let Input::Key(key) = &mut input {
            stray |= asks && key.action.is_none();
            self.reading.stray(asks, stray);
            key.unread = !self.reading.press(shell.now);
            let answer = key.unread && key.action.is_some_and(|action| layer.answers(action));
            early = answer.then(|| Chord::from(key.event));
            // A yes is held back whatever the overlay makes of it.
            key.hurried |= key.unread && key.action == Some(Action::Yes);
        }
        self.reading.stray(asks, stray);
        let mut effects = layer.input(shell, input);
        // What came to something else was no answer.
        let early = early.filter(|_| effects.is_empty() && !shell.has_commands());
        if told && (stray || early.is_some() && self.reading.is_stray()) {
            let leave = if context == Context::Form { Action::CloseForm } else { Action::No };
            let leave = shell.keymap.key(leave);
            let words = format!(
                "What was typed is not an answer here, so nothing was done. Press {leave}, then ask again."
            );
            shell.toast_until(Holds::Open(number), Severity::Warning, words);
        } else if let (true, Some(key)) = (told, early) {
            self.reading.again(shell.now);
            let words = format!("Too quick: nothing was done. Read the question, then press {key} again.");
            shell.toast_until(Holds::Gesture, Severity::Warning, words);
        }
        effects.extend(self.foresee(shell, true));
        Some(effects)
    }

    /// Takes an answer to what the overlay of this number asked for.
    pub fn reply(&mut self, shell: &mut Shell, number: u64, id: RequestId, reply: Reply) -> Vec<Effect> {
        let Some(layer) = self.of_mut(number) else { return Vec::new() };
        shell.redraw = true;
        let mut effects = Vec::new();
        let ask = layer.asking(shell);
        match layer.wish().and_then(|wish| wish.foresaw(shell, id, ask.as_ref())) {
            None => effects = layer.reply(shell, id, reply),
            Some((current, next)) => {
                effects.extend(next);
                let failure = reply.failure().cloned().filter(|_| current);
                let beforehand = if current { layer.foreseen(reply) } else { None };
                if let Some(wish) = layer.wish() {
                    wish.tell(failure.as_ref(), beforehand.map(SafeText::new));
                }
                failure.iter().for_each(|failure| layer.forewarned(failure));
            }
        }
        effects.extend(self.foresee(shell, true));
        effects
    }

    /// The command that does what the topmost asks, or is about.
    pub fn typed(&self, shell: &Shell) -> Option<Typed> {
        let layer = self.top()?;
        let asked = layer.asking(shell).and_then(|ask| Typed::of(&ask(OperationId::nil()), shell));
        asked.or_else(|| layer.typed(shell))
    }

    /// The timer of the overlay of this number has run out.
    pub fn timer(&mut self, shell: &mut Shell, number: u64) -> Vec<Effect> {
        let Some(layer) = self.of_mut(number) else { return Vec::new() };
        let mut effects = layer.timer(shell);
        effects.extend(self.foresee(shell, false));
        effects
    }

    /// Asks what the wish of the topmost would come to, so that a refusal is told before one commits to it. `pause`: while
    /// a text is typed, not before the person pauses.
    fn foresee(&mut self, shell: &mut Shell, pause: bool) -> Option<Effect> {
        // What is to be closed or covered asks nothing more.
        let (_, layer) = self.stack.last_mut().filter(|_| !shell.has_commands())?;
        let (ask, typing) = (layer.asking(shell)?, pause && layer.typing());
        layer.wish()?.foresee(shell, &ask, typing)
    }

    /// Something of these kinds changed in the database: what is asked may have another answer now.
    pub fn changed(&mut self, shell: &mut Shell, touched: Subjects) -> Vec<Effect> {
        let mut effects = Vec::new();
        if !touched.meet(ASKED) {
            return effects;
        }
        let mut settled = false;
        for (_, layer) in &mut self.stack {
            effects.extend(layer.changed(shell, touched));
            let ask = layer.asking(shell);
            settled = layer.wish().is_some_and(|wish| wish.stale(ask.as_ref()));
        }
        effects.extend(self.foresee(shell, !settled));
        effects
    }

    /// Puts an overlay on top, unless there is a reason not to.
    pub fn open(&mut self, shell: &mut Shell, opening: Opening) -> Vec<Effect> {
        let number = shell.number();
        let Opened { layer, mut effects } = build(shell, number, opening);
        self.stack.extend(layer.map(|layer| (number, layer)));
        effects.extend(self.foresee(shell, false));
        effects
    }

    /// Takes the question about leaving away, wherever it is.
    pub fn stay(&mut self) {
        self.stack.retain(|(_, layer)| !(layer.as_ref() as &dyn Any).is::<leave::State>());
    }

    /// Takes away whatever is asked or shown of a database that is another one now; a secret stays until it is taken over.
    pub fn abandon(&mut self) {
        self.stack.retain(|(_, layer)| layer.guards_exit());
    }

    /// Takes the topmost away.
    pub fn close(&mut self) {
        self.stack.pop();
    }

    pub fn is_empty(&self) -> bool {
        self.stack.is_empty()
    }

    pub fn top(&self) -> Option<&dyn Layer> {
        self.stack.last().map(|(_, layer)| layer.as_ref())
    }

    pub fn top_mut(&mut self) -> Option<&mut dyn Layer> {
        self.stack.last_mut().map(|(_, layer)| layer.as_mut())
    }

    /// The one whose requests carry this number; `None` if it was closed meanwhile.
    pub fn of_mut(&mut self, number: u64) -> Option<&mut dyn Layer> {
        self.stack.iter_mut().find(|(own, _)| *own == number).map(|(_, layer)| layer.as_mut())
    }

    /// Whether what is pasted becomes a line of text, and no search for secrets.
    pub fn takes_lines(&self) -> bool {
        self.top().is_none_or(|layer| !layer.searches())
    }

    /// Whether any of them wants Ctrl-C for itself.
    pub fn guard_exit(&self) -> bool {
        self.stack.iter().any(|(_, layer)| layer.guards_exit())
    }

    /// Whether any of them shows the receipt of this number.
    pub fn show_receipt(&self, number: u64) -> bool {
        self.stack.iter().any(|(_, layer)| layer.receipt() == Some(number))
    }

    /// Draws them, the topmost last.
    pub fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        for (_, layer) in &self.stack {
            layer.draw(shell, frame, area);
        }
    }
}
