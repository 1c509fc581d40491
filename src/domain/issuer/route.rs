//! Routes: which request needs which scope, and whose budget it uses.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Policy;

/// A kind of request to the API behind the gate. The first route of the policy that fits decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    pub methods: Methods,
    /// Literal segments, `{name}` for any one segment, `**` at the end for any number of them, none included:
    /// `/api/v1/calls/{id}`, `/api/v1/campaigns/**`.
    pub path: String,
    /// The scope that a key needs; none: any key that works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The budget's name. Routes of one name share it.
    pub endpoint: String,
    /// Which of `/` and `#` may stand percent-encoded in a segment that `{name}` or `**` stands for, as in
    /// `/projects/group%2Fproject`: only where the service leaves them encoded until it has taken the path apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encoded: Vec<char>,
}

/// What may be listed in [`Route::encoded`].
pub(super) const ENCODED: [char; 2] = ['/', '#'];

/// The methods of a route: `"*"` for any, or a list. `GET` covers `HEAD`, which is the same without a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Spelled", into = "Spelled")]
pub enum Methods {
    Any,
    List(Vec<String>),
}

/// [`Methods`] as they are written.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "methods are a list such as [\"GET\", \"POST\"], or \"*\" for any")]
enum Spelled {
    Word(String),
    List(Vec<String>),
}

impl From<Spelled> for Methods {
    fn from(spelled: Spelled) -> Self {
        match spelled {
            Spelled::Word(word) if word == "*" => Self::Any,
            Spelled::Word(word) => Self::List(vec![word]),
            Spelled::List(list) => Self::List(list),
        }
    }
}

impl From<Methods> for Spelled {
    fn from(methods: Methods) -> Self {
        match methods {
            Methods::Any => Self::Word("*".into()),
            Methods::List(list) => Self::List(list),
        }
    }
}

impl Methods {
    fn fit(&self, method: &str) -> bool {
        match self {
            Self::Any => true,
            Self::List(list) => list.iter().any(|one| one == method || (method == "HEAD" && one == "GET")),
        }
    }
}

/// The longest target that is looked at, in bytes, query included.
pub const TARGET_MAX: usize = 8 * 1024;

/// Method and path of a request, in the one spelling that routes are compared with.
///
/// A path that a service behind the gate might read in another way than the gate is refused rather than guessed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine<'a> {
    method: &'a str,
    path: Cow<'a, str>,
    hidden: Hidden,
}

/// Which of [`ENCODED`] stand percent-encoded in a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Hidden {
    slash: bool,
    hash: bool,
}

impl Hidden {
    fn any(self) -> bool {
        self != Self::default()
    }

    fn fits(self, route: &Route) -> bool {
        (!self.slash || route.encoded.contains(&'/')) && (!self.hash || route.encoded.contains(&'#'))
    }
}

/// Why a request's method or path can't be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    #[error("the method is not written in capital letters")]
    Method,
    #[error("the path does not begin with /")]
    NotAbsolute,
    #[error("the path and query have more than {TARGET_MAX} bytes")]
    TooLong,
    #[error("the path or query holds a character that must be percent-encoded")]
    Character,
    #[error("the path or query holds a #, which clients keep for themselves")]
    Fragment,
    #[error("the path has a % without two hexadecimal digits after it")]
    Percent,
    #[error("the path contains one of / \\ . % ; ? # or a control character in percent-encoding")]
    Hidden,
    #[error("the percent-encoded bytes of the path are not UTF-8")]
    NotText,
    #[error("the path has an empty segment (//)")]
    EmptySegment,
    #[error("the path has a segment . or ..")]
    Dots,
    #[error("the path has parameters after a ;")]
    Parameters,
}

/// Characters that may stand in a literal segment of a route; percent-encoded ones of these are decoded before comparing.
pub(super) fn is_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:@!$&'+,=".contains(&byte)
}

