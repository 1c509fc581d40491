use super::*;
use crate::domain::expiry::Expiry;
use crate::domain::secret::{Body, PlainKey};

fn load(slug: &str) -> Policy {
    preset(slug).unwrap_or_else(|| {
        let text = PRESETS.iter().find(|(name, _)| *name == slug).map(|(_, text)| *text).unwrap();
        panic!("{slug}: {}", parse(text).unwrap_err())
    })
}

#[test]
fn every_preset_is_a_policy_and_survives_the_database() {
    assert_eq!(all_presets().len(), PRESETS.len());
    for (slug, _) in PRESETS {
        let policy = load(slug);
        assert_eq!(policy.slug, slug);
        let json = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    }
    assert_eq!(preset("nobody"), None);
}

#[test]
fn a_policy_written_as_toml_reads_back_as_the_same_policy() {
    for policy in all_presets() {
        assert_eq!(parse(&toml::to_string(&policy).unwrap()), Ok(policy));
    }
}

#[test]
fn vg_05_a_voicegram_token_is_fully_privileged() {
    assert!(load("voicegram").fully_privileged());
}

#[test]
fn vg_07_each_preset_has_a_prefix_of_its_own() {
    let policies = all_presets();
    let mut prefixes: Vec<_> = policies.iter().flat_map(|policy| policy.format.prefixes()).collect();
    let count = prefixes.len();
    prefixes.sort_unstable();
    prefixes.dedup();
    assert_eq!(prefixes.len(), count);
}

#[test]
fn vg_08_each_policy_names_its_noun() {
    let words = load("voicegram").wording;
    assert_eq!((&*words.noun, &*words.new, &*words.create), ("token", "New token", "Create token"));
    assert_eq!(load("voxpria").wording.noun, "API key");
}

#[test]
fn vg_10_voicegram_offers_four_expiries_and_any_other() {
    let rule = load("voicegram").expiry;
    assert_eq!(rule.default, Expiry::Never);
    assert_eq!(rule.choices, [Expiry::Never, Expiry::Days(30), Expiry::Days(90), Expiry::Days(365)]);
    assert!(rule.custom);
}

#[test]
fn vg_15_reminders_go_out_30_and_7_days_before() {
    assert_eq!(load("voicegram").reminders.days_before, [30, 7]);
}

#[test]
fn vg_19_and_vg_22_voicegram_has_a_cap_of_20_and_10_creations_a_minute() {
    let caps = load("voicegram").caps;
    assert_eq!((caps.active_keys, caps.creations_per_minute), (Some(20), Some(10)));
}

#[test]
fn vp_01_and_vp_02_voxpria_takes_both_headers() {
    let headers = load("voxpria").headers;
    assert!(headers.bearer && headers.api_key && !headers.case_sensitive);
}

#[test]
fn vp_04_and_vp_22_voxpria_has_the_13_scopes_of_the_seed_each_with_a_description() {
    let policy = load("voxpria");
    let mut names: Vec<_> = policy.scopes.iter().map(|scope| scope.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "agents:read",
            "agents:write",
            "analytics:read",
            "calls:read",
            "calls:write",
            "campaigns:read",
            "campaigns:write",
            "contacts:read",
            "contacts:write",
            "credits:read",
            "webhooks:manage",
            "webhooks:read",
            "webhooks:write",
        ]
    );
    assert!(policy.scopes.iter().all(|scope| !scope.description.is_empty()));
}

#[test]
fn vp_06_and_vi_12_rotation_is_due_after_90_days() {
    for slug in ["voxpria", "voiceinfra"] {
        assert_eq!(load(slug).rotation.period_days, Some(90), "{slug}");
    }
}

#[test]
fn vp_12_voxpria_has_the_four_plans() {
    let plans: Vec<_> = load("voxpria")
        .plans
        .into_iter()
        .map(|plan| (plan.name, plan.requests_per_hour, plan.requests_per_minute))
        .collect();
    assert_eq!(
        plans,
        [
            ("Free Trial".into(), Some(1_000), Some(100)),
            ("Starter".into(), Some(5_000), Some(500)),
            ("Professional".into(), Some(25_000), Some(2_500)),
            ("Enterprise".into(), None, None),
        ]
    );
}

