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
    /// The key's ID, or a part of its ID or preview that matches only this key
    #[arg(value_name = "ID")]
    id: String,
    /// Requests in any period of that length, such as 100/1m 5000/1h; the units are s, m, h and d
    #[arg(value_name = "BUDGET")]
    budgets: Vec<String>,
    /// Remove the key's own budgets; the policy's apply again
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
    session
        .remark(&format!("{:?} has {what}; gates apply that from the next request on.", key.name.as_str()));
    Ok(())
}
