//! How long something is to be refused, and what is said of it: the same in every question that asks.

use crate::domain::pause::Lasting;
use crate::domain::text::check_reason;
use crate::domain::when::Here;
use crate::service::{Field, PauseOrder};
use crate::tui::widgets::text_field::TextField;
use crate::tui::wish::Wish;

/// The lengths that are offered, as they are read and as they are told.
pub const SPANS: [(&str, &str); 4] = [("15m", "15 min"), ("1h", "1 h"), ("8h", "8 h"), ("24h", "24 h")];
/// The one that is offered first.
pub const USUAL: usize = 1;
/// What another one looks like.
pub const HINT: &str = "45m, 2d, friday, 2027-01-31 18:00";

/// Reads one of [`SPANS`], or where it is none of them what was written.
pub fn lasting(at: Option<usize>, other: &TextField, here: Here) -> Result<Lasting, String> {
    match (at.and_then(|at| SPANS.get(at)), other.value().trim()) {
        (Some((span, _)), _) => Lasting::span(span).map_err(|error| error.to_string()),
        (None, "") => Err("write for example 45m, 2d, friday or 2027-01-31 18:00".into()),
        (None, text) => Lasting::span(text)
            .map_err(|error| error.to_string())
            .or_else(|_| Lasting::until(text, here).map_err(|error| error.to_string())),
    }
}

/// What is sent of it. A text of blanks is none.
pub fn order(lasting: Lasting, message: &TextField, reason: &TextField) -> PauseOrder {
    let text = |field: &TextField| Some(field.value().trim().to_owned()).filter(|text| !text.is_empty());
    PauseOrder { lasting, message: text(message), reason: text(reason) }
}

/// What is wrong with a text that goes with it, by itself or as the database answered.
pub fn fault(text: &TextField, wish: &Wish, field: Field) -> Option<String> {
    let refused = || wish.refusal(field).map(|why| why.as_str().to_owned());
    check_reason(text.value()).err().map(|error| error.to_string()).or_else(refused)
}
