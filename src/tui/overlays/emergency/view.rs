//! The search for an exposed key as a picture.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::keys::ending;
use super::{Stage, State};
use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::operator::Permission;
use crate::domain::text::{SafeText, thousands};
use crate::domain::verdict::meets;
use crate::service::{Found, Search};
use crate::tui::shell::Shell;
use crate::tui::view::{key_facts, times};
use crate::tui::widgets::sheet::Sheet;
use crate::tui::widgets::{fit, scroll};
use crate::tui::words::count;

const COLUMNS: u16 = 72;
/// Keys listed that were revoked together.
const LISTED_DEAD: usize = 8;
/// Keys listed at once where several fit.
const LISTED: usize = 5;

impl State {
    pub(super) fn paint(&self, shell: &Shell, frame: &mut Frame, area: Rect) {
        let styles = &shell.styles;
        if let (Stage::Found { at, .. }, Some(table)) = (&self.stage, &self.table) {
            let said = self.said.as_ref().map(|(severity, words)| (severity.role(), words.to_string()));
            let failed = self.wish.failure().map(|words| (Role::Error, words.to_string()));
            let failed = failed.filter(|(_, words)| said.as_ref().is_none_or(|(_, said)| said != words));
            table.draw(shell, frame, area, *at, said.into_iter().chain(failed).collect());
            return;
        }
        let mut sheet = Sheet::new(styles, area, COLUMNS, 12);
        let columns = sheet.columns() + 1;
        let title = match &self.stage {
            Stage::Ask => {
                sheet.words(
                    Role::Text,
                    "Paste the exposed key. Or type its last four characters, its ID or its name.",
                );
                sheet.space();
                let dots = "•".repeat(self.input.len().min(columns - 3));
                sheet.cursor(fit::width(&dots) + 2);
                let line = Line::from(vec![
                    Span::styled("› ", styles.of(Role::Accent)),
                    Span::styled(fit::pad(&dots, columns - 2), styles.of(Role::InputFocus)),
                ]);
                sheet.line(line, true);
                sheet.words(
                    Role::Muted,
                    "Any text works, also a scanner's report. o Enter searches a file or a folder.",
                );
                "Exposed key".to_owned()
            }
            Stage::Path(path) => {
                sheet.words(Role::Text, "The file or folder to search: logs, gzip, a scanner's report.");
                sheet.space();
                sheet.text("Path", path, true, "~/Downloads/report.json", None);
                "Exposed key".to_owned()
            }
            Stage::Found { search, at } => self.draw_found(shell, &mut sheet, search, *at),
            Stage::Sent { search, at } => {
                if let Some(table) = &self.table {
                    sheet.words(Role::Text, &format!("Revoking {}.", count(table.ticks() as u64, "key")));
                } else if let Some(found) = search.found.get(*at) {
                    sheet.facts(&key_facts::of_exposed(shell, found));
                }
                sheet.space();
                sheet.words(Role::Info, "sent; waiting until the database shows it as revoked…");
                "Exposed key".to_owned()
            }
            Stage::Dead { dead, already, receipt, .. } => {
                let Some(Found { key, .. }) = dead.first() else { return };
                let at =
                    key.revoked(shell.now).map(|one| times::exact(one.at, shell.utc)).unwrap_or_default();
                let receipt = shell.receipt(*receipt);
                let words = match (dead.len(), *already) {
                    (1, 1) => format!("It was revoked before, at {at}."),
                    (1, _) => format!("Revoked at {at}, read back from the database."),
                    (all, 0) => format!("{all} keys are revoked, read back from the database."),
                    (all, before) => {
                        format!(
                            "{all} keys are revoked ({before} of them were before), read back from the database."
                        )
                    }
                };
                sheet.words(Role::Ok, &words);
                sheet.space();
                // Whether it still gets through somewhere is the gates' to say.
                if let Some(receipt) = receipt {
                    sheet.hanging(receipt.lines(shell.utc));
                    sheet.space();
                }
                match dead.as_slice() {
                    [one] => sheet.facts(&key_facts::of_exposed(shell, one)),
                    many => {
                        for Found { key, .. } in many.iter().take(LISTED_DEAD) {
                            sheet.words(
                                Role::Text,
                                &format!("{}  {}  {}", key.preview, key.name, key.account),
                            );
                        }
                        if let Some(more) = many.len().checked_sub(LISTED_DEAD).filter(|more| *more > 0) {
                            sheet.words(Role::Muted, &format!("and {more} more"));
                        }
                    }
                }
                sheet.space();
                let report = shell.keymap.key(Action::Incident);
                let left = self.table.as_ref().map_or(0, |table| table.left(dead, shell.now));
                let enter = match left {
                    0 => "closes".to_owned(),
                    1 => "goes back to the one that can still work".to_owned(),
                    many => format!("goes back to the {} that can still work", thousands(many as u64)),
                };
                sheet.words(Role::Muted, &format!("Enter {enter} · {report} shows the report"));
                match dead.len() {
                    1 => format!("Dead: {}", fit::cut(&key.name, 50)),
                    all => format!("Dead: {all} keys"),
                }
            }
        };
        if let Some((severity, words)) = &self.said {
            sheet.space();
            sheet.words(severity.role(), words);
        }
        let refusal = self.wish.failure().filter(|_| matches!(self.stage, Stage::Found { .. }));
        if let Some(words) = refusal.filter(|words| self.said.as_ref().is_none_or(|(_, said)| said != *words))
        {
            sheet.space();
            sheet.words(Role::Error, words);
        }
        sheet.draw(frame, &title, Role::Danger);
    }

