//! Peppers: which are at hand, which are needed, and what follows where one is missing.

use std::sync::Arc;

use super::{Error, Result, Service};
use crate::domain::credential::Directory;
use crate::domain::issuer::Issuer;
use crate::domain::secret::{Lack, PepperId, Peppers, Scheme};

/// Keys of one pepper that are counted.
const COUNTED: u32 = 100_000;

/// What is at hand, or why that can't be told: a mistake there ends nothing but what needs a pepper.
#[derive(Clone, Debug, Default)]
pub(super) struct Keyring {
    peppers: Peppers,
    fault: Option<String>,
    /// What was missing when the database was opened, for who is told of it then.
    trouble: Option<String>,
}

/// A pepper, and the living keys that need it: counted up to [`COUNTED`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PepperUse {
    pub version: u16,
    pub keys: u64,
    /// Why it can't be used here.
    pub lack: Option<Lack>,
}

impl Service {
    /// Works with these peppers; where they can't be read, with none, and says why where one is needed.
    #[must_use]
    pub fn with_peppers(self, peppers: std::result::Result<Peppers, String>) -> Self {
        let keyring = match peppers {
            Ok(peppers) => Keyring { peppers, ..Keyring::default() },
            Err(why) => Keyring { fault: Some(why), ..Keyring::default() },
        };
        Self { keyring: Arc::new(keyring), ..self }
    }

    /// The same, and knows from now on what is missing: see [`Self::missing_pepper`].
    pub async fn knowing_peppers(self) -> Self {
        let trouble = self.pepper_trouble().await.unwrap_or_default();
        let Keyring { peppers, fault, .. } = (*self.keyring).clone();
        Self { keyring: Arc::new(Keyring { peppers, fault, trouble }), ..self }
    }

    /// What was missing when it was looked for, in words.
    pub fn missing_pepper(&self) -> Option<&str> {
        self.keyring.trouble.as_deref()
    }

    pub(super) fn peppers(&self) -> &Peppers {
        &self.keyring.peppers
    }

    /// The pepper of this version, which is to be at hand.
    pub(super) fn pepper(&self, version: u16) -> Result<PepperId> {
        if let Some(why) = &self.keyring.fault {
            return Err(Error::Refused(why.clone()));
        }
        let own = self.peppers().ids().find(|pepper| pepper.version == version);
        own.ok_or_else(|| {
            Error::Refused(format!(
                "pepper v{version} is missing here: add its file to the folder that --peppers names"
            ))
        })
    }

    /// The policies, arranged for finding keys by their secrets.
    pub(super) fn directory(&self, issuers: &[Issuer]) -> Directory {
        let policies = issuers.iter().map(|issuer| Arc::new(issuer.policy.clone()));
        Directory::new(policies).with_peppers(self.peppers())
    }

    /// What the secrets of new keys are hashed with.
    ///
    /// # Errors
    /// Living keys were hashed with a newer pepper than is at hand, or with another one: what was made now would be worth less,
    /// or work nowhere.
    pub(super) async fn sealing(&self) -> Result<Peppers> {
        let peppers = self.readable()?;
        may_seal(peppers, &self.inner.store.peppered(self.now().await?, 1).await?)?;
        Ok(peppers.clone())
    }

    /// The peppers at hand.
    ///
    /// # Errors
    /// They can't be read.
    pub(super) fn readable(&self) -> Result<&Peppers> {
        match &self.keyring.fault {
            Some(why) => Err(Error::Refused(why.clone())),
            None => Ok(self.peppers()),
        }
    }

    /// The peppers that living keys need and that are not at hand, in words; nothing where none is missing. To be told where
    /// keys are looked for by their secrets, which are not found then.
    pub async fn pepper_trouble(&self) -> Result<Option<String>> {
        let used = self.inner.store.peppered(self.now().await?, 1).await?;
        Ok(self.trouble(&used))
    }

    fn trouble(&self, used: &[(Scheme, u64)]) -> Option<String> {
        let lacks = self.peppers().lacks(used);
        if lacks.is_empty() {
            return self.keyring.fault.clone();
        }
        let told: Vec<String> = lacks.iter().map(Lack::to_string).collect();
        let fault = self.keyring.fault.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        Some(format!(
            "{}{fault}: keys that were hashed with it can't be found by their secrets here",
            told.join(", ")
        ))
    }

    /// Each pepper that is at hand or that living keys need, the newest first. For `doctor`.
    pub async fn pepper_uses(&self) -> Result<std::result::Result<Vec<PepperUse>, String>> {
        let used = self.inner.store.peppered(self.now().await?, COUNTED).await?;
        if let Some(why) = &self.keyring.fault {
            return Ok(Err(why.clone()));
        }
        let of = |(scheme, keys): &(Scheme, u64)| match scheme {
            Scheme::Hmac(pepper) => Some(PepperUse {
                version: pepper.version,
                keys: *keys,
                lack: self.peppers().can_find(*scheme).err(),
            }),
            _ => None,
        };
        let mut uses: Vec<PepperUse> = used.iter().filter_map(of).collect();
        for own in self.peppers().ids() {
            if !uses.iter().any(|known| known.version == own.version && known.lack.is_none()) {
                uses.push(PepperUse { version: own.version, keys: 0, lack: None });
            }
        }
        uses.sort_by_key(|pepper| std::cmp::Reverse(pepper.version));
        Ok(Ok(uses))
    }
}

/// Refuses new keys with less than the newest pepper that living keys have.
pub(super) fn may_seal(peppers: &Peppers, used: &[(Scheme, u64)]) -> Result<()> {
    peppers.may_seal(used).map_err(|lack| {
        Error::Refused(format!(
            "no key can be created here: {lack}, and keys in this database are hashed with it. Name the folder of the peppers \
             with --peppers DIR or the setting peppers"
        ))
    })
}
