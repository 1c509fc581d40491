use crate::domain::account::{Account, Standing};
use crate::domain::explain::pasted;
use crate::domain::key::Key;
use crate::domain::scope::Scopes;
use crate::domain::secret::SentKey;
use crate::service::{Found, Search};
use crate::tui::effect::{Effect, Reply, Request, RequestId};
use crate::tui::opening::Opening;
use crate::tui::testing::{Desk, account, created, key, noon, only_request};

fn runner() -> Key {
    let scopes = Scopes::parse("calls:read contacts:read");
    Key { scopes, last_used_from: Some("203.0.113.7".into()), ..key("voxpria", "CI runner") }
}

/// `e` on a key, and its account has come.
fn explained(key: Key) -> Desk {
    let mut desk = Desk::new();
    let of = key.clone();
    let (id, request) = only_request(desk.open(Opening::Explain(Box::new(of))));
    assert_eq!(request, Request::Account("acme".into()));
    desk.reply(id, Reply::Account(Ok(account(&key.issuer, "acme"))));
    desk
}

/// What pasting asks for, once it was read.
fn paste(desk: &mut Desk, text: &str) -> Vec<Effect> {
    desk.open(Opening::ExplainSecret);
    let effects = desk.paste(text);
    read(desk, effects)
}

/// The worker reads what was given to it.
fn read(desk: &mut Desk, effects: Vec<Effect>) -> Vec<Effect> {
    let (id, Request::Read(given, header)) = only_request(effects) else { panic!("nothing is read") };
    let issuers = desk.state.shell.issuers.clone().unwrap_or_default();
    let reading = pasted::read(given, header, &issuers);
    desk.reply(id, Reply::Read(Ok(reading)))
}

/// The search found `key`, whose account is in good standing.
fn finds(desk: &mut Desk, id: RequestId, key: Key) {
    let issuer = key.issuer.clone();
    let (id, _) = only_request(desk.reply(
        id,
        Reply::Find(Ok(Search { found: vec![Found { key, admins: Vec::new() }], ..Search::default() })),
    ));
    desk.reply(id, Reply::Account(Ok(account(&issuer, "acme"))));
}

