//! Changing a policy under which keys and accounts live, on both databases.

use super::odd::plant;
use crate::support::people::{account, all, keep, make_kept, office, preset, query, scoped, wanted};
use keyrack::clock::Clock;
use keyrack::domain::expiry::Expiry;
use keyrack::domain::issuer::{Policy, ScopeRule, policy_file};
use keyrack::domain::key::Status;
use keyrack::domain::query::Sort;
use keyrack::domain::secret::SentKey;
use keyrack::service::{ChangeAccount, Count, Error, Explain, Presented, Service, new_operation};

async fn hits(service: &Service, policy: &Policy) -> Vec<String> {
    service.policy_hits(policy).await.unwrap().into_iter().map(|hit| hit.words).collect()
}

on_both! {
    async fn what_a_change_of_policy_touches_is_counted(db) {
        let policy = preset("voxpria");
        let service = office(&db, policy.clone()).await;
        for scopes in ["calls:read", "calls:read calls:write", "contacts:read"] {
            keep(&service, scoped("acme", scopes)).await;
        }
        let gone = keep(&service, scoped("acme", "calls:write")).await.key;
        service.revoke_keys(new_operation(), &[gone.id], None).await.unwrap();
        let plan = ChangeAccount { plan: Some(Some("Starter".into())), ..ChangeAccount::default() };
        service.change_account(new_operation(), "acme", plan).await.unwrap();
        assert_eq!(hits(&service, &policy).await, [""; 0]);

        let with = |change: &dyn Fn(&mut Policy)| {
            let mut changed = policy.clone();
            change(&mut changed);
            changed
        };
        let old = policy.format.prefix.clone();
        let prefix = with(&|policy| policy.format.prefix = "new_".into());
        assert_eq!(hits(&service, &prefix).await, [format!(
            "3 keys: the prefix {old} is gone; gates refuse them. Keep it under former-prefixes"
        )]);
        let kept = with(&|policy| {
            policy.format.former_prefixes.push(policy.format.prefix.clone());
            policy.format.prefix = "new_".into();
        });
        let hit = &service.policy_hits(&kept).await.unwrap()[0];
        assert!(!hit.harms && hit.count == Count::Exactly(3), "{hit:?}");
        let scope = with(&|policy| policy.scopes.retain(|scope| scope.name != "calls:write"));
        assert_eq!(hits(&service, &scope).await, ["1 key: hold the scope calls:write, which is gone; they can't be rotated"]);
        let plans = with(&|policy| policy.plans.clear());
        assert_eq!(hits(&service, &plans).await, ["1 account: on the plan Starter, which is gone"]);
        let caps = with(&|policy| policy.caps.active_keys = Some(2));
        assert_eq!(hits(&service, &caps).await, ["1 account: over the new limit of 2 active keys; no key can be created for them"]);
        let lives = with(&|policy| {
            policy.expiry.max_days = Some(90);
            policy.expiry.choices = vec![Expiry::Days(90)];
        });
        let hit = &service.policy_hits(&lives).await.unwrap()[0];
        assert!(!hit.harms && hit.count == Count::Exactly(3) && hit.words.contains("violates:policy"), "{hit:?}");
        let open = with(&|policy| policy.scopes.clear());
        let hit = &service.policy_hits(&open).await.unwrap()[0];
        assert!(hit.harms && hit.count == Count::Exactly(3), "{hit:?}");
    }

    async fn keys_whose_prefix_is_gone_are_said_to_be_refused(db) {
        let mut policy = preset("voxpria");
        let service = office(&db, policy.clone()).await;
        let key = make_kept(&service, "acme", "old form").await.key;
        let refused = async || {
            let asked = Explain { what: Presented::Record(key.id), issuer: None, address: None, request: None };
            service.explain(asked).await.unwrap().refused().map(|reason| format!("{reason:?}"))
        };
        assert_eq!(refused().await, None);
        policy.format.prefix = "new_".into();
        service.apply_policy(new_operation(), policy.clone()).await.unwrap();
        assert_eq!(refused().await, Some("UnknownPrefix".into()));
        let violates = query("violates:policy");
        assert_eq!(service.count(&violates).await.unwrap(), Count::Exactly(1));
        policy.format.former_prefixes = vec!["vx_".into()];
        service.apply_policy(new_operation(), policy).await.unwrap();
        assert_eq!((refused().await, service.count(&violates).await.unwrap()), (None, Count::Exactly(0)));
    }

    async fn a_key_that_gates_refuse_for_its_form_is_nowhere_called_active(db) {
        let mut policy = preset("voxpria");
        let service = office(&db, policy.clone()).await;
        service.apply_policy(new_operation(), preset("vozagent")).await.unwrap();
        service.create_account(new_operation(), account("vozagent", "initech")).await.unwrap();
        let old = make_kept(&service, "acme", "old form").await;
        let ended = make_kept(&service, "acme", "ended").await.key;
        service.revoke_keys(new_operation(), &[ended.id], None).await.unwrap();
        let mut keys = vec![old.key.id, ended.id, make_kept(&service, "initech", "other issuer").await.key.id];
        let mut says = async |prefix: &str, status: Status| {
            policy.format.prefix = prefix.into();
            service.apply_policy(new_operation(), policy.clone()).await.unwrap();
            keys.push(make_kept(&service, "acme", &format!("new form {prefix}")).await.key.id);
            keys.sort();
            let now = Clock::System.now();
            let mut read = Vec::new();
            for id in &keys {
                read.push(service.key(*id).await.unwrap());
            }
            // Whatever reads a key says the same of it, and every filter fits what is said.
            let found = service.find_keys(SentKey::exact(old.secret.expose().as_bytes())).await.unwrap();
            assert_eq!(found.keys().map(|key| key.status(now)).collect::<Vec<_>>(), [status]);
            let explain = Explain { what: Presented::Record(old.key.id), issuer: None, address: None, request: None };
            assert_eq!(service.explain(explain).await.unwrap().key.unwrap().status(now), status);
            for filter in [
                "status:active", "status:refused", "status:active,refused", "-status:active", "-status:refused", "status:refused,revoked",
                "status:active account:acme", "status:refused issuer:voxpria", "status:suspended", "", "violates:policy",
            ] {
                let filter = query(filter);
                let mut fits = all(&service, &filter, Sort::default(), 2).await;
                fits.sort_by_key(|key| key.id);
                let policies = service.issuers().await.unwrap().into_iter().map(|issuer| issuer.policy).collect();
                let asked = filter.under(policies);
                let meant: Vec<_> = read.iter().filter(|key| asked.matches(key, now)).cloned().collect();
                assert_eq!(fits, meant, "{filter}, {prefix}");
                assert_eq!(service.count(&filter).await.unwrap(), Count::Exactly(meant.len() as u64), "{filter}, {prefix}");
            }
            assert_eq!(read.iter().find(|key| key.id == old.key.id).unwrap().status(now), status, "{prefix}");
        };
        says("vx_", Status::Active).await;
        says("new_", Status::Refused).await;
        // Its prefix is another issuer's now.
        let mut other = preset("vozagent");
        other.format.former_prefixes = vec!["vx_".into()];
        service.apply_policy(new_operation(), other.clone()).await.unwrap();
        says("newer_", Status::Refused).await;
        other.format.former_prefixes.clear();
        service.apply_policy(new_operation(), other).await.unwrap();
        says("vx_", Status::Active).await;
        // A policy that can't be read.
        plant(&db, "issuers", "UPDATE issuers SET policy = '{}' WHERE slug = 'voxpria'").await;
        let (active, refused) = (query("status:active"), query("status:refused"));
        let told = (service.count(&active).await.unwrap(), service.count(&refused).await.unwrap());
        assert_eq!(told, (Count::Exactly(1), Count::Exactly(5)));
        assert_eq!(service.key(old.key.id).await.unwrap().status(Clock::System.now()), Status::Refused);
    }

    async fn over_a_limit_that_was_lowered_it_is_said_how_many_are_too_many(db) {
        let mut policy = preset("voxpria");
        let service = office(&db, policy.clone()).await;
        for name in ["one", "two", "three"] {
            make_kept(&service, "acme", name).await;
        }
        policy.caps.active_keys = Some(2);
        service.apply_policy(new_operation(), policy).await.unwrap();
        let told = service.create_key(wanted("acme", "four")).await.unwrap_err().to_string();
        assert!(told.contains("has 3 active keys and its limit is 2. Revoke 2 first"), "{told}");
    }

    async fn what_could_not_be_counted_in_time_harms_all_the_same(db) {
        if !db.is_postgres() {
            // On SQLite nobody can keep others from reading.
            return;
        }
        let mut policy = preset("voxpria");
        let service = office(&db, policy.clone()).await;
        policy.scopes.retain(|scope| scope.name != "calls:write");
        let lock = "DO $$ BEGIN LOCK TABLE keys IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(4); END $$";
        let (_, hits) = tokio::join!(db.execute(lock), async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            service.policy_hits(&policy).await.unwrap()
        });
        assert!(hits[0].harms && hits[0].count == Count::AtLeast(0), "{hits:?}");
        assert!(hits[0].words.starts_with("keys that could not be counted in time: hold the scope"), "{hits:?}");
    }

    async fn a_policy_gets_scopes_and_the_keys_without_any_are_counted(db) {
        let mut policy = preset("voiceinfra");
        let service = office(&db, policy.clone()).await;
        make_kept(&service, "acme", "hub").await;
        policy.scopes.push(ScopeRule { name: "calls:read".into(), description: "Read calls".into() });
        let hits = service.policy_hits(&policy).await.unwrap();
        assert!(hits[0].harms && hits[0].count == Count::Exactly(1), "{hits:?}");
    }

    async fn a_policy_written_from_an_older_version_is_a_conflict(db) {
        let first = preset("voxpria");
        let service = office(&db, first.clone()).await;
        let mut second = first.clone();
        second.name = "Second".into();
        service.apply_policy_over(new_operation(), second.clone(), 1).await.unwrap();
        let mut mine = first.clone();
        mine.caps.active_keys = Some(7);
        let error = service.apply_policy_over(new_operation(), mine.clone(), 1).await.unwrap_err();
        assert!(matches!(&error, Error::Refused(why) if why.contains("version 2") && why.contains("version 1")), "{error}");
        assert_eq!(service.issuer("voxpria").await.unwrap().policy, second);
        // What is there already is no conflict, nor is a file that says nothing.
        service.apply_policy_over(new_operation(), second, 1).await.unwrap();
        assert_eq!(service.apply_policy(new_operation(), mine).await.unwrap().version, 3);
    }
}

#[test]
fn a_file_may_say_its_version_at_its_top() {
    let (_, text) = policy_file::PRESETS[0];
    let plain = policy_file::parse(text).unwrap();
    assert_eq!(policy_file::parse_versioned(text), Ok((plain.clone(), None)));
    assert_eq!(policy_file::parse_versioned(&format!("version = 7\n{text}")), Ok((plain, Some(7))));
    let error = policy_file::parse_versioned(&format!("version = \"x\"\n{text}")).unwrap_err();
    assert_eq!((error.line, error.column), (1, 1));
    let error = policy_file::parse_versioned(&format!("version = 7\nslag = 7\n{text}")).unwrap_err();
    assert_eq!(error.line, 2);
}
