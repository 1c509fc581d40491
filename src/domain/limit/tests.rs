use super::*;
use crate::domain::issuer::LimitRule;
use crate::domain::issuer::policy_file::preset;

mod brute_force;
mod restart;

/// A second, in the unit of the log.
const SECOND: i64 = 1_000_000;
/// Some instant of the year 2026, in microseconds.
const START: i64 = 1_790_000_000 * SECOND;

fn account(plan: Option<&str>) -> Account {
    Account { plan: plan.map(Into::into), ..Account::example() }
}

fn budget(requests: u32, seconds: u32) -> Budget {
    Budget { seconds, requests }
}

fn charge(budgets: &[Budget]) -> Vec<Charge> {
    vec![Charge { bucket: Bucket::Account("acme".into()), budgets: budgets.to_vec() }]
}

/// One log and its budgets, asked again and again.
struct Window(Vec<Charge>, Log);

impl Window {
    fn new(budgets: &[Budget]) -> Self {
        Self(charge(budgets), Log::default())
    }

    fn ask(&mut self, now: i64) -> Quota {
        decide(&self.0, &mut [&mut self.1], now).unwrap()
    }

    fn passes(&mut self, now: i64) -> bool {
        self.ask(now).allowed
    }
}

#[test]
fn vg_20_sixty_requests_a_minute_per_account_and_endpoint() {
    let policy = preset("voicegram").unwrap();
    let charges = |endpoint| charges(&policy, &account(None), &Key::example(), &Budgets::default(), endpoint);
    let me = charges(Some("me"));
    assert_eq!(
        me,
        [Charge { bucket: Bucket::Endpoint("acme".into(), "me".into()), budgets: vec![budget(60, 60)] }]
    );
    let mut log = Log::default();
    for i in 0..60 {
        assert!(decide(&me, &mut [&mut log], START + i).unwrap().allowed, "{i}");
    }
    let refused = decide(&me, &mut [&mut log], START + 60).unwrap();
    assert!(!refused.allowed);
    assert_eq!((refused.tightest().remaining, refused.retry_after(START + 60)), (0, 60));
    assert_eq!(charges(None), []);
}

#[test]
fn vg_21_another_endpoint_has_a_budget_of_its_own() {
    let policy = preset("voicegram").unwrap();
    let bucket = |endpoint| {
        charges(&policy, &account(None), &Key::example(), &Budgets::default(), Some(endpoint))[0]
            .bucket
            .clone()
    };
    assert_ne!(bucket("me"), bucket("voicegrams/recent"));
    assert_eq!(bucket("me").to_string(), "endpoint:acme:me");
}

#[test]
fn vp_11_the_window_slides_with_each_request() {
    let mut window = Window::new(&[budget(2, 10)]);
    assert!(window.passes(START));
    assert!(window.passes(START + 4 * SECOND));
    assert!(!window.passes(START + 10 * SECOND - 1), "the first lies in the window still");
    assert!(window.passes(START + 10 * SECOND), "(now - window, now]: the first has just left");
    assert!(!window.passes(START + 14 * SECOND - 1));
    assert!(window.passes(START + 14 * SECOND));
}

#[test]
fn vp_12_plans_give_the_budgets_of_each_key() {
    let policy = preset("voxpria").unwrap();
    let of = |plan, own: &str| -> Vec<String> {
        let own = Budgets::parse(own).unwrap();
        let charges = charges(&policy, &account(plan), &Key::example(), &own, Some("calls"));
        assert!(charges.iter().all(|charge| charge.bucket == Bucket::Key(Key::example().id)));
        charges.iter().flat_map(|charge| charge.budgets.iter().map(ToString::to_string)).collect()
    };
    for (plan, budgets) in [
        ("Free Trial", ["100/1m", "1000/1h"]),
        ("Starter", ["500/1m", "5000/1h"]),
        ("Professional", ["2500/1m", "25000/1h"]),
    ] {
        assert_eq!(of(Some(plan), ""), budgets, "{plan}");
    }
    assert!(of(Some("Enterprise"), "").is_empty(), "agreed with each customer");
    assert_eq!(of(Some("Enterprise"), "100000/1h 9000/1m"), ["9000/1m", "100000/1h"]);
    assert_eq!(of(Some("Starter"), "10/1d"), ["10/1d"], "a key's own budgets stand in place of the plan's");
    // No plan, or one that the policy does not know: the least there is, never no limit.
    assert_eq!(of(None, ""), ["100/1m", "1000/1h"]);
    assert_eq!(of(Some("Gone"), ""), ["100/1m", "1000/1h"]);
}

