//! The end of the program, as its tasks hear of it.

use std::fmt;
use std::pin::pin;

use hyper_util::server::graceful::GracefulConnection;
use tokio::sync::watch;

use super::origin::Peer;

/// Waits until the program is to end.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody is left who could say so: then it ends too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Serves a connection until it ends, or the program does: then what is under way is answered, and nothing more.
pub async fn until_stopped<C>(connection: C, peer: Peer, mut stop: watch::Receiver<bool>)
where
    C: GracefulConnection,
    C::Error: fmt::Display,
{
    let mut serving = pin!(connection);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stopped(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        // A caller that went away or talks nonsense: its own affair.
        tracing::debug!(%error, %peer, "a connection ended");
    }
}
