use proptest::prelude::*;

use super::*;
use crate::domain::text::hex;
use sha2::{Digest, Sha256, Sha512};

fn form(prefix: &str, length: Option<u16>, hash: Hashing) -> Former {
    Former { prefix: prefix.into(), length, hash }
}

#[test]
fn kr_15_a_form_decides_what_is_looked_up() {
    let forms = [
        (form("sk_", None, Hashing::Sha256), "sk_0123456789abcdef", true),
        (form("sk_", None, Hashing::Sha256), "pk_0123456789abcdef", false),
        (form("sk_", None, Hashing::Sha256), "sk_", false),
        (form("sk_", None, Hashing::Sha256), "sk_\u{0}123456789abcdef", false),
        (form("sk_", Some(20), Hashing::Sha256), "sk_0123456789abcdef", false),
        (form("", Some(19), Hashing::Sha512), "sk_0123456789abcdef", true),
        (form("", Some(16), Hashing::Sanctum), "12|0123456789abcdef", true),
        (form("", Some(16), Hashing::Sanctum), "0123456789abcdef", true),
        (form("", Some(16), Hashing::Sanctum), "x2|0123456789abcdef", false),
        (form("", Some(16), Hashing::Sanctum), "|0123456789abcdef", false),
        (form("", Some(16), Hashing::Sha256), "12|0123456789abcdef", false),
        (form("sk_", None, Hashing::HmacSha256), "sk_0123456789abcdef", true),
        (form("co_", None, Hashing::Prefixed), "co_short_longlonglong", true),
        (form("co_", None, Hashing::Prefixed), "co_a_short_longlonglong", false),
        (form("co_", None, Hashing::Prefixed), "co_shortlonglonglong", false),
    ];
    for (form, text, fits) in forms {
        assert_eq!(form.fits(text), fits, "{form:?} {text:?}");
    }
}

proptest! {
    /// What another product keeps of a key, in any way of writing it down, is not found where the key is.
    #[test]
    fn kr_15_a_stolen_hash_is_no_key(body in "[A-Za-z0-9]{16,64}", short in "[A-Za-z0-9]{4,12}") {
        let peppers = Peppers::new(vec![(3, "a pepper of some length".to_owned().into())]).unwrap();
        for hash in Hashing::VARIANTS {
            let text = match hash {
                Hashing::Prefixed => format!("co_{short}_{body}"),
                Hashing::Sanctum => format!("7|co_{body}"),
                _ => format!("co_{body}"),
            };
            let any = Former { prefix: String::new(), length: None, hash: *hash };
            let own = any.hashes(&text, &peppers)[0];
            let (a, b) = (hex(&Sha256::digest(&text)), hex(&Sha512::digest(&text)));
            let stolen = [
                a.clone(), b.clone(), hex(&own.0), hex(&Sha256::digest(&body)), format!("sha512$${b}"),
                format!("7|{a}"), format!("co_{short}_{}", hex(&Sha256::digest(&body))), format!("7|{}", hex(&own.0)),
            ];
            for stolen in stolen {
                for by in Hashing::VARIANTS {
                    let any = Former { prefix: String::new(), length: None, hash: *by };
                    prop_assert!(!any.hashes(&stolen, &peppers).contains(&own), "{hash:?} by {by:?}");
                }
            }
        }
    }
}
