//! What the time of a refusal tells its caller: nothing.

use std::time::Instant;

use keyrack::domain::network::Networks;
use keyrack::service::{CreateKey, new_operation};

use super::hostile::unknown;
use crate::support::gate::Gate;
use crate::support::http::request;
use crate::support::people::{keep, make_kept, office, preset, scoped};

on_both! {
    async fn vi_10_the_time_of_a_refusal_does_not_tell_a_revoked_key_from_an_unknown_one(db) {
        let office = office(&db, preset("voiceinfra")).await;
        let ended = make_kept(&office, "acme", "ended").await;
        office.revoke_keys(new_operation(), &[ended.key.id], None).await.unwrap();
        let elsewhere = CreateKey { allow: Networks::parse("203.0.113.0/24").unwrap(), ..scoped("acme", "") };
        let elsewhere = keep(&office, elsewhere).await.secret;
        let stranger = unknown("vi_", preset("voiceinfra").format.body, 1);
        let gate = Gate::start(&db, &["--unknown-keys", "0"]);
        let mut connection = gate.connect();
        let keys = [&ended.secret, &stranger, &elsewhere];
        // On a busy machine one measurement tells of other programs; what the program gives away shows in every one.
        let differ = |_| {
            let mut times = [const { Vec::new() }; 3];
            for round in 0..250 {
                for turn in 0..keys.len() {
                    // No key is always the one after another.
                    let kind = (round + turn * (1 + round / 3 % 2)) % keys.len();
                    let asked = request("GET", "/api/v1/me", &[("X-API-Key", keys[kind].expose())], "");
                    let begun = Instant::now();
                    connection.send(&asked);
                    assert_eq!(connection.answer().unwrap().status, 401);
                    times[kind].push(begun.elapsed().as_secs_f64() * 1e6);
                }
            }
            let told = times.map(|times| measured(&times[20..]));
            let apart = |(one, other): (usize, usize)| {
                (told[one].0 - told[other].0) / (told[one].1 + told[other].1).sqrt()
            };
            [(0, 1), (1, 2)].map(apart).iter().any(|t| t.abs() >= 4.5).then_some(told)
        };
        let seen: Vec<_> = (0..6).map_while(differ).collect();
        assert!(seen.len() < 6, "the times differ, whenever they are measured: {seen:?}");
    }
}

/// The mean of times, in microseconds, and its variance, without the slowest tenth: those waited for something else.
fn measured(times: &[f64]) -> (f64, f64) {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.truncate(times.len() * 9 / 10);
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / count;
    (mean, variance / count)
}
