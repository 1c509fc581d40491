//! `keyrack import`: keys that another product made.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use strum::VariantArray as _;

use super::failure::{Exit, Failure, Result};
use super::output::Format;
use super::session::{Session, insist};
use super::{count, say};
use crate::domain::import::{Form, Part};
use crate::domain::secret::version_of;
use crate::domain::text::thousands;
use crate::service::{ImportOrder, Imported, Table, foreign_table, new_operation, table_of};

/// Rows in error that are told to a person; all of them are in the JSON.
const TOLD: usize = 20;
/// What a SQLite database begins with.
const SQLITE: &[u8] = b"SQLite format 3\0";

#[derive(Debug, Args)]
#[command(
    after_help = "The keys keep their secrets and work immediately. Gates look up only keys that match a former form of the issuer's policy: put\n\
                  former = [{ length = 48, hash = \"sanctum\" }] below [format] first, with a prefix or a length, or both.\n\
                  Nothing is imported if a row has an error, unless --skip-errors skips such rows. Importing again does no harm.\n\
                  Exit codes: 0 done, 5 a row has an error or a cap is reached."
)]
pub struct Arguments {
    /// The source: sha256 and sha512 are hashes of whole keys; prefixed are hashes of the last part of
    /// prefix_short_long; keyrack is the output of `keyrack export`
    #[arg(value_name = "FORM", value_parser = clap::builder::PossibleValuesParser::new(Form::VARIANTS.iter().map(|form| form.as_str())))]
    form: String,
    /// CSV, JSON, one JSON object per line, or the product's SQLite database; - for standard input
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// The account that receives the keys
    #[arg(short, long, value_name = "SLUG")]
    account: String,
    /// The column that holds a field: hash, short, id, name, description, owner, scopes, expires, last-used,
    /// created, prefix, start, tail, enabled or revoked. An empty column leaves the field out
    #[arg(long = "map", value_name = "FIELD=COLUMN", value_parser = mapping)]
    map: Vec<(Part, String)>,
    /// The table of the SQLite database, if it isn't the product's default
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// The hashes are HMAC-SHA-256 with this pepper from the --peppers folder
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pepper: Option<u16>,
    /// From a Keyrack export: only the keys of this account
    #[arg(long, value_name = "SLUG")]
    from_account: Option<String>,
    /// Skip rows with errors and import the others
    #[arg(long)]
    skip_errors: bool,
}

fn mapping(text: &str) -> std::result::Result<(Part, String), String> {
    let (field, column) = text.split_once('=').ok_or("write FIELD=COLUMN")?;
    let all = || Part::VARIANTS.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(", ");
    let part = field.parse().map_err(|_| format!("unknown field {field:?}. The fields are {}", all()))?;
    Ok((part, column.to_owned()))
}

fn version(text: &str) -> std::result::Result<u16, String> {
    version_of(text).ok_or_else(|| "write v and a number, such as v1".to_owned())
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let form: Form = arguments.form.parse().map_err(|_| Failure::usage("unknown form"))?;
    let table = table(form, &arguments).await?;
    let service = session.service().await?;
    let order = ImportOrder {
        operation: new_operation(),
        form,
        table,
        columns: arguments.map,
        pepper: arguments.pepper,
        account: arguments.account.clone(),
        from_account: arguments.from_account,
        skip_errors: arguments.skip_errors,
    };
    let imported = if session.global.dry_run {
        service.trying().import_keys(order).await?
    } else {
        insist(|| service.import_keys(order.clone())).await?
    };
    told(&imported, &arguments.account, arguments.skip_errors, session)?;
    match imported.refused.len() as u64 {
        0 => Ok(()),
        _ if arguments.skip_errors => Ok(()),
        errors => Err(Failure::new(
            Exit::Refused,
            format!(
                "{}, so nothing was imported. Fix the table, or pass --skip-errors to import the other {}",
                if errors == 1 {
                    "a row has an error".to_owned()
                } else {
                    format!("{} rows have errors", thousands(errors))
                },
                thousands(imported.held_back)
            ),
        )),
    }
}

async fn table(form: Form, arguments: &Arguments) -> Result<Table> {
    let path = &arguments.file;
    let unread = |error: std::io::Error| Failure::usage(format!("{} can't be read: {error}", path.display()));
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(unread)?;
        bytes
    } else {
        std::fs::read(path).map_err(unread)?
    };
    if bytes.starts_with(SQLITE) {
        let table = arguments.table.as_deref().or(form.table());
        let table = table.ok_or_else(|| Failure::usage("name the table that has the keys: --table TABLE"))?;
        return Ok(foreign_table(path, table).await?);
    }
    table_of(&bytes).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))
}

fn told(imported: &Imported, account: &str, skips: bool, session: &Session) -> Result {
    if matches!(session.format(), Format::Json | Format::Ndjson) {
        let document = json!({
            "imported": imported.imported,
            "existing": imported.existing,
            "ended": imported.ended,
            "refused": imported.refused,
        });
        let text = match session.format() {
            Format::Json => format!("{document:#}"),
            _ => document.to_string(),
        };
        let mut out = std::io::stdout().lock();
        let written = writeln!(out, "{text}").and_then(|()| out.flush());
        return written.map_err(|error| Failure::output(&error));
    }
    for refused in imported.refused.iter().take(TOLD) {
        say(&format!("line {}: {}", refused.line, refused.why));
    }
    if let Some(more) = imported.refused.len().checked_sub(TOLD).filter(|more| *more > 0) {
        say(&format!("{} with errors: --json lists all", count(more as u64, "more row")));
    }
    if !imported.refused.is_empty() && !skips {
        return Ok(());
    }
    let would = if session.global.dry_run { "would be " } else { "" };
    let mut words = format!("{} {would}imported into {account}", keys(imported.imported));
    if imported.existing > 0 {
        words.push_str(&format!(", {} there already", thousands(imported.existing)));
    }
    if imported.ended > 0 {
        words.push_str(&format!(", {} left out that had ended", thousands(imported.ended)));
    }
    if !imported.refused.is_empty() {
        words.push_str(&format!(", {} refused", thousands(imported.refused.len() as u64)));
    }
    session.remark(&format!("{words}."));
    Ok(())
}

fn keys(number: u64) -> String {
    format!("{} {}", thousands(number), if number == 1 { "key" } else { "keys" })
}
