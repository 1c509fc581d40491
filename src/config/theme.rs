//! Themes: what each role on the screen looks like. No terminal library in here; the console translates.

use std::path::{Path, PathBuf};

use super::document::{ConfigError, Result, Text, Value, nearest};

mod colour;
mod role;
#[cfg(test)]
mod tests;

pub use colour::Colour;
pub use role::Role;

/// How one role looks. `None` leaves what lies below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub fg: Option<Colour>,
    pub bg: Option<Colour>,
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underline: bool,
    pub reverse: bool,
}

/// A look for every role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    pub name: String,
    pub description: String,
    looks: [Look; Role::ALL.len()],
}

/// The themes inside the program: name and file.
const EMBEDDED: [(&str, &str); 5] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
    ("terminal-16", include_str!("../../themes/terminal-16.toml")),
];

/// How many themes may stand behind one another.
const DEPTH: usize = 8;

impl Theme {
    pub fn look(&self, role: Role) -> Look {
        self.looks[role as usize]
    }

    /// The names of all themes: those of the program, then a person's own from `folder` in alphabetical order.
    pub fn names(folder: Option<&Path>) -> Vec<String> {
        let mut names: Vec<String> = EMBEDDED.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut own: Vec<String> = folder
            .and_then(|folder| std::fs::read_dir(folder).ok())
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let is_toml = path.extension().is_some_and(|extension| extension == "toml");
                // A name that is no text is listed all the same, so that somebody is told that it can't be loaded.
                is_toml.then(|| path.file_stem().map(|stem| stem.to_string_lossy().into_owned())).flatten()
            })
            .filter(|name| !names.contains(name))
            .collect();
        own.sort();
        names.append(&mut own);
        names
    }

    /// Reads a theme by name: a person's own file outranks the program's theme of the same name.
    pub fn load(name: &str, folder: Option<&Path>) -> Result<Self> {
        let mut theme =
            Self { name: name.to_owned(), description: String::new(), looks: [Look::default(); _] };
        theme.apply_named(name, folder, None, 0)?;
        theme.name = name.to_owned();
        Ok(theme)
    }

    /// Applies the theme `name` over what is there. `from` is the file that inherits it.
    fn apply_named(
        &mut self,
        name: &str,
        folder: Option<&Path>,
        from: Option<&str>,
        depth: usize,
    ) -> Result<()> {
        let embedded = EMBEDDED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
        // A file of one's own called "dark" may inherit the program's "dark".
        let own = folder.filter(|_| is_name(name) && from != Some(name)).and_then(|folder| {
            let path = folder.join(format!("{name}.toml"));
            match std::fs::read_to_string(&path) {
                Ok(text) => Some(Ok((path, text))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => Some(Err(ConfigError {
                    file: Some(path),
                    line: None,
                    reason: format!("can't be read: {error}"),
                })),
            }
        });
        match (own, embedded) {
            (Some(own), _) => {
                let (path, text) = own?;
                self.apply(Text { file: &path, text: &text }, name, folder, depth)
            }
            (None, Some(text)) => {
                let path = PathBuf::from(format!("themes/{name}.toml"));
                self.apply(Text { file: &path, text }, name, None, depth)
            }
            (None, None) => {
                let names = Self::names(folder);
                let hint = nearest(name, names.iter().map(String::as_str)).map_or_else(
                    || format!("Known are {}", names.join(", ")),
                    |near| format!("Did you mean `{near}`?"),
                );
                Err(ConfigError::new(format!("there is no theme `{name}`. {hint}")))
            }
        }
    }

    fn apply(&mut self, source: Text<'_>, name: &str, folder: Option<&Path>, depth: usize) -> Result<()> {
        let table = source.parse()?;
        let members = source.members(&table);
        let mut palette = Vec::new();
        // What is inherited comes first, then the palette, wherever they stand in the file.
        for member in &members {
            match member.key {
                "inherits" => {
                    let base = member.str()?;
                    if depth >= DEPTH {
                        return Err(member
                            .at
                            .error(format!("`inherits` is circular or deeper than {DEPTH} themes")));
                    }
                    self.apply_named(base, folder, Some(name), depth + 1).map_err(|error| {
                        if error.file.is_some() { error } else { member.at.error(error.reason) }
                    })?;
                }
                "description" => member.str().map(drop)?,
                "palette" => palette = read_palette(source, member)?,
                "roles" => {}
                other => {
                    return Err(member.at.error(format!(
                        "a theme has description, inherits, [palette] and [roles], not `{other}`"
                    )));
                }
            }
        }
        for member in &members {
            match member.key {
                "description" => self.description = member.str()?.to_owned(),
                "roles" => self.apply_roles(source, member, &palette)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn apply_roles(
        &mut self,
        source: Text<'_>,
        roles: &Value<'_, '_>,
        palette: &[(&str, Colour)],
    ) -> Result<()> {
        for member in source.members(roles.table()?) {
            let Ok(role) = member.key.parse::<Role>() else {
                let hint = nearest(member.key, Role::ALL.iter().map(|role| role.as_str()))
                    .map_or_else(String::new, |near| format!(". Did you mean `{near}`?"));
                return Err(member.at.error(format!("there is no role `{}`{hint}", member.key)));
            };
            self.looks[role as usize] = read_look(source, &member, palette)?;
        }
        Ok(())
    }
}

/// Whether a theme's name can be a file's name and nothing else.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

fn read_palette<'v, 't>(source: Text<'t>, palette: &Value<'v, 't>) -> Result<Vec<(&'v str, Colour)>> {
    source
        .members(palette.table()?)
        .into_iter()
        .map(|member| Ok((member.key, read_colour(&member, member.str()?, &[])?)))
        .collect()
}

/// Reads `"colour"` or `{ fg, bg, bold, dim, italic, underline, reverse }`.
fn read_look(source: Text<'_>, member: &Value<'_, '_>, palette: &[(&str, Colour)]) -> Result<Look> {
    if member.value.is_str() {
        return Ok(Look { fg: Some(read_colour(member, member.str()?, palette)?), ..Look::default() });
    }
    let mut look = Look::default();
    for part in source.members(member.table()?) {
        match part.key {
            "fg" => look.fg = Some(read_colour(&part, part.str()?, palette)?),
            "bg" => look.bg = Some(read_colour(&part, part.str()?, palette)?),
            "bold" => look.bold = part.bool()?,
            "dim" => look.dim = part.bool()?,
            "italic" => look.italic = part.bool()?,
            "underline" => look.underline = part.bool()?,
            "reverse" => look.reverse = part.bool()?,
            other => {
                return Err(part.at.error(format!(
                    "a role has fg, bg, bold, dim, italic, underline and reverse, not `{other}`"
                )));
            }
        }
    }
    Ok(look)
}

fn read_colour(member: &Value<'_, '_>, text: &str, palette: &[(&str, Colour)]) -> Result<Colour> {
    palette
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, colour)| *colour)
        .or_else(|| Colour::parse(text))
        .ok_or_else(|| {
            member.at.error(format!(
                "{text:?} is no colour: write #rrggbb, a number from 0 to 255, a name such as bright-blue, \
                 or a name of the [palette]"
            ))
        })
}
