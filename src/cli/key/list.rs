//! `keyrack key list`: pages of the table, as a stream.

use std::io::Write;

use clap::Args;

use super::super::failure::Result;
use super::super::filter;
use super::super::output::{PAGE, Printer, Shape};
use super::super::session::Session;
use super::which::{self, Which};
use crate::domain::key::Key;
use crate::domain::query::{Cursor, Query, Sort};
use crate::service::{From, PageRequest, Service};

#[derive(Debug, Args)]
#[command(
    group = which::at_most_one(),
    after_help = "For a spreadsheet: keyrack key list --filter account:acme -o csv --bom --columns name,owner,expires_at,last_used_at"
)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Sort column: status, name, account, preview, scopes, created, expires, used or by; add :asc or :desc
    #[arg(short, long, value_name = "COLUMN[:desc]", default_value = "created:desc")]
    sort: Sort,
    /// At most this many keys; 0 for all. Default for a table on a terminal: 50
    #[arg(short, long, value_name = "N")]
    limit: Option<u64>,
    /// Continue after this place, as an earlier list printed it
    #[arg(long, value_name = "CURSOR", conflicts_with_all = ["ids", "ids_from"])]
    after: Option<String>,
    #[command(flatten)]
    shape: Shape,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let format = session.format();
    if arguments.which.filter.is_none() && arguments.which.is_given() {
        return named(&arguments, session).await;
    }
    let filter = arguments.which.filter.unwrap_or_default();
    let query = filter::query(&filter, session)?;
    let from = match &arguments.after {
        None => From::Start,
        Some(text) => From::After(filter::place(text, "key list")?),
    };
    let wanted = format.rows(arguments.limit);
    let service = session.service().await?;
    let printer = arguments.shape.of::<Key, _>(session.printer())?;
    let (printed, next) = print(printer, service, &query, arguments.sort, from, wanted).await?;
    if let Some(cursor) = next {
        session.remark(&format!(
            "More keys follow: continue with --after '{}', or see all with --limit 0",
            cursor
        ));
    } else if printed == 0 && format.for_people() {
        session.remark(if filter.is_empty() { "No API keys yet." } else { "No key matches the filter." });
    }
    Ok(())
}

/// Prints at most `wanted` of the keys that fit, page by page. Answers how many, and the last one's place where more follow.
pub async fn print<W: Write>(
    mut printer: Printer<W>,
    service: &Service,
    query: &Query,
    sort: Sort,
    mut from: From,
    mut wanted: u64,
) -> Result<(u64, Option<Cursor>)> {
    let next = loop {
        let limit = u32::try_from(wanted).unwrap_or(PAGE).min(PAGE);
        let page = service.page(&PageRequest { query: query.clone(), sort, from, limit }).await?;
        let last = page.rows.last().map(|row| row.cursor.clone());
        let keys: Vec<Key> = page.rows.into_iter().map(|row| row.key).collect();
        printer.rows(&keys, page.now)?;
        wanted -= keys.len() as u64;
        match last {
            Some(cursor) if page.more_after && wanted > 0 => from = From::After(cursor),
            Some(cursor) if page.more_after => break Some(cursor),
            _ => break None,
        }
    };
    Ok((printer.finish::<Key>()?, next))
}

/// Lists the keys that were named, in the order in which they were.
async fn named(arguments: &Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let mut keys = arguments.which.choose(service, session).await?.keys;
    let (now, all) = (service.now().await?, keys.len());
    keys.truncate(usize::try_from(session.format().rows(arguments.limit)).unwrap_or(usize::MAX));
    arguments.shape.of::<Key, _>(session.printer())?.list(&keys, now)?;
    if keys.len() < all {
        session.remark(&format!("{} of {all} keys. See all with --limit 0", keys.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::query::FIELDS;

    #[test]
    fn help_and_page_name_every_field_of_the_filter() {
        let command = Arguments::augment_args(clap::Command::new("list"));
        let filter = command.get_arguments().find(|one| one.get_id() == "filter").unwrap();
        let help = filter.get_help().unwrap().to_string();
        let page = include_str!("../../../docs/commands.md");
        for field in FIELDS {
            assert!(help.contains(&format!("{}:", field.name)), "help lacks {}: {help}", field.name);
            assert!(page.contains(&format!("`{}:", field.name)), "the page lacks {}", field.name);
        }
    }
}
