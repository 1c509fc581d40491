//! The zone that days and times are read and shown in.

use chrono::{
    Days, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, Utc,
};

use crate::domain::Instant;

/// A zone, told by its offsets: it comes in as an argument, as the time does.
#[derive(Clone, Copy, derive_more::Debug)]
#[debug("Zone({})", name.unwrap_or("local"))]
pub struct Zone {
    at: fn(&NaiveDateTime) -> FixedOffset,
    of: fn(&NaiveDateTime) -> MappedLocalTime<FixedOffset>,
    name: Option<&'static str>,
}

impl Zone {
    pub const UTC: Self =
        Self { at: |_| Utc.fix(), of: |_| MappedLocalTime::Single(Utc.fix()), name: Some("UTC") };

    /// `at` tells the offset at an instant in UTC, `of` the one or two that a local time can have.
    pub const fn new(
        at: fn(&NaiveDateTime) -> FixedOffset,
        of: fn(&NaiveDateTime) -> MappedLocalTime<FixedOffset>,
    ) -> Self {
        Self { at, of, name: None }
    }

    /// What clocks in this zone show at `at`.
    pub fn local(self, at: Instant) -> chrono::DateTime<FixedOffset> {
        at.with_timezone(&(self.at)(&at.naive_utc()))
    }

    /// The instant at which clocks in this zone show `local`, the first one if they do so twice. A time that is skipped
    /// when clocks are put forward counts on from before. `None` beyond the calendar.
    pub fn instant(self, local: NaiveDateTime) -> Option<Instant> {
        let offset = match (self.of)(&local) {
            MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => offset,
            MappedLocalTime::None => (self.of)(&local.checked_sub_days(Days::new(1))?).earliest()?,
        };
        Some(local.checked_sub_offset(offset)?.and_utc())
    }

    /// The first instant of a day.
    pub fn begin(self, day: NaiveDate) -> Option<Instant> {
        self.instant(day.and_time(NaiveTime::MIN))
    }

    /// The last second of a day.
    pub fn last_second(self, day: NaiveDate) -> Option<Instant> {
        self.begin(day.succ_opt()?)?.checked_sub_signed(TimeDelta::seconds(1))
    }

    /// The exact instant: `2026-11-21 12:04:05 UTC`, or with the zone's offset then.
    pub fn exact(self, at: Instant) -> String {
        self.shown(at, "%Y-%m-%d %H:%M:%S")
    }

    /// The same without its seconds.
    pub fn to_the_minute(self, at: Instant) -> String {
        self.shown(at, "%Y-%m-%d %H:%M")
    }

    /// With its weekday, for who plans by it: `Sat 2026-11-21 12:04 UTC`.
    pub fn with_weekday(self, at: Instant) -> String {
        self.shown(at, "%a %Y-%m-%d %H:%M")
    }

    fn shown(self, at: Instant, form: &str) -> String {
        let local = self.local(at);
        let zone = self.name.map_or_else(|| local.offset().to_string(), str::to_owned);
        format!("{} {zone}", local.format(form))
    }
}

/// Where and when a text is read: what its days and spans are counted from.
#[derive(Clone, Copy, Debug)]
pub struct Here {
    pub now: Instant,
    pub zone: Zone,
}

impl Here {
    pub fn utc(now: Instant) -> Self {
        Self { now, zone: Zone::UTC }
    }
}
