use super::*;

fn at(micros: i64) -> Instant {
    Instant::from_timestamp_micros(micros).unwrap()
}

#[tokio::test]
async fn a_database_clock_that_was_set_back_is_followed_and_a_trimmed_one_stands_still() {
    const SECOND: i64 = 1_000_000;
    let (today, ahead) = (1_790_000_000 * SECOND, 1_790_259_200 * SECOND);
    let proof = Proof::new(at(today), Uptime::System, None);
    let tell = |said: i64| {
        let (round, now) = (proof.begin(), proof.micros());
        proof.succeed(round, now, now, at(said), (None, false));
        proof.said.load(SeqCst)
    };
    assert_eq!(tell(ahead), ahead, "a step forward");
    assert_eq!(tell(ahead - 2 * SECOND), ahead, "a small step back stands still");
    assert_eq!(tell(today + SECOND), today + SECOND, "set right again");
    assert!(proof.now() < at(today + 3_600 * SECOND));
    let (asked, told) = tokio::join!(proof.ask(Duration::from_secs(9)), async { tell(today + 2 * SECOND) });
    assert_eq!(asked, Some(at(told)), "who asks is told so too");
}

#[test]
fn a_lease_counts_from_the_beginning_of_a_reading_that_found_it_in_the_row() {
    let uptime = Uptime::hand();
    let wait = |millis| uptime.advance(Duration::from_millis(millis));
    let proof = Proof::new(at(0), uptime.clone(), Some(Duration::from_millis(500)));
    assert_eq!(proof.holds(), Some(false), "before the row is there");
    let read = |leased| {
        let (round, began) = (proof.begin(), proof.micros());
        wait(200);
        proof.succeed(round, began, proof.micros(), at(1), (None, leased));
    };
    read(false);
    assert_eq!(proof.holds(), Some(false), "the row is gone");
    read(true);
    wait(300);
    assert_eq!(proof.holds(), Some(true));
    wait(1);
    assert_eq!(proof.holds(), Some(false), "501 ms after the reading began");
    read(true);
    proof.fail(proof.begin());
    assert_eq!(proof.holds(), Some(true), "a reading that fails takes nothing away that another has given");
    proof.end_lease();
    assert_eq!(proof.holds(), Some(false));
    read(true);
    read(false);
    assert_eq!(proof.holds(), Some(false), "the newest reading is the one that counts");
    assert_eq!(Proof::new(at(0), uptime, None).holds(), None, "without a lease nobody asks");
}
