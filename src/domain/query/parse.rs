//! Reading a query.

use std::ops::Range;

use chrono::Duration;
use strum::VariantArray as _;

use super::hints::{accepted, nearest, unknown_field};
use super::{Bound, FIELDS, Point, Query, QueryError, Term, Test};
use crate::domain::account::check_slug;
use crate::domain::key::Status;
use crate::domain::scope::is_scope;
use crate::domain::spaced::unique;
use crate::domain::text::{SafeText, composed, fold, fold_typed};
use crate::domain::when::{Here, Moment, Side, Span, SpanError};

/// The most characters of a filter. A name and a description together have 600.
pub(in crate::domain) const LONGEST: usize = 2000;
/// The most conditions of a filter; the databases can't nest them without end.
const CONDITIONS: usize = 200;

impl Query {
    /// Reads a filter. The error carries the place of the first mistake.
    ///
    /// Spans stay relative, so that a filter goes on meaning the same while time passes; a day such as today is the one
    /// that it is now.
    pub fn parse(text: &str, here: Here) -> Result<Self, QueryError> {
        let (mut terms, mut conditions) = (Vec::new(), 0);
        for word in words(text)? {
            conditions += word.values.len();
            if conditions > CONDITIONS {
                let why = format!("a filter has at most {CONDITIONS} conditions: remove some");
                return Err(mistake(word.start()..text.len(), why));
            }
            terms.extend(word.term(text, here)?);
        }
        Ok(Self { terms })
    }
}

/// A part of a value between commas, without its quotation marks.
pub(in crate::domain) struct Piece {
    pub text: String,
    /// Where it stands, quotation marks included.
    pub span: Range<usize>,
    /// Whether some of it stood in quotation marks.
    pub quoted: bool,
}

/// One term as it is written.
pub(in crate::domain) struct Word {
    pub negated: bool,
    /// The name before the colon, if there is a colon outside quotation marks.
    pub field: Option<Piece>,
    /// What follows, split at commas outside quotation marks.
    pub values: Vec<Piece>,
    /// The same, not split.
    pub whole: Piece,
}

pub(in crate::domain) fn mistake(span: Range<usize>, message: impl Into<String>) -> QueryError {
    QueryError { start: span.start, end: span.end, message: message.into() }
}

/// Splits a filter at blanks, minding quotation marks.
pub(in crate::domain) fn words(text: &str) -> Result<Vec<Word>, QueryError> {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        return Err(mistake(
            end..text.len(),
            format!("a filter has at most {LONGEST} characters: shorten it"),
        ));
    }
    let mut found = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some(&(start, c)) = rest.peek() {
        if c.is_whitespace() {
            rest.next();
            continue;
        }
        let next = text[start + c.len_utf8()..].chars().next();
        let negated = c == '-' && next.is_some_and(|c| !c.is_whitespace());
        let from = if negated {
            rest.next();
            start + 1
        } else {
            start
        };
        let empty = |at: usize| Piece { text: String::new(), span: at..at, quoted: false };
        let mut word = Word { negated, field: None, values: Vec::new(), whole: empty(from) };
        let mut piece = empty(from);
        let mut quoted = false;
        while let Some(&(at, c)) = rest.peek() {
            if c.is_whitespace() {
                break;
            }
            rest.next();
            let after = at + c.len_utf8();
            match c {
                '"' => {
                    // `name:="x"` is `name:"x"`.
                    if piece.text == "=" && word.field.is_some() {
                        piece.text.clear();
                        word.whole.text.pop();
                    }
                    quoted = true;
                    piece.quoted = true;
                    let end = phrase(&mut rest, &mut piece.text, &mut word.whole.text).ok_or_else(|| {
                        mistake(at..text.len(), "this quotation mark has no partner: add one at the end")
                    })?;
                    piece.span.end = end;
                    word.whole.span.end = end;
                    continue;
                }
                ':' if word.field.is_none() && word.values.is_empty() && !quoted => {
                    word.field = Some(std::mem::replace(&mut piece, empty(after)));
                    word.whole = empty(after);
                    continue;
                }
                // `name=x` is `name:"x"`, and so is `=x`; a text may have the sign.
                '=' if word.field.is_none() && word.values.is_empty() && !quoted && is_field(&piece.text) => {
                    let mut field = std::mem::replace(&mut piece, empty(after));
                    field.quoted = true;
                    if field.text.is_empty() {
                        field.text.push_str("name");
                    }
                    word.field = Some(field);
                    word.whole = empty(after);
                    continue;
                }
                ',' => {
                    word.values.push(std::mem::replace(&mut piece, empty(after)));
                }
                _ => {
                    piece.text.push(c);
                    piece.span.end = after;
                }
            }
            word.whole.text.push(c);
            word.whole.span.end = after;
        }
        word.values.push(piece);
        found.push(word);
    }
    Ok(found)
}

