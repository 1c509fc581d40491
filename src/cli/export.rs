//! `keyrack export`: everything, for leaving.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::{Failure, Result};
use super::session::{Session, insist};
use super::{count, files};
use crate::domain::key::KeyId;
use crate::service::{Service, new_operation};

#[derive(Debug, Args)]
#[command(
    after_help = "One JSON object per line: issuers, accounts, and keys with the hashes of their secrets.\n\
                  It holds no secrets, but protect it like the database. `keyrack import keyrack FILE` imports its keys.\n\
                  The audit records who exported it.\n\
                  To encrypt it: keyrack export - | age -r age1… > keys.ndjson.age"
)]
pub struct Arguments {
    /// The file to create, with mode 0600; - for standard output
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
}

pub async fn run(arguments: &Arguments, session: &Session) -> Result {
    let path = &arguments.file;
    let unmade =
        |error: std::io::Error| Failure::usage(format!("{} can't be created: {error}", path.display()));
    let service = session.service().await?;
    let to_stdout = path == Path::new("-");
    if session.global.dry_run {
        if !to_stdout {
            files::can_be_made(path).map_err(unmade)?;
        }
        service.trying().export_begin(new_operation()).await?;
        session.remark(&format!("Everything would be written to {}.", path.display()));
        return Ok(());
    }
    let operation = new_operation();
    if to_stdout {
        let head = insist(|| service.export_begin(operation)).await?;
        let mut out = std::io::stdout();
        write(&mut out, &head, service).await?;
        return Ok(());
    }
    files::can_be_made(path).map_err(unmade)?;
    let part = Part::beside(path);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part.0).map_err(unmade)?;
    let head = insist(|| service.export_begin(operation)).await?;
    let mut out = BufWriter::new(&file);
    let keys = write(&mut out, &head, service).await?;
    drop(out);
    file.sync_all().map_err(unmade)?;
    part.becomes(path).map_err(unmade)?;
    session.remark(&format!("{} written to {}.", count(keys, "key"), path.display()));
    Ok(())
}

/// What is being written, beside its place: only the whole of it comes under the name. Gone when this is.
struct Part(PathBuf);

impl Part {
    fn beside(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self(path.with_file_name(format!(".{name}.{:08x}.part", rand::random::<u32>())))
    }

    /// Gives it its name, unless something has that by now.
    fn becomes(&self, path: &Path) -> std::io::Result<()> {
        match std::fs::hard_link(&self.0, path) {
            // Not every file system has a second name for a file.
            Err(error)
                if error.kind() != std::io::ErrorKind::AlreadyExists && path.symlink_metadata().is_err() =>
            {
                std::fs::rename(&self.0, path)?;
            }
            linked => linked?,
        }
        // The name lasts too.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn write(out: &mut impl Write, head: &str, service: &Service) -> Result<u64> {
    let broken = |error: std::io::Error| Failure::output(&error);
    out.write_all(head.as_bytes()).map_err(broken)?;
    let (mut after, mut all) = (KeyId::nil(), 0);
    while let Some((text, keys, last)) = service.export_keys(after).await? {
        out.write_all(text.as_bytes()).map_err(broken)?;
        (after, all) = (last, all + keys);
    }
    // Who reads it sees by this line that nothing is missing.
    writeln!(out, "{}", serde_json::json!({ "kind": "end", "keys": all })).map_err(broken)?;
    out.flush().map_err(broken)?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kr_15_a_part_of_an_export_never_has_its_name() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("all.ndjson");
        let there = || std::fs::read_dir(home.path()).unwrap().count();
        let part = |text: &str| {
            let part = Part::beside(&path);
            std::fs::write(&part.0, text).unwrap();
            part
        };
        drop(part("broken off"));
        assert_eq!(there(), 0);
        part("whole").becomes(&path).unwrap();
        assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), there()), ("whole", 1));
        // What came under the name meanwhile stays.
        assert!(part("another").becomes(&path).is_err());
        assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), there()), ("whole", 1));
    }
}