impl<'a> RequestLine<'a> {
    /// Reads a method and a target as they came: path, and perhaps a query, which no route looks at. An encoded `/` or `#` is
    /// refused here.
    pub fn new(method: &'a [u8], target: &'a [u8]) -> Result<Self, LineFault> {
        let line = Self::read(method, target)?;
        if line.hidden.any() { Err(LineFault::Hidden) } else { Ok(line) }
    }

    /// The same with an encoded `/` or `#`, which [`Policy::route`] takes where a route allows it.
    pub fn read(method: &'a [u8], target: &'a [u8]) -> Result<Self, LineFault> {
        // A method in another case would pass by the routes that name it and reach a service that does not care.
        let plain = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'-';
        let method = std::str::from_utf8(method).map_err(|_| LineFault::Method)?;
        if !(1..=32).contains(&method.len()) || !method.as_bytes().iter().all(plain) {
            return Err(LineFault::Method);
        }
        let (path, hidden) = canonical(target)?;
        Ok(Self { method, path, hidden })
    }

    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        &self.path
    }
}

fn canonical(target: &[u8]) -> Result<(Cow<'_, str>, Hidden), LineFault> {
    if target.len() > TARGET_MAX {
        return Err(LineFault::TooLong);
    }
    // To some servers it ends the path, to others it is a part of it. No client sends it.
    if target.contains(&b'#') {
        return Err(LineFault::Fragment);
    }
    let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    let (raw, query) = target.split_at(end);
    if raw.first() != Some(&b'/') {
        return Err(LineFault::NotAbsolute);
    }
    if let Some(byte) = raw.iter().find(|byte| !is_literal(**byte) && !b"/%()*".contains(byte)) {
        return Err(if *byte == b';' { LineFault::Parameters } else { LineFault::Character });
    }
    // The query is the service's own affair, but where it ends must be beyond doubt.
    if query.iter().any(|byte| *byte <= b' ' || *byte == 0x7F) {
        return Err(LineFault::Character);
    }
    let raw = std::str::from_utf8(raw).map_err(|_| LineFault::Character)?;
    let (path, hidden) = match raw.contains('%') {
        true => decode(raw).map(|(path, hidden)| (Cow::Owned(path), hidden))?,
        false => (Cow::Borrowed(raw), Hidden::default()),
    };
    check_segments(&path)?;
    if hidden.slash {
        // Whoever decodes it after all must find no way up either.
        check_segments(&path.replace("%2F", "/")).map_err(|_| LineFault::Hidden)?;
    }
    Ok((path, hidden))
}

fn check_segments(path: &str) -> Result<(), LineFault> {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "" if segments.peek().is_some() => return Err(LineFault::EmptySegment),
            "." | ".." => return Err(LineFault::Dots),
            _ => {}
        }
    }
    Ok(())
}

/// Decodes what a route's literal could hold; the rest stays encoded, in capital digits.
///
/// Refused is what has another meaning to a service that decodes before it takes the path apart, or once more after that,
/// and what some take for a slash or a dot although it is no UTF-8.
fn decode(raw: &str) -> Result<(String, Hidden), LineFault> {
    let mut out = String::with_capacity(raw.len());
    let mut hidden = Hidden::default();
    // The whole path as a service decodes it.
    let mut plain = Vec::with_capacity(raw.len());
    let mut parts = raw.split('%');
    let first = parts.next().unwrap_or_default();
    out.push_str(first);
    plain.extend_from_slice(first.as_bytes());
    for part in parts {
        let digits = part.get(..2).filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        let digits = digits.ok_or(LineFault::Percent)?;
        let byte = u8::from_str_radix(digits, 16).map_err(|_| LineFault::Percent)?;
        match byte {
            b'\\' | b'.' | b'%' | b';' | b'?' => return Err(LineFault::Hidden),
            _ if is_literal(byte) => out.push(char::from(byte)),
            _ => {
                hidden.slash |= byte == b'/';
                hidden.hash |= byte == b'#';
                out.push('%');
                out.push_str(&digits.to_ascii_uppercase());
            }
        }
        out.push_str(&part[2..]);
        plain.push(byte);
        plain.extend_from_slice(&part.as_bytes()[2..]);
    }
    let plain = std::str::from_utf8(&plain).map_err(|_| LineFault::NotText)?;
    if plain.chars().any(char::is_control) { Err(LineFault::Hidden) } else { Ok((out, hidden)) }
}

