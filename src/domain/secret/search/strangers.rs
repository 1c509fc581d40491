//! What has the looks of a secret, but not of ours.

use super::{Kind, PlainKey, SHORTEST_BODY, Seen, begins_word, preview, shown};
use crate::domain::secret::Body;
use strum::VariantArray as _;

/// How the secrets of well-known providers begin, how many characters follow at least, and what they are.
const PROVIDERS: &[(&str, usize, &str)] = &[
    ("AKIA", 16, "AWS access key id"),
    ("ASIA", 16, "AWS access key id"),
    ("AIza", 30, "Google API key"),
    ("ya29.", 30, "Google access token"),
    ("GOCSPX-", 20, "Google client secret"),
    ("github_pat_", 40, "GitHub token"),
    ("ghp_", 30, "GitHub token"),
    ("gho_", 30, "GitHub token"),
    ("ghu_", 30, "GitHub token"),
    ("ghs_", 30, "GitHub token"),
    ("ghr_", 30, "GitHub token"),
    ("glpat-", 18, "GitLab token"),
    ("gldt-", 18, "GitLab token"),
    ("glrt-", 18, "GitLab token"),
    ("xoxb-", 20, "Slack token"),
    ("xoxp-", 20, "Slack token"),
    ("xoxa-", 20, "Slack token"),
    ("xapp-", 20, "Slack token"),
    ("sk_live_", 20, "Stripe key"),
    ("sk_test_", 20, "Stripe key"),
    ("rk_live_", 20, "Stripe key"),
    ("whsec_", 20, "Stripe webhook secret"),
    ("sk-ant-", 20, "Anthropic key"),
    ("sk-", 32, "OpenAI key"),
    ("hf_", 30, "Hugging Face token"),
    ("npm_", 30, "npm token"),
    ("pypi-", 40, "PyPI token"),
    ("SG.", 40, "SendGrid key"),
    ("key-", 32, "Mailgun key"),
    ("dop_v1_", 40, "DigitalOcean token"),
    ("dckr_pat_", 20, "Docker token"),
    ("shpat_", 30, "Shopify token"),
    ("ATATT3", 40, "Atlassian token"),
    ("lin_api_", 30, "Linear key"),
    ("dapi", 32, "Databricks token"),
    ("hvs.", 20, "HashiCorp Vault token"),
    ("glc_", 30, "Grafana token"),
    ("sntrys_", 30, "Sentry token"),
    ("NRAK-", 20, "New Relic key"),
    ("eyJ", 40, "JSON Web Token"),
];

/// The bytes that they begin with.
const FIRST: [bool; 256] = {
    let (mut first, mut at) = ([false; 256], 0);
    while at < PROVIDERS.len() {
        first[PROVIDERS[at].0.as_bytes()[0] as usize] = true;
        at += 1;
    }
    first
};

/// How they begin, each once or more.
pub(super) fn prefixes() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().map(|(prefix, ..)| *prefix)
}

/// The longest prefix that a policy may have.
const PREFIX: usize = 24;
/// No token that is looked at is longer.
const LONGEST: usize = 4096;

/// What stands at a place: where it begins and ends, and what it is. Nothing of it lies before `covered`.
pub(super) fn at(text: &str, at: usize, covered: usize) -> Option<(usize, usize, Seen)> {
    let bytes = text.as_bytes();
    if bytes[at] == b'_' {
        return of_nobody(text, at, covered);
    }
    if !FIRST[usize::from(bytes[at])] || !begins_word(text, at) {
        return None;
    }
    let rest = &bytes[at..];
    let (prefix, least, provider) =
        PROVIDERS.iter().find(|(prefix, ..)| rest.starts_with(prefix.as_bytes()))?;
    let token = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let more = rest[prefix.len()..].iter().take(LONGEST).take_while(token).count();
    let seen = Seen { kind: Kind::Foreign(provider), issuer: None, readings: Vec::new() };
    (more >= *least).then(|| (at, at + prefix.len() + more, seen))
}

/// A prefix that ends in the underscore at `at` and is nobody's, with a body or a preview behind it.
fn of_nobody(text: &str, at: usize, covered: usize) -> Option<(usize, usize, Seen)> {
    let bytes = text.as_bytes();
    let letters = |byte: &&u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    // What follows is told sooner than what comes before, of which there may be much.
    let body = bytes[at + 1..].iter().take(LONGEST).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let shown_tail = if body < SHORTEST_BODY { Some(preview(text, at + 1)?) } else { None };
    let before = bytes[covered..at].iter().rev().take(PREFIX - 1).take_while(letters).count();
    if before == 0 {
        return None;
    }
    let start = at - before;
    let prefix = &text[start..=at];
    let end = at + 1 + body;
    let Some((end, tail)) = shown_tail else {
        let body = &text[at + 1..end];
        let mut readings = Vec::new();
        if Body::VARIANTS.iter().copied().any(|form| form.matches(prefix, body)) {
            readings.push(PlainKey::join(prefix, body));
        }
        return Some((start, end, Seen { kind: Kind::Unknown, issuer: None, readings }));
    };
    let kind = Kind::Preview(Some(shown(prefix, Some(tail?))?));
    Some((start, end, Seen { kind, issuer: None, readings: Vec::new() }))
}
