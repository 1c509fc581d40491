//! Mail. The only room that names lettre.

mod address;

pub use address::{AddressError, check_address};
