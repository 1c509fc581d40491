//! `keyrack key reach`: what a decision about keys would reach.

use clap::Args;
use serde_json::{Map, Value, json};

use super::super::failure::Result;
use super::super::output::Format;
use super::super::say;
use super::super::session::Session;
use super::which::{self, Which};
use crate::domain::reach::{BUSIEST, Reach};
use crate::domain::text::SafeText;

#[derive(Debug, Args)]
#[command(group = which::needed(&[]))]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let chosen = arguments.which.choose(service, session).await?;
    let (reach, now) = (service.reach_of(&chosen.keys).await?, service.now().await?);
    if session.format() == Format::Json {
        let ids: Vec<String> = chosen.keys.iter().map(|key| key.id.to_string()).collect();
        return session.printer().facts(&[
            ("keys", ids.into()),
            (
                "states",
                reach
                    .states
                    .iter()
                    .map(|(state, keys)| (state.as_str().to_owned(), json!(keys)))
                    .collect::<Map<_, _>>()
                    .into(),
            ),
            ("in_use", in_use(&reach)),
            ("accounts", counted(&reach.accounts)),
            ("networks", counted(&reach.networks)),
            ("endpoints", counted(&reach.endpoints)),
            ("busiest", busiest(&reach)),
        ]);
    }
    session.printer().list(&chosen.keys, now)?;
    if session.format().for_people() && !session.global.quiet {
        for (name, words) in reach.lines(BUSIEST) {
            say(&format!("{name:<9}  {words}"));
        }
    }
    Ok(())
}

fn in_use(reach: &Reach) -> Value {
    let uses = reach.uses;
    json!({
        "last_15_minutes": uses.just_now,
        "last_24_hours": uses.today,
        "earlier": uses.earlier,
        "never": uses.unseen,
    })
}

fn counted(list: &[(SafeText, usize)]) -> Value {
    list.iter().map(|(name, keys)| json!({ "name": name, "keys": keys })).collect()
}

fn busiest(reach: &Reach) -> Value {
    let one = |busy: &crate::domain::reach::Busy| {
        json!({
            "id": busy.key.to_string(), "name": busy.name, "account": busy.account,
            "preview": busy.preview, "requests_24h": busy.requests,
        })
    };
    reach.busiest.iter().map(one).collect()
}
