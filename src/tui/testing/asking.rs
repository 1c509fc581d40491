//! What the worker is asked for, as tests read it from effects.

use crate::tui::effect::{Effect, Request, RequestId};

/// The one request that the effects are, and nothing else.
#[track_caller]
pub fn only_request(effects: Vec<Effect>) -> (RequestId, Request) {
    let [only] = only_requests(effects);
    only
}

/// The requests that the effects are, and nothing else.
#[track_caller]
pub fn only_requests<const N: usize>(effects: Vec<Effect>) -> [(RequestId, Request); N] {
    let said = format!("{effects:#?}");
    let asks = effects.into_iter().map(|effect| match effect {
        Effect::Ask { to, request } => (to, request),
        other => panic!("no request: {other:?}"),
    });
    asks.collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("not {N} requests: {said}"))
}

/// The identity of the first of these requests that is meant.
#[track_caller]
pub fn asked(effects: &[Effect], meant: impl Fn(&Request) -> bool) -> RequestId {
    let of = |effect: &Effect| match effect {
        Effect::Ask { to, request } if meant(request) => Some(*to),
        _ => None,
    };
    effects.iter().find_map(of).unwrap_or_else(|| panic!("not asked: {effects:#?}"))
}

/// Nothing is asked of the worker.
#[track_caller]
pub fn asks_nothing(effects: &[Effect]) {
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Ask { .. })), "{effects:#?}");
}
