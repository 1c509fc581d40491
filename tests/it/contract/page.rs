//! The table of keys, on both databases: what a filter finds and in which order, held against the plain meaning of the
//! filter language and a plain sort, over a few thousand realistic keys.

use std::cmp::Ordering;

use crate::support::database::Database;
use crate::support::people::{age, all, make_kept, named, office, preset, query, used};
use chrono::{DateTime, Duration};
use keyrack::clock::Clock;
use keyrack::domain::expiry::Overlap;
use keyrack::domain::key::{Key, KeyId};
use keyrack::domain::query::{Column, Direction, Query, Sort, never};
use keyrack::domain::text::fold;
use keyrack::domain::when::Here;
use keyrack::service::{Count, From, Page, PageRequest, Service, new_operation};

use self::planned::plan;

mod around;
mod planned;
mod ways;

/// Enough for every kind of key to be there, and for pages to end in the midst of equal values.
const KEYS: u64 = 1200;

struct Rack {
    service: Service,
    /// Every key, in no order.
    keys: Vec<Key>,
}

async fn rack(db: &Database) -> Rack {
    let service = db.open_with(Clock::System).await;
    service.demo(KEYS, 7, |_| {}).await.unwrap();
    plan(db).await;
    let everything = query("status:active,planned,paused,suspended,refused,expired,abandoned,revoked");
    let keys = all(&service, &everything, Sort::default(), 500).await;
    assert_eq!(keys.len(), usize::try_from(KEYS).unwrap());
    assert_eq!(db.number("SELECT count(*) FROM keys").await, i64::try_from(KEYS).unwrap());
    Rack { service, keys }
}

/// The table's order, written down once more in plain words.
fn order(a: &Key, b: &Key, sort: Sort) -> Ordering {
    let end = never();
    let by_column = match sort.column {
        Column::Status => a.ends_at().unwrap_or(end).cmp(&b.ends_at().unwrap_or(end)),
        Column::Name => fold(&a.name).cmp(&fold(&b.name)),
        Column::Account => a.account.cmp(&b.account),
        Column::Preview => a.preview.cmp(&b.preview),
        Column::Scopes => a.scopes.to_string().cmp(&b.scopes.to_string()),
        Column::Created => a.created_at.cmp(&b.created_at),
        Column::Expires => a.stops_at().unwrap_or(end).cmp(&b.stops_at().unwrap_or(end)),
        Column::Used => {
            let first = DateTime::UNIX_EPOCH;
            a.last_used_at.unwrap_or(first).cmp(&b.last_used_at.unwrap_or(first))
        }
        Column::CreatedBy => a.created_by.cmp(&b.created_by),
    };
    let ascending = by_column.then(a.id.cmp(&b.id));
    if sort.direction == Direction::Ascending { ascending } else { ascending.reverse() }
}

fn sorts() -> impl Iterator<Item = Sort> {
    Column::ALL.iter().copied().flat_map(|column| {
        [Direction::Ascending, Direction::Descending].map(|direction| Sort { column, direction })
    })
}

fn ids(keys: &[Key]) -> Vec<KeyId> {
    keys.iter().map(|key| key.id).collect()
}

fn page_ids(page: &Page) -> Vec<KeyId> {
    page.rows.iter().map(|row| row.key.id).collect()
}

async fn page(service: &Service, query: &Query, sort: Sort, from: From, limit: u32) -> Page {
    service.page(&PageRequest { query: query.clone(), sort, from, limit }).await.unwrap()
}

/// What must be found, in order: no database, no index, only the meaning of the words.
fn expected(rack: &Rack, query: &Query, sort: Sort, hidden: &[String]) -> Vec<KeyId> {
    let now = rack.service.present();
    let mut fitting: Vec<&Key> = rack
        .keys
        .iter()
        .filter(|key| query.matches(key, now))
        .filter(|key| query.mentions_status() || !key.is_revoked(now) || !hidden.contains(&key.issuer))
        .collect();
    fitting.sort_by(|a, b| order(a, b, sort));
    fitting.iter().map(|key| key.id).collect()
}

async fn hiding_issuers(service: &Service) -> Vec<String> {
    let issuers = service.issuers().await.unwrap();
    let hidden: Vec<_> = issuers
        .into_iter()
        .filter(|issuer| issuer.policy.wording.hide_revoked)
        .map(|issuer| issuer.slug)
        .collect();
    assert_eq!(hidden, ["vozagent"]);
    hidden
}

