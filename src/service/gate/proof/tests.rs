use super::*;

fn at(micros: i64) -> Instant {
    Instant::from_timestamp_micros(micros).unwrap()
}

#[tokio::test]
async fn a_database_clock_that_was_set_back_is_followed_and_a_trimmed_one_stands_still() {
    const SECOND: i64 = 1_000_000;
    let (today, ahead) = (1_790_000_000 * SECOND, 1_790_259_200 * SECOND);
    let proof = Proof::new(at(today));
    let tell = |said: i64| {
        let (round, now) = (proof.begin(), proof.micros());
        proof.succeed(round, now, now, at(said), None);
        proof.said.load(SeqCst)
    };
    assert_eq!(tell(ahead), ahead, "a step forward");
    assert_eq!(tell(ahead - 2 * SECOND), ahead, "a small step back stands still");
    assert_eq!(tell(today + SECOND), today + SECOND, "set right again");
    assert!(proof.now() < at(today + 3_600 * SECOND));
    let (asked, told) = tokio::join!(proof.ask(Duration::from_secs(9)), async { tell(today + 2 * SECOND) });
    assert_eq!(asked, Some(at(told)), "who asks is told so too");
}
