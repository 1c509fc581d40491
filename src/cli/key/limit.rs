//! `keyrack key limit`: budgets agreed for one key.

use clap::Args;

use super::super::failure::{Failure, Result};
use super::super::session::{Session, insist};
use super::the_key;
use crate::domain::budget::Budgets;
use crate::service::new_operation;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["budgets", "clear"]))]
pub struct Arguments {
    /// The key's id, or a part of it or of the preview that fits no other key
    #[arg(value_name = "ID")]
    id: String,
    /// Requests in any time of that length, such as 100/1m 5000/1h; seconds are s, minutes m, hours h, days d
    #[arg(value_name = "BUDGET")]
    budgets: Vec<String>,
    /// Take the key's own budgets away: the policy's hold again
    #[arg(long)]
    clear: bool,
}

pub async fn run(arguments: Arguments, session: &Session) -> Result {
    let limits =
        Budgets::parse(&arguments.budgets.join(" ")).map_err(|error| Failure::usage(error.to_string()))?;
    if limits.is_empty() && !arguments.clear {
        return Err(Failure::usage("write a budget such as 100/1m, or --clear to go back to the policy's"));
    }
    let service = session.service().await?;
    let key = the_key(service, &arguments.id).await?;
    let what = if limits.is_empty() { "its policy's limits".into() } else { limits.to_string() };
    let operation = new_operation();
    let same = key.limits == limits;
    let key = insist(|| service.set_limits(operation, key.id, limits.clone())).await?;
    if session.settled(same, || format!("give {:?} {what}", key.name.as_str())) {
        return Ok(());
    }
    session.outcome().one(&key, service.now().await?)?;
    if same {
        return Ok(());
    }
    session.remark(&format!(
        "{:?} has {what}; gates count by that from their next request on.",
        key.name.as_str()
    ));
    Ok(())
}
