use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::issuer::{Former, policy_file};
use crate::domain::secret::Peppers;
use crate::domain::text::hex;
use sha2::{Digest, Sha256, Sha512};

fn source(form: Form) -> Source {
    Source { form, pepper: None, peppers: Peppers::default() }
}

fn read(form: Form, fields: Value) -> Result<Incoming, String> {
    let Value::Object(fields) = fields else { unreachable!("a row is an object") };
    let columns = Columns::of(form, &[], &fields.keys().cloned().collect())?;
    Incoming::read(&source(form), &columns, &Row { line: 7, fields }, Instant::UNIX_EPOCH)
}

#[test]
fn kr_15_a_row_of_each_form_is_read() {
    let key = "sk_0123456789abcdef0123456789abcdef";
    let of_256 = Sha256::digest(key);
    let of_512 = hex(&Sha512::digest(key));
    for hash in [hex(&of_256), hex(&of_256).to_uppercase(), format!("\\x{}", hex(&of_256))] {
        let incoming = read(Form::Sha256, json!({ "hash": hash, "name": "A" })).unwrap();
        assert_eq!((incoming.hash, incoming.scheme), (HashedKey::of(key.as_bytes()), Scheme::Sha256));
    }
    let incoming = read(
        Form::Drf,
        json!({ "id": format!("Ab3.sha512$${of_512}"), "hashed_key": format!("sha512$${of_512}"),
        "prefix": "sk_01234", "name": "B", "expiry_date": "2099-01-02 03:04:05", "revoked": 0 }),
    );
    let incoming = incoming.unwrap();
    assert_eq!((incoming.hash, incoming.scheme), (HashedKey::by_sha512(key.as_bytes()), Scheme::Sha512));
    assert_eq!(incoming.description, "Imported from drf, begins with sk_01234");
    assert_eq!(incoming.expires_at.unwrap().to_rfc3339(), "2099-01-02T03:04:05+00:00");
    assert_eq!(incoming.ended, None);
    let sanctum = read(
        Form::Sanctum,
        json!({ "id": 3, "token": hex(&of_256), "abilities": "[\"*\"]", "last_used_at": 0, "expires_at": null }),
    );
    let sanctum = sanctum.unwrap();
    assert_eq!((sanctum.name.as_str(), &sanctum.wanted), ("sanctum key 3", &Wanted::All));
    assert_eq!(sanctum.last_used_at, Some(Instant::UNIX_EPOCH));
    let short = read(
        Form::Prefixed,
        json!({ "short_token": "abc", "long_token_hash": hex(&of_256), "prefix": "co_" }),
    );
    assert_eq!(short.unwrap().hash, HashedKey::by_prefixed(b"abc", key.as_bytes()));
}

#[test]
fn kr_15_a_row_that_is_wrong_is_told_without_its_hash() {
    let secret = "sk_0123456789abcdef0123456789abcdef";
    let hash = hex(&Sha256::digest(secret));
    for (form, row, why) in [
        (Form::Sha256, json!({ "hash": secret }), "its hash isn't 32 bytes"),
        (Form::Sha512, json!({ "hash": hash }), "its hash isn't 64 bytes"),
        (Form::Sha256, json!({ "hash": null }), "it has no hash"),
        (Form::Drf, json!({ "hashed_key": "pbkdf2_sha256$1$a$b" }), "is a password hash"),
        (Form::Sha256, json!({ "hash": hash, "expires_at": "soon" }), "expires isn't a time"),
        (Form::Sha256, json!({ "hash": hash, "name": "a\u{202e}b" }), "name: character 2"),
        (Form::Prefixed, json!({ "hash": hash }), "no short token"),
        (Form::Sha256, json!({ "hash": hash, "start": secret }), "may be a whole key"),
        (Form::Sha256, json!({ "name": "x" }), "no column is known to have the hash"),
        (Form::Sha256, json!({ "hash": hash, "scopes": 7 }), "scopes: not a list"),
    ] {
        let error = read(form, row).unwrap_err();
        assert!(error.contains(why), "{error}");
        assert!(!error.contains(secret) && !error.contains(&hash), "{error}");
    }
}

