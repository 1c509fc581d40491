//! Rotations: their overlaps, and many keys at once.

use super::Worker;
use super::patience::{plain, settled};
use crate::service::Place;
use crate::service::at_home;
use crate::tui::effect::{Failure, FailureKind, Outcomes, Reply, RotationRequest};

impl Worker {
    pub(super) async fn rotation(&self, request: RotationRequest) -> Reply {
        let service = &self.service;
        match request {
            RotationRequest::Page(request) => Reply::Rotations(plain(service.rotations(&request)).await),
            RotationRequest::Close { operation, order } => {
                Reply::Revoke(settled(service.close_overlaps(operation, order)).await)
            }
            RotationRequest::Extend { operation, order } => {
                Reply::Extend(settled(service.extend_overlaps(operation, order)).await)
            }
            RotationRequest::Rotate { operation, order, place } => {
                let service = service.clone();
                // To the end whatever comes: files were written. In a task of its own, for it needs more of the stack than
                // is left here.
                let work = async move { service.rotate_keys(operation, order, home(place)).await };
                Reply::RotateMany(match tokio::spawn(work).await {
                    Ok(done) => done.map_err(Failure::from),
                    Err(_) => broke_off(),
                })
            }
        }
    }
}

/// The same place with `~` for the person's own folder.
fn home(place: Place) -> Place {
    match place {
        Place::Folder(path) => Place::Folder(at_home(path)),
        Place::Env(path) => Place::Env(at_home(path)),
    }
}

fn broke_off<T>() -> Outcomes<T> {
    let text = "the rotation was interrupted: see with `keyrack rotation list` what was done".into();
    Err(Failure { kind: FailureKind::Other, text })
}
