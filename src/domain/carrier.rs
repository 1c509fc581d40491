//! Which way a key came.

/// Which header carried a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// `Authorization: Bearer`
    Bearer,
    /// `X-API-Key`
    ApiKey,
    /// No header: the key was handed over to be checked.
    Direct,
}

impl Carrier {
    /// The header as people know it.
    pub fn header(self) -> &'static str {
        match self {
            Self::Bearer => "Authorization: Bearer",
            Self::ApiKey => "X-API-Key",
            Self::Direct => "no header",
        }
    }
}