#[test]
fn vp_24_the_check_is_the_call_of_the_seed() {
    let check = load("voxpria").check.unwrap();
    assert_eq!((&*check.method, &*check.url), ("GET", "https://app.voxpria.com/api/v1/credits"));
}

#[test]
fn va_01_every_vozagent_key_starts_with_gw() {
    let format = load("vozagent").format;
    let secret = PlainKey::make(&format.prefix, format.body, &[7; 32]);
    assert!(secret.expose().starts_with("gw_"));
    assert_eq!(format.body, Body::Base62Checksum);
}

#[test]
fn va_03_and_va_04_vozagent_words_the_empty_list_and_the_buttons_as_the_seed() {
    let words = load("vozagent").wording;
    assert_eq!(words.empty_title, "No API Keys Yet");
    assert_eq!((&*words.first, &*words.new), ("Create API Key", "Create New API Key"));
}

#[test]
fn va_09_vozagent_deletes_and_hides() {
    let words = load("vozagent").wording;
    assert!(words.hide_revoked && words.revoke == "Delete");
}

#[test]
fn vi_01_and_vi_02_voiceinfra_takes_only_x_api_key_spelled_exactly() {
    let headers = load("voiceinfra").headers;
    assert!(!headers.bearer && headers.api_key && headers.case_sensitive);
}

#[test]
fn vi_06_voiceinfra_has_no_cap() {
    let caps = load("voiceinfra").caps;
    assert_eq!((caps.active_keys, caps.creations_per_minute), (None, None));
}

const GOOD: &str = r#"slug = "acme"
name = "Acme"
[format]
prefix = "ac_"
former-prefixes = ["old_"]
body = "hex"
[wording]
noun = "token"
[[scopes]]
name = "calls:read"
description = "View calls"
[[scopes]]
name = "calls:write"
description = "Make calls"
[expiry]
default = "30d"
choices = ["30d", "90d"]
max-days = 90
[caps]
active-keys = 5
[[plans]]
name = "Small"
requests-per-hour = 10
[rotation]
period-days = 90
[reminders]
days-before = [30, 7]
[help]
replace-url = "https://acme.example/{account}/keys?old={key}"
contact = "keys@acme.example"
[headers]
bearer = false
api-key = true
case-sensitive = true
[check]
method = "GET"
url = "https://acme.example/me"
"#;

#[test]
fn a_policy_of_ones_own_is_read() {
    let policy = parse(GOOD).unwrap();
    assert_eq!(policy.expiry.max_days, Some(90));
    assert_eq!(policy.scopes.len(), 2);
}

#[test]
fn a_policy_says_where_to_replace_a_key_and_whom_to_ask() {
    let policy = parse(GOOD).unwrap();
    assert_eq!(policy.help.link("acme", "7"), Some("https://acme.example/acme/keys?old=7".into()));
    assert_eq!(policy.help.address(), Some("keys@acme.example"));
    assert_eq!(parse(&toml::to_string(&policy).unwrap()).as_ref(), Ok(&policy));
    assert_eq!(serde_json::from_str::<Policy>(&serde_json::to_string(&policy).unwrap()).unwrap(), policy);
}

#[test]
fn a_policy_without_help_is_stored_as_before() {
    for policy in all_presets() {
        let stored = serde_json::to_value(&policy).unwrap();
        assert!(policy.help == Default::default() && stored.get("help").is_none(), "{stored}");
        assert!(!toml::to_string(&policy).unwrap().contains("[help]"));
    }
}