/// Filters of every kind; `{…}` is filled in from a key that is there.
const FILTERS: &[&str] = &[
    "",
    "status:active",
    "status:expired",
    "status:abandoned",
    "status:revoked",
    "status:active,revoked",
    "status:planned",
    "-status:planned",
    "-status:revoked",
    "status:planned,expired",
    "status:suspended",
    "-status:suspended,expired",
    "-status:active",
    "account:{account}",
    "-account:{account}",
    "issuer:voxpria",
    "issuer:voicegram,vozagent",
    "by:{by}",
    "-by:{by}",
    "scope:calls:write",
    "scope:none,calls:read,webhooks:manage",
    "scope:none",
    "-scope:none",
    "expires:never",
    "expires:set",
    "expires:<30d",
    "expires:>90d",
    "expires:<2027-01-31",
    "created:<7d",
    "created:>2026-06-01",
    "-created:<90d",
    "revoked:<30d",
    "revoked:>2026-01-01 revoked:<2026-09-01",
    "used:never",
    "used:ever",
    "used:<1d",
    "-used:<1d",
    "idle:30d",
    "idle:90d status:active",
    "rotation:due",
    "network:any",
    "network:set",
    "creator:gone",
    "creator:here",
    "-status:ended",
    "-status:ended expires:never",
    "-status:ended network:any owner:none",
    "-rotation:due",
    "acknowledged:no",
    "acknowledged:yes",
    "replaced:yes",
    "replaces:yes",
    "-replaces:yes status:active",
    "overlap:old",
    "overlap:new",
    "overlap:open",
    "-overlap:old replaced:yes",
    "-overlap:open",
    "-replaced:yes expires:set",
    "status:expired replaced:no",
    "id:{id8}",
    "id:{id-end}",
    "{word}",
    "{WORD}",
    "{word} {word2}",
    "-{word}",
    "{tri}",
    "{two}",
    "{one}",
    "{preview-end}",
    "{id8}",
    "{id-mid}",
    "019",
    "vg_",
    "gw_••",
    "{preview}",
    "KÖLN",
    "köln",
    "東京",
    "東京コール",
    "télé",
    "•",
    "\"{phrase}\"",
    "%",
    "_",
    "!",
    "'",
    "no-such-thing-at-all",
    "status:active issuer:voiceinfra expires:never {tri}",
    "account:{account} status:active used:never",
];

/// Fills the gaps of a filter with what is there.
fn fill(filter: &str, key: &Key) -> String {
    let name: Vec<&str> = key.name.split_whitespace().collect();
    let id = key.id.to_string();
    let word = name.iter().find(|word| word.chars().all(char::is_alphanumeric)).unwrap_or(&"prod");
    let first = |letters| word.chars().take(letters).collect::<String>();
    let tail: String = key.preview.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    filter
        .replace("{account}", &key.account)
        .replace("{by}", &key.created_by)
        .replace("{id8}", &id[..8])
        .replace("{id-end}", &id[24..])
        .replace("{id-mid}", &id[14..22])
        .replace("{preview}", &key.preview)
        .replace("{word}", word)
        .replace("{WORD}", &word.to_uppercase())
        .replace("{word2}", name.last().unwrap())
        .replace("{tri}", &first(3))
        .replace("{two}", &first(2))
        .replace("{one}", &first(1))
        .replace("{preview-end}", &tail.to_lowercase())
        .replace("{phrase}", &key.name.replace('"', ""))
}

