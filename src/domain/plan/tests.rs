use chrono::{Duration, TimeDelta};

use super::*;
use crate::domain::edit::{Edit, NewEnd};
use crate::domain::examples::{Dice, noon};
use crate::domain::issuer::policy_file::preset;
use crate::domain::key::{Key, PlannedEnd, Status};

fn at(hours: i64) -> Instant {
    noon() + TimeDelta::hours(hours)
}

fn planned(at: Instant) -> Option<PlannedEnd> {
    Some(PlannedEnd { at, by: "ada".into(), reason: None })
}

#[test]
fn kr_18_a_day_begins_with_its_first_second_and_ends_with_its_last() {
    let here = Here::utc(noon());
    let read = |part: Part, text: &str| part.read(text, here).unwrap().to_rfc3339();
    assert_eq!(read(Part::NotBefore, "2027-01-31"), "2027-01-31T00:00:00+00:00");
    assert_eq!(read(Part::RevokeAt, "2027-01-31"), "2027-01-31T23:59:59+00:00");
    assert_eq!(Part::RevokeAt.read("3h", here), Ok(at(3)));
    assert_eq!(Part::NotBefore.read("+3h", here), Ok(at(3)));
    assert_eq!(Part::NotBefore.read("2026-11-21 18:00", here), Ok(at(6)));
    assert_eq!(Part::RevokeAt.read_new("+3h", here).unwrap().of(Some(at(2)), here), Ok(Some(at(5))));
    assert_eq!(Part::RevokeAt.read_new("None", here), Ok(NewInstant::To(None)));
    for wrong in ["never", "", "x", "3", "yesterday"] {
        assert!(Part::NotBefore.read(wrong, here).is_err(), "{wrong}");
        assert!(Part::RevokeAt.read_new(wrong, here).is_err(), "{wrong}");
    }
}

#[test]
fn kr_18_a_status_follows_from_the_clock() {
    let key =
        Key { not_before: Some(at(2)), planned: planned(at(4)), expires_at: Some(at(6)), ..Key::example() };
    let told = |hours| key.status(at(hours));
    assert_eq!([1, 2, 3, 4, 7].map(told), {
        use Status::*;
        [Planned, Active, Active, Revoked, Revoked]
    });
    assert_eq!((key.stops_at(), key.ends_at()), (Some(at(4)), Some(at(4))));
    assert_eq!(key.ended(at(5)), Some(("revoked", at(4))));
    // What expired first is not revoked afterwards.
    let key = Key { expires_at: Some(at(3)), ..key };
    assert_eq!((key.status(at(5)), key.ended(at(5))), (Status::Expired, Some(("expired", at(3)))));
}

/// Whatever is edited of it: a key that has ended stays so, and one that lives never works longer than its policy allows.
#[test]
fn kr_18_no_edit_revives_a_key_or_outlives_its_policy() {
    let mut dice = Dice(7);
    let mut policy = preset("voxpria").unwrap();
    (policy.expiry.custom, policy.expiry.max_days) = (true, Some(10));
    let mut applied = 0;
    for _ in 0..20_000 {
        let mut some = |most: u64| (dice.roll(3_u64) > 0).then(|| at(dice.roll(most) as i64));
        let mut key = Key { expires_at: some(240), not_before: some(100), ..Key::example() };
        key.planned = some(200).and_then(planned);
        if key.expires_at.is_none() {
            key.expires_at = Some(at(240));
        }
        let now = at(dice.roll(150_u64) as i64);
        let instant = |dice: &mut Dice| match dice.roll(4_u64) {
            0 => None,
            1 => Some(NewInstant::To(None)),
            2 => Some(NewInstant::By(Span::parse("5h").unwrap())),
            _ => Some(NewInstant::To(Some(at(dice.roll(300_u64) as i64)))),
        };
        let expires = match dice.roll(3_u64) {
            0 => Some(NewEnd::To(Expiry::At(at(dice.roll(300_u64) as i64)))),
            1 => Some(NewEnd::By(Span::parse("20h").unwrap())),
            _ => None,
        };
        let edit = Edit {
            not_before: instant(&mut dice),
            revoke_at: instant(&mut dice),
            expires,
            ..Edit::default()
        };
        // The service asks this first.
        if key.has_ended(now) {
            let later = now + Duration::days(4_000);
            assert_ne!(key.status(later), Status::Active);
            continue;
        }
        let Ok(new) = edit.apply(&key, &policy, now) else { continue };
        applied += 1;
        let moved =
            (new.not_before, &new.planned, new.expires_at) != (key.not_before, &key.planned, key.expires_at);
        if !moved {
            continue;
        }
        let stop = new.stops_at().unwrap();
        assert!(stop > now && stop <= key.created_at + Duration::days(10), "{key:?} {edit:?} {now}");
        assert!(new.starts_at(now).is_none_or(|start| start < stop), "{key:?} {edit:?} {now}");
        if edit.revoke_at.is_none() {
            assert_eq!(new.planned, key.planned, "what isn't named stays");
        }
        if edit.not_before.is_none() {
            assert_eq!(new.not_before, key.not_before, "what isn't named stays");
        }
    }
    assert!(applied > 2_000, "{applied}");
}
