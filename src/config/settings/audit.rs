//! The `[audit]` table: where gates and the reminder service anchor the audit while they run. A mistake in it is kept, not
//! thrown, as those below `[gate]` are.

use std::path::PathBuf;
use std::time::Duration;

use super::super::document::{ConfigError, Result};
use super::codec::{Codec, PATH, TEXT, TIME};
use super::row::Row;
use super::setting::Setting;
use super::table::Table;
use crate::domain::endpoint::place as masked;

/// Some receivers have a token in the path, which is nobody's business.
const PLACE: Codec<String> = Codec::new(
    "PLACE",
    |text| Ok(text.to_owned()),
    |place| if place.contains("://") { masked(place) } else { place.clone() },
);

macro_rules! audit {
    ($how:ident $field:ident: $codec:expr, $doc:literal) => {
        super::row::row!(AuditTable, "audit.", "keyrack_audit_", $how $field: $codec, $doc)
    };
}

/// Every setting.
const ROWS: &[Row<AuditTable>] = &[
    audit!(some anchor_to: PLACE, "Where anchors go: a file, `syslog:`, `syslog://host:514`, `syslog+tcp://host:601`, or `https://host/path`"),
    audit!(some anchor_key_file: PATH, "A file of mode 0600, or a credential of systemd, with the key that anchors are signed with")
        .secret(&["anchor-key", "anchor-secret"]),
    audit!(one anchor_every: TIME, "How often gates and `reminders watch` anchor while they run").default("1h"),
    audit!(many anchor_public_key: TEXT, "The public keys that `audit verify --anchors` trusts").hint("KEY"),
];

pub const AUDIT: Table<AuditTable> = Table {
    name: "audit",
    rows: ROWS,
    tables: &[],
    elsewhere: &[],
    instead: |_| "put it into a file of mode 0600 and name that with `anchor-key-file`".to_owned(),
};

/// What is told of anchors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditTable {
    /// May hold a token: not to be shown whole.
    pub anchor_to: Setting<Option<String>>,
    pub anchor_key_file: Setting<Option<PathBuf>>,
    pub anchor_every: Setting<Duration>,
    pub anchor_public_key: Setting<Vec<String>>,
    /// What can't be read, in the order of reading.
    pub mistakes: Vec<ConfigError>,
}

impl AuditTable {
    /// Forgets where anchors go: a demo tells nobody.
    pub fn keep_to_itself(&mut self) {
        self.anchor_to = Setting::default();
    }

    /// Whether the settings can be used; looks at no file. The first mistake is told with its place.
    pub fn check(&self) -> Result<()> {
        if let Some(mistake) = self.mistakes.first() {
            return Err(mistake.clone());
        }
        match (&self.anchor_to, &self.anchor_key_file) {
            (to, key) if to.value.is_some() && key.value.is_none() => {
                Err(to.source.error("anchors have a place and no key: set `anchor-key-file` too"))
            }
            _ => Ok(()),
        }
    }
}