    fn draw_found(&self, shell: &Shell, sheet: &mut Sheet<'_>, search: &Search, at: usize) -> String {
        let styles = &shell.styles;
        let Some(found) = search.found.get(at) else { return "Exposed key".to_owned() };
        let (key, keys) = (&found.key, &search.found);
        if keys.len() > 1 {
            // So many that what is known of the chosen one still fits below them.
            let top = scroll::follow(at.saturating_sub(LISTED / 2), at, LISTED, keys.len());
            for (place, Found { key, .. }) in keys.iter().enumerate().skip(top).take(LISTED) {
                let here = place == at;
                let sign = if here { "› " } else { "  " };
                let status = key.status(shell.now).as_str();
                let account = SafeText::new(key.account.clone());
                let text = format!("{sign}{}  {}  {account}  {status}", key.preview, key.name);
                let role = if here { Role::Selection } else { Role::Text };
                sheet.line(Line::styled(fit::pad(&text, sheet.columns() + 1), styles.of(role)), false);
            }
            sheet.space();
            sheet.pin();
        }
        sheet.facts(&key_facts::of_exposed(shell, found));
        sheet.space();
        let (yes, no) = (shell.keymap.key(Action::Yes), shell.keymap.key(Action::No));
        let several = search.certain && keys.len() > 1;
        let ending = ending(search, at).len();
        if ending == 0 {
            let words = match (key.revoked(shell.now), several) {
                (Some(revoked), false) => {
                    format!(
                        "It was revoked at {}: it no longer works. {no} looks for another.",
                        times::exact(revoked.at, shell.utc)
                    )
                }
                _ => format!("None of them works now. {no} looks for another."),
            };
            sheet.words(Role::Ok, &words);
        } else if !shell.may(Permission::ChangeKeys) {
            sheet.words(Role::Warning, "Your role can't revoke keys. Show this to somebody who can.");
        } else {
            let state: std::borrow::Cow<'_, str> = if several {
                "Their secrets were all in what was pasted.".into()
            } else {
                meets(key, shell.issuer(&key.issuer).map(|issuer| &issuer.policy), shell.now).into()
            };
            sheet.words(
                Role::Warning,
                &format!("{state} Revoked, it stops working immediately. This can't be undone."),
            );
            let act = if several { format!("revoke all {ending} now") } else { "revoke it now".to_owned() };
            let pause = shell.keymap.key(Action::Pause);
            sheet.keys(&[(&yes, &act), (&pause, "pause instead"), (&no, "look for another")]);
        }
        match keys.len() {
            1 => format!("Exposed key: {}", fit::cut(&key.name, 44)),
            count if search.certain => format!("{count} exposed keys; ↑ ↓ look at each"),
            count => match search.fit {
                Some(fit) => format!("{count} of {}{} keys fit; ↑ ↓ choose", fit.number(), fit.or_more()),
                None => format!("{count} keys fit; ↑ ↓ choose"),
            },
        }
    }
}
