//! The forms in which a secret is handed over: pasted, mailed, logged, quoted, wrapped, escaped, encoded.

/// Texts that each hold this secret whole, once or more, and no other.
pub fn forms(secret: &str) -> Vec<String> {
    let (a, b) = secret.split_at(secret.len() / 2);
    let tail = &secret[secret.len() - 6..];
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let spread = |c: char| -> String { secret.chars().flat_map(|own| [own, c]).collect() };
    let underscore = |with: &str| secret.replace('_', with);
    vec![
        secret.to_owned(),
        format!("  {secret}\t\n"),
        format!("Authorization: Bearer {secret}"),
        format!("authorization: bearer\t{secret}\r\n"),
        format!("X-API-Key: {secret}\r\n"),
        format!("KEY={secret}"),
        format!("export KEY=\"{secret}\";"),
        format!("{{\"key\":\"{secret}\",\"n\":1}}"),
        format!("{{\"body\":\"{{\\\"key\\\":\\\"{secret}\\\"}}\"}}"),
        format!("{{\"key\":\"{}\"}}", underscore("\\u005f")),
        format!("key: '{secret}'  # a comment"),
        format!("key: {secret}"),
        format!("+key: {secret}\n-key: old"),
        format!("diff --git a/x b/x\n@@ -1 +1 @@\n+{secret}"),
        format!("curl -H 'Authorization: Bearer {secret}' https://x.example/v1"),
        format!("https://x.example/?key={secret}&b=1#c"),
        format!("key={secret}&b=1"),
        format!("https://x.example/?k={}&b=1", underscore("%5F")),
        percent,
        format!("\"{secret}\""),
        format!("“{secret}”, he said."),
        format!("`{secret}`"),
        format!("```\n{secret}\n```"),
        format!("<{secret}>"),
        format!("&lt;{secret}&gt;"),
        format!("[key]({secret})"),
        format!("{secret},"),
        format!("{secret}."),
        format!("({secret})"),
        format!("x{secret}"),
        format!("\u{feff}{secret}"),
        format!("\u{200b}{secret}\u{200b}"),
        format!("{a}\u{200b}{b}"),
        format!("{a}\u{ad}{b}"),
        spread('\u{200d}'),
        format!("a line before\n{secret}"),
        format!("{secret}\na line after"),
        format!("{a}\n{b}"),
        format!("{a}\r\n{b}\r\n"),
        format!("{a}=\r\n{b}"),
        underscore("=5F"),
        underscore("&#95;"),
        underscore("\\_"),
        format!("{a}\\\n{b}"),
        format!("> {a}\n> {b}\n"),
        format!("src/main.rs:12:let key = \"{secret}\";"),
        format!("12:{secret}"),
        format!("\u{1b}[32m{secret}\u{1b}[0m"),
        format!("{a}\u{1b}[01;31m\u{1b}[K{b}\u{1b}[m"),
        format!("{secret}\n{secret}"),
        format!("{secret} (ends in {tail})"),
        format!("{}{secret}", "words ".repeat(17_000)),
    ]
}
