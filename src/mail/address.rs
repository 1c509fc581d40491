//! Mail addresses, checked when they are entered, so that no reminder fails on one years later.

/// Why an address was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address:?} is no mail address ({why}): write ada@example.com")]
pub struct AddressError {
    pub address: String,
    pub why: String,
}

/// Checks an address by the rules of the library that will send to it, and gives it back without white space around it.
pub fn check_address(text: &str) -> Result<String, AddressError> {
    let text = text.trim();
    match text.parse::<lettre::Address>() {
        Ok(address) => Ok(address.to_string()),
        Err(error) => Err(AddressError {
            address: crate::domain::text::SafeText::new(text).to_string(),
            why: error.to_string(),
        }),
    }
}
