//! Hygiene: what an admin tidies week by week. Each card is a filter, so that its count and the list that it opens are one
//! and the same question.

use strum::{EnumString, IntoStaticStr, VariantArray};

use super::query::Query;

/// One thing to tidy. The word of each is its id on the command line and in JSON.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumString,
    IntoStaticStr,
    VariantArray,
    strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Card {
    NeverExpires,
    #[strum(serialize = "unused-90d")]
    Unused90Days,
    #[strum(serialize = "never-used-30d")]
    NeverUsed30Days,
    RotationDue,
    UnusedScopes,
    Anywhere,
    NoOwner,
    CreatorGone,
    ViolatesPolicy,
    NotConfirmed,
}

impl Card {
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The spelling on the command line.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::NeverExpires => "Never expires",
            Self::Unused90Days => "Unused for 90 days",
            Self::NeverUsed30Days => "Never used in 30 days",
            Self::RotationDue => "Over its rotation",
            Self::UnusedScopes => "Scopes never used",
            Self::Anywhere => "From anywhere",
            Self::NoOwner => "No owner",
            Self::CreatorGone => "Creator gone",
            Self::ViolatesPolicy => "Violates the policy",
            Self::NotConfirmed => "Not confirmed",
        }
    }

    /// What is wrong with such keys, and what helps.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NeverExpires => "A key without expiry works until somebody revokes it. Give it one.",
            Self::Unused90Days => {
                "Not used for 90 days; if never used, counted from its creation. Ask its owner, then revoke it."
            }
            Self::NeverUsed30Days => "Created at least 30 days ago and never used. Revoke it.",
            Self::RotationDue => "Older than its policy's rotation period and not replaced. Rotate it.",
            Self::UnusedScopes => "It has scopes that it never used.",
            Self::Anywhere => "It works from any address. Name the networks that use it.",
            Self::NoOwner => "It has no owner. Name one.",
            Self::CreatorGone => {
                "The person who created it no longer has a role. Give it an owner, or revoke it."
            }
            Self::ViolatesPolicy => "Its policy would refuse it today. Edit, rotate or revoke it.",
            Self::NotConfirmed => "Nobody confirmed its secret or used it. It expires automatically.",
        }
    }

    /// What it asks of the keys that have not ended; `None` where nothing records it.
    pub fn asks(self) -> Option<&'static str> {
        Some(match self {
            Self::NeverExpires => "expires:never",
            Self::Unused90Days => "idle:90d",
            Self::NeverUsed30Days => "used:never created:>30d",
            Self::RotationDue => "rotation:due",
            // Gates note when, from where and by which endpoint a key was used, but not by which of its scopes.
            Self::UnusedScopes => return None,
            Self::Anywhere => "network:any",
            Self::NoOwner => "owner:none",
            Self::CreatorGone => "creator:gone",
            Self::ViolatesPolicy => "violates:policy",
            Self::NotConfirmed => "used:never acknowledged:no",
        })
    }

    /// The filter that shows its keys: those that have not ended, that fit it, and that `within` fits too.
    pub fn filter(self, within: &Query) -> Option<String> {
        let asks = self.asks()?;
        let mut filter = format!("{LIVING} {asks}");
        if !within.terms.is_empty() {
            filter.push_str(&format!(" {within}"));
        }
        Some(filter)
    }

    /// Whether it rests on the use of keys, which gates record. What nobody confirmed is told apart from what was used by
    /// its confirmation.
    pub fn asks_use(self) -> bool {
        matches!(self, Self::Unused90Days | Self::NeverUsed30Days)
    }
}

/// The filter of the keys that have not ended.
const LIVING: &str = "-status:ended";

/// Why a card has no count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Gates record no use of scopes.
    Scopes,
    /// No use of any key was ever recorded here: no gate runs, or none was asked.
    Use,
    /// Counting took too long.
    Late,
}

impl Unknown {
    /// Two or three words for the place of the number.
    pub fn short(self) -> &'static str {
        match self {
            Self::Scopes => "not recorded",
            Self::Use => "no use recorded",
            Self::Late => "not counted",
        }
    }

    /// The whole sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Scopes => "Not recorded: gates note when a key was used, not with which of its scopes.",
            Self::Use => "Unknown: no gate has recorded the use of any key.",
            Self::Late => {
                "Not counted: it took longer than 20 seconds. Try again when the database is less busy."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::when::Here;

    #[test]
    fn kr_12_every_card_is_a_filter_that_can_be_read() {
        let here = Here::utc(chrono::DateTime::UNIX_EPOCH);
        for card in Card::ALL {
            assert_eq!(card.as_str().parse(), Ok(*card));
            if let Some(filter) = card.filter(&Query::default()) {
                let query = Query::parse(&filter, here).unwrap();
                assert!(query.mentions_status(), "{card:?} leaves out what has ended in words");
                let again = Query::parse(&query.to_string(), here);
                assert_eq!(again, Ok(query));
            }
            assert!(!card.title().is_empty() && card.advice().ends_with('.'));
        }
        let within = Query::parse("issuer:voxpria", here).unwrap();
        let narrowed = Card::NoOwner.filter(&within);
        assert_eq!(narrowed.as_deref(), Some("-status:ended owner:none issuer:voxpria"));
    }
}
