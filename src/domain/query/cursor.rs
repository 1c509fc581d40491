//! The text form of a cursor, for `key list --after`: opaque, of characters that need no quoting anywhere.

use std::fmt;

use uuid::Uuid;

use super::{Cursor, CursorValue};

/// What was given as a cursor is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this isn't a valid cursor: copy all of it from the end of an earlier list")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            CursorValue::Text(text) => {
                write!(f, "t{}", self.id.simple())?;
                text.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            CursorValue::AsStored => write!(f, "r{}", self.id.simple()),
            CursorValue::Instant(at) => write!(f, "i{}{:016x}", self.id.simple(), at.timestamp_micros()),
        }?;
        let Some(odd) = &self.odd_id else { return Ok(()) };
        f.write_str("x")?;
        odd.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Cursor {
    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Self, CursorError> {
        Self::read(text.trim()).ok_or(CursorError)
    }

    fn read(text: &str) -> Option<Self> {
        let (text, odd_id) = match text.split_once('x') {
            Some((text, odd)) => (text, Some(bytes(odd)?)),
            None => (text, None),
        };
        let id = Uuid::try_parse(text.get(1..33)?).ok()?;
        let hex = text.get(33..)?;
        let value = match text.as_bytes().first()? {
            b't' => CursorValue::Text(String::from_utf8(bytes(hex)?).ok()?),
            b'i' => {
                let micros = i64::from_be_bytes(bytes(hex)?.try_into().ok()?);
                CursorValue::Instant(chrono::DateTime::from_timestamp_micros(micros)?)
            }
            b'r' if hex.is_empty() => CursorValue::AsStored,
            _ => return None,
        };
        Some(Self { value, id, odd_id })
    }
}

/// Pairs of hexadecimal digits as bytes.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).ok()).collect()
}
