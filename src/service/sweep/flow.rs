//! Sending: as many letters at once as the mailer wants, each with its end, until nothing waits or there is trouble.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::task::JoinSet;
use tokio::time::{Instant as Moment, MissedTickBehavior, interval, sleep_until};

use super::Run;
use super::claim::{Claimed, calendar_of};
use super::pace::Pace;
use super::record::Finished;
use crate::domain::reminder::fit::{KEYS, Rules};
use crate::domain::reminder::{STOPPED, SweepId, Tally};
use crate::mail::{Blame, Letter, LetterOutcome};
use crate::service::change::Change;
use crate::service::ids::new_operation;
use crate::service::{Post, Result, SweepNews};
use crate::store::Tx;

/// How often a sweep gives a sign of life.
const BEAT: Duration = Duration::from_secs(10);
/// After so many letters in a row that met no mail server, a sweep stops.
const UNAVAILABLE: usize = 3;
/// The most letters in hand at once.
const LETTERS: usize = 64;
/// So many letters are written down at once, …
const TOGETHER: usize = 16;
/// … if they follow each other as quickly as this.
const SOON: Duration = Duration::from_millis(50);
/// After so many letters that were refused in the same words while none was taken, a sweep stops, …
const REFUSED: usize = 10;
/// … and only after so many if all of them go to one domain, which may be the one at fault.
const REFUSED_OF_ONE: usize = 40;
/// How often it is looked whether a sweep that pauses is to stop.
const GLANCE: Duration = Duration::from_millis(200);
/// Letters in hand that were all sent faster than this: more can be taken in hand at once.
const QUICK: Duration = Duration::from_secs(2);
/// … and slower than this: fewer.
const SLOW: Duration = Duration::from_secs(15);

/// Letters on their way through a sweep.
struct Flow {
    queue: VecDeque<Claimed>,
    rules: Arc<Rules>,
    sending: JoinSet<Finished>,
    pace: Pace,
    /// Met no mail server or one that refuses this machine, one after the other: whether that is the letter's fault will be
    /// seen.
    held: Vec<Finished>,
    /// Refused before any letter was taken, in words that may be about every letter.
    refused: Vec<Finished>,
    /// The words in which every letter is refused, without numbers.
    refusal: Option<String>,
    /// To be written down.
    done: Vec<Finished>,
    /// When the first of these must be written down at the latest.
    write_by: Moment,
    /// Nothing waits any more.
    exhausted: bool,
    batch: usize,
    claimed_at: Moment,
    /// In so many letters the server broke off, and what was seen last.
    broken: (u64, String),
    trouble: Option<String>,
}

impl Flow {
    /// Whether no letter may leave just now.
    fn pauses(&self) -> bool {
        Moment::now() < self.pace.next()
    }

    /// Whether what is finished should wait no longer for more.
    fn is_time_to_write(&self) -> bool {
        self.done.len() >= TOGETHER || self.sending.is_empty() || Moment::now() >= self.write_by
    }
}