#[test]
fn kr_15_a_key_gets_no_more_than_it_had() {
    let mut policy = policy_file::preset("voxpria").unwrap();
    let hash = hex(&Sha256::digest("x"));
    let with = |scopes: Value| read(Form::Sha256, json!({ "hash": hash, "scopes": scopes })).unwrap();
    assert_eq!(with(json!(["*"])).scopes(&policy).unwrap().len(), policy.scopes.len());
    assert_eq!(with(json!("calls:read")).scopes(&policy).unwrap().to_string(), "calls:read");
    assert_eq!(with(json!("{\"calls\":[\"read\"]}")).scopes(&policy).unwrap().to_string(), "calls:read");
    assert!(with(json!(["calls:fly"])).scopes(&policy).unwrap_err().contains("no scope calls:fly"));
    policy.scopes.clear();
    assert!(with(json!(["calls:read"])).scopes(&policy).unwrap_err().contains("can do everything"));
    assert!(with(json!([])).scopes(&policy).unwrap_err().contains("can do everything"));
    for untold in [json!(null), json!(""), json!("null")] {
        assert!(with(untold).scopes(&policy).unwrap().is_empty());
    }
}

#[test]
fn kr_15_the_preview_has_what_the_source_tells() {
    let mut policy = policy_file::preset("voxpria").unwrap();
    let hash = hex(&Sha256::digest("x"));
    let preview = |policy: &Policy, fields: Value| {
        let mut row = json!({ "hash": hash });
        row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        read(Form::BetterAuth, {
            row["key"] = row["hash"].take();
            row
        })
        .unwrap()
        .preview(&source(Form::BetterAuth), policy)
    };
    assert!(preview(&policy, json!({})).unwrap_err().contains("gates would not look up better-auth keys"));
    policy.format.former = vec![
        Former { prefix: "acme_".into(), length: None, hash: Hashing::Sha256 },
        Former { prefix: String::new(), length: Some(64), hash: Hashing::Sha256 },
        Former { prefix: "other_".into(), length: None, hash: Hashing::Sha512 },
    ];
    assert_eq!(preview(&policy, json!({ "prefix": "acme_", "start": "acme_X" })).unwrap(), "acme_••••••••");
    assert_eq!(preview(&policy, json!({ "start": "VsOSTT", "last4": "xyZ9" })).unwrap(), "••••••••xyZ9");
    assert_eq!(preview(&policy, json!({ "prefix": "other_" })).unwrap(), "••••••••");
}

#[test]
fn kr_15_when_it_was_made_is_told_and_nothing_rests_on_it() {
    let read = |fields: Value| {
        let Value::Object(fields) = fields else { unreachable!("a row is an object") };
        let created = [(Part::Created, "made".to_owned())];
        let columns = Columns::of(Form::Sha256, &created, &fields.keys().cloned().collect())?;
        Incoming::read(&source(Form::Sha256), &columns, &Row { line: 7, fields }, Instant::UNIX_EPOCH)
    };
    let hash = hex(&Sha256::digest("x"));
    let of = |fields: Value| {
        let mut row = json!({ "hash": hash });
        row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        read(row)
    };
    let told = of(json!({ "id": 5, "made": "2020-02-03 04:05:06" })).unwrap();
    assert_eq!(told.description, "Imported from sha256, ID 5, created at its source on 2020-02-03");
    let told = of(json!({ "description": "the shop's", "made": "2020-02-03" })).unwrap();
    assert_eq!(told.description, "the shop's, created at its source on 2020-02-03");
    assert_eq!(of(json!({ "id": 5, "made": null })).unwrap().description, "Imported from sha256, ID 5");
    assert!(of(json!({ "made": "long ago" })).unwrap_err().starts_with("created isn't a time"));
}

#[test]
fn kr_15_an_export_is_taken_only_where_gates_look_its_keys_up() {
    let mut policy = policy_file::preset("voxpria").unwrap();
    let hash = hex(&Sha256::digest("x"));
    let of = |policy: &Policy, scheme: &str| {
        let row = json!({ "hash": hash, "scheme": scheme, "preview": format!("{}••••••••abcd", policy.format.prefix) });
        read(Form::Keyrack, row).and_then(|incoming| incoming.preview(&source(Form::Keyrack), policy))
    };
    assert!(of(&policy, "sha256").is_ok());
    for scheme in ["sha512", "prefixed"] {
        assert!(of(&policy, scheme).unwrap_err().contains(&format!("that is hashed by {scheme}")));
    }
    let prefix = policy.format.prefix.clone();
    policy.format.former = vec![Former { prefix, length: None, hash: Hashing::Sha512 }];
    assert!(of(&policy, "sha512").is_ok() && of(&policy, "prefixed").is_err());
    assert!(of(&policy, "md5").unwrap_err().contains("nothing is known of the scheme"));
    let why = of(&policy, "hmac-sha256 pepper v1 0123456789abcdef").unwrap_err();
    assert!(why.starts_with("pepper v1 is missing here"), "{why}");
}