/// Whether `text` names a field, or nothing: then the name is meant.
fn is_field(text: &str) -> bool {
    text.is_empty()
        || text.eq_ignore_ascii_case("id")
        || FIELDS.iter().any(|help| help.name.eq_ignore_ascii_case(text))
}

/// Reads up to the closing quotation mark into both texts; answers with the byte behind it, or `None` if there is none.
fn phrase(
    rest: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
    piece: &mut String,
    whole: &mut String,
) -> Option<usize> {
    while let Some((at, c)) = rest.next() {
        let c = match c {
            '"' => return Some(at + 1),
            // Before any other character it is one itself: names of logins have it.
            '\\' => rest.next_if(|(_, c)| matches!(c, '"' | '\\')).map_or('\\', |(_, c)| c),
            other => other,
        };
        piece.push(c);
        whole.push(c);
    }
    None
}

impl Word {
    /// The meaning; `None` for an empty phrase, or letters that nobody sees, which ask nothing.
    fn term(self, text: &str, here: Here) -> Result<Option<Term>, QueryError> {
        let Some(field) = &self.field else {
            let text = fold_typed(&self.whole.text);
            return Ok((!text.is_empty()).then_some(Term { negated: self.negated, test: Test::Text(text) }));
        };
        let name = field.text.to_ascii_lowercase();
        let known = FIELDS.iter().map(|help| help.name).find(|known| *known == name);
        let Some(help) = known.or((name == "id").then_some("id")) else {
            let span = if field.text.is_empty() { self.span(field) } else { field.span.clone() };
            return Err(mistake(span, unknown_field(&name, &text[self.span(field)])));
        };
        // A `=` by itself says that nothing is meant exactly.
        let is_empty = |value: &&Piece| match (value.text.as_str(), value.quoted) {
            ("", _) | ("=", false) => true,
            (_, quoted) => matches!(help, "name" | "owner") && !quoted && fold(&value.name()).is_empty(),
        };
        if let Some(empty) = self.values.iter().find(is_empty) {
            // One missing among several is marked at its comma, a missing only one with its field.
            let span =
                if self.values.len() == 1 { self.span(field) } else { empty.span.start - 1..empty.span.end };
            return Err(mistake(span, format!("{help}: needs a value: {}", accepted(help))));
        }
        let test = match help {
            "status" => Test::Status(self.statuses()?),
            "account" => Test::Account(self.slugs("account")?),
            "issuer" => Test::Issuer(self.slugs("issuer")?),
            "by" => Test::CreatedBy(unique(self.values.iter().map(Piece::name))),
            "name" => self.names()?,
            "scope" => Test::Scope(self.scopes()?),
            "owner" => Test::Owner(unique(self.values.iter().map(|value| fold(&value.name())))),
            "tag" => Test::Tag(self.tags()?),
            "expires" => self.expires(here)?,
            "created" => Test::Created(self.one(help)?.past(help, here)?),
            "revoked" => Test::Revoked(self.one(help)?.past(help, here)?),
            "used" => self.used(here)?,
            "idle" => {
                let value = self.one(help)?;
                let span = value.text.trim_start_matches('>');
                Test::Idle(Span::parse(span).map_err(|error| value.no_span(help, error))?)
            }
            "rotation" => self.word(help, &["due"]).map(|_| Test::RotationDue)?,
            "violates" => self.word(help, &["policy"]).map(|_| Test::Violates(Vec::new()))?,
            "network" => Test::Anywhere(self.word(help, &["any", "set"])? == 0),
            "creator" => Test::CreatorGone(self.word(help, &["gone", "here"])? == 0, Vec::new()),
            "acknowledged" => Test::Acknowledged(self.word(help, &["yes", "no"])? == 0),
            "replaced" => Test::Replaced(self.word(help, &["yes", "no"])? == 0),
            "replaces" => Test::Replaces(self.word(help, &["yes", "no"])? == 0),
            "overlap" => Test::Overlap(super::Side::VARIANTS[self.word(help, &["old", "new", "open"])?]),
            _ => self.id()?,
        };
        Ok(Some(Term { negated: self.negated, test }))
    }