impl Run {
    /// Plans, then sends; answers what stopped it early.
    pub(super) async fn carry_out(&mut self) -> Result<Option<String>> {
        self.plan().await?;
        let now = self.service.now().await?;
        let (letters, _) = self.service.inner.store.count_waiting(now, KEYS).await?;
        let letters = letters.min(self.left as u64);
        let _ = self.news.send(SweepNews::Planned { letters });

        let pace = Pace::new(self.post.mailer.lanes(), self.post.mailer.rate(), Moment::now());
        let mut flow = Flow {
            queue: VecDeque::new(),
            rules: Arc::new(Rules::new(Vec::new())),
            sending: JoinSet::new(),
            held: Vec::new(),
            refused: Vec::new(),
            refusal: None,
            done: Vec::new(),
            write_by: Moment::now(),
            exhausted: false,
            batch: pace.lanes() * 2,
            pace,
            claimed_at: Moment::now(),
            broken: (0, String::new()),
            trouble: None,
        };
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.stop.is_stopped() && flow.trouble.is_none() {
                flow.trouble = Some(STOPPED.into());
            }
            self.fill(&mut flow).await?;
            if flow.is_time_to_write() {
                self.write_down(&mut flow).await?;
            }
            if flow.sending.is_empty() {
                let nothing_left = flow.queue.is_empty() && (flow.exhausted || self.left == 0);
                if nothing_left || flow.trouble.is_some() {
                    break;
                }
                if !flow.pauses() {
                    continue;
                }
            }
            let pauses = flow.pauses() && flow.sending.len() < flow.pace.lanes() && flow.trouble.is_none();
            // Whoever wants it to stop is heard during the longest pause.
            let glance = flow.pace.next().min(Moment::now() + GLANCE);
            tokio::select! {
                joined = flow.sending.join_next(), if !flow.sending.is_empty() => {
                    let mut joined = joined;
                    while let Some(finished) = joined {
                        if let Ok(finished) = finished {
                            self.judge(&mut flow, finished);
                        }
                        joined = flow.sending.try_join_next();
                    }
                }
                () = sleep_until(glance), if pauses => {}
                () = sleep_until(flow.write_by), if !flow.done.is_empty() => {}
                _ = beat.tick() => self.give_sign().await,
            }
        }
        self.settle_held(&mut flow);
        self.write_down(&mut flow).await?;
        let (broken, words) = flow.broken;
        if broken > 0 && broken == self.tally.deferred && self.tally.settled() == 0 {
            // No fault of any letter's: whoever watches over sweeps must hear of it.
            return Ok(flow.trouble.or(Some(format!("the mail server interrupted every letter: {words}"))));
        }
        Ok(flow.trouble)
    }

    /// Takes letters in hand and sends them off, as many at once as the mailer wants.
    async fn fill(&mut self, flow: &mut Flow) -> Result<()> {
        if flow.trouble.is_some() {
            let let_go = flow.queue.drain(..).map(|letter| Finished { letter, outcome: None });
            flow.done.extend(let_go);
            return Ok(());
        }
        while flow.sending.len() < flow.pace.lanes() && !flow.pauses() {
            let Some(mut letter) = flow.queue.pop_front() else {
                if flow.exhausted || self.left == 0 {
                    return Ok(());
                }
                // What is finished is written down first, so that it does not wait for what comes next.
                self.write_down(flow).await?;
                self.take(flow).await?;
                continue;
            };
            if Moment::now() >= letter.send_by {
                // The claim is about to lapse, and another sweep may take it. It is claimed anew.
                self.left = self.left.saturating_add(1);
                flow.exhausted = false;
                flow.done.push(Finished { letter, outcome: None });
                continue;
            }
            letter.left_at = Moment::now();
            flow.pace.leaves(letter.left_at);
            let (post, rules) = (self.post.clone(), flow.rules.clone());
            flow.sending.spawn(async move {
                let sent = AssertUnwindSafe(send(&post, &rules, &letter)).catch_unwind().await;
                let outcome = sent
                    .unwrap_or_else(|_| LetterOutcome::Ambiguous { answer: "the sending broke off".into() });
                Finished { letter, outcome: Some(outcome) }
            });
        }
        Ok(())
    }

    /// Takes the next letters in hand.
    async fn take(&mut self, flow: &mut Flow) -> Result<()> {
        match flow.claimed_at.elapsed() {
            spent if spent < QUICK => flow.batch = (flow.batch * 2).min(LETTERS),
            spent if spent > SLOW => flow.batch = (flow.batch / 2).max(flow.pace.lanes()),
            _ => {}
        }
        flow.claimed_at = Moment::now();
        match self.claim(flow.pace.batch(flow.batch).min(self.left)).await? {
            None => flow.exhausted = true,
            Some(claim) => {
                self.left -= claim.letters.len().min(self.left);
                flow.rules = claim.rules;
                flow.queue.extend(claim.letters);
            }
        }
        Ok(())
    }

    /// Decides what an outcome means for this sweep.
    fn judge(&mut self, flow: &mut Flow, finished: Finished) {
        if flow.done.is_empty() {
            flow.write_by = Moment::now() + SOON;
        }
        let Some(outcome) = &finished.outcome else { return flow.done.push(finished) };
        // Where only one connection is tried, the server is away for all.
        let away = matches!(outcome, LetterOutcome::Unavailable { .. }) && !outcome.answer().contains(": 4");
        match outcome.blame() {
            Blame::Pace if !away || flow.pace.lanes() > 1 => self.slow_down(flow, finished),
            Blame::Pace | Blame::Machine => {
                flow.held.push(finished);
                if flow.held.len() >= UNAVAILABLE {
                    self.give_up(flow, None);
                }
            }
            Blame::Unsure if self.tally.sent == 0 => {
                flow.refused.push(finished);
                let enough = if of_one_domain(&flow.refused) { REFUSED_OF_ONE } else { REFUSED };
                let lapses = Moment::now() >= flow.refused[0].letter.send_by;
                if flow.refused.len() >= enough || lapses {
                    self.settle_refused(flow);
                }
            }
            Blame::Unsure | Blame::Letter => {
                flow.pace.went_well();
                if let LetterOutcome::Broken { answer } = outcome {
                    flow.broken = (flow.broken.0 + 1, answer.clone());
                }
                // The server works, so that the letters before this one had bad luck of their own.
                let mut settled = std::mem::take(&mut flow.held);
                if matches!(outcome, LetterOutcome::Sent { .. }) {
                    settled.append(&mut flow.refused);
                }
                settled.push(finished);
                self.settle(flow, settled);
            }
        }
    }

    /// Tells of letters that met their fates, and lets them be written down.
    fn settle(&mut self, flow: &mut Flow, finished: Vec<Finished>) {
        for one in &finished {
            self.tell(one);
        }
        flow.done.extend(finished);
    }

    /// The server asks for fewer letters at a time, or for time: this one goes a little later, and was not tried.
    fn slow_down(&mut self, flow: &mut Flow, finished: Finished) {
        let worth = flow.pace.slow_down(finished.letter.left_at, Moment::now());
        let answer = finished.outcome.as_ref().map_or("", LetterOutcome::answer);
        tracing::info!(lanes = flow.pace.lanes(), answer, "the mail server asks for fewer letters");
        if worth && flow.trouble.is_none() {
            flow.queue.push_front(finished.letter);
            return;
        }
        let words = format!(
            "the mail server took no letter for a minute: {answer}. If it wants fewer, set `connections` and `rate` below [mail]"
        );
        flow.held.push(finished);
        self.give_up(flow, Some(words));
    }

    /// Stops because no letter would fare better: what met no server, or one that refuses this machine, is let go as if it
    /// had never been in hand.
    fn give_up(&mut self, flow: &mut Flow, words: Option<String>) {
        let held = std::mem::take(&mut flow.held);
        let last = held.last().and_then(|last| last.outcome.as_ref());
        let words = words.or_else(|| last.map(|outcome| outcome.answer().to_owned()));
        if flow.trouble.is_none() {
            flow.trouble = words;
        }
        for mut one in held {
            let answer = one.outcome.as_ref().map_or("", LetterOutcome::answer).to_owned();
            one.outcome = Some(LetterOutcome::Deferred { answer });
            self.tell(&one);
            flow.done.push(Finished { outcome: None, ..one });
        }
    }

    /// Decides about letters that were refused before any was taken: where several were refused with the very same words, it
    /// is not the letters' fault.
    fn settle_refused(&mut self, flow: &mut Flow) {
        let refused = std::mem::take(&mut flow.refused);
        let words = |one: &Finished| {
            one.outcome.as_ref().map(|outcome| without(outcome.answer(), &one.letter.recipient))
        };
        let first = refused.first().and_then(words);
        let same = |one: &Finished| words(one).as_deref().map(without_numbers);
        let alike = first.is_some() && refused.iter().all(|one| same(one) == same(&refused[0]));
        if alike
            && self.tally.sent == 0
            && (refused.len() >= UNAVAILABLE || flow.refusal == same(&refused[0]))
        {
            let now = refused.iter().all(|one| matches!(one.outcome, Some(LetterOutcome::Deferred { .. })));
            let how = if now { "refuses every letter for now" } else { "refuses every letter" };
            let trouble = first.as_ref().map(|words| format!("the mail server {how}: {words}"));
            flow.refusal = same(&refused[0]);
            flow.held.extend(refused);
            self.give_up(flow, trouble);
        } else {
            self.settle(flow, refused);
        }
    }

    /// At the end: where no letter met a server at all, there is none; else the last few had bad luck.
    fn settle_held(&mut self, flow: &mut Flow) {
        self.settle_refused(flow);
        if flow.held.is_empty() {
            return;
        }
        if self.tally.letters() == 0 || flow.trouble.is_some() {
            self.give_up(flow, None);
        } else {
            let held = std::mem::take(&mut flow.held);
            self.settle(flow, held);
        }
    }

    async fn write_down(&self, flow: &mut Flow) -> Result<()> {
        if flow.done.is_empty() {
            return Ok(());
        }
        self.record(std::mem::take(&mut flow.done)).await
    }

    /// A sign of life while letters take their time. If it fails, the next transaction will tell.
    async fn give_sign(&self) {
        let _ = self.service.change(new_operation(), Beat { sweep: self.id, tally: self.tally }).await;
    }
}

