//! The keys as a list: how they are read and filtered.

use super::tabs::Tab;
use crate::domain::key::KeyId;
use crate::domain::query::{Completion, Query, QueryError, Sort, Test};
use crate::domain::subjects::Subjects;
use crate::domain::when::Here;
use crate::service::{PageRequest, Row};
use crate::tui::effect::{Outcomes, Reply, Request};
use crate::tui::listing::{Chunk, Part, Source};
use crate::tui::opening::Made;
use crate::tui::screens::of_keys;
use crate::tui::shell::Shell;
use crate::tui::words::ScreenId;

/// The table in its order.
#[derive(Debug, Default)]
pub struct Table {
    pub sort: Sort,
    pub tab: Tab,
}

impl Source for Table {
    type Row = Row;
    type Id = KeyId;
    type Filter = Query;

    const SCREEN: ScreenId = ScreenId::Keys;
    const ABOUT: Subjects = Subjects::KEYS.and(Subjects::ISSUERS);
    const FILTER: Option<&'static str> =
        Some("words, or status:active account:acme expires:<30d used:never by:ada");
    const MARKS: bool = true;
    const BOTH_WAYS: bool = true;

    fn id(row: &Row) -> KeyId {
        row.key.id
    }

    fn parse(text: &str, here: Here) -> Result<Query, QueryError> {
        Query::parse(text, here)
    }

    fn parts(filter: &Query) -> Vec<&str> {
        filter.parts()
    }

    fn complete(shell: &Shell, rows: &[Row], text: &str, cursor: usize) -> Option<Completion> {
        Some(of_keys::complete(shell, rows.iter().map(|row| &row.key), text, cursor))
    }

    fn answer(&self, reply: Reply) -> Option<Outcomes<Chunk<Row>>> {
        Some(reply.try_as_page()?.map(of_keys::chunk))
    }

    fn keys<'i>(ids: impl Iterator<Item = &'i KeyId>) -> Option<Vec<KeyId>> {
        Some(ids.copied().collect())
    }

    fn made(made: &Made) -> Option<KeyId> {
        if let Made::Key(key) = made { Some(*key) } else { None }
    }

    fn state(shell: &Shell, row: &Row) -> &'static str {
        row.key.status(shell.now).as_str()
    }

    fn over(row: &Row) -> bool {
        row.key.revoked_at.is_some()
    }

    fn fate(shell: &Shell, row: &Row) -> String {
        of_keys::fate(shell, &row.key)
    }

    fn one(&self, shell: &Shell, id: &KeyId) -> Option<Request> {
        of_keys::one(shell, *id, self.sort)
    }

    fn request(&self, query: &Query, part: Part<'_, Row>, limit: u32) -> Request {
        let (query, from) = (self.tab.query(query), of_keys::from(part));
        Request::Page(PageRequest { query, sort: self.sort, from, limit })
    }
}

/// The account that a new key is most likely for: the one that the filter names.
pub fn account_at_hand(query: &Query) -> Option<String> {
    let mut accounts = query.terms.iter().filter_map(|term| match &term.test {
        Test::Account(slugs) if !term.negated && slugs.len() == 1 => slugs.first().cloned(),
        _ => None,
    });
    accounts.next()
}
