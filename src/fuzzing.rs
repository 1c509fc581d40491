//! Parts that meet bytes from outside and that no other crate needs, for the properties in `tests/properties` and
//! `tests/fuzz`. The program names nothing here.

pub use crate::gate::origin::{Dialect, Listed, bare_host, client, issuer, original};
pub use crate::gate::wire::{Heads, Note};
pub use crate::store::conditions;
pub use crate::tui::{Decoder, Said};
