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
    if session.would(|| format!("add {} keys to {}", arguments.keys, service.location())) {
        return Ok(());
    }
    session.remark(&format!("{} now holds {} keys.", service.location(), arguments.keys));
    session.printer().facts(&[("database", service.location().into()), ("keys", arguments.keys.into())])
}
