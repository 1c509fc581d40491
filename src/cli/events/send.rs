//! `keyrack events send`: the service that tells endpoints of what happens.

use clap::Args;

use super::super::count;
use super::super::failure::{Failure, Result};
use super::super::session::Session;
use super::endpoints;
use crate::herald;
use crate::service::new_operation;

#[derive(Debug, Args)]
#[command(
    after_help = "Several may run, on several machines that have the secrets: they share the endpoints, and one continues where another stopped.\n\
                  What an endpoint doesn't accept is tried again after 1 s, 2 s, 4 s, … 5 minutes, and after a day once an hour. Later events\n\
                  for it wait; other endpoints don't. From cron instead of a service: keyrack --quiet events send --once"
)]
pub struct Arguments {
    /// Send what is waiting, then stop; exit code 6 if an endpoint accepted nothing
    #[arg(long)]
    pub once: bool,
}

pub async fn run(arguments: &Arguments, session: &Session) -> Result {
    if session.global.dry_run {
        return Err(Failure::usage(
            "see what waits with `keyrack events endpoints list`; --dry-run sends nothing",
        ));
    }
    let service = session.service().await?.clone();
    let sender = new_operation().simple().to_string();
    let (tell, stop) = tokio::sync::watch::channel(false);
    if arguments.once {
        let failed = herald::send_once(&service, &sender, stop).await?;
        if !session.hushed() {
            endpoints::list(session).await?;
        }
        return match failed {
            0 => Ok(()),
            some => Err(Failure::check(format!(
                "{} accepted nothing: see `keyrack events endpoints list`",
                count(some as u64, "endpoint")
            ))),
        };
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!(%sender, "the sender of events is ready");
    let stopping = async {
        session.stopped().await;
        tell.send_replace(true);
        std::future::pending::<()>().await;
    };
    let sent = tokio::select! {
        sent = herald::run(service, sender, stop) => sent,
        () = stopping => Ok(()),
    };
    tracing::info!("the sender of events ends");
    Ok(sent?)
}
