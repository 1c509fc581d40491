use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::domain::secret::Body;

fn key(at: Instant) -> Key {
    let name = "Production Server – \"Main\" App".into();
    Key { name, acknowledged_at: None, ..Key::example().of("voicegram").made(at) }
}

#[test]
fn the_object_is_valid_json_with_the_secret_and_never_outgrows_its_buffer() {
    let now = Instant::default();
    let secret = PlainKey::make("vg_pat_", Body::Hex, &[0xAB; 32]);
    let bytes = object(&key(now), Some(&secret), None, Some("curl 'x'"), now).unwrap();
    let parsed: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(parsed["secret"], secret.expose());
    for name in ["id", "account", "name", "preview", "expires_at", "scopes", "check"] {
        assert!(parsed.get(name).is_some(), "{name}");
    }
    // A buffer that had to grow would have left a copy of the secret behind.
    assert_eq!(bytes.capacity(), bytes.len());
}

#[test]
fn a_file_for_a_secret_is_private_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let mut place = Destination::open(Some(&path), Format::Table).unwrap();
    place.put(b"text\n").unwrap();
    place.kept = true;
    drop(place);
    assert_eq!(std::fs::read(&path).unwrap(), b"text\n");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let refused = Destination::open(Some(&path), Format::Table).err().unwrap();
    assert_eq!(refused.exit, Exit::Usage);
    assert!(refused.to_string().contains("not overwritten"));
}

#[test]
fn a_file_that_got_no_secret_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    drop(Destination::open(Some(&path), Format::Table).unwrap());
    assert!(!path.exists());
}

#[test]
fn a_line_holds_the_secret_alone() {
    let secret = PlainKey::make("gw_", Body::Base62Checksum, &[1; 32]);
    assert_eq!(line(&secret).as_slice(), format!("{}\n", secret.expose()).as_bytes());
}
