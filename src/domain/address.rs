//! Mail addresses: what is taken where one is entered, so that no reminder fails on one years later.

use super::text::{SafeText, composed, is_safe};

/// Why an address was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address:?} isn't a mail address ({why}): write ada@example.com")]
pub struct AddressError {
    pub address: String,
    pub why: String,
}

impl AddressError {
    pub fn new(address: &str, why: impl Into<String>) -> Self {
        Self { address: SafeText::new(address).to_string(), why: why.into() }
    }
}

/// The address as servers write it: a domain beyond ASCII in its ASCII form (`почта.рф` as `xn--80a1acny.xn--p1ai`, UTS 46),
/// unless the part before the `@` is beyond ASCII too: such an address takes SMTPUTF8 in any case.
///
/// # Errors
/// When that domain is none. Whether the rest is an address, this doesn't ask.
pub fn to_ascii(text: &str) -> Result<String, AddressError> {
    let text = text.trim();
    match text.rsplit_once('@') {
        Some((local, domain)) if local.is_ascii() && !domain.is_ascii() => {
            if let Some(found) = domain.chars().find(|c| !is_safe(*c)) {
                return Err(AddressError::new(text, format!("it holds U+{:04X}", u32::from(found))));
            }
            match idna::domain_to_ascii_strict(&composed(domain)) {
                Ok(ascii) => Ok(format!("{local}@{ascii}")),
                Err(_) => Err(AddressError::new(text, "the part after the @ isn't a domain")),
            }
        }
        _ => Ok(text.to_owned()),
    }
}

/// Checks the address of an account's admin, and gives it back as it is kept: without white space around it and
/// [`to_ascii`]. Of its syntax it sees only what is about delivery.
///
/// Its domain must be one of the world's: a bare host name, as in `it@acme` or `it@localhost`, is nearly always a slip, and
/// no relay can deliver to it. The part before the `@` must be ASCII, which every mail server takes.
pub fn deliverable(text: &str) -> Result<String, AddressError> {
    let address = to_ascii(text)?;
    let refuse = |why: String| Err(AddressError::new(text.trim(), why));
    let Some((local, domain)) = address.rsplit_once('@') else { return refuse("it has no @".into()) };
    if !local.is_ascii() {
        return refuse("before the @, many mail servers accept only ASCII".into());
    }
    let shown = SafeText::new(domain);
    if domain.ends_with('.') {
        return refuse(format!("{shown} ends with a full stop"));
    }
    if !domain.contains('.') && !domain.starts_with('[') {
        return refuse(format!("{shown} isn't a complete domain"));
    }
    if domain.to_ascii_lowercase().ends_with(".localhost") {
        return refuse(format!("{shown} is the machine that sends"));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_beyond_ascii_is_kept_in_its_ascii_form() {
        for (typed, kept) in [
            (" ada@example.com ", "ada@example.com"),
            ("ada@почта.рф", "ada@xn--80a1acny.xn--p1ai"),
            ("ada@MÜLLER.example", "ada@xn--mller-kva.example"),
            // In one spelling: u and a combining diaeresis.
            ("ada@mu\u{308}ller.example", "ada@xn--mller-kva.example"),
            ("ada@xn--mller-kva.example", "ada@xn--mller-kva.example"),
            ("ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"),
            ("it@[192.0.2.1]", "it@[192.0.2.1]"),
        ] {
            assert_eq!(deliverable(typed).as_deref(), Ok(kept), "{typed}");
        }
    }

    #[test]
    fn what_no_sweep_could_deliver_is_refused_with_the_reason() {
        for (typed, why) in [
            ("ada", "it has no @"),
            ("it@acme", "acme isn't a complete domain"),
            ("it@localhost", "localhost isn't a complete domain"),
            ("it@LOCALHOST", "isn't a complete domain"),
            ("it@mail.localhost", "the machine that sends"),
            ("it@пример", "xn--e1afmkfd isn't a complete domain"),
            ("it@acme.example.", "full stop"),
            ("юля@example.com", "before the @"),
            ("юля@почта.рф", "before the @"),
            ("ada@-ü-.example", "isn't a domain"),
            ("ada@\u{202e}ü.example", "it holds U+202E"),
        ] {
            let error = deliverable(typed).unwrap_err();
            assert!(error.why.contains(why), "{typed}: {error}");
        }
    }
}
