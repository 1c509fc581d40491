//! An open overlap as a row, an object or a CSV line.

use crate::cli::key::record::{short_id, tone};
use crate::cli::output::{Column, Record, Tone, when};
use crate::domain::Instant;
use crate::domain::rotation::Rotation;
use crate::service::Extended;

impl Record for Rotation {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("NAME", 2, "name", |of, _| of.old.name.as_str().into())
            .cell(|of, _| of.old.label().into_owned()),
        Column::new("ACCOUNT", 3, "account", |of, _| of.old.account.as_str().into()),
        Column::wide("ISSUER", 4, "issuer", |of, _| of.old.issuer.as_str().into()),
        Column::<Self>::new("OLD KEY", 5, "preview", |of, _| of.old.preview.as_str().into()).whole(),
        Column::wide("STATUS", 6, "status", |of, now| of.old.status(now).as_str().into()),
        Column::<Self>::new("ENDS", 7, "ends_at", |of, _| of.ends_at().into()).missing("never"),
        Column::<Self>::head("OLD KEY USED", |of, now| of.silence(now).into()),
        Column::<Self>::head("REQUESTS", |of, now| of.old_use.pace(now).into()).missing("–"),
        Column::<Self>::wide("LAST USED", 11, "last_used_at", |of, _| of.old.last_used_at.into())
            .cell(|of, look| of.old.last_used_at.map_or_else(|| "never".into(), |at| when::past(at, look))),
        Column::field(12, "silent_seconds", |of, now| {
            of.silent(now).map(|silent| silent.num_seconds()).into()
        }),
        Column::field(13, "requests_last_hour", |of, now| of.old_use.hour(now).into()),
        Column::field(14, "requests_a_minute", |of, now| of.old_use.a_minute(now).into()),
        Column::wide("FROM", 15, "last_used_from", |of, _| of.old.last_used_from.as_deref().into()),
        Column::wide("ENDPOINT", 16, "last_used_endpoint", |of, _| {
            of.old.last_used_endpoint.as_deref().into()
        }),
        Column::wide("NETWORKS", 17, "networks", |of, _| {
            of.old_use.networks.iter().map(|network| network.as_str()).collect()
        }),
        Column::field(18, "more_networks", |of, _| of.old_use.more_networks.into()),
        Column::<Self>::new("NEW KEY", 20, "replacement_preview", |of, _| of.new.preview.as_str().into())
            .whole(),
        Column::new("NEW KEY IS", 21, "replacement_status", |of, now| of.new.status(now).as_str().into()),
        Column::<Self>::head("REQUESTS", |of, now| of.new_use.pace(now).into()).missing("–"),
        Column::wide("NEW KEY EXPIRES", 22, "replacement_expires_at", |of, _| of.new.expires_at.into()),
        Column::wide("NEW KEY USED", 23, "replacement_last_used_at", |of, _| of.new.last_used_at.into()),
        Column::field(24, "replacement_requests_last_hour", |of, now| of.new_use.hour(now).into()),
        Column::field(25, "replacement_requests_a_minute", |of, now| of.new_use.a_minute(now).into()),
        Column::new("BY", 8, "rotated_by", |of, _| of.new.created_by.as_str().into()),
        Column::<Self>::new("ROTATED", 9, "rotated_at", |of, _| of.new.created_at.into())
            .cell(|of, look| when::past(of.new.created_at, look)),
        Column::wide("SINCE", 10, "overlap_since", |of, _| of.began_at().into()),
        Column::<Self>::new("ID", 1, "id", |of, _| of.old.id.to_string().into())
            .cell(|of, look| if look.wide { of.old.id.to_string() } else { short_id(&of.old) })
            .whole(),
        Column::wide("REPLACED BY", 19, "replacement_id", |of, _| of.new.id.to_string().into()),
    ];

    fn tone(&self, now: Instant) -> Option<Tone> {
        Some(tone(self.new.status(now)))
    }
}

impl Record for Extended {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::new("NAME", 2, "name", |of, _| of.key.name.as_str().into())
            .cell(|of, _| of.key.label().into_owned()),
        Column::new("ACCOUNT", 3, "account", |of, _| of.key.account.as_str().into()),
        Column::new("KEY", 4, "preview", |of, _| of.key.preview.as_str().into()),
        Column::new("ENDS", 5, "ends_at", |of, _| of.key.expires_at.into()),
        Column::new("WOULD HAVE ENDED", 6, "was_ends_at", |of, _| of.was.into()),
        Column::field(7, "replacement_id", |of, _| of.key.successor.map(|id| id.to_string()).into()),
        Column::<Self>::new("ID", 1, "id", |of, _| of.key.id.to_string().into())
            .cell(|of, look| if look.wide { of.key.id.to_string() } else { short_id(&of.key) }),
    ];
}