/// A sign of life.
struct Beat {
    sweep: SweepId,
    tally: Tally,
}

impl Change for Beat {
    type Answer = ();

    const WIDENS: bool = true;

    async fn carry_out(&self, tx: &mut Tx) -> Result<()> {
        Ok(tx.beat(self.sweep, &self.tally).await?)
    }
}

/// A server's words without what is only about this recipient: the address, and what stands in angle brackets.
fn without(answer: &str, recipient: &str) -> String {
    let words = answer.split_whitespace().filter(|word| !word.starts_with('<') && !word.contains(recipient));
    words.collect::<Vec<_>>().join(" ")
}

/// The same without what differs from letter to letter behind the code: the number of a queue, seconds to wait.
fn without_numbers(words: &str) -> String {
    let plain = |(n, word): &(usize, &str)| *n < 2 || !word.contains(|c: char| c.is_ascii_digit());
    let words = words.split_whitespace().enumerate().filter(plain);
    words.map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

/// Whether all these letters go to one domain.
fn of_one_domain(letters: &[Finished]) -> bool {
    let domain =
        |one: &Finished| one.letter.recipient.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
    letters.iter().all(|one| domain(one) == domain(&letters[0]))
}

/// Writes a letter and sends it.
async fn send(post: &Post, rules: &Rules, letter: &Claimed) -> LetterOutcome {
    let mail = letter.mail(rules, post.contact.as_deref());
    match post.templates.render(&mail) {
        Ok(words) => {
            let letter = Letter {
                message_id: letter.message_id.clone(),
                to: letter.recipient.clone(),
                subject: words.subject,
                text: words.text,
                html: words.html,
                reply_to: mail.reply_to().map(str::to_owned),
                calendar: Some(calendar_of(&mail)),
                at: letter.at,
            };
            post.mailer.send(&letter).await
        }
        Err(error) => LetterOutcome::Unavailable { answer: error.to_string() }, // The next would fare the same.
    }
}