on_both! {
    async fn a_filter_finds_what_its_words_mean(db) {
        let rack = rack(&db).await;
        let hidden = hiding_issuers(&rack.service).await;
        // A key with a plain name to fill the gaps with.
        let model = rack.keys.iter().find(|key| key.name.split(' ').count() > 1 && key.name.is_ascii()).unwrap().clone();
        let mut empty = Vec::new();
        let here: Vec<String> = rack.service.operators().await.unwrap().iter().map(|one| one.name.to_string()).collect();
        for filter in FILTERS {
            let text = fill(filter, &model);
            let query = Query::parse(&text, Here::utc(rack.service.present())).unwrap_or_else(|e| panic!("{text:?}: {e}")).among(&here);
            let mut wanted = expected(&rack, &query, Sort::default(), &hidden);
            let found = ids(&all(&rack.service, &query, Sort::default(), 500).await);
            assert_eq!(found.len(), wanted.len(), "{text:?} found {} instead of {}", found.len(), wanted.len());
            assert_eq!(found, wanted, "{text:?}");
            assert_eq!(rack.service.count(&query).await.unwrap(), Count::Exactly(found.len() as u64), "{text:?}");
            if found.is_empty() {
                empty.push(text.clone());
            }
            // The same in another order, which takes other indexes.
            let by_name = Sort { column: Column::Name, direction: Direction::Ascending };
            wanted = expected(&rack, &query, by_name, &hidden);
            assert_eq!(ids(&all(&rack.service, &query, by_name, 500).await), wanted, "{text:?} by name");
        }
        if !db.is_postgres() {
            // While keys are loaded in bulk, and after a load that was killed, there are no indexes.
            for index in db.texts("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('key_auth', 'keys', 'key_use') AND sql IS NOT NULL").await {
                db.execute(&format!("DROP INDEX {index}")).await;
            }
            for filter in FILTERS {
                let text = fill(filter, &model);
                let query = query(&text).among(&here);
                for sort in [Sort::default(), Sort { column: Column::Used, direction: Direction::Descending }] {
                    let wanted = expected(&rack, &query, sort, &hidden);
                    assert_eq!(ids(&all(&rack.service, &query, sort, 500).await), wanted, "{text:?} without indexes");
                }
            }
        }
        let overdue = all(&rack.service, &Query::overdue(), Sort::default(), 100).await.len();
        assert_eq!(rack.service.outlook().await.unwrap().overdue, overdue as u64);
        assert!(empty.len() < FILTERS.len() / 4, "too many filters that find nothing prove nothing: {empty:?}");
    }

    async fn every_order_is_the_plain_sort_and_pages_make_up_the_whole(db) {
        let rack = rack(&db).await;
        let hidden = hiding_issuers(&rack.service).await;
        for filter in ["", "status:active", "-status:ended", "status:active,paused,suspended,refused,expired,abandoned,revoked", "issuer:voxpria -used:never"] {
            let query = query(filter);
            for sort in sorts() {
                let wanted = expected(&rack, &query, sort, &hidden);
                let what = format!("{filter:?} by {} {:?}", sort.column.as_str(), sort.direction);
                assert_eq!(ids(&all(&rack.service, &query, sort, 333).await), wanted, "{what}");
                backwards(&rack.service, &query, sort, &wanted, &what).await;
                from_the_middle(&rack.service, &query, sort, &wanted, &what).await;
            }
        }
    }

    async fn vp_25_the_list_shows_all_active_keys(db) {
        let rack = rack(&db).await;
        let now = rack.service.present();
        let active = rack.keys.iter().filter(|key| key.status(now) == keyrack::domain::key::Status::Active).count();
        let listed = all(&rack.service, &query("status:active"), Sort::default(), 100).await;
        assert_eq!(listed.len(), active);
        // And none of them is missing from the list as it opens.
        let plain: std::collections::HashSet<_> = ids(&all(&rack.service, &Query::default(), Sort::default(), 100).await).into_iter().collect();
        assert!(listed.iter().all(|key| plain.contains(&key.id)));
    }

    async fn vi_13_dormant_keys_are_listed_and_revoked(db) {
        let service = office(&db, preset("voiceinfra")).await;
        let mut made = Vec::new();
        for name in ["never used, old", "used long ago", "used today"] {
            made.push(make_kept(&service, "acme", name).await.key.id);
        }
        age(&db, 40 * 86_400).await;
        let fresh = make_kept(&service, "acme", "never used, new").await.key.id;
        let ago = |days: i64| if db.is_postgres() {
            format!("now() - interval '{days} days'")
        } else {
            format!("{}", (chrono::DateTime::from_timestamp_micros(service.present().timestamp_micros()).unwrap() - Duration::days(days)).timestamp_micros())
        };
        db.execute(&used(&db, &ago(31), &named("used long ago"))).await;
        db.execute(&used(&db, &ago(0), &named("used today"))).await;

        let dormant = ids(&all(&service, &query("idle:30d"), Sort { column: Column::Name, direction: Direction::Ascending }, 10).await);
        assert_eq!(dormant, [made[0], made[1]]);
        let never = ids(&all(&service, &query("used:never"), Sort { column: Column::Name, direction: Direction::Ascending }, 10).await);
        assert_eq!(never, [fresh, made[0]]);
        service.revoke_keys(new_operation(), &dormant, Some("dormant")).await.unwrap();
        assert!(all(&service, &query("idle:30d status:active"), Sort::default(), 10).await.is_empty());
        let works = all(&service, &query("status:active"), Sort::default(), 10).await.len();
        assert_eq!(works, 2);
    }

    async fn what_is_overdue_is_counted_and_listed_by_one_rule(db) {
        let service = office(&db, preset("vozagent")).await;
        let mut made = Vec::new();
        for number in 0..3 {
            made.push(make_kept(&service, "acme", &format!("{number}")).await.key.id);
        }
        let next = service.rotate_key(new_operation(), made[1], Overlap::Hours24).await.unwrap().key.id;
        service.acknowledge_key(new_operation(), next).await.unwrap();
        age(&db, 40 * 86_400).await;
        let over = if db.is_postgres() {
            "now() - interval '3 days'".to_owned()
        } else {
            format!("{}", (service.present() - Duration::days(3)).timestamp_micros())
        };
        db.execute(&format!("UPDATE key_auth SET expires_at = {over} WHERE id IN (SELECT id FROM keys WHERE name IN ('0', '1') AND predecessor IS NULL)")).await;
        let listed = ids(&all(&service, &Query::overdue(), Sort::default(), 10).await);
        assert_eq!(listed, [made[0]], "{made:?}: the second was replaced");
        assert_eq!(service.outlook().await.unwrap().overdue, 1);
    }

    async fn vp_29_unused_keys_and_keys_past_the_rotation_period_are_listed_and_revoked(db) {
        let service = office(&db, preset("voxpria")).await;
        let old = make_kept(&service, "acme", "old").await.key.id;
        age(&db, 91 * 86_400).await;
        let new = make_kept(&service, "acme", "new").await.key.id;
        let due = ids(&all(&service, &query("rotation:due"), Sort::default(), 10).await);
        assert_eq!(due, [old]);
        let unused = ids(&all(&service, &query("used:never"), Sort::default(), 10).await);
        assert_eq!(unused, [new, old]);
        service.revoke_keys(new_operation(), &due, None).await.unwrap();
        assert!(all(&service, &query("rotation:due"), Sort::default(), 10).await.is_empty());
    }

    async fn va_13_all_keys_that_a_departed_person_created_are_dealt_with_together(db) {
        let service = office(&db, preset("vozagent")).await;
        service.set_operator(new_operation(), "bob", keyrack::domain::operator::Role::Operator).await.unwrap();
        let bob = crate::support::people::as_person(&db, "bob").await;
        let mut his = Vec::new();
        for n in 0..5 {
            his.push(make_kept(&bob, if n % 2 == 0 { "acme" } else { "globex" }, &format!("bob {n}")).await.key.id);
            make_kept(&service, "acme", &format!("mine {n}")).await;
        }
        let mut listed = ids(&all(&service, &query("by:bob"), Sort::default(), 3).await);
        listed.reverse();
        assert_eq!(listed, his);
        let done = service.revoke_keys(new_operation(), &listed, Some("bob has left")).await.unwrap();
        assert_eq!(done.len(), 5);
        assert_eq!(all(&service, &query("status:active"), Sort::default(), 50).await.len(), 5);
    }
}

