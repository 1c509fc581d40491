//! The database of `--demo`: private, full of realistic keys, and gone with the program.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use super::super::failure::{Exit, Failure, Result};
use crate::service::{self, Service};

/// How many keys it holds.
const KEYS: u64 = 240;
/// What the keys are drawn from: the same ones every time.
const SEED: u64 = 1;

/// A folder of mode 0700 that is removed when this is dropped.
pub struct Throwaway(PathBuf);

impl Throwaway {
    pub fn new() -> Result<Self> {
        // Short, because a person goes there to read the demo's letters. A name that is taken is refused, not shared.
        let name = format!("keyrack-demo-{:08x}", rand::random::<u32>());
        let folder = std::env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&folder).map_err(|error| {
            Failure::new(Exit::Failure, format!("{} can't be created: {error}. Set TMPDIR", folder.display()))
        })?;
        Ok(Self(folder))
    }

    /// The database's address.
    pub fn address(&self) -> String {
        self.0.join("demo.db").display().to_string()
    }

    /// The folder for letters. It goes with the rest.
    pub fn mail(&self) -> PathBuf {
        self.0.join("mail")
    }

    pub fn remove(&self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Fills it.
pub async fn fill(service: &Service) -> service::Result<()> {
    service.demo(KEYS, SEED, |_| ()).await?;
    Ok(())
}
