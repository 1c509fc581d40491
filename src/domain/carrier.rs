//! Which way a key came.

/// Which header carried a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::IntoStaticStr)]
pub enum Carrier {
    #[strum(serialize = "Authorization: Bearer")]
    Bearer,
    #[strum(serialize = "X-API-Key")]
    ApiKey,
    /// No header: the key was handed over to be checked.
    #[strum(serialize = "no header")]
    Direct,
}

impl Carrier {
    /// The header as people know it.
    pub fn header(self) -> &'static str {
        self.into()
    }
}
