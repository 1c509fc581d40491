//! What people type: an example or two in the help of every command.

use clap::{Command, CommandFactory};

use super::Cli;

/// A command by its words, and examples of it: what one wants, what one types.
type Examples = (&'static str, &'static [(&'static str, &'static str)]);

const ID: &str = "0199a3c4-7f2e-7b7c-9c53-2d1f4b6a8e01";

/// Each command that does something, in the order of the help. `ID` stands for the id of a key.
const EXAMPLES: &[Examples] = &[
    (
        "",
        &[
            ("Open the console on a database", "keyrack --db keys.db"),
            ("Try it out", "keyrack --demo"),
            ("Revoke a leaked key: paste it, see whose it is, confirm", "keyrack key revoke --secret-stdin"),
        ],
    ),
    (
        "key create",
        &[
            (
                "A read-only key for a year",
                "keyrack key create --account acme --name 'CI export' --scope contacts:read --expires 1y",
            ),
            (
                "Write the secret to a new file with mode 0600",
                "keyrack key create --account acme --name CI --out ci.key",
            ),
            ("A key like an existing one", "keyrack key create --like ID --name 'CI 2'"),
        ],
    ),
    (
        "key list",
        &[
            ("What expires within a week", "keyrack key list --filter 'expires:<7d' --sort expires"),
            (
                "All keys of an account, for a script",
                "keyrack key list --filter account:acme --limit 0 --output ndjson",
            ),
        ],
    ),
    ("key show", &[("Everything known about one key", "keyrack key show ID")]),
    (
        "key find",
        &[
            ("Find a key by its preview", "keyrack key find vp_live_a1b2"),
            ("Find a key by its secret, typed at a hidden prompt", "keyrack key find"),
        ],
    ),
    ("key acknowledge", &[("Confirm its secret", "keyrack key acknowledge ID")]),
    (
        "key edit",
        &[
            (
                "Extend all keys of a team by 90 days",
                "keyrack key edit --filter owner:platform --expires +90d",
            ),
            (
                "Change the owner and remove a scope",
                "keyrack key edit ID --owner Platform --remove-scope calls:write",
            ),
            ("Show what would change", "keyrack key edit ID --allow 203.0.113.0/24 --dry-run"),
        ],
    ),
    ("key reach", &[("Show who uses these keys now", "keyrack key reach --filter tag:ci")]),
    (
        "key rotate",
        &[
            ("Rotate a key; the old one works for one more day", "keyrack key rotate ID --overlap 24h"),
            (
                "Rotate all keys that are due, with the new secrets in a folder",
                "keyrack key rotate --filter rotation:due --out-dir new-keys",
            ),
        ],
    ),
    ("key usage", &[("Daily usage of the last 30 days", "keyrack key usage ID --since 30d --by day")]),
    (
        "key limit",
        &[
            ("Set budgets for one key", "keyrack key limit ID 5000/1h 100/1m"),
            ("Go back to the policy's budgets", "keyrack key limit ID --clear"),
        ],
    ),
    ("key tell", &[("Notify the account's admins that a key is exposed", "keyrack key tell ID --exposed")]),
    (
        "key pause",
        &[(
            "Pause all keys of an account for an hour",
            "keyrack key pause --filter account:acme --for 1h --message 'Ask the desk'",
        )],
    ),
    ("key resume", &[("Resume a key", "keyrack key resume ID")]),
    (
        "key revoke",
        &[
            (
                "Revoke a leaked key by its secret, typed at a hidden prompt",
                "keyrack key revoke --secret-stdin",
            ),
            ("Revoke by ID, with a reason", "keyrack key revoke ID --reason 'found in a log'"),
            (
                "Revoke all keys that one person created",
                "keyrack key revoke --filter by:mallory --reason 'INC-42'",
            ),
        ],
    ),
    ("rotation list", &[("Show which old keys are still used", "keyrack rotation list")]),
    ("rotation close", &[("Revoke an old key now", "keyrack rotation close ID")]),
    ("rotation extend", &[("Let an old key work for one more day", "keyrack rotation extend ID --by 24h")]),
    (
        "account create",
        &[(
            "An account with an admin's mail address",
            "keyrack account create --issuer voxpria --slug acme --name 'Acme Inc.' --admin ops@acme.example",
        )],
    ),
    ("account list", &[("The accounts of one issuer", "keyrack account list --filter voxpria")]),
    ("account show", &[("One account and its keys by state", "keyrack account show acme")]),
    ("account change", &[("Replace the admins", "keyrack account change acme --admin ops@acme.example")]),
    ("account suspend", &[("Suspend an account and refuse its keys", "keyrack account suspend acme")]),
    ("account reinstate", &[("Reinstate an account", "keyrack account reinstate acme")]),
    ("issuer list", &[("The issuers", "keyrack issuer list")]),
    ("issuer show", &[("Show a policy, to edit as a file", "keyrack issuer show voxpria")]),
    ("issuer presets", &[("Policies that come with Keyrack", "keyrack issuer presets")]),
    (
        "issuer apply",
        &[("Show what a changed policy would break", "keyrack issuer apply voxpria.toml --dry-run")],
    ),
    ("issuer add", &[("Add an issuer from a preset", "keyrack issuer add voxpria")]),
    ("operator list", &[("List operators and their roles", "keyrack operator list")]),
    ("operator set", &[("Give somebody the operator role", "keyrack operator set grace operator")]),
    ("operator remove", &[("Remove all rights of somebody", "keyrack operator remove grace")]),
    (
        "operator leave",
        &[(
            "Offboard somebody and give their keys to a team",
            "keyrack operator leave grace --give-to Platform",
        )],
    ),
    (
        "hygiene",
        &[
            ("Count the keys that need attention", "keyrack hygiene"),
            (
                "For a weekly cron: exit code 6 over a threshold",
                "keyrack hygiene --only unused-90d --max unused-90d=20 --quiet",
            ),
        ],
    ),
    (
        "freeze add",
        &[(
            "Freeze all keys of an account, including new ones, for an hour",
            "keyrack freeze add --filter account:acme --for 1h",
        )],
    ),
    ("freeze list", &[("Show what is frozen, by whom, and until when", "keyrack freeze list")]),
    ("freeze lift", &[("Lift freeze 3", "keyrack freeze lift 3")]),
    (
        "creation stop",
        &[("Stop the creation of keys for an account", "keyrack creation stop --account acme --for 1h")],
    ),
    (
        "creation allow",
        &[("Allow the creation of keys for an account again", "keyrack creation allow --account acme")],
    ),
    ("creation list", &[("Show where no key can be created", "keyrack creation list")]),
    (
        "import",
        &[
            (
                "Show what would be imported, and what not",
                "keyrack import sanctum tokens.csv --account acme --dry-run",
            ),
            ("A better-auth database", "keyrack import better-auth auth.sqlite --account acme"),
            (
                "Hashes with columns of other names",
                "keyrack import sha256 keys.ndjson --account acme --map hash=digest --map name=title",
            ),
        ],
    ),
    ("export", &[("Export everything to a file", "keyrack export keys.ndjson")]),
    (
        "leak sweep",
        &[
            ("Search a folder of logs; exit code 6 if a key in it works", "keyrack leak sweep logs"),
            (
                "Search a scanner's report and pause the keys that work",
                "keyrack leak sweep report.json --report gitleaks --pause 1h",
            ),
        ],
    ),
    (
        "incident report",
        &[("Report the last day for a ticket", "keyrack incident report --since 1d --output md")],
    ),
    ("report", &[("Report the last week for a meeting", "keyrack report --since 7d --output md")]),
    (
        "expiring",
        &[
            ("Keys that expire within 30 days", "keyrack expiring --within 30d"),
            ("A calendar of the next 90 days", "keyrack expiring --within 90d --ics"),
        ],
    ),
    ("status", &[("Show what needs attention; exit code 6 if something does", "keyrack status")]),
    (
        "explain",
        &[
            (
                "Explain what a request with a key would get",
                "keyrack explain ID --method GET --path /v1/contacts",
            ),
            ("The same for a secret, typed at a hidden prompt", "keyrack explain"),
        ],
    ),
    ("alerts list", &[("List alerts that nobody has acknowledged", "keyrack alerts list")]),
    ("alerts ack", &[("Acknowledge two alerts", "keyrack alerts ack 17 18")]),
    ("approval list", &[("List requests that wait for a second person", "keyrack approval list")]),
    ("approval show", &[("Show the keys of a request", "keyrack approval show 3")]),
    ("approval approve", &[("Approve a request, under both names", "keyrack approval approve 3")]),
    ("approval decline", &[("Decline a request", "keyrack approval decline 3")]),
    (
        "approval override",
        &[(
            "Carry out a request without a second person, in an emergency",
            "keyrack approval override 3 --reason 'keys are being abused, nobody answers'",
        )],
    ),
    ("events follow", &[("Print every change, from the first one", "keyrack events follow --from 1")]),
    ("events endpoints list", &[("List endpoints and their progress", "keyrack events endpoints list")]),
    (
        "events endpoints add",
        &[(
            "A signed webhook",
            "keyrack events endpoints add siem https://siem.example/keyrack --secret-file siem.secret",
        )],
    ),
    ("events endpoints remove", &[("Remove an endpoint", "keyrack events endpoints remove siem")]),
    (
        "events endpoints test",
        &[("Send a test event and show the answer", "keyrack events endpoints test siem")],
    ),
    ("events send", &[("Run the service that sends", "keyrack events send")]),
    (
        "audit list",
        &[("Who revoked what this week", "keyrack audit list --filter 'action:key.revoke at:<7d'")],
    ),
    ("audit verify", &[("Verify the whole audit", "keyrack audit verify")]),
    (
        "audit anchor",
        &[(
            "Sign the newest row into a file outside the database",
            "keyrack audit anchor --key anchor.key --to anchors.ndjson",
        )],
    ),
    ("audit anchor-key", &[("Create a signing key", "keyrack audit anchor-key anchor.key")]),
    ("audit lanes", &[("Let 16 changes commit at the same time", "keyrack audit lanes 16")]),
    ("audit undone", &[("List the revocations that a restored backup undid", "keyrack audit undone")]),
    (
        "audit accept",
        &[(
            "Accept a database that was restored on purpose",
            "keyrack audit accept --reason 'restored after INC-42'",
        )],
    ),
    ("reminders sweep", &[("Show what would be sent", "keyrack reminders sweep --dry-run")]),
    ("reminders watch", &[("Run the service that sends every hour", "keyrack reminders watch")]),
    ("reminders list", &[("List reminders", "keyrack reminders list")]),
    ("reminders show", &[("One reminder with its history", "keyrack reminders show ID")]),
    ("reminders retry", &[("Resend a failed reminder", "keyrack reminders retry ID")]),
    ("reminders sweeps", &[("Show what the last sweeps did", "keyrack reminders sweeps")]),
    (
        "reminders template",
        &[("Write the mail templates to a folder, to edit", "keyrack reminders template --write templates")],
    ),
    (
        "gate",
        &[
            (
                "Behind a proxy on this machine",
                "keyrack gate --listen 127.0.0.1:8090 --trusted-proxy 127.0.0.1/32",
            ),
            (
                "One of several gates, answering from memory for at most a second",
                "keyrack gate --trusted-proxy 10.0.0.0/8 --freshness lease=1s",
            ),
            (
                "On a socket, counting together with other gates in a Redis Cluster",
                "keyrack gate --listen unix:/run/keyrack/gate.sock --trusted-proxy unix --limits redis-cluster://a:6379,b:6379",
            ),
        ],
    ),
    ("doctor", &[("Check for problems, and show how to fix them", "keyrack doctor")]),
    ("info", &[("Show each setting and its source", "keyrack info")]),
    ("migrate", &[("Bring the schema up to date", "keyrack migrate --db keys.db")]),
    ("demo", &[("A demo database with 1,000 keys", "keyrack demo --db demo.db --keys 1000")]),
    ("completions", &[("For bash", "keyrack completions bash")]),
    ("man", &[("All pages", "keyrack man man1")]),
];

