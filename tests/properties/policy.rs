//! Policies: refused at a place, or sound and the same again after they were written.

use keyrack::domain::issuer::policy_file::{parse, parse_versioned};

pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match parse_versioned(&text) {
        Ok((policy, _)) => {
            assert!(policy.faults().is_empty());
            let written = toml::to_string(&policy).expect("a policy can be written");
            assert_eq!(parse(&written).as_ref(), Ok(&policy), "written as {written}");
            let stored = serde_json::to_string(&policy).expect("a policy can be stored");
            assert_eq!(serde_json::from_str(&stored).ok().as_ref(), Some(&policy), "stored as {stored}");
            if let Some(command) = policy.check_command() {
                assert!(!command.contains(['\n', '\r']) && command.matches('\'').count() == 4, "{command}");
            }
            if let Some(link) = policy.help.link("a/b", "k\r\n") {
                let plain = |b: u8| b.is_ascii_graphic() && !b"\"'<>{}".contains(&b);
                assert!(link.starts_with("http") && link.bytes().all(plain), "{link}");
            }
            assert_eq!(policy.help.link("a", "k").is_some(), policy.help.replace_url.is_some());
            assert_eq!(policy.help.address(), policy.help.contact.as_deref());
            let mut prefixes: Vec<_> = policy.format.prefixes().collect();
            prefixes.sort_unstable();
            assert!(
                prefixes.windows(2).all(|two| two[0] != two[1])
                    && prefixes.iter().all(|prefix| prefix.ends_with('_'))
            );
        }
        Err(error) => {
            let line = text.split('\n').nth(error.line - 1);
            assert!(
                line.is_some_and(|line| error.column >= 1 && error.column <= line.chars().count() + 1),
                "{error}"
            );
            assert!(!error.to_string().contains(|c: char| c.is_control()), "{error}");
        }
    }
}
