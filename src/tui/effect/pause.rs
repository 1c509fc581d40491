//! What is asked about pauses, freezes and stops of creation.

use std::sync::Arc;

use crate::domain::key::{KeyId, OperationId};
use crate::domain::manifest::Manifest;
use crate::service::{HoldTarget, PauseOrder};

/// Keys are refused for a while, or not any more; answered by [`super::Reply::Held`].
#[derive(Clone, Debug, PartialEq)]
pub struct PauseRequest {
    pub operation: OperationId,
    pub keys: Vec<KeyId>,
    /// `None`: they are resumed.
    pub order: Option<PauseOrder>,
    /// What the person was shown who decided.
    pub shown: Option<Arc<Manifest>>,
}

/// Keys that a filter fits, or the making of keys, are held for a while; answered by [`super::Reply::Hold`].
#[derive(Clone, Debug, PartialEq)]
pub struct HoldRequest {
    pub operation: OperationId,
    pub target: HoldTarget,
    pub order: PauseOrder,
}