proptest! {
    /// What each product writes down of a key is found by what its client sends.
    #[test]
    fn kr_15_each_form_finds_the_key_that_it_was_made_of(body in "[A-Za-z0-9]{24,64}", short in "[A-Za-z0-9]{4,12}", id in 1u32..9999) {
        let base64 = |bytes: &[u8]| {
            use base64ct::{Base64, Base64UrlUnpadded, Encoding};
            [Base64::encode_string(bytes), Base64UrlUnpadded::encode_string(bytes), hex(bytes)]
        };
        for form in Form::VARIANTS {
            let Some(hashing) = form.hashing() else { continue };
            let (sent, digests, column) = match form {
                Form::Sanctum => (format!("{id}|{body}"), base64(&Sha256::digest(&body)), "token"),
                Form::Drf => {
                    let key = format!("{short}.{body}");
                    let hash = format!("sha512$${}", hex(&Sha512::digest(&key)));
                    (key, [hash.clone(), hash.clone(), hash], "hashed_key")
                }
                Form::Sha512 => (body.clone(), base64(&Sha512::digest(&body)), "sha512"),
                Form::Prefixed => (format!("co_{short}_{body}"), base64(&Sha256::digest(&body)), "longTokenHash"),
                Form::BetterAuth => (body.clone(), base64(&Sha256::digest(&body)), "key"),
                _ => (body.clone(), base64(&Sha256::digest(&body)), "hash"),
            };
            let former = Former { prefix: String::new(), length: None, hash: hashing };
            for digest in digests {
                let mut row = json!({ "id": id, "shortToken": short });
                row[column] = json!(digest);
                let incoming = read(*form, row).unwrap();
                prop_assert_eq!(vec![incoming.hash], former.hashes(&sent, &Peppers::default()), "{:?} {}", form, digest);
                prop_assert!(!former.hashes(&digest, &Peppers::default()).contains(&incoming.hash), "{:?}", form);
            }
        }
    }
}

#[test]
fn kr_15_what_has_ended_at_its_source_never_works_here_however_that_is_written() {
    let hash = || json!(hex(&Sha256::digest("sk_0123456789abcdef0123456789abcdef")));
    let with = |more: Value| {
        let mut row = json!({ "hash": hash(), "name": "A" });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    // In 1969: expired for whoever reads it now.
    let past = "1969-01-02T00:00:00Z";
    for ended in [
        json!({ "expiresAt": { "$date": past } }),
        json!({ "expires_at": null, "expires": past }),
        json!({ "expires_at": "2099-01-01", "expiresAt": past }),
        json!({ "revokedAt": { "$date": past } }),
        json!({ "revoked_at": null, "deleted_at": past }),
        json!({ "revoked": 0, "disabled": 1 }),
        json!({ "enabled": 1, "is_active": 0 }),
        json!({ "enabled": "no" }),
    ] {
        let read = read(Form::Sha256, with(ended.clone())).unwrap_or_else(|why| panic!("{ended}: {why}"));
        assert!(read.ended.is_some(), "{ended}");
    }
    for doubtful in [
        json!({ "enabled": "inactive" }),
        json!({ "enabled": 0.5 }),
        json!({ "enabled": { "since": past } }),
        json!({ "expires_at": { "seconds": 1 } }),
        json!({ "expires_at": true }),
        json!({ "expires_at": [past] }),
    ] {
        assert!(read(Form::Sha256, with(doubtful.clone())).is_err(), "{doubtful}");
    }
    for sound in [
        json!({ "enabled": true, "revoked_at": null, "expires_at": "" }),
        json!({ "enabled": "", "revoked": false }),
        json!({ "enabled": null }),
    ] {
        assert_eq!(read(Form::Sha256, with(sound.clone())).map(|read| read.ended), Ok(None), "{sound}");
    }
    let of = |form, more| read(form, with(more));
    assert!(
        of(Form::BetterAuth, json!({ "key": hash(), "remaining": 0 })).unwrap_err().contains("requests left")
    );
    assert!(of(Form::BetterAuth, json!({ "key": hash(), "remaining": null })).is_ok());
    for status in ["damaged", "suspended", "refused", "paused", "planned"] {
        let row = json!({ "status": status, "scheme": "sha256" });
        assert!(of(Form::Keyrack, row).is_err(), "{status}");
    }
    assert!(of(Form::Keyrack, json!({ "status": "active", "unreadable": "allow" })).is_err());
    assert!(of(Form::Keyrack, json!({ "status": "active", "paused_until": "2099-01-01" })).is_err());
}
