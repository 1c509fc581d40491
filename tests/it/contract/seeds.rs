//! What the seeds promise of every key, on both databases: how strong it is, what its scopes are called, and that one key
//! per integration is no burden.

use std::collections::HashSet;

use crate::support::people::{all, make, make_kept, named, office, preset, query, used, wanted};
use keyrack::domain::scope::{Scopes, is_scope};
use keyrack::service::{CreateKey, Error, Field, new_operation};

/// The value of base-62 digits, as 256 bits; `None` where it would take more.
fn bits(digits: &str) -> Option<[u8; 32]> {
    let mut number = [0u8; 32];
    for digit in digits.chars() {
        let mut carry = match digit {
            '0'..='9' => digit as u32 - '0' as u32,
            'A'..='Z' => digit as u32 - 'A' as u32 + 10,
            'a'..='z' => digit as u32 - 'a' as u32 + 36,
            _ => return None,
        };
        for byte in number.iter_mut().rev() {
            let value = u32::from(*byte) * 62 + carry;
            *byte = (value & 255) as u8;
            carry = value >> 8;
        }
        if carry > 0 {
            return None;
        }
    }
    Some(number)
}

on_both! {
    async fn vp_05_a_secret_has_256_bits_and_each_of_them_varies(db) {
        let service = office(&db, preset("voxpria")).await;
        let (mut ever_one, mut ever_zero) = ([0u8; 32], [0u8; 32]);
        let mut seen = HashSet::new();
        for n in 0..64 {
            let created = make(&service, "acme", &format!("key {n}")).await;
            let body = created.secret.expose().strip_prefix("vx_").unwrap();
            assert_eq!(body.len(), 43 + 6, "43 digits for 256 bits and 6 for the checksum");
            let number = bits(&body[..43]).expect("43 digits that hold no more than 256 bits");
            assert!(seen.insert(number));
            for (at, byte) in number.into_iter().enumerate() {
                ever_one[at] |= byte;
                ever_zero[at] |= !byte;
            }
        }
        // A bit that is fair fails this once in 2^63 runs; there are 512 such chances.
        assert_eq!((ever_one, ever_zero), ([255; 32], [255; 32]));
    }

    async fn vp_22_scopes_are_resource_and_action_as_in_the_seed(db) {
        let service = office(&db, preset("voxpria")).await;
        let every: Scopes = preset("voxpria").scopes.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(every.len(), 13);
        assert!(every.iter().all(is_scope));
        let wish = CreateKey { scopes: every.clone(), ..wanted("acme", "all of them") };
        let key = service.create_key(wish).await.unwrap().key;
        assert_eq!(key.scopes, every);
        assert_eq!(all(&service, &query("scope:webhooks:manage"), Default::default(), 10).await.len(), 1);
        for wrong in ["calls", "calls:", ":read", "Calls:Read", "calls:delete", "calls read"] {
            let scopes = std::iter::once(wrong).collect();
            let refused = service.create_key(CreateKey { scopes, ..wanted("acme", "wrong") }).await.unwrap_err();
            assert!(matches!(refused, Error::Invalid { field: Field::Scopes, .. }), "{wrong}: {refused}");
        }
    }

    async fn vg_23_one_key_per_integration_is_told_apart_and_ended_alone(db) {
        let service = office(&db, preset("voicegram")).await;
        let zapier = CreateKey { description: "Leads into the CRM".into(), ..wanted("acme", "Zapier production") };
        let zapier = service.create_key(zapier).await.unwrap().key;
        let cron = make_kept(&service, "acme", "Nightly cron").await.key;
        db.execute(&used(&db, "acknowledged_at", &named(&cron.name))).await;

        let listed = all(&service, &query("account:acme"), Default::default(), 10).await;
        let of = |name: &str| listed.iter().find(|key| *key.name == *name).unwrap().clone();
        assert_eq!(&*of("Zapier production").description, "Leads into the CRM");
        assert_eq!(of("Zapier production").last_used_at, None);
        assert!(of("Nightly cron").last_used_at.is_some());
        assert_eq!(of("Nightly cron").last_used_from.as_deref(), Some("203.0.113.7"));

        let note = "laptop of the integrator lost";
        service.revoke_keys(new_operation(), &[zapier.id], Some(note)).await.unwrap();
        let zapier = service.key(zapier.id).await.unwrap();
        assert_eq!(zapier.revoke_reason.as_deref(), Some(note));
        assert!(service.key(cron.id).await.unwrap().revoked_at.is_none());
    }
}