#[test]
fn vp_12_hour_and_minute_must_both_have_room() {
    let mut window = Window::new(&[budget(100, 60), budget(1_000, 3_600)]);
    let mut now = START;
    for minute in 0..10 {
        for i in 0..100 {
            assert!(window.passes(now + i), "minute {minute}, request {i}");
        }
        let refused = window.ask(now + 100);
        assert!(!refused.allowed);
        now += 61 * SECOND;
    }
    let refused = window.ask(now);
    assert!(!refused.allowed, "the hour is used up");
    assert_eq!(refused.tightest().budget, budget(1_000, 3_600));
    assert_eq!(refused.states()[0].remaining, 100, "what was refused is not counted in the minute either");
    assert_eq!(i64::from(refused.retry_after(now)), 3_600 - 610);
    assert!(window.passes(START + 3_600 * SECOND));
}

#[test]
fn rules_about_the_same_bucket_are_one_charge() {
    let mut policy = preset("voxpria").unwrap();
    let rule = |per, requests, seconds| LimitRule {
        per,
        requests: Some(requests),
        seconds: Some(seconds),
        plans: false,
    };
    policy.limits = vec![
        rule(Per::Key, 500, 3_600),
        rule(Per::Account, 9, 60),
        rule(Per::Key, 20, 60),
        rule(Per::Key, 10, 60),
    ];
    let charges = charges(&policy, &account(None), &Key::example(), &Budgets::default(), None);
    let key =
        Charge { bucket: Bucket::Key(Key::example().id), budgets: vec![budget(10, 60), budget(500, 3_600)] };
    let account = Charge { bucket: Bucket::Account("acme".into()), budgets: vec![budget(9, 60)] };
    assert_eq!(
        charges,
        [key, account],
        "the shortest window first, and the tighter of two over the same time"
    );
}

#[test]
fn of_two_budgets_with_the_same_left_the_one_that_waits_longer_is_told() {
    let state = |seconds, remaining, next| State { per: "key", budget: budget(5, seconds), remaining, next };
    let told = |states: &[State]| Quota::new(states.to_vec(), true).unwrap().tightest().budget.seconds;
    assert_eq!(told(&[state(60, 3, 1), state(3_600, 2, 0)]), 3_600, "the least left comes before any wait");
    assert_eq!(told(&[state(60, 2, 9), state(3_600, 2, 5)]), 60);
    assert_eq!(told(&[state(60, 2, 5), state(3_600, 2, 9)]), 3_600);
    assert_eq!(told(&[state(60, 2, 5), state(3_600, 2, 5)]), 60, "of two alike the first");
}

#[test]
fn what_one_bucket_refuses_counts_in_no_other() {
    let charges = [
        Charge { bucket: Bucket::Account("acme".into()), budgets: vec![budget(5, 60)] },
        Charge { bucket: Bucket::Endpoint("acme".into(), "me".into()), budgets: vec![budget(1, 60)] },
    ];
    let (mut account, mut endpoint) = (Log::default(), Log::default());
    for i in 0..4 {
        let quota = decide(&charges, &mut [&mut account, &mut endpoint], START + i).unwrap();
        assert_eq!(quota.allowed, i == 0);
    }
    assert_eq!((account.len(), endpoint.len()), (1, 1));
}

