//! `keyrack audit lanes`.

use clap::Args;

use super::super::failure::Result;
use super::super::session::Session;
use crate::domain::text::counted;
use crate::service::{Service, new_operation};

#[derive(Debug, Args)]
pub struct Lanes {
    /// The number of changes to keys and accounts that may commit at the same time. It can be raised, never
    /// lowered. Without it, the present number is shown
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    many: Option<u32>,
}

pub async fn lanes(arguments: &Lanes, service: &Service, session: &Session) -> Result {
    let lanes = match arguments.many {
        None => {
            let lanes = service.lanes().await?;
            if session.format().for_people() {
                return super::print(&lanes.to_string());
            }
            lanes
        }
        Some(many) => {
            if session.would(|| format!("let the audit have {}", counted(many.into(), "lane"))) {
                service.trying().set_lanes(new_operation(), many).await?;
                return Ok(());
            }
            let before = service.set_lanes(new_operation(), many).await?;
            session.remark(&match before == many {
                true => format!("The audit has {} already.", counted(many.into(), "lane")),
                false => format!("The audit has {} now.", counted(many.into(), "lane")),
            });
            many
        }
    };
    session.printer().facts(&[("lanes", lanes.into())])
}
