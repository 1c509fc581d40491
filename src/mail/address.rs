//! Mail addresses, checked when they are entered.

use crate::domain::address::{AddressError, deliverable};

/// Checks an address by the domain's rule and by the rules of the library that will send to it; gives it back as it is kept.
pub fn check_address(text: &str) -> Result<String, AddressError> {
    let address = deliverable(text)?;
    match address.parse::<lettre::Address>() {
        Ok(address) => Ok(address.to_string()),
        Err(error) => Err(AddressError::new(text.trim(), error.to_string())),
    }
}
