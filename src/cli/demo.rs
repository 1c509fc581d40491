//! `keyrack demo`: realistic keys in the named database, as many as wanted.

use clap::Args;

use super::failure::Result;
use super::session::Session;

#[derive(Debug, Args)]
pub struct Arguments {
    /// How many keys
    #[arg(short, long, value_name = "N", default_value_t = 240)]
    keys: u64,
    /// What they are drawn from: the same seed makes the same keys
    #[arg(short, long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let service = session.service().await?;
    let bar = if session.global.quiet || session.global.dry_run {
        indicatif::ProgressBar::hidden()
    } else {
        indicatif::ProgressBar::new(arguments.keys)
    };
    let made = service.demo(arguments.keys, arguments.seed, |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    made?;
    let location = session.location()?;
    if session.would(|| format!("add {} keys to {location}", arguments.keys)) {
        return Ok(());
    }
    session.remark(&format!("{location} now holds {} keys.", arguments.keys));
    session.printer().facts(&[("database", location.to_string().into()), ("keys", arguments.keys.into())])
}
