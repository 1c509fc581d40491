//! What is asked about pauses.

use std::sync::Arc;

use crate::domain::key::{KeyId, OperationId};
use crate::domain::manifest::Manifest;
use crate::service::PauseOrder;

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
