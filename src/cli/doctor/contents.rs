//! What the database holds: rows that can be read, tables that agree with the audit, a file that is sound.

use super::Finding;
use crate::domain::audit::Verdict;
use crate::domain::text::thousands;
use crate::service::{GateStanding, OddRow, PepperUse, Service};

/// How many odd rows are told one by one.
const ROWS: usize = 50;
/// How many places in which tables and audit disagree are told one by one.
const DISAGREEMENTS: usize = 20;

/// Rows that hold something which can't be read.
pub(super) async fn rows(service: &Service) -> Vec<Finding> {
    let (odd, count) = match service.odd_rows(ROWS).await {
        Ok(found) => found,
        Err(error) => return vec![Finding::problem("rows", error.to_string(), "look at the database's log")],
    };
    if count == 0 {
        return vec![Finding::ok("rows", "all of them can be read")];
    }
    let told = odd.len() as u64;
    let cure = |table: &str, id: &str| match table {
        "keys" | "key_auth" | "key_use" => format!(
            "revoke it with keyrack key revoke {id}, or have the database's owner write a valid value into its row"
        ),
        "issuers" => "write a valid policy with keyrack issuer apply FILE".to_owned(),
        "audit" => "compare with a backup, and look at who has access to the database".to_owned(),
        _ => format!("have the database's owner write a valid value into this row of {table}"),
    };
    let finding = |row: OddRow| {
        let OddRow { table, id, why } = row;
        Finding::problem("rows", format!("{table} {id} can't be read: {why}"), cure(table, &id))
    };
    let mut findings: Vec<Finding> = odd.into_iter().map(finding).collect();
    if let Some(more) = count.checked_sub(told).filter(|more| *more > 0) {
        findings.push(Finding::problem(
            "rows",
            format!("{} more can't be read", thousands(more)),
            "fix these first",
        ));
    }
    findings
}

/// Whether the audit's chain is whole, and the cheap part of what `audit verify` compares with it.
pub(super) async fn audit(service: &Service) -> Vec<Finding> {
    let compared = match service.compare_newest().await {
        Ok(compared) => compared,
        Err(error) => {
            return vec![Finding::problem("audit", error.to_string(), "look at the database's log")];
        }
    };
    let mut findings = match compared.verdict {
        Verdict::Intact { rows, .. } => vec![Finding::ok("audit", format!("{rows} rows, unbroken"))],
        Verdict::Broken { seq, why } => vec![Finding::problem(
            "audit",
            format!("broken at row {seq}: {why}"),
            "compare with a backup, and look at who has access to the database",
        )],
    };
    let disagreements = &compared.findings;
    let told = disagreements.kept.iter().take(DISAGREEMENTS).map(|one| {
        let found =
            format!("{} {}: {}; the audit says: {}", one.kind.as_str(), one.subject, one.table, one.audit);
        Finding::problem("tables", found, one.kind.cure())
    });
    findings.extend(told);
    if disagreements.count > DISAGREEMENTS as u64 {
        let more = disagreements.count - DISAGREEMENTS as u64;
        let more = format!("{} more disagreements with the audit", thousands(more));
        findings.push(Finding::problem("tables", more, "see all of them with `keyrack audit verify`"));
    }
    if let (0, None) = (disagreements.count, &compared.left) {
        let words = "schema, operators, accounts, issuers and the newest keys agree with the audit; \
                     `keyrack audit verify` compares all keys";
        findings.push(Finding::ok("tables", words));
    }
    if let Some(left) = compared.left {
        findings.push(Finding::ok("tables", left));
    }
    findings
}

/// Whether the peppers are at hand that living keys were hashed with; nothing where no key needs one.
pub(super) async fn peppers(service: &Service) -> Vec<Finding> {
    let cure = "put its file back into the folder that the setting peppers or --peppers names, here and at each gate; \
                keys whose pepper is lost for good must be replaced";
    let uses = match service.pepper_uses().await {
        Ok(Ok(uses)) => uses,
        Ok(Err(why)) => {
            return vec![Finding::problem("peppers", why, "fix it: no key can be created here until then")];
        }
        Err(error) => {
            return vec![Finding::problem("peppers", error.to_string(), "look at the database's log")];
        }
    };
    let told = |pepper: PepperUse| {
        let keys =
            format!("{} living {}", thousands(pepper.keys), if pepper.keys == 1 { "key" } else { "keys" });
        match pepper.lack {
            Some(lack) => Finding::problem("peppers", format!("{lack}: {keys} can't be found here"), cure),
            None => Finding::ok("peppers", format!("pepper v{} is here, for {keys}", pepper.version)),
        }
    };
    uses.into_iter().map(told).collect()
}

/// Whether SQLite finds its file sound.
pub(super) async fn sound(service: &Service) -> Finding {
    match service.quick_check().await {
        Ok(faults) if faults.is_empty() => Finding::ok("pages", "the file is intact"),
        Ok(faults) => Finding::problem(
            "pages",
            format!("the file is damaged: {}", faults.join("; ")),
            "stop every program that has it open, keep a copy, and put a backup in its place",
        ),
        Err(error) => {
            Finding::problem("pages", error.to_string(), "keep a copy, and put a backup in its place")
        }
    }
}

/// A gate that answers from memory, which changes wait for.
pub(super) fn by_lease(gate: &GateStanding) -> Option<Finding> {
    let (name, millis) = (&gate.name, gate.freshness.lease()?.as_millis());
    let wait = "revocations and pauses count as done once it has confirmed them or this time has passed";
    let lease = gate.freshness;
    Some(Finding::ok(
        "gates",
        format!("{name} answers from memory for at most {millis} ms ({lease}): {wait}"),
    ))
}
