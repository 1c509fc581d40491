//! Headings and fields of every record. Scripts rely on the fields, their order in CSV included.

use std::fmt::Write;

use super::super::doctor::Finding;
use super::super::info::Fact;
use super::super::issuer::Preset;
use super::super::key::record::Ended;
use super::super::key::usage::Span;
use super::super::reminders::letter::Planned;
use super::*;
use crate::domain::account::AccountSummary;
use crate::domain::audit::Entry;
use crate::domain::endpoint::Endpoint;
use crate::domain::explain::Step;
use crate::domain::issuer::Issuer;
use crate::domain::key::Key;
use crate::domain::operator::Operator;
use crate::domain::reminder::{Reminder, Sweep};
use crate::domain::rotation::Rotation;
use crate::service::{Extended, LeakFinding, LetterNews, RaisedAlert, Retried};

fn told<R: Record>(out: &mut String, name: &str) {
    writeln!(out, "{name}").unwrap();
    let heads = |wide| shown::<R>(wide).into_iter().map(|(head, _)| head).collect::<Vec<_>>();
    for names in [heads(false), heads(true), Fields::of(R::COLUMNS).names().collect()] {
        writeln!(out, "  {}", names.join(" | ")).unwrap();
    }
}

#[test]
fn records_keep_their_headings_and_fields() {
    let mut out = String::new();
    told::<Key>(&mut out, "key");
    told::<Ended>(&mut out, "revoked key");
    told::<Rotation>(&mut out, "open overlap");
    told::<Extended>(&mut out, "extended overlap");
    told::<Span>(&mut out, "usage of a key");
    told::<Step>(&mut out, "step");
    told::<AccountSummary>(&mut out, "account");
    told::<Preset>(&mut out, "preset");
    told::<Issuer>(&mut out, "issuer");
    told::<Operator>(&mut out, "operator");
    told::<RaisedAlert>(&mut out, "alert");
    told::<Entry>(&mut out, "audit");
    told::<Endpoint>(&mut out, "endpoint");
    told::<Reminder>(&mut out, "reminder");
    told::<Retried>(&mut out, "retried reminder");
    told::<Sweep>(&mut out, "sweep");
    told::<LetterNews>(&mut out, "letter");
    told::<Planned>(&mut out, "planned letter");
    told::<Fact>(&mut out, "fact");
    told::<Finding>(&mut out, "finding");
    told::<LeakFinding>(&mut out, "leaked secret");
    insta::assert_snapshot!(out);
}