    /// Which of these words it is.
    fn word(&self, help: &str, words: &[&str]) -> Result<usize, QueryError> {
        let typed = self.one(help)?.text.to_ascii_lowercase();
        words.iter().position(|word| *word == typed).ok_or_else(|| self.whole.refused(help))
    }

    /// The first byte, after a `-`.
    pub fn start(&self) -> usize {
        self.field.as_ref().map_or(self.whole.span.start, |field| field.span.start)
    }

    pub fn span(&self, field: &Piece) -> Range<usize> {
        field.span.start..self.whole.span.end.max(field.span.end + 1)
    }

    /// The only value.
    pub fn one(&self, field: &str) -> Result<&Piece, QueryError> {
        match self.values.as_slice() {
            [only] => Ok(only),
            _ => Err(mistake(self.whole.span.clone(), format!("{field}: takes one value, not a list"))),
        }
    }

    fn statuses(&self) -> Result<Vec<Status>, QueryError> {
        let mut any = Vec::new();
        for value in &self.values {
            let word = value.text.to_ascii_lowercase();
            match word.parse() {
                Ok(Status::Damaged) => return Err(value.refused("status")),
                Ok(status) => any.push(status),
                Err(_) if word == "ended" => any.extend(Status::ENDED),
                Err(_) => return Err(value.refused("status")),
            }
        }
        Ok(unique(any))
    }

    fn slugs(&self, field: &str) -> Result<Vec<String>, QueryError> {
        let slug = |value: &Piece| {
            let slug = value.text.to_lowercase();
            check_slug(&slug).map_err(|error| mistake(value.span.clone(), format!("{field}: {error}")))?;
            Ok(slug)
        };
        self.values.iter().map(slug).collect::<Result<Vec<_>, _>>().map(unique)
    }

    /// Names: exactly what is quoted or stands behind a `=`, else what contains it.
    fn names(&self) -> Result<Test, QueryError> {
        let all = self.field.as_ref().is_some_and(|field| field.quoted);
        let exact = |value: &Piece| all || value.quoted || value.text.starts_with('=');
        let exactly = self.values.iter().filter(|value| exact(value)).count();
        if exactly != 0 && exactly != self.values.len() {
            let why =
                "name: put all names into quotation marks, or none: those match exactly, these as a part";
            return Err(mistake(self.whole.span.clone(), why));
        }
        let names = unique(self.values.iter().map(Piece::name));
        Ok(if exactly == 0 { Test::NamePart(names) } else { Test::Name(names) })
    }

    fn scopes(&self) -> Result<Vec<String>, QueryError> {
        let mut any = Vec::new();
        for value in &self.values {
            let scope = value.text.to_ascii_lowercase();
            if scope != "none" && !is_scope(&scope) {
                return Err(value.refused("scope"));
            }
            any.push(scope);
        }
        Ok(unique(any))
    }

    fn expires(&self, here: Here) -> Result<Test, QueryError> {
        let value = self.one("expires")?;
        match value.text.to_ascii_lowercase().as_str() {
            "never" => Ok(Test::NeverExpires(true)),
            "set" => Ok(Test::NeverExpires(false)),
            _ => value.bound("expires", here, Side::Ahead).map(Test::Expires),
        }
    }

