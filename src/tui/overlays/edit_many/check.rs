//! What was filled in, and what is wrong with it.

use strum::VariantArray;

use super::{Focus, Stage, State};
use crate::domain::edit::{Edit, NewEnd};
use crate::domain::network::Networks;
use crate::domain::owner::Tags;
use crate::domain::plan::Part;
use crate::domain::scope::Scopes;
use crate::service::Field;
use crate::tui::edits::parts;
use crate::tui::shell::Shell;

impl State {
    pub(super) fn text(&self, of: Focus) -> &str {
        self.texts[of as usize].value().trim()
    }

    /// What is to be changed, or which field can't be read.
    pub(super) fn wanted(&self, shell: &Shell) -> Result<Edit, (Focus, String)> {
        fn read<T, E: ToString>(at: Focus, result: Result<T, E>) -> Result<T, (Focus, String)> {
            result.map_err(|error| (at, error.to_string()))
        }
        let nets = |at| read(at, Networks::parse(self.text(at)));
        let tags = |at| read(at, Tags::checked(parts(self.text(at))));
        let scopes = |at| parts(self.text(at)).collect::<Scopes>();
        // The word none takes away what is there.
        let owner = |at| {
            let text = Some(self.text(at)).filter(|text| !text.is_empty());
            text.map(|text| if text.eq_ignore_ascii_case("none") { String::new() } else { text.to_owned() })
        };
        let anywhere = self.text(Focus::Allow).eq_ignore_ascii_case("any");
        let planned = |at, part: Part| {
            let text = Some(self.text(at)).filter(|text| !text.is_empty());
            read(at, text.map(|text| part.read_new(text, shell.here())).transpose())
        };
        let end = Some(self.text(Focus::Expires)).filter(|text| !text.is_empty());
        Ok(Edit {
            expires: read(Focus::Expires, end.map(|text| NewEnd::parse(text, shell.here())).transpose())?,
            add_scopes: scopes(Focus::AddScopes),
            remove_scopes: scopes(Focus::RemoveScopes),
            allow: if anywhere { Networks::default() } else { nets(Focus::Allow)? },
            anywhere,
            disallow: nets(Focus::Disallow)?,
            owner: owner(Focus::Owner),
            owner_mail: owner(Focus::Mail),
            tag: tags(Focus::Tag)?,
            untag: tags(Focus::Untag)?,
            not_before: planned(Focus::NotBefore, Part::NotBefore)?,
            revoke_at: planned(Focus::RevokeAt, Part::RevokeAt)?,
            ..Edit::default()
        })
    }

    /// The error at a field, unless somebody is writing there.
    pub(super) fn error(&self, shell: &Shell, at: Focus) -> Option<String> {
        let refused = Focus::VARIANTS.iter().find_map(|focus| {
            let field = field_of(*focus).filter(|_| *focus == at)?;
            self.wish.refusal(field).map(|why| why.as_str().to_owned())
        });
        let typing = self.form.on(at) && self.stage == Stage::Edit;
        refused.or_else(|| {
            self.wanted(shell).err().filter(|(focus, _)| *focus == at && !typing).map(|(_, why)| why)
        })
    }
}

/// The service's name of a field.
pub(super) fn field_of(focus: Focus) -> Option<Field> {
    Some(match focus {
        Focus::Expires => Field::Expiry,
        Focus::AddScopes => Field::Scopes,
        Focus::Allow => Field::Allow,
        Focus::Owner => Field::Owner,
        Focus::Tag => Field::Tags,
        Focus::NotBefore => Field::NotBefore,
        Focus::RevokeAt => Field::RevokeAt,
        Focus::RemoveScopes | Focus::Disallow | Focus::Mail | Focus::Untag | Focus::Count => return None,
    })
}