#[test]
fn vp_13_the_headers_tell_of_the_tightest_budget_and_the_drafts_of_all() {
    let mut window = Window::new(&[budget(2, 60), budget(1_000, 3_600)]);
    let now = START + 250_000;
    let headers = |quota: &Quota, now| -> Vec<String> {
        quota.headers(now).into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
    };
    let first = window.ask(now);
    assert_eq!(
        headers(&first, now),
        [
            "X-RateLimit-Limit: 2",
            "X-RateLimit-Remaining: 1",
            "X-RateLimit-Reset: 1790000061",
            "RateLimit-Policy: \"account-60\";q=2;w=60, \"account-3600\";q=1000;w=3600",
            "RateLimit: \"account-60\";r=1;t=60, \"account-3600\";r=999;t=3600",
        ]
    );
    window.ask(now + SECOND);
    let refused = window.ask(now + 20 * SECOND + 1);
    assert_eq!(refused.retry_after(now + 20 * SECOND + 1), 40, "39.999999 s, rounded up");
    assert_eq!(
        headers(&refused, now + 20 * SECOND + 1)[..3],
        ["X-RateLimit-Limit: 2", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1790000061"]
    );
    let fresh = look(&window.0, &mut [&mut Log::default()], now).unwrap();
    assert_eq!(headers(&fresh, now)[4], "RateLimit: \"account-60\";r=2;t=0, \"account-3600\";r=1000;t=0");
}

#[test]
fn looking_uses_nothing_up() {
    let mut window = Window::new(&[budget(1, 60)]);
    for _ in 0..3 {
        assert!(look(&window.0, &mut [&mut window.1], START).unwrap().allowed);
    }
    assert!(window.passes(START));
    assert!(!look(&window.0, &mut [&mut window.1], START + 1).unwrap().allowed);
}

#[test]
fn a_clock_that_steps_back_stands_still() {
    let mut window = Window::new(&[budget(2, 10)]);
    assert!(window.passes(START));
    assert!(window.passes(START - SECOND));
    assert!(!window.passes(START - 2 * SECOND));
    assert!(window.passes(START + 10 * SECOND));
}

#[test]
fn a_clock_that_was_set_back_locks_nobody_out_for_longer_than_the_window() {
    let mut window = Window::new(&[budget(3, 10)]);
    let day = 86_400 * SECOND;
    for step in [0, 4, 9] {
        assert!(window.passes(START + 3 * day + step * SECOND));
    }
    let refused = window.ask(START);
    assert!(!refused.allowed, "the three are as near to each other as they were");
    assert_eq!(refused.retry_after(START), 1, "the newest was made just now, the oldest nine seconds before");
    assert!(window.passes(START + SECOND));
    assert!(!window.passes(START + 5 * SECOND - 1));
    assert!(window.passes(START + 5 * SECOND));
    // The same after a restart.
    window.1 = Log::from_bytes(&window.1.to_bytes()).unwrap();
    let refused = window.ask(START - day);
    assert_eq!((refused.allowed, refused.retry_after(START - day)), (false, 5));
    assert_eq!(window.1.ends_at(), Some(START - day + 10 * SECOND));
    // Nor does it keep a log for longer that nobody asks for any more.
    assert!(!window.1.is_idle(START - 9 * day) && window.1.is_idle(START - 9 * day + 10 * SECOND));
}

#[test]
fn a_budget_that_was_lowered_waits_until_enough_have_left() {
    let mut window = Window::new(&[budget(5, 100)]);
    for i in 0..5 {
        assert!(window.passes(START + i * SECOND));
    }
    window.0 = charge(&[budget(2, 100)]);
    let refused = window.ask(START + 5 * SECOND);
    assert!(!refused.allowed);
    assert_eq!(refused.retry_after(START + 5 * SECOND), 98, "when the fourth of five leaves");
    assert!(!window.passes(START + 103 * SECOND - 1));
    assert!(window.passes(START + 103 * SECOND));
}

#[test]
fn a_window_that_was_added_counts_what_is_still_known() {
    let mut window = Window::new(&[budget(10, 100)]);
    for i in 0..4 {
        window.ask(START + i);
    }
    window.0 = charge(&[budget(5, 10), budget(10, 100)]);
    assert!(window.passes(START + 4));
    assert!(!window.passes(START + 5));
    window.0 = charge(&[budget(10, 100)]);
    assert!(window.passes(START + 6));
}

#[test]
fn a_log_survives_a_restart() {
    let mut window = Window::new(&[budget(3, 60)]);
    for i in 0..3 {
        assert!(window.passes(START + i * 7 * SECOND));
    }
    let bytes = window.1.to_bytes();
    let mut after = Window(window.0.clone(), Log::from_bytes(&bytes).unwrap());
    assert!(!after.passes(START + 60 * SECOND - 1));
    assert!(after.passes(START + 60 * SECOND));
    assert!(!after.passes(START + 60 * SECOND + 1));
    assert!(Log::default().to_bytes().is_empty());
    assert!(Log::from_bytes(&[]).unwrap().is_empty());
    // Cut anywhere but between two distances, it is not taken.
    assert_eq!(Log::from_bytes(&bytes[..5]), None);
    assert_eq!(Log::from_bytes(&bytes[..bytes.len() - 1]), None);
    assert_eq!(Log::from_bytes(&[0xFF; 40]), None);
}

#[test]
fn a_log_takes_few_bytes_and_gives_them_back() {
    let mut window = Window::new(&[budget(25_000, 3_600)]);
    for i in 0..25_000 {
        // About 25,000 in an hour, not in step.
        assert!(window.passes(START + i * 143_000 + i * i % 1_000));
    }
    assert!(window.1.heap() <= 25_000 * 4, "{} bytes", window.1.heap());
    let later = START + 2 * 3_600 * SECOND;
    assert!(window.1.is_idle(later) && !window.1.is_idle(START + 3_600 * SECOND));
    assert!(window.passes(later));
    assert!(window.1.heap() <= 512, "{} bytes", window.1.heap());
    assert_eq!(window.1.len(), 1);
}

#[test]
fn budgets_are_read_and_written() {
    for (text, printed) in [
        ("", ""),
        ("100/1m", "100/1m"),
        ("5000/1h, 100/60s", "100/1m 5000/1h"),
        ("1/90s 7/31d", "1/90s 7/31d"),
        ("100/1w 9/2H 5/1min", "5/1m 9/2h 100/7d"),
    ] {
        let budgets = Budgets::parse(text).unwrap();
        assert_eq!(budgets.to_string(), printed);
        assert_eq!(Budgets::parse(printed), Ok(budgets.clone()));
        let json = serde_json::to_string(&budgets).unwrap();
        assert_eq!(serde_json::from_str::<Budgets>(&json).unwrap(), budgets);
    }
    for (text, reason) in [
        ("100", "isn't a valid budget"),
        ("100/m", "isn't a valid budget"),
        ("100/1", "isn't a valid budget"),
        ("100/1mo", "isn't a valid budget"),
        ("100/1M", "1M could mean minutes or months"),
        ("-1/1m", "isn't a valid budget"),
        ("1e3/1m", "isn't a valid budget"),
        ("+1/1m", "isn't a valid budget"),
        ("1/1500ms", "31 days"),
        ("0/1m", "at least 1 request"),
        ("1/0s", "31 days"),
        ("1/32d", "31 days"),
        ("1/4294967295d", "31 days"),
        ("1/60s 2/1m", "same time"),
        ("1/1s 1/2s 1/3s 1/4s 1/5s", "at most 4"),
    ] {
        let error = Budgets::parse(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn a_share_is_a_part_and_never_nothing() {
    assert_eq!(budget(100, 60).share(3), budget(33, 60));
    assert_eq!(budget(2, 60).share(5), budget(1, 60));
    assert_eq!(budget(2, 60).share(0), budget(2, 60));
}
