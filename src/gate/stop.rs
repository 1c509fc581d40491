//! The end of the program, as its tasks hear of it.

use tokio::sync::watch;

/// Waits until the program is to end.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody is left who could say so: then it ends too.
    let _ = stop.wait_for(|stop| *stop).await;
}
