//! New identities, from the operating system's generator.

use rand::TryRng;
use uuid::Uuid;

use crate::domain::Instant;
use crate::domain::key::OperationId;

/// The identity of a new wish to change something: random, UUID version 4.
pub fn new_operation() -> OperationId {
    uuid::Builder::from_random_bytes(random()).into_uuid()
}

/// The id of a key, a reminder or a sweep that is made at `now`: UUID version 7, so that ids sort by the time of their
/// making.
pub(super) fn new_id(now: Instant) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random()).into_uuid()
}

/// Bytes from the operating system's generator. There is nothing to do without it, so it is asked until it answers.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    while rand::rngs::SysRng.try_fill_bytes(&mut bytes).is_err() {}
    bytes
}