    fn used(&self, here: Here) -> Result<Test, QueryError> {
        let value = self.one("used")?;
        match value.text.to_ascii_lowercase().as_str() {
            "never" => Ok(Test::NeverUsed(true)),
            "ever" => Ok(Test::NeverUsed(false)),
            _ => value.past("used", here).map(Test::Used),
        }
    }

    fn id(&self) -> Result<Test, QueryError> {
        let value = self.one("id")?;
        let part = value.text.to_ascii_lowercase();
        if part.len() > 36 || !part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-')) {
            return Err(value.refused("id"));
        }
        // A whole id without its hyphens is an id too.
        let part = match uuid::Uuid::try_parse(&part) {
            Ok(id) => id.to_string(),
            Err(_) => part,
        };
        Ok(Test::Id(part))
    }
}

impl Piece {
    /// The value as a whole name; a `=` before it that is not quoted says so only.
    fn name(&self) -> String {
        let bare = self.text.strip_prefix('=').filter(|_| !self.quoted);
        composed(bare.unwrap_or(&self.text))
    }

    fn refused(&self, field: &str) -> QueryError {
        let values = FIELDS.iter().find(|help| help.name == field).map_or(&[][..], |help| help.values);
        let near = nearest(&self.text.to_ascii_lowercase(), values.iter().copied());
        let hint =
            near.map_or_else(|| format!("write {}", accepted(field)), |near| format!("did you mean {near}?"));
        let found = SafeText::new(self.text.as_str());
        mistake(self.span.clone(), format!("{field}: does not know {:?}: {hint}", found.as_str()))
    }

    /// A span that can't be read; what is no span at all may be any other mistake.
    fn no_span(&self, field: &str, error: SpanError) -> QueryError {
        match error {
            SpanError::NoSpan(_) => self.refused(field),
            error => mistake(self.span.clone(), format!("{field}: {error}")),
        }
    }

    /// A bound on an instant of the past: `<7d` lies after now - 7 days.
    pub fn past(&self, field: &str, here: Here) -> Result<Bound, QueryError> {
        self.bound(field, here, Side::Back)
    }

    /// A bound. `side` says whether spans count forwards from now or backwards.
    fn bound(&self, field: &str, here: Here, side: Side) -> Result<Bound, QueryError> {
        let text = self.text.as_str();
        let signs = [("<=", true, true), (">=", false, true), ("<", true, false), (">", false, false)];
        let (sign, rest) = signs
            .into_iter()
            .find_map(|sign| text.strip_prefix(sign.0).map(|rest| (Some(sign), rest)))
            .unwrap_or((None, text));
        let (negative, span) = rest.strip_prefix('-').map_or((false, rest), |span| (true, span));
        let moment = match Span::parse(span) {
            Ok(span) => {
                let less = sign.is_none_or(|(_, less, _)| less);
                let ahead = side == Side::Ahead;
                let span = if negative == ahead { -span } else { span };
                if span.after(here.now, here.zone).is_none() {
                    return Err(self.refused(field));
                }
                let point = Point::FromNow(span);
                return Ok(if less == ahead { Bound::Before(point) } else { Bound::After(point) });
            }
            Err(error) => Moment::parse(rest, here, side).ok_or_else(|| self.no_span(field, error))?,
        };
        let Some((from, to)) = moment.range(here) else { return Err(self.refused(field)) };
        // `from` and `to` are the first and the last microsecond meant.
        let tick = Duration::microseconds(1);
        match sign {
            Some((_, true, false)) => Ok(Bound::Before(Point::At(from))),
            Some((_, true, true)) => Ok(Bound::Before(Point::At(to + tick))),
            Some((_, false, false)) => Ok(Bound::After(Point::At(to))),
            Some((_, false, true)) => Ok(Bound::After(Point::At(from - tick))),
            None => {
                Err(mistake(self.span.clone(), format!("{field}: put < or > before a date: {field}:<{rest}")))
            }
        }
    }
}
