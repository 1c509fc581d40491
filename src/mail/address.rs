//! Mail addresses, checked when they are entered, so that no reminder fails on one years later.

/// Why an address was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address:?} is no mail address ({why}): write ada@example.com")]
pub struct AddressError {
    pub address: String,
    pub why: String,
}

/// Checks an address by the rules of the library that will send to it, and gives it back without white space around it.
///
/// Its domain must be one of the world's: a bare host name, as in `it@acme`, is nearly always a slip.
pub fn check_address(text: &str) -> Result<String, AddressError> {
    let text = text.trim();
    let refuse =
        |why: String| AddressError { address: crate::domain::text::SafeText::new(text).to_string(), why };
    let address = text.parse::<lettre::Address>().map_err(|error| refuse(error.to_string()))?;
    let domain = address.domain();
    if !domain.contains('.') && !domain.starts_with('[') && domain != "localhost" {
        return Err(refuse(format!("{domain} is no whole domain")));
    }
    Ok(address.to_string())
}
