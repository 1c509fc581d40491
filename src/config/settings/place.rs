//! The folders that Keyrack keeps to.

use std::path::PathBuf;

use etcetera::BaseStrategy;

/// Where files are looked for and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Settings for everybody on this machine.
    pub system: PathBuf,
    /// Settings of this person; `None` where there is no home.
    pub config: Option<PathBuf>,
    /// The default database's folder.
    pub data: PathBuf,
    /// The folder of the log, and of what is remembered of databases. A service's is the one that systemd gave it.
    pub state: PathBuf,
}

impl Places {
    /// The folders of this system and this person. `KEYRACK_CONFIG_DIR` names another folder for settings.
    pub fn of_system(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let base = super::base_folders();
        let below = |folder: Option<PathBuf>| folder.map(|folder| folder.join("keyrack"));
        let data = below(base.as_ref().map(BaseStrategy::data_dir)).unwrap_or_else(|| PathBuf::from("."));
        let state = below(base.as_ref().and_then(BaseStrategy::state_dir)).unwrap_or_else(|| data.clone());
        let given = environment("STATE_DIRECTORY").unwrap_or_default();
        let given = given.split(':').next().filter(|folder| !folder.is_empty());
        let state = given.map_or(state, PathBuf::from);
        let config = environment("KEYRACK_CONFIG_DIR")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
            .or_else(|| below(base.as_ref().map(BaseStrategy::config_dir)));
        Self { system: PathBuf::from("/etc/keyrack"), config, data, state }
    }

    /// The folder with what is remembered of databases.
    pub fn memory(&self) -> PathBuf {
        self.state.join("memory")
    }

    /// The folder with this person's own themes.
    pub fn themes(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|folder| folder.join("themes"))
    }
}
