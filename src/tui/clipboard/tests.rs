//! Which way there is, and what is said about it.

use tokio::sync::mpsc::unbounded_channel;
use zeroize::Zeroizing;

use super::*;
use crate::domain::secret::PlainKey;

fn surroundings(set: &[&str]) -> Surroundings {
    Surroundings::of(|name| set.contains(&name).then(|| "yes".to_owned()))
}

#[test]
fn the_environment_says_which_way_leads_to_a_clipboard() {
    assert_eq!(surroundings(&["DISPLAY"]), Surroundings::Display);
    assert_eq!(surroundings(&["WAYLAND_DISPLAY", "TMUX"]), Surroundings::Display);
    // X forwarding is not the desktop that the person sits at.
    assert_eq!(surroundings(&["DISPLAY", "SSH_TTY"]), Surroundings::Terminal);
    assert_eq!(surroundings(&["SSH_CONNECTION", "TMUX", "DISPLAY"]), Surroundings::Tmux);
    assert_eq!(surroundings(&["ZELLIJ"]), Surroundings::Zellij);
    assert_eq!(surroundings(&["STY"]), Surroundings::Screen);
    assert_eq!(surroundings(&[]), Surroundings::Terminal);
}

#[tokio::test]
async fn va_06_over_ssh_nothing_claims_that_the_secret_was_copied() {
    let (messages, mut inbox) = unbounded_channel();
    let clipboard = Clipboard::new(Surroundings::Terminal);
    let secret = std::sync::Arc::new(PlainKey::from_input("gw_secret"));
    let outcome = clipboard.copy(CopyText::Secret(secret), &messages).await;
    assert!(outcome.words.contains("sent to your terminal"), "{}", outcome.words);
    assert!(!outcome.words.contains("copied"), "{}", outcome.words);
    let expected = WipedBytes(Zeroizing::new(b"\x1b]52;c;Z3dfc2VjcmV0\x07".to_vec()));
    assert_eq!(inbox.try_recv(), Ok(Message::Emit(expected)));
}

#[test]
fn message_and_bytes_printed_show_no_secret() {
    let bytes = WipedBytes(Zeroizing::new(b"gw_secret".to_vec()));
    let text = format!(
        "{:?} {:?}",
        Message::Emit(bytes),
        Message::Paste(crate::tui::words::Pasted::new("gw_secret".into()))
    );
    assert!(!text.contains("gw_secret"), "{text}");
}

/// What is said of copying a secret and an id, and whether anything was sent to the terminal.
async fn said(surroundings: Surroundings) -> [(String, bool); 2] {
    let clipboard = Clipboard::new(surroundings);
    let secret = || CopyText::Secret(std::sync::Arc::new(PlainKey::from_input("gw_secret")));
    let mut said = Vec::new();
    for text in [secret(), CopyText::Ids("id".into())] {
        let (messages, mut inbox) = unbounded_channel();
        let copied = clipboard.copy(text, &messages).await;
        assert_eq!(copied.reached, inbox.try_recv().is_ok(), "{}", copied.words);
        said.push((copied.words.to_string(), copied.reached));
    }
    said.try_into().unwrap()
}

#[tokio::test]
async fn each_way_says_what_really_happened_and_what_to_do_if_that_does_not_help() {
    for (surroundings, words) in [
        (Surroundings::Terminal, "the secret was sent to your terminal, which may or may not put it on its"),
        (Surroundings::Zellij, "the secret was sent to your terminal, which may or may not put it on its"),
        (
            Surroundings::Screen,
            "the secret was sent through screen to your terminal, which may or may not take",
        ),
    ] {
        let [(secret, sent), (id, _)] = said(surroundings).await;
        assert!(sent && secret.starts_with(words) && secret.ends_with(BY_HAND), "{surroundings:?}: {secret}");
        assert!(id.starts_with("the id was sent ") && !id.contains("press w"), "{surroundings:?}: {id}");
    }
    let [(secret, sent), (id, _)] = said(Surroundings::None).await;
    assert!(!sent && secret == format!("Not copied: this terminal has no clipboard. {BY_HAND}"), "{secret}");
    assert!(id.starts_with("Not copied: this terminal has no clipboard."), "{id}");
    let [(secret, sent), (id, _)] = said(Surroundings::Off).await;
    assert!(!sent && secret == id && id == "Not copied: the setting `clipboard` is off", "{secret}");
}
