//! What the console asks beside what a person does: previews, and what it waits for.

use super::Desk;
use crate::tui::effect::{Effect, Request, RequestId, Timer, To};
use crate::tui::message::Message;
use crate::tui::update::update;
use crate::tui::wish;

impl Desk {
    /// Nothing comes until the timers that these effects set have run out.
    pub fn rest(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let timers = effects.into_iter().filter_map(|effect| match effect {
            Effect::SetTimer { timer, .. } => Some(Message::Timer(timer)),
            _ => None,
        });
        timers.flat_map(|timer| self.update(timer)).collect()
    }

    /// What comes of a message, without the previews, which are kept apart, and without the pauses for them.
    pub fn update(&mut self, message: Message) -> Vec<Effect> {
        let mut effects = update(&mut self.state, message);
        let tries = effects.extract_if(.., |effect| {
            matches!(
                effect,
                Effect::Ask { request: Request::Try(_), .. }
                    | Effect::SetTimer { timer: Timer::Of(To::Overlay(_)), after: wish::PAUSE }
            )
        });
        self.tried.extend(tries.filter_map(|effect| match effect {
            Effect::Ask { to, request: Request::Try(request) } => Some((to, *request)),
            _ => None,
        }));
        effects
    }

    /// The newest preview that was asked for.
    #[track_caller]
    pub fn preview(&mut self) -> (RequestId, Request) {
        self.tried.pop().expect("a preview was asked for")
    }
}
