//! What is asked about rotations: their overlaps, and many keys rotated at once.

use crate::domain::key::OperationId;
use crate::service::{CloseOverlaps, ExtendOverlaps, PageRequest, Place, RotateKeys};

/// One variant for each operation of the service.
#[derive(Clone, Debug, PartialEq)]
pub enum RotationRequest {
    /// Open overlaps; answered by [`super::Reply::Rotations`].
    Page(PageRequest),
    /// Answered by [`super::Reply::Revoke`].
    Close { operation: OperationId, order: CloseOverlaps },
    /// Answered by [`super::Reply::Extend`].
    Extend { operation: OperationId, order: ExtendOverlaps },
    /// Answered by [`super::Reply::RotateMany`].
    Rotate { operation: OperationId, order: RotateKeys, place: Place },
}
