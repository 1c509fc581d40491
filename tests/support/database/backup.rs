//! Backups of a test's database, put back under its name as an admin does it.

use super::{Database, Kind, OWNER, run, superuser};

impl Database {
    /// Takes a backup. Nobody may be connected.
    pub async fn back_up(&self) {
        match &self.kind {
            Kind::Sqlite(_) => self.execute(&format!("VACUUM INTO '{}'", self.aside().display())).await,
            Kind::Postgres { sockets, name } => {
                let mut root = superuser(sockets, "postgres").await;
                run(&mut root, &cut_off(name)).await;
                run(&mut root, &format!("CREATE DATABASE {name}_backup TEMPLATE {name} OWNER {OWNER}")).await;
            }
        }
    }

    /// Puts the backup in the place of the database, whoever is connected.
    pub async fn restore(&self) {
        match &self.kind {
            Kind::Sqlite(path) => {
                for end in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(format!("{}{end}", path.display()));
                }
                std::fs::copy(self.aside(), path).unwrap();
            }
            Kind::Postgres { sockets, name } => {
                let mut root = superuser(sockets, "postgres").await;
                run(&mut root, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
                run(&mut root, &format!("CREATE DATABASE {name} TEMPLATE {name}_backup OWNER {OWNER}")).await;
            }
        }
    }

    fn aside(&self) -> std::path::PathBuf {
        self.dir().join("backup.db")
    }
}

fn cut_off(name: &str) -> String {
    format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
}
