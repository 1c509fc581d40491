//! Times as people write and read them: one grammar and one set of words for every door.

mod moment;
mod span;
mod words;
mod zone;

pub use moment::{Moment, Side, SinceError};
pub use span::{Span, SpanError};
pub use words::{ago, ahead_in_full, in_a_sentence, relative};
pub use zone::{Here, Zone};

#[cfg(test)]
mod tests;