/// From the end to the start, page by page: each page in the table's order, all of them the whole table.
async fn backwards(service: &Service, query: &Query, sort: Sort, wanted: &[KeyId], what: &str) {
    let mut read = page(service, query, sort, From::End, 250).await;
    let mut pages = vec![page_ids(&read)];
    assert!(!read.more_after, "{what}: more after the end");
    while read.more_before {
        let first = read.rows[0].cursor.clone();
        read = page(service, query, sort, From::Before(first), 250).await;
        assert!(read.more_after, "{what}");
        pages.push(page_ids(&read));
    }
    pages.reverse();
    assert_eq!(pages.concat(), wanted, "{what}, backwards");
}

/// A place is where it was: at it, after it, before it.
async fn from_the_middle(service: &Service, query: &Query, sort: Sort, wanted: &[KeyId], what: &str) {
    let middle = wanted.len() / 2;
    let upper = page(service, query, sort, From::Start, u32::try_from(middle + 1).unwrap()).await;
    let cursor = upper.rows[middle].cursor.clone();
    let at = page(service, query, sort, From::At(cursor.clone()), 20).await;
    assert_eq!(page_ids(&at), wanted[middle..middle + 20], "{what}, at");
    assert!(at.more_before && at.more_after, "{what}");
    let after = page(service, query, sort, From::After(cursor.clone()), 20).await;
    assert_eq!(page_ids(&after), wanted[middle + 1..middle + 21], "{what}, after");
    let before = page(service, query, sort, From::Before(cursor), 20).await;
    assert_eq!(page_ids(&before), wanted[middle - 20..middle], "{what}, before");
    around::around(service, query, sort, wanted, middle, what).await;
}
