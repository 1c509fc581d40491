//! Everything about one alert, as a page to read.

use crate::config::keymap::Action;
use crate::config::theme::Role;
use crate::domain::text::{SafeText, thousands};
use crate::domain::usage::{SPIKE_MINUTES, Severity, Source, What};
use crate::service::RaisedAlert;
use crate::tui::opening::Part;
use crate::tui::shell::Shell;
use crate::tui::view::times;

/// The sign of a severity, told apart without colour, and its role.
pub fn sign(severity: Severity) -> (&'static str, Role) {
    match severity {
        Severity::Info => ("·", Role::Info),
        Severity::Warning => ("!", Role::Warning),
        Severity::Critical => ("✕", Role::Danger),
    }
}

/// `failed attempts`: what happened, in two words.
pub fn kind(what: &What) -> &'static str {
    match what {
        What::Spike { .. } => "spike",
        What::FailedAuthentications { .. } => "failed attempts",
        What::NewNetwork { .. } => "new network",
        What::AfterEnd { .. } => "used after end",
        What::OverlapEnds { .. } => "overlap ends",
        What::Leaked { .. } => "leaked",
        What::Overridden { .. } => "without approval",
        What::Unread { .. } => "can't be read",
    }
}

/// What it is about: the key's name, an address, an issuer.
pub fn about(raised: &RaisedAlert) -> String {
    match (&raised.alert.what, &raised.name) {
        (What::FailedAuthentications { source, .. }, _) => match source {
            Source::Address(std::net::IpAddr::V6(network)) => format!("{network}/64"),
            Source::Address(address) => address.to_string(),
            Source::Network(network) => network.to_string(),
            Source::Issuer(slug) => format!("keys of {}", SafeText::new(slug.clone())),
            Source::Others => "more places".to_owned(),
        },
        (_, Some(name)) => name.as_str().to_owned(),
        (_, None) => raised.alert.key().map(|key| key.to_string()).unwrap_or_default(),
    }
}

/// Title and parts.
pub fn of(shell: &Shell, raised: &RaisedAlert) -> (String, Vec<Part>) {
    let alert = &raised.alert;
    let with_age = |at| format!("{}, {}", times::exact(at, shell.utc), times::relative(at, shell.now));
    let (sign, _) = sign(alert.severity());
    let mut parts = vec![
        Part::Words(alert.sentence()),
        Part::Space,
        Part::Fact("Severity", format!("{sign} {}", alert.severity().as_str())),
        Part::Fact("Raised", format!("{} by the gate {}", with_age(alert.at), raised.gate)),
    ];
    if let Some(key) = alert.key() {
        let name = raised.name.as_ref().map_or("", |name| name.as_str());
        parts.push(Part::Fact("Key", name.to_owned()));
        if let Some(preview) = &raised.preview {
            parts.push(Part::Fact("Preview", preview.as_str().to_owned()));
        }
        parts.push(Part::Fact("Id", key.to_string()));
    }
    if let Some(account) = &raised.account {
        parts.push(Part::Fact("Account", account.as_str().to_owned()));
    }
    match &alert.what {
        What::Spike { requests, usual, busiest, .. } => {
            let per = |count: &u64| format!("{count} requests in {SPIKE_MINUTES} minutes");
            parts.push(Part::Fact("Now", per(requests)));
            parts.push(Part::Fact("Usual", per(usual)));
            parts.push(Part::Fact("Most before", per(busiest)));
        }
        What::FailedAuthentications { attempts, seconds, .. } => {
            parts.push(Part::Fact("From", about(raised)));
            parts.push(Part::Fact("Attempts", format!("{attempts} in {seconds} s")));
        }
        What::AfterEnd { how, ended_at, tries, before, networks, endpoints, .. } => {
            parts.push(Part::Fact("Ended", format!("{how}, {}", with_age(*ended_at))));
            parts.push(Part::Fact(
                "In 24 hours",
                format!("{} (before: {})", thousands(*tries), thousands(*before)),
            ));
            let rows = [("Network", networks), ("Endpoint", endpoints)];
            for (label, share) in
                rows.iter().flat_map(|(label, list)| list.iter().map(move |share| (*label, share)))
            {
                parts.push(Part::Fact(label, format!("{}: {}", share.name, thousands(share.tries))));
            }
        }
        What::OverlapEnds { replacement, ends_at, last_used_at, from, endpoint, .. } => {
            parts.push(Part::Fact("Ends", with_age(*ends_at)));
            parts.push(Part::Fact("Replaced by", replacement.to_string()));
            parts.push(Part::Fact("Last used", with_age(*last_used_at)));
            parts.extend(from.as_ref().map(|from| Part::Fact("From", from.to_string())));
            parts.extend(endpoint.as_ref().map(|endpoint| Part::Fact("Endpoint", endpoint.to_string())));
        }
        What::Leaked { source, place, done, .. } => {
            parts.push(Part::Fact("Says", source.to_string()));
            parts.extend(place.as_ref().map(|place| Part::Fact("At", place.to_string())));
            parts.push(Part::Fact("Done", done.to_string()));
        }
        What::Overridden { .. } | What::Unread { .. } => {}
        What::NewNetwork { network, address, expected, .. } => {
            parts.push(Part::Fact("Network", network.to_string()));
            parts.push(Part::Fact("Address", address.to_string()));
            let listed = if *expected { "names the network" } else { "does not name the network" };
            parts.push(Part::Fact("Allow-list", listed.to_owned()));
        }
    }
    parts.push(match (&raised.acknowledged_by, raised.acknowledged_at) {
        (Some(by), Some(at)) => Part::Fact("Acknowledged", format!("{} by {by}", with_age(at))),
        _ => Part::Fact("Acknowledged", "by nobody yet".into()),
    });
    parts.push(Part::Space);
    let key = |action| shell.keymap.key(action);
    let mut words = String::new();
    if alert.key().is_some() {
        words = format!("{} goes to the key, {} revokes it. ", key(Action::GoToKey), key(Action::Revoke));
    }
    if raised.acknowledged_at.is_none() {
        words.push_str(&format!("In the list {} acknowledges it.", key(Action::Acknowledge)));
    }
    parts.push(Part::Words(words.trim_end().to_owned()));
    (format!("Alert {}: {}", raised.id, kind(&alert.what)), parts)
}
