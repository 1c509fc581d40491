//! The values of other products' tables, in the ways in which databases and their exports write them down.

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::Value;

use crate::domain::{EARLIEST, Instant, LATEST};

/// What is written there; `None`: nothing is.
pub(super) fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty() && !text.eq_ignore_ascii_case("null") && text != "\\N").then_some(text)
}

/// Whether nothing is written there.
pub(super) fn is_blank(value: &Value) -> bool {
    value.is_null() || value.is_string() && text(value).is_none()
}

/// So many bytes, in hexadecimal or base64 of either alphabet, whatever a product writes before them.
pub(super) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.rsplit('$').next().unwrap_or(text);
    let text = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("sha512:")).unwrap_or(text);
    // Only of hexadecimal digits: base64 may begin like this.
    let digits = text.strip_prefix("\\x").or_else(|| text.strip_prefix("0x")).unwrap_or(text);
    let bytes = if digits.len() == 2 * N { from_hex(digits) } else { from_base64(text) };
    bytes?.try_into().ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    Base64Unpadded::decode_vec(text).or_else(|_| Base64UrlUnpadded::decode_vec(text)).ok()
}

/// Whether something holds; `None`: it is no yes and no no, such as a time.
pub(super) fn fact(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(fact) => Some(*fact),
        Value::Null => Some(false),
        // There is something, and nobody knows what.
        Value::Array(_) | Value::Object(_) => None,
        value => match text(value).unwrap_or_default().to_ascii_lowercase().as_str() {
            "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
            "" | "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
            _ => None,
        },
    }
}

/// An instant; `Some(None)` where there is none, `None` where it can't be read. What has no zone is in UTC.
pub(super) fn instant(value: &Value) -> Option<Option<Instant>> {
    let value = match value {
        // As a document database writes times down.
        Value::Object(of) if of.len() == 1 => of.get("$date")?,
        value => value,
    };
    let text = match value {
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        value => text(value),
    };
    let Some(text) = text else { return Some(None) };
    if let Ok(number) = text.parse::<f64>() {
        return number_of(number).map(Some);
    }
    let zoned = DateTime::parse_from_rfc3339(&text)
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .map(|at| at.to_utc());
    let local = || NaiveDateTime::parse_from_str(&text.replacen('T', " ", 1), "%Y-%m-%d %H:%M:%S%.f");
    let day = || NaiveDate::parse_from_str(&text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::MIN));
    let at = zoned.or_else(|_| local().or_else(|_| day()).map(|at| at.and_utc())).ok()?;
    Some(Some(at.clamp(EARLIEST, LATEST)))
}

/// Seconds since the epoch, or milliseconds where that would be thousands of years ahead.
fn number_of(number: f64) -> Option<Instant> {
    const MILLIS_FROM: f64 = 1e11;
    let micros = if number.abs() >= MILLIS_FROM { number * 1e3 } else { number * 1e6 };
    // A time of a table is far from where this would be cut.
    (micros.abs() < 2.5e17)
        .then(|| DateTime::from_timestamp_micros(micros as i64))
        .flatten()
        .map(|at| at.clamp(EARLIEST, LATEST))
}

/// A list of scopes: an array, `{"files":["read"]}`, either of them as text, or words between commas and blanks.
pub(super) fn scopes(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::Array(list) => list.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        Value::Object(map) => {
            let mut all = Vec::new();
            for (resource, actions) in map {
                for action in actions.as_array()? {
                    all.push(format!("{resource}:{}", action.as_str()?));
                }
            }
            Some(all)
        }
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Array(_) | Value::Object(_) | Value::Null)) => scopes(&value),
            _ => {
                let words = text.split(|c: char| c.is_whitespace() || ",{}\"".contains(c));
                Some(words.filter(|word| !word.is_empty()).map(str::to_owned).collect())
            }
        },
        _ => None,
    }
}
