//! Following requests through a stream of bytes, far enough to tell where each head begins and how it spells its names.

/// How the key headers of one request were spelled, and what the library keeps nothing of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// How many headers are named `X-API-Key` in whatever spelling; [`u8::MAX`] where that is in doubt.
    count: u8,
    /// One bit for each of them, from the lowest: whether it is spelled exactly so.
    exact: u32,
    /// Whether its first line holds a `#`, or may: the library drops that, and what stands behind it.
    cut: bool,
}

impl Note {
    /// Nothing is known about the request's spelling.
    pub const DOUBT: Self = Self { count: u8::MAX, exact: 0, cut: true };

    /// Whether the `n`th of `count` headers `X-API-Key` is spelled exactly so. `None`: it can't be said.
    pub fn is_exact(&self, n: usize, count: usize) -> Option<bool> {
        (usize::from(self.count) == count && n < 32).then(|| self.exact >> n & 1 == 1)
    }

    /// Whether the request could not be followed: then neither can those behind it on the same connection.
    pub fn is_doubt(&self) -> bool {
        self.count == u8::MAX
    }

    /// Whether the target may have been longer than what is left of it.
    pub fn is_cut(&self) -> bool {
        self.cut
    }
}

/// The longest line that is followed; the HTTP library refuses longer heads.
const LINE_MAX: usize = 128 * 1024;

/// Where in the stream the reading stands.
#[derive(Debug, Default)]
pub struct Heads {
    place: Within,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
}

#[derive(Debug, Default)]
enum Within {
    /// Before a request line; empty lines there are skipped, as the HTTP library does.
    #[default]
    Between,
    Head(Head),
    /// So many bytes of a body are still to come.
    Body(u64),
    /// Where the next head begins can't be told: every further request is in doubt.
    Lost,
}

#[derive(Clone, Copy, Debug, Default)]
struct Head {
    count: u8,
    exact: u32,
    cut: bool,
    length: Option<u64>,
    /// The body's end, or the head itself, can't be told.
    doubt: bool,
}

impl Heads {
    /// Whether a head has begun and not ended.
    pub fn is_inside(&self) -> bool {
        matches!(self.place, Within::Head(_)) || !self.partial.is_empty()
    }

    /// Reads on. `tell` gets the note on each head that ends.
    pub fn follow(&mut self, mut bytes: &[u8], mut tell: impl FnMut(Note)) {
        loop {
            match &mut self.place {
                _ if bytes.is_empty() => return,
                Within::Lost => return,
                Within::Body(left) => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= here as u64;
                    bytes = &bytes[here..];
                    if *left == 0 {
                        self.place = Within::Between;
                    }
                }
                Within::Between | Within::Head(_) => {
                    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                        self.keep(bytes);
                        return;
                    };
                    let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
                    bytes = rest;
                    if self.partial.is_empty() {
                        self.line(line, &mut tell);
                    } else {
                        self.keep(line);
                        let whole = std::mem::take(&mut self.partial);
                        self.line(&whole, &mut tell);
                    }
                }
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.partial.len() + bytes.len() > LINE_MAX {
            self.partial = Vec::new();
            self.place = Within::Lost;
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }

    fn line(&mut self, line: &[u8], tell: &mut impl FnMut(Note)) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match &mut self.place {
            Within::Between if line.is_empty() => {}
            Within::Between => {
                self.place = Within::Head(Head { cut: line.contains(&b'#'), ..Head::default() });
            }
            Within::Head(head) if line.is_empty() => {
                let head = *head;
                tell(head.note());
                self.place = match (head.doubt, head.length) {
                    (true, _) => Within::Lost,
                    (false, None | Some(0)) => Within::Between,
                    (false, Some(length)) => Within::Body(length),
                };
            }
            Within::Head(head) => head.header(line),
            Within::Body(_) | Within::Lost => {}
        }
    }
}

impl Head {
    fn header(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            self.doubt = true;
            return;
        };
        let name = &line[..colon];
        // Three lengths concern us; the rest of the names costs one comparison each.
        match name.len() {
            9 if name.eq_ignore_ascii_case(b"x-api-key") => {
                if self.count < 32 {
                    self.exact |= u32::from(name == b"X-API-Key") << self.count;
                    self.count += 1;
                } else {
                    self.doubt = true;
                }
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let digits = line[colon + 1..].trim_ascii();
                let number = std::str::from_utf8(digits).ok().filter(|text| {
                    !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit())
                });
                match (number.and_then(|text| text.parse().ok()), self.length) {
                    (Some(length), None) => self.length = Some(length),
                    _ => self.doubt = true,
                }
            }
            // A body in chunks is not followed.
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.doubt = true,
            // A line that goes on with the one before, or a name with blanks round it.
            _ if name.first().is_none_or(u8::is_ascii_whitespace)
                || name.last().is_some_and(u8::is_ascii_whitespace) =>
            {
                self.doubt = true;
            }
            _ => {}
        }
    }

    fn note(&self) -> Note {
        let Self { count, exact, cut, .. } = *self;
        if self.doubt { Note { cut, ..Note::DOUBT } } else { Note { count, exact, cut } }
    }
}
