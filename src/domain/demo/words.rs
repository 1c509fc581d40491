//! The words that demo data is made of.

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::domain::owner::{Owner, Tags};

pub(super) const OPERATORS: &[&str] =
    &["ada", "grace", "margaret", "linus", "radia", "ken", "barbara", "eve.gone"];
pub(super) const PEOPLE: &[&str] =
    &["amara", "bo", "chen", "dana", "elif", "farid", "greta", "hana", "ivan", "jo", "ops"];
pub(super) const REASONS: &[&str] = &[
    "rotated",
    "integration retired",
    "found in a public repository",
    "laptop lost",
    "pasted into a chat",
    "contract ended",
    "owner left the company",
];
const SYSTEMS: &[&str] = &[
    "Zapier",
    "CRM sync",
    "Salesforce",
    "HubSpot",
    "Data warehouse",
    "n8n",
    "Make",
    "WordPress plugin",
    "Zendesk bridge",
    "Call router",
    "Billing export",
    "Voicemail archive",
    "IVR builder",
    "CI runner",
    "Grafana",
    "Slack alerts",
    "Kundenportal Köln",
    "Télésecrétariat",
    "東京コールセンター",
    "Campaign scheduler",
    "Contact import",
    "Transcript indexer",
];
const PLACES: &[&str] = &[
    "production",
    "staging",
    "– Main App",
    "development",
    "EU",
    "US-East",
    "backup",
    "nightly job",
    "on-prem",
    "pilot",
    "v2",
    "load test",
];
const PURPOSES: &[&str] = &[
    "Triggers outbound calls when a lead changes state",
    "Reads call logs into the warehouse every night",
    "Used by the support team's dashboard",
    "Owned by the platform team; rotate with the quarterly run",
    "Temporary, for the migration",
    "Webhook subscriber of the booking system",
    "Do not revoke without asking the data team",
    "Server of the mobile app",
    "Read-only, for reports",
];
const FIRST: &[&str] = &[
    "Northwind",
    "Globex",
    "Initech",
    "Umbra",
    "Kestrel",
    "Lumen",
    "Hooli",
    "Vandelay",
    "Stark",
    "Wayne",
    "Acme",
    "Cyberdyne",
    "Tyrell",
    "Soylent",
    "Wonka",
    "Aperture",
    "Monarch",
    "Gringotts",
    "Oceanic",
    "Pied Piper",
    "Massive",
    "Nakatomi",
    "Blue Sun",
    "Virtucon",
    "Zorin",
    "Bluth",
    "Dunder",
    "Prestige",
    "Sterling",
    "Paper Street",
    "Rekall",
    "Weyland",
];
const SECOND: &[&str] = &[
    "Health",
    "Logistics",
    "Telecom",
    "Dental",
    "Realty",
    "Energy",
    "Travel",
    "Bank",
    "Insurance",
    "Foods",
    "Motors",
    "Legal",
    "Schools",
    "Hotels",
    "Clinics",
    "Media",
    "Robotics",
    "Freight",
    "Solar",
    "Systems",
];

pub(super) fn pick<'a>(rng: &mut StdRng, words: &[&'a str]) -> &'a str {
    words[rng.random_range(0..words.len())]
}

/// The name and slug of company number `n`; every number has its own.
pub(super) fn company(n: usize) -> (String, String) {
    // 32 and 21 have no common factor, so that 640 pairs come before a number is needed.
    let (first, second) = (FIRST[n % FIRST.len()], SECOND[(n / FIRST.len() + n) % SECOND.len()]);
    let round = n / (FIRST.len() * SECOND.len());
    let name =
        if round == 0 { format!("{first} {second}") } else { format!("{first} {second} {}", round + 1) };
    let slug = name.to_lowercase().replace(' ', "-");
    (name, slug)
}

pub(super) fn key_name(rng: &mut StdRng) -> String {
    let (system, place) = (pick(rng, SYSTEMS), pick(rng, PLACES));
    match rng.random_range(0..10) {
        0 => system.to_owned(),
        1 => format!(
            "{}-{}",
            place.trim_start_matches("– ").to_lowercase().replace(' ', "-"),
            rng.random_range(1..40)
        ),
        _ => format!("{system} {place}"),
    }
}

pub(super) fn description(rng: &mut StdRng) -> String {
    pick(rng, PURPOSES).to_owned()
}

const TEAMS: &[&str] = &["Platform team", "Data team", "Support", "Billing", "Mobile", "Integrations"];
const TAGS: &[&str] = &["prod", "staging", "ci", "eu", "us", "pci", "legacy", "team:data", "team:web"];

/// A team, or one of the operators with an address.
pub(super) fn owner(rng: &mut StdRng) -> Owner {
    if rng.random_bool(0.5) {
        return Owner { name: pick(rng, TEAMS).into(), mail: None };
    }
    let name = pick(rng, OPERATORS);
    Owner { name: name.into(), mail: Some(format!("{name}@keyrack.example").into()) }
}

/// None to three of them.
pub(super) fn tags(rng: &mut StdRng) -> Tags {
    let many = rng.random_range(0..4);
    Tags::parse(&(0..many).map(|_| pick(rng, TAGS)).collect::<Vec<_>>().join(" "))
}