/// The command line with its examples.
pub fn command() -> Command {
    described(Cli::command(), "").disable_help_subcommand(false)
}

/// The same command, and all below it, with examples; `words` are those that lead to it.
fn described(command: Command, words: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let mut command = names.iter().fold(command, |command, name| {
        let below = format!("{words} {name}");
        command.mut_subcommand(name, |sub| described(sub, below.trim_start()).disable_help_subcommand(true))
    });
    let Some((_, examples)) = EXAMPLES.iter().find(|(of, _)| *of == words) else { return command };
    let mut text = command.get_after_help().map(|help| format!("{help}\n\n")).unwrap_or_default();
    text.push_str("Examples:");
    for (what, typed) in *examples {
        text.push_str(&format!("\n  {what}:\n    {}", typed.replace("ID", ID)));
    }
    command = command.after_help(text);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands that do something.
    fn leaves(command: &Command, words: &str, found: &mut Vec<String>) {
        let below: Vec<&Command> = command.get_subcommands().filter(|sub| sub.get_name() != "help").collect();
        if below.is_empty() {
            found.push(words.to_owned());
        }
        for sub in below {
            leaves(sub, format!("{words} {}", sub.get_name()).trim_start(), found);
        }
    }

    /// The words of a line, as a shell takes it apart.
    fn words(line: &str) -> Vec<String> {
        let script = format!("printf '%s\\n' {line}");
        let out = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_command_has_an_example_and_the_program_takes_each() {
        let mut found = vec![String::new()];
        leaves(&command(), "", &mut found);
        let told: Vec<&str> = EXAMPLES.iter().map(|(of, _)| *of).collect();
        assert_eq!(found, told, "one entry for each command, in their order");
        let mut refused = Vec::new();
        for (of, examples) in EXAMPLES {
            for (what, typed) in *examples {
                let typed = typed.replace("ID", ID);
                let taken = command().try_get_matches_from(words(&typed));
                refused.extend(taken.err().map(|error| format!("{typed}: {error}")));
                assert!(of.is_empty() || typed.starts_with(&format!("keyrack {of}")), "{typed}");
                assert!(!what.ends_with('.') && !what.is_empty(), "{what}");
            }
        }
        assert!(refused.is_empty(), "{}", refused.join("\n"));
    }
}