#[test]
fn a_key_is_explained_by_its_record_without_its_secret() {
    let desk = explained(runner());
    let words = desk.words();
    assert!(words.contains("Explain: CI runner"), "{words}");
    assert!(words.contains("✓ known It is the key \"CI runner\""), "{words}");
    assert!(words.contains("✓ expired It never expires."), "{words}");
    assert!(words.contains("From 203.0.113.7"), "prefilled with where it was used last: {words}");
    assert!(!words.contains("credential"), "{words}");
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn what_is_typed_is_explained_at_once() {
    let mut desk = explained(runner());
    desk.press("ctrl-u");
    assert_eq!(desk.write("POST /nowhere"), []);
    desk.says("✕ scope No route of").strike("tab ctrl-u \"no address\"").says("this isn't an IP address");
}

#[test]
fn a_revoked_key_says_when_and_by_whom_and_all_other_steps() {
    let key = Key {
        revoked_at: Some(noon()),
        revoked_by: Some("grace".into()),
        revoke_reason: Some("exposed".into()),
        ..runner()
    };
    let mut desk = Desk::new();
    let (id, _) = only_request(desk.open(Opening::Explain(Box::new(key))));
    let suspended = Account { standing: Standing::Suspended, ..account("voxpria", "acme").account };
    desk.reply(
        id,
        Reply::Account(Ok(crate::domain::account::AccountSummary {
            account: suspended,
            active_keys: 0,
            suspended_keys: 0,
            expiring_keys: 0,
        })),
    );
    desk.says("✕ It would be refused now").says("revoked on 2026-11-21 at 12:00:00 UTC by grace (exposed)");
    desk.says("✕ account Account acme is suspended");
}

#[test]
fn va_10_a_pasted_preview_is_named_as_such_and_nothing_is_looked_up() {
    let mut desk = Desk::new();
    let preview = created("vozagent", "CI").key.preview;
    assert_eq!(paste(&mut desk, preview.as_str()), []);
    desk.says("✕ shape The masked preview was sent instead of the key.");
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn va_11_spaces_around_a_key_are_named_and_looked_past() {
    let made = created("voxpria", "CI");
    let secret = made.secret.expose();
    for text in [format!(" {secret}"), format!("{secret}\n"), format!("{secret}\r\n")] {
        let mut desk = Desk::new();
        let (id, request) = only_request(paste(&mut desk, &text));
        assert_eq!(request, Request::Find(SentKey::exact(text.as_bytes())), "{text:?}");
        finds(&mut desk, id, made.key.clone());
        let words = desk.words();
        assert!(words.contains("✕ shape There is white space around or in the key"), "{text:?}: {words}");
        assert!(words.contains("✓ known It is the key"), "{words}");
    }
}

#[test]
fn a_truncated_key_says_how_much_is_missing() {
    let mut desk = Desk::new();
    let made = created("voicegram", "CI");
    let secret = made.secret.expose();
    assert_eq!(paste(&mut desk, &secret[..secret.len() - 3]), []);
    desk.says("✕ shape The key is cut off");
}

#[test]
fn a_key_in_the_wrong_header_says_which_is_the_right_one() {
    let mut desk = Desk::new();
    // VozAgent takes keys in one header alone.
    let only_one = crate::domain::issuer::policy_file::all_presets()
        .into_iter()
        .find(|policy| policy.headers.bearer != policy.headers.api_key)
        .unwrap();
    let made = created(&only_one.slug, "CI");
    let header = if only_one.headers.bearer { "X-API-Key: " } else { "Authorization: Bearer " };
    assert_eq!(paste(&mut desk, &format!("{header}{}", made.secret.expose())), []);
    desk.says("✕ credential The key was sent in");
}

#[test]
fn a_key_that_nobody_made_is_unknown() {
    let mut desk = Desk::new();
    let made = created("voicegram", "CI");
    let (id, _) = only_request(paste(&mut desk, made.secret.expose()));
    desk.reply(id, Reply::Find(Ok(Search::default())));
    desk.says("✕ known The format is right, but this database has no such key");
    desk.says_not("There is no key to look at");
}

#[test]
fn what_is_pasted_is_never_shown_nor_kept() {
    let mut desk = Desk::new();
    let made = created("voicegram", "CI");
    let secret = made.secret.expose();
    desk.open(Opening::ExplainSecret);
    desk.write(&secret[..12]);
    desk.sees("••••••••••••").sees_not(&secret[..12]);
    let asked = desk.paste(secret);
    let (id, _) = only_request(read(&mut desk, asked));
    finds(&mut desk, id, made.key.clone());
    desk.sees_not(&secret[8..]);
    assert!(!format!("{:?}", desk.state).contains(&secret[8..]));
    desk.says("read; paste another");
}

#[test]
fn the_way_it_was_sent_can_be_said() {
    let mut desk = Desk::new();
    let made = created("voxpria", "CI");
    desk.open(Opening::ExplainSecret);
    desk.press("tab right right tab tab tab tab");
    let asked = desk.paste(made.secret.expose());
    let (id, _) = only_request(read(&mut desk, asked));
    finds(&mut desk, id, made.key.clone());
    desk.says("X-API-Key");
}

#[test]
fn blanks_round_a_headers_value_are_not_the_keys() {
    let mut desk = Desk::new();
    let made = created("voxpria", "CI");
    let (id, _) = only_request(paste(&mut desk, &format!("x-api-key:  {} \n", made.secret.expose())));
    finds(&mut desk, id, made.key.clone());
    desk.says("✓ shape It has the form of a key of VoxPria.");
}

#[test]
fn a_paste_without_brackets_is_read_whole_once_nothing_more_comes() {
    let mut desk = Desk::new();
    desk.open(Opening::ExplainSecret);
    let secret = created("voxpria", "CI").secret.expose().to_owned();
    let mut paste = |line: &str| desk.hurry(&format!("\"{line}\" enter"));
    let [first, last] = ["a line", &secret].map(&mut paste);
    let (_, request) = only_request(desk.rest(last));
    assert_eq!(request, Request::Read(SentKey::exact(format!("a line\n{secret}\n").as_bytes()), None));
    assert_eq!(desk.rest(first), []);
}
