//! The columns that the table of keys can have.

use strum::{EnumString, IntoStaticStr, VariantArray};

/// A column of the table. More of them than can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Field {
    Status,
    Name,
    Account,
    Owner,
    Tags,
    Issuer,
    Preview,
    Scopes,
    Allow,
    CreatedBy,
    Created,
    Expires,
    /// A sparkline of the last 24 hours.
    Usage,
    Used,
}

impl Field {
    /// From left to right.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name in files.
    pub fn id(self) -> &'static str {
        self.into()
    }

    /// Columns by their names, with commas or blanks between; their order is the table's.
    ///
    /// # Errors
    /// In words, at the first name that is none.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let names = text.split([',', ' ']).filter(|name| !name.is_empty());
        let parse = |name: &str| {
            name.to_lowercase().parse().map_err(|_| {
                let all: Vec<&str> = Self::ALL.iter().map(|field| field.id()).collect();
                format!("unknown column {name:?}. Known are {}", all.join(", "))
            })
        };
        let mut fields: Vec<Self> = names.map(parse).collect::<Result<_, String>>()?;
        fields.sort_by_key(|field| *field as usize);
        fields.dedup();
        Ok(fields)
    }

    /// Their names, as [`Self::parse_all`] reads them.
    pub fn names(fields: &[Self]) -> String {
        fields.iter().map(|field| field.id()).collect::<Vec<_>>().join(", ")
    }
}
