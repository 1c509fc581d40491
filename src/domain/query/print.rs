//! Writing a query so that it reads back as the same one.

use std::fmt;

use chrono::{Duration, NaiveTime, SecondsFormat};

use super::{Bound, Point, Query, Term, Test};
use crate::domain::key::Status;
use crate::domain::spaced::write_spaced;

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_spaced(f, &self.terms)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("-")?;
        }
        self.test.fmt(f)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(any) => write!(f, "status:{}", list(any.iter().copied().map(Status::as_str))),
            Self::Account(any) => write!(f, "account:{}", list(any)),
            Self::Issuer(any) => write!(f, "issuer:{}", list(any)),
            Self::CreatedBy(any) => write!(f, "by:{}", list(any)),
            Self::Scope(any) => write!(f, "scope:{}", list(any)),
            Self::NeverExpires(true) => f.write_str("expires:never"),
            Self::NeverExpires(false) => f.write_str("expires:set"),
            Self::Expires(bound) => write!(f, "expires:{}", ahead(*bound)),
            Self::Created(bound) => write!(f, "created:{}", ago(*bound)),
            Self::Revoked(bound) => write!(f, "revoked:{}", ago(*bound)),
            Self::Used(bound) => write!(f, "used:{}", ago(*bound)),
            Self::NeverUsed(true) => f.write_str("used:never"),
            Self::NeverUsed(false) => f.write_str("used:ever"),
            Self::Idle(span) => write!(f, "idle:{}", span),
            Self::RotationDue => f.write_str("rotation:due"),
            Self::Violates(_) => f.write_str("violates:policy"),
            Self::CreatorGone(true, _) => f.write_str("creator:gone"),
            Self::CreatorGone(false, _) => f.write_str("creator:here"),
            Self::Anywhere(true) => f.write_str("network:any"),
            Self::Anywhere(false) => f.write_str("network:set"),
            Self::Acknowledged(true) => f.write_str("acknowledged:yes"),
            Self::Acknowledged(false) => f.write_str("acknowledged:no"),
            Self::Replaced(true) => f.write_str("replaced:yes"),
            Self::Replaced(false) => f.write_str("replaced:no"),
            Self::Replaces(true) => f.write_str("replaces:yes"),
            Self::Replaces(false) => f.write_str("replaces:no"),
            Self::Overlap(side) => write!(f, "overlap:{}", side.as_str()),
            Self::Owner(any) => write!(f, "owner:{}", list(any)),
            Self::Tag(any) => write!(f, "tag:{}", list(any)),
            Self::Id(part) => write!(f, "id:{part}"),
            Self::Name(names) => {
                let quoted = names.iter().map(|name| quoted(name, true));
                write!(f, "name:{}", quoted.collect::<Vec<_>>().join(","))
            }
            Self::NamePart(parts) => write!(f, "name:{}", parts.join(",")),
            Self::Text(text) => {
                f.write_str(&quoted(text, text.starts_with('-') || text.contains([':', '='])))
            }
        }
    }
}

/// A list of values with commas between; those that need it in quotation marks.
fn list<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> String {
    values
        .into_iter()
        .map(|v| quoted(v.as_ref(), v.as_ref().contains(',') || v.as_ref().starts_with('=')))
        .collect::<Vec<_>>()
        .join(",")
}

fn quoted(text: &str, force: bool) -> String {
    if !force && !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\\')) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A bound counted forwards from now: `<30d` ends before now + 30 days.
fn ahead(bound: Bound) -> String {
    match bound {
        Bound::Before(Point::FromNow(by)) => format!("<{}", by),
        Bound::After(Point::FromNow(by)) => format!(">{}", by),
        other => absolute(other),
    }
}

/// A bound counted backwards from now: `<7d` came after now - 7 days.
fn ago(bound: Bound) -> String {
    match bound {
        Bound::After(Point::FromNow(by)) => format!("<{}", -by),
        Bound::Before(Point::FromNow(by)) => format!(">{}", -by),
        other => absolute(other),
    }
}

/// Days where the bound lies between two days, else the instant.
fn absolute(bound: Bound) -> String {
    let (sign, at, midnight) = match bound {
        Bound::Before(Point::At(at)) => ('<', at, at),
        Bound::After(Point::At(at)) => ('>', at, at + Duration::microseconds(1)),
        // Relative bounds are written by the callers.
        Bound::Before(Point::FromNow(_)) | Bound::After(Point::FromNow(_)) => return String::new(),
    };
    if midnight.time() == NaiveTime::MIN {
        format!("{sign}{}", at.format("%Y-%m-%d"))
    } else {
        format!("{sign}{}", at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}
