use super::*;
use crate::domain::edit::NewEnd;
use crate::domain::network::Networks;
use crate::domain::owner::Tags;
use crate::domain::plan::NewInstant;
use crate::domain::when::Span;

#[test]
fn every_wish_is_read_again_as_it_was_written() {
    let edit = Edit {
        name: Some("CI".into()),
        tag: Tags::parse("prod, eu"),
        allow: Networks::parse("10.0.0.0/8, 2001:db8::/32").unwrap(),
        expires: Some(NewEnd::By(Span::parse("1mo 3d").unwrap())),
        not_before: Some(NewInstant::To(None)),
        revoke_at: Some(NewInstant::By(Span::parse("36h").unwrap())),
        ..Edit::default()
    };
    let wishes = [
        Wish::Revoke { reason: Some("leaked".into()), ticket: None },
        Wish::Pause {
            lasting: Lasting::For(Span::parse("2h").unwrap()),
            message: None,
            reason: Some("x".into()),
        },
        Wish::Pause { lasting: Lasting::Until(crate::domain::examples::noon()), message: None, reason: None },
        Wish::Confirm,
        Wish::Edit { edit: Box::new(edit) },
        Wish::Rotate,
    ];
    for wish in wishes {
        let text = serde_json::to_string(&wish).unwrap();
        assert_eq!(serde_json::from_str::<Wish>(&text).unwrap(), wish, "{text}");
        assert!(text.contains(&format!("\"verb\":\"{}\"", wish.verb())), "{text}");
    }
}