#[test]
fn what_is_wrong_is_refused_with_its_line() {
    for (right, wrong, reason) in [
        ("slug = \"acme\"", "slug = \"Acme Inc\"", "lower-case letters"),
        ("name = \"Acme\"", "name = \" \"", "name: must not be empty"),
        ("name = \"Acme\"", "name = \"A\\u202Ecme\"", "U+202E"),
        ("prefix = \"ac_\"", "prefix = \"ac\"", "ends in _"),
        ("prefix = \"ac_\"", "prefix = \"AC_\"", "ends in _"),
        ("prefix = \"ac_\"", "prefix = \"__\"", "ends in _"),
        (
            "former-prefixes = [\"old_\"]",
            "former-prefixes = [\"old_\", \"ac_\"]",
            "former-prefixes[1]: \"ac_\" is listed twice",
        ),
        ("body = \"hex\"", "body = \"base64\"", "unknown variant"),
        ("body = \"hex\"", "body = \"hex\"\nlength = 12", "unknown field"),
        ("noun = \"token\"", "noun = \"\"", "wording.noun: must not be empty"),
        ("name = \"calls:write\"", "name = \"calls:read\"", "two scopes"),
        ("name = \"calls:write\"", "name = \"calls\"", "resource:action"),
        ("description = \"Make calls\"", "description = \"\"", "scopes[1].description: must not be empty"),
        ("default = \"30d\"", "default = \"60d\"", "60d is not among the choices"),
        ("default = \"30d\"", "default = \"soon\"", "isn't a valid expiry"),
        ("choices = [\"30d\", \"90d\"]", "choices = [\"30d\", \"never\"]", "never can't be chosen"),
        ("choices = [\"30d\", \"90d\"]", "choices = [\"30d\", \"91d\"]", "longer than max-days"),
        ("choices = [\"30d\", \"90d\"]", "choices = [\"30d\", \"30d\"]", "twice"),
        ("choices = [\"30d\", \"90d\"]", "choices = [\"30d\", \"2027-01-01T00:00:00Z\"]", "a number of days"),
        ("choices = [\"30d\", \"90d\"]", "choices = []", "at least one"),
        ("active-keys = 5", "active-keys = 0", "at least 1"),
        ("active-keys = 5", "active-keys = -1", "expected u32"),
        ("requests-per-hour = 10", "requests-per-hour = 0", "plans[0].requests-per-hour: must be at least 1"),
        ("period-days = 90", "period-days = 0", "0 days"),
        ("days-before = [30, 7]", "days-before = [7, 30]", "widest first"),
        ("days-before = [30, 7]", "days-before = [7, 7]", "widest first"),
        ("days-before = [30, 7]", "days-before = [30, 0]", "days-before[1]: 0 days"),
        (
            "https://acme.example/{account}/keys?old={key}",
            "http://acme.example/keys",
            "help.replace-url: must begin",
        ),
        ("?old={key}", "?old={name}", "{name} is unknown: use"),
        (
            "contact = \"keys@acme.example\"",
            "contact = \"keys\"",
            "help.contact: \"keys\" isn't a mail address",
        ),
        ("contact = \"keys@acme.example\"", "contact = \"K <keys@acme.example>\"", "one bare mail address"),
        ("contact = \"keys@acme.example\"", "ask = \"keys@acme.example\"", "unknown field"),
        ("api-key = true", "api-key = 1", "expected a boolean"),
        ("method = \"GET\"", "method = \"DELETE\"", "GET, HEAD or POST"),
        ("url = \"https://acme.example/me\"", "url = \"http://acme.example/me\"", "https://"),
        ("url = \"https://acme.example/me\"", "url = \"https://a'; rm -rf /\"", "quotes"),
        ("[check]", "[chekc]", "unknown field"),
        ("slug = \"acme\"", "slug = acme", "string"),
    ] {
        assert!(GOOD.contains(right), "{right}");
        let text = GOOD.replacen(right, wrong, 1);
        let error = parse(&text).unwrap_err();
        let line = GOOD[..GOOD.find(right).unwrap()].matches('\n').count() + 1 + wrong.matches('\n').count();
        assert_eq!(error.line, line, "{wrong}: {error}");
        assert!(error.reason.contains(reason), "{wrong}: {error}");
    }
}

#[test]
fn what_is_missing_is_refused_too() {
    let text = GOOD.replace("slug = \"acme\"\n", "");
    assert!(parse(&text).unwrap_err().reason.contains("missing field `slug`"));
    let text = GOOD.replace("api-key = true", "api-key = false").replace("case-sensitive = true\n", "");
    let error = parse(&text).unwrap_err();
    assert!(error.to_string().contains("no key could ever be sent"), "{error}");
    assert_eq!(error.line, text[..text.find("[headers]").unwrap()].matches('\n').count() + 1);
    // max-days against the default choices, which the file does not spell out
    let error = parse(
        "slug = \"a\"\nname = \"A\"\n[format]\nprefix = \"a_\"\nbody = \"hex\"\n[expiry]\nmax-days = 9\n",
    );
    assert_eq!(error.unwrap_err().line, 6);
}
