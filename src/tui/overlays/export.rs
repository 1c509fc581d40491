//! Where keys shall be written, and in what form.

use ratatui::Frame;
use ratatui::layout::Rect;
use strum::VariantArray;

use crate::config::keymap::Context;
use crate::config::theme::Role;
use crate::domain::key::KeyId;
use crate::domain::text::{SafeText, thousands};
use crate::service::ExportForm;
use crate::tui::effect::{Effect, Reply, Request, RequestId, To};
use crate::tui::form::{Form, Pressed};
use crate::tui::input::Input;
use crate::tui::layer::{Layer, Opened};
use crate::tui::shell::Shell;
use crate::tui::typed::Typed;
use crate::tui::widgets::buttons::Button;
use crate::tui::widgets::choice;
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::text_field::TextField;

#[derive(Debug)]
pub struct State {
    number: u64,
    ids: Vec<KeyId>,
    form: Form<Focus>,
    kind: ExportForm,
    /// The file; empty: the clipboard.
    file: TextField,
    writing: Option<RequestId>,
    failed: Option<SafeText>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    Kind,
    File,
}

const FIELDS: &[Focus] = &[Focus::Kind, Focus::File];

pub fn open(number: u64, ids: Vec<KeyId>) -> Opened {
    let state = State {
        number,
        ids,
        form: Form::new(Focus::Kind),
        kind: ExportForm::default(),
        file: TextField::default(),
        writing: None,
        failed: None,
    };
    Opened::new(state, Vec::new())
}

impl State {
    fn write(&mut self, shell: &mut Shell) -> Vec<Effect> {
        let file = self.file.value().trim();
        let to = (!file.is_empty()).then(|| file.into());
        let request = Request::Export { keys: self.ids.clone(), form: self.kind, to };
        let (id, effect) = shell.ask(To::Overlay(self.number), request);
        (self.writing, self.failed) = (Some(id), None);
        vec![effect]
    }

    fn turn(&mut self, by: isize) {
        let all = ExportForm::VARIANTS;
        let at = all.iter().position(|kind| *kind == self.kind).unwrap_or(0) as isize;
        self.kind = all[(at + by).rem_euclid(all.len() as isize) as usize];
    }
}

impl Layer for State {
    fn context(&self) -> Context {
        Context::Form
    }

    fn typing(&self) -> bool {
        self.form.on(Focus::File)
    }

    fn input(&mut self, shell: &mut Shell, input: Input) -> Vec<Effect> {
        if self.writing.is_some() {
            return Vec::new();
        }
        match input {
            Input::Paste(pasted) if self.typing() => {
                self.file.paste(&pasted.line());
            }
            Input::Key(key) => match self.form.press(key, FIELDS, self.typing()) {
                Pressed::Close => shell.close(),
                Pressed::Go => return self.write(shell),
                Pressed::Sideways(by) => self.turn(by),
                Pressed::Text(event) => {
                    self.file.key(event);
                }
                Pressed::Nothing => {}
            },
            _ => {}
        }
        Vec::new()
    }

    fn reply(&mut self, shell: &mut Shell, id: RequestId, reply: Reply) -> Vec<Effect> {
        if self.writing == Some(id)
            && let Reply::Export(outcome) = reply
        {
            self.writing = None;
            match outcome {
                Ok(copied) => {
                    shell.copied(&copied);
                    shell.close();
                }
                Err(failure) => self.failed = Some(failure.text),
            }
        }
        Vec::new()
    }

    fn typed(&self, shell: &Shell) -> Option<Typed> {
        let request = Request::Export { keys: self.ids.clone(), form: self.kind, to: None };
        Typed::of(&request, shell)
    }

    fn draw(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        let mut sheet = Sheet::new(styles, area, 64, 8);
        let forms: Vec<&str> = ExportForm::VARIANTS.iter().map(|kind| kind.as_str()).collect();
        let chosen = ExportForm::VARIANTS.iter().position(|kind| *kind == self.kind).unwrap_or(0);
        let columns = sheet.columns();
        for line in choice::lines(styles, &forms, chosen, self.form.on(Focus::Kind), columns) {
            sheet.line(line, self.form.on(Focus::Kind));
        }
        sheet.space();
        sheet.text(
            "File",
            &self.file,
            self.form.on(Focus::File),
            "a new file; empty for the clipboard",
            None,
        );
        sheet.failure(self.failed.as_ref());
        sheet.space();
        let verb = match (self.writing.is_some(), self.file.value().trim().is_empty()) {
            (true, _) => "…",
            (false, true) => "Copy",
            (false, false) => "Write",
        };
        sheet.line(self.form.line(styles, Button::new(verb), "Cancel"), self.form.on_button());
        let title = match self.ids.len() {
            1 => "Export 1 key".to_owned(),
            many => format!("Export {} keys", thousands(many as u64)),
        };
        sheet.draw(frame, &title, Role::DialogBorder);
    }
}
