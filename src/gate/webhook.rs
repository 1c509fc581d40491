//! Alerts, sent to another program as signed JSON. Nothing waits for it.
//!
//! Each alert is one delivery, as [`Receiver`] tells: `Keyrack-Alert` holds its number. What no 2xx answers is tried again with
//! growing pauses, for a day, over restarts too.

use std::time::Duration;

use serde_json::json;
use tokio::sync::watch as channel;

use super::stop::stopped;
use crate::https;
pub use crate::https::{Receiver, signature};
use crate::service::{Gate, RaisedAlert};

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// And how long when the program ends meanwhile.
const GRACE: Duration = Duration::from_secs(2);
/// The first pause after a failure; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
/// How often alerts of an earlier run are looked for.
const LOOK: Duration = Duration::from_secs(30);
/// Alerts read at a time.
const SOME: u32 = 20;

/// The body that is sent.
pub fn body(alert: &RaisedAlert) -> String {
    json!({
        "id": alert.id,
        "at": alert.alert.at,
        "kind": alert.alert.kind(),
        "severity": alert.alert.severity(),
        "words": alert.sentence(),
        "account": alert.account,
        "key": alert.alert.key(),
        "name": alert.name,
        "preview": alert.preview,
        "gate": alert.gate,
        "alert": alert.alert,
    })
    .to_string()
}

/// Sends this gate's alerts until `stop` says so. What was not taken by then is sent after the next start.
pub async fn run(gate: Gate, receiver: Receiver, mut stop: channel::Receiver<bool>) {
    let agent = https::agent(PATIENCE);
    let mut pause = PAUSE;
    loop {
        let wait = match send_all(&gate, &agent, &receiver, &mut stop).await {
            Ok(()) => {
                pause = PAUSE;
                LOOK
            }
            Err(why) => {
                tracing::warn!("the webhook did not take an alert: {why}; it is tried again");
                let longer = (pause * 2).min(LONGEST);
                std::mem::replace(&mut pause, longer)
            }
        };
        let failing = wait != LOOK;
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            // What is new does not make a receiver well.
            () = gate.raised(), if !failing => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Sends everything that waits; stops at the first that is not taken, and when the program ends.
async fn send_all(
    gate: &Gate,
    agent: &ureq::Agent,
    receiver: &Receiver,
    stop: &mut channel::Receiver<bool>,
) -> Result<(), String> {
    loop {
        let waiting = gate.untold_alerts(SOME).await.map_err(|error| error.to_string())?;
        if waiting.is_empty() {
            return Ok(());
        }
        for alert in waiting {
            if *stop.borrow() {
                return Ok(());
            }
            let (agent, receiver, body, now) = (agent.clone(), receiver.clone(), body(&alert), gate.now());
            let (id, name) = (alert.id, alert.id.to_string());
            let sending = tokio::task::spawn_blocking(move || {
                receiver.post(&agent, ("Keyrack-Alert", &name), &body, now)
            });
            tokio::select! {
                sent = sending => {
                    sent.map_err(|error| error.to_string())??;
                }
                () = ended(stop) => return Ok(()),
            }
            gate.told_alert(id).await.map_err(|error| error.to_string())?;
        }
    }
}

/// Waits until the program has been ending for so long that nothing more is waited for.
async fn ended(stop: &mut channel::Receiver<bool>) {
    stopped(stop).await;
    tokio::time::sleep(GRACE).await;
    tracing::warn!("the webhook did not take an alert in time; it is sent after the next start");
}
