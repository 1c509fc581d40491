//! `keyrack hygiene`: what is to be tidied, for a person and for a weekly cron.

use std::collections::BTreeMap;

use clap::Args;
use strum::VariantNames as _;

use super::failure::{Failure, Result};
use super::filter;
use super::output::{Column, Record, Tone};
use super::session::Session;
use crate::domain::Instant;
use crate::domain::hygiene::{Card, Unknown};
use crate::domain::query::Query;
use crate::service::Counted;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 every card is within its threshold, 6 one is over it or wasn't counted in time.\n\
                  For a weekly cron: keyrack hygiene --max never-expires=40 --skip anywhere --json\n\
                  The keys of a card: keyrack key list --filter with the filter in its line."
)]
pub struct Arguments {
    /// Accept up to this many keys of a card; 0 for cards that are not named. Separate several with commas, or
    /// repeat the option
    #[arg(long, value_name = "CARD=N", value_delimiter = ',', value_parser = threshold)]
    max: Vec<(Card, u64)>,
    /// Only these cards: never-expires, unused-90d, never-used-30d, rotation-due, unused-scopes, anywhere, no-owner,
    /// creator-gone, violates-policy, not-confirmed
    #[arg(long, value_name = "CARD", value_delimiter = ',', value_parser = card)]
    only: Vec<Card>,
    /// All but these cards
    #[arg(long, value_name = "CARD", value_delimiter = ',', value_parser = card)]
    skip: Vec<Card>,
    /// Only keys that also match this filter, such as issuer:voxpria
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Option<String>,
}

/// A card beside its threshold.
struct Line {
    counted: Counted,
    most: u64,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let within =
        arguments.filter.as_deref().map_or(Ok(Query::default()), |text| filter::query(text, session))?;
    if within.mentions_status() {
        return Err(Failure::usage(
            "cards only count keys that are not expired or revoked: leave status: out of --filter",
        ));
    }
    let wanted = |card: &Card| {
        (arguments.only.is_empty() || arguments.only.contains(card)) && !arguments.skip.contains(card)
    };
    let cards: Vec<Card> = Card::ALL.iter().copied().filter(wanted).collect();
    if cards.is_empty() {
        return Err(Failure::usage("--skip excludes every card of --only: name at least one card"));
    }
    let thresholds: BTreeMap<Card, u64> = arguments.max.into_iter().collect();
    if let Some(card) = thresholds.keys().find(|card| !cards.contains(card)) {
        return Err(Failure::usage(format!(
            "--max {}=…: that card is left out by --only or --skip",
            card.as_str()
        )));
    }
    let service = session.service().await?;
    let told = service.hygiene(&cards, &within).await?;
    let most = |card: &Card| thresholds.get(card).copied().unwrap_or(0);
    let lines: Vec<Line> =
        told.cards.into_iter().map(|counted| Line { most: most(&counted.card), counted }).collect();
    session.printer().list(&lines, told.now)?;
    if let Some(keys) = told.keys {
        session.remark(&format!(
            "{} that haven't expired and weren't revoked. The keys of a card: keyrack key list --filter '…'",
            super::count(keys, "key")
        ));
    }
    let over: Vec<String> = lines.iter().filter_map(Line::over).collect();
    match over.as_slice() {
        [] => Ok(()),
        [one] => Err(Failure::check(format!("1 card is over its threshold: {one}"))),
        some => Err(Failure::check(format!(
            "{} cards are over their thresholds: {}",
            some.len(),
            some.join(", ")
        ))),
    }
}

impl Line {
    /// `never-expires 49 (at most 40)`, where there are more keys than may be.
    fn over(&self) -> Option<String> {
        let (name, most) = (self.counted.card.as_str(), self.most);
        match self.counted.count {
            Ok(number) if number > most => Some(format!("{name} {number} (at most {most})")),
            Err(Unknown::Late) => Some(format!("{name} could not be counted in time")),
            Ok(_) | Err(Unknown::Scopes | Unknown::Use) => None,
        }
    }
}

impl Record for Line {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("CARD", 1, "id", |line, _| line.counted.card.as_str().into()),
        Column::<Self>::new("KEYS", 4, "count", |line, _| line.counted.count.ok().into()).cell(|line, _| {
            match line.counted.count {
                Ok(number) => number.to_string(),
                Err(unknown) => unknown.short().to_owned(),
            }
        }),
        Column::new("AT MOST", 5, "threshold", |line, _| line.most.into()),
        Column::new("WHAT", 2, "title", |line, _| line.counted.card.title().into()),
        Column::<Self>::new("FILTER", 3, "filter", |line, _| line.counted.filter.as_deref().into())
            .missing("–")
            .whole(),
        Column::field(6, "over", |line, _| line.over().is_some().into()),
        Column::field(7, "note", |line, _| line.counted.count.err().map(|unknown| unknown.words()).into()),
        Column::wide("ADVICE", 8, "advice", |line, _| line.counted.card.advice().into()),
    ];

    fn tone(&self, _now: Instant) -> Option<Tone> {
        Some(match self.counted.count {
            Err(_) => Tone::Quiet,
            Ok(_) if self.over().is_some() => Tone::Warning,
            Ok(_) => Tone::Good,
        })
    }
}

fn card(text: &str) -> std::result::Result<Card, String> {
    text.parse().map_err(|_| format!("cards are {}", Card::VARIANTS.join(", ")))
}

fn threshold(text: &str) -> std::result::Result<(Card, u64), String> {
    let (name, number) = text.split_once('=').ok_or("write the card, = and a number: never-expires=40")?;
    let number = number.replace('_', "");
    let most = number
        .parse()
        .map_err(|_| format!("{number:?} isn't a number of keys: write for example {name}=40"))?;
    Ok((card(name)?, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_names_a_card_and_a_number() {
        assert_eq!(threshold("no-owner=40"), Ok((Card::NoOwner, 40)));
        assert!(threshold("no-owner").unwrap_err().starts_with("write the card"));
        assert!(threshold("no-owner=many").unwrap_err().contains("isn't a number"));
        assert!(threshold("ownerless=1").unwrap_err().starts_with("cards are never-expires, "));
    }

    #[test]
    fn help_names_every_card() {
        let command = Arguments::augment_args(clap::Command::new("hygiene"));
        let only = command.get_arguments().find(|one| one.get_id() == "only").unwrap();
        let help = only.get_help().unwrap().to_string();
        for card in Card::ALL {
            assert!(help.contains(card.as_str()), "help lacks {}: {help}", card.as_str());
        }
    }
}