/// What the routes say to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routed<'p> {
    To(&'p Route),
    /// But for a slash at its end the path would fit this route. Many services make no difference there, so letting it
    /// pass by would let it pass by the route's scope.
    ButForSlash(&'p Route),
    /// But for the size of its letters the path would fit this route. Many services make no difference there either.
    ButForCase(&'p Route),
    /// The path holds an encoded `/` or `#`, and no route that takes it fits.
    Hidden,
    Nowhere,
}

impl Policy {
    /// The first route that fits a request.
    pub fn route(&self, line: &RequestLine<'_>) -> Routed<'_> {
        for route in self.routes.iter().filter(|route| route.methods.fit(line.method)) {
            match fit(&route.path, &line.path) {
                Fit::Yes if line.hidden.fits(route) => return Routed::To(route),
                Fit::Yes => return Routed::Hidden,
                Fit::ButForSlash => return Routed::ButForSlash(route),
                Fit::ButForCase => return Routed::ButForCase(route),
                Fit::No => {}
            }
        }
        if line.hidden.any() { Routed::Hidden } else { Routed::Nowhere }
    }

    /// Whether a route has an endpoint of this name.
    pub fn has_endpoint(&self, name: &str) -> bool {
        self.routes.iter().any(|route| route.endpoint == name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    Yes,
    ButForSlash,
    ButForCase,
    No,
}

fn fit(pattern: &str, path: &str) -> Fit {
    let (pattern, open) = match pattern.strip_suffix("/**") {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    let bare = |text: &'_ str| text.strip_suffix('/').map_or((text.len(), false), |rest| (rest.len(), true));
    let ((pattern_end, wanted), (path_end, found)) = (bare(pattern), bare(path));
    let mut pieces = pattern[..pattern_end].split('/').skip(1);
    let mut segments = path[..path_end].split('/').skip(1);
    let mut cased = false;
    loop {
        match (pieces.next(), segments.next()) {
            (None, None) if cased => return Fit::ButForCase,
            (None, None) if open || wanted == found => return Fit::Yes,
            (None, None) => return Fit::ButForSlash,
            (None, Some(_)) if open => return if cased { Fit::ButForCase } else { Fit::Yes },
            (Some(piece), Some(segment)) if piece.starts_with('{') || piece == segment => {}
            (Some(piece), Some(segment)) if piece.eq_ignore_ascii_case(segment) => cased = true,
            _ => return Fit::No,
        }
    }
}

/// What is wrong with a route's path; `None` if it can be used.
pub(super) fn pattern_fault(path: &str) -> Option<&'static str> {
    let Some(rest) = path.strip_prefix('/') else { return Some("must begin with /") };
    if path.len() > 1_000 {
        return Some("is longer than 1,000 characters");
    }
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        let fault = match segment {
            "" if last => None,
            "" => Some("has an empty segment (//)"),
            "." | ".." => Some("has a segment . or .., which no request may have"),
            "**" if last => None,
            "**" => Some("has ** before its end: it stands for all that follows"),
            _ if segment.starts_with('{') => {
                let name =
                    segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
                let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
                (name.is_empty() || !name.bytes().all(word))
                    .then_some("has a { that does not enclose a whole segment as in /calls/{id}")
            }
            _ => (!segment.bytes().all(is_literal)).then_some(
                "has a segment with characters other than letters, digits and -._~:@!$&'+,=; write {name} or ** for any",
            ),
        };
        if fault.is_some() {
            return fault;
        }
    }
    None
}

#[cfg(test)]
mod tests;
