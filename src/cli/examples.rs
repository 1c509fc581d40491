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
            ("A key leaked: paste it, see whose it is, revoke it", "keyrack key revoke --secret-stdin"),
        ],
    ),
    (
        "key create",
        &[
            (
                "A key that reads, for a year",
                "keyrack key create --account acme --name 'CI export' --scope contacts:read --expires 1y",
            ),
            (
                "Its secret into a file that only you can read",
                "keyrack key create --account acme --name CI --out ci.key",
            ),
            ("One more like another", "keyrack key create --like ID --name 'CI 2'"),
        ],
    ),
    (
        "key list",
        &[
            ("What expires within a week", "keyrack key list --filter 'expires:<7d' --sort expires"),
            (
                "Everything of an account, for a script",
                "keyrack key list --filter account:acme --limit 0 --output ndjson",
            ),
        ],
    ),
    ("key show", &[("One key, with all that is known of it", "keyrack key show ID")]),
    (
        "key find",
        &[
            ("Whose is this preview?", "keyrack key find vp_live_a1b2"),
            ("Whose is this secret? Asked for, and shown nowhere", "keyrack key find"),
        ],
    ),
    ("key acknowledge", &[("Confirm its secret", "keyrack key acknowledge ID")]),
    (
        "key edit",
        &[
            ("90 days more for all of a team", "keyrack key edit --filter owner:platform --expires +90d"),
            (
                "Another owner, one scope less",
                "keyrack key edit ID --owner Platform --remove-scope calls:write",
            ),
            ("What would change", "keyrack key edit ID --allow 203.0.113.0/24 --dry-run"),
        ],
    ),
    ("key reach", &[("What these keys are used for right now", "keyrack key reach --filter tag:ci")]),
    (
        "key rotate",
        &[
            ("A new secret; the old one works for a day more", "keyrack key rotate ID --overlap 24h"),
            (
                "Many, their secrets into a folder",
                "keyrack key rotate --filter rotation:due --out-dir new-keys",
            ),
        ],
    ),
    ("key usage", &[("How much it was used, day by day", "keyrack key usage ID --since 30d --by day")]),
    (
        "key limit",
        &[
            ("Its own budgets", "keyrack key limit ID 5000/1h 100/1m"),
            ("Those of the policy again", "keyrack key limit ID --clear"),
        ],
    ),
    (
        "key tell",
        &[("Write to the admins of its account that it is exposed", "keyrack key tell ID --exposed")],
    ),
    (
        "key pause",
        &[(
            "Refuse them for an hour, while you look",
            "keyrack key pause --filter account:acme --for 1h --message 'Ask the desk'",
        )],
    ),
    ("key resume", &[("Let it work again", "keyrack key resume ID")]),
    (
        "key revoke",
        &[
            ("A key leaked: its secret is asked for, not typed", "keyrack key revoke --secret-stdin"),
            ("By its id, and say why", "keyrack key revoke ID --reason 'found in a log'"),
            ("All that somebody made", "keyrack key revoke --filter by:mallory --reason 'INC-42'"),
        ],
    ),
    ("rotation list", &[("Which old keys are still used", "keyrack rotation list")]),
    ("rotation close", &[("Revoke an old key now", "keyrack rotation close ID")]),
    ("rotation extend", &[("Let an old key work for a day more", "keyrack rotation extend ID --by 24h")]),
    (
        "account create",
        &[(
            "A customer, and who is written to",
            "keyrack account create --issuer voxpria --slug acme --name 'Acme Inc.' --admin ops@acme.example",
        )],
    ),
    ("account list", &[("Those of an issuer", "keyrack account list --filter voxpria")]),
    ("account show", &[("One account and its keys by state", "keyrack account show acme")]),
    ("account change", &[("Other admins", "keyrack account change acme --admin ops@acme.example")]),
    ("account suspend", &[("Refuse all of its keys", "keyrack account suspend acme")]),
    ("account reinstate", &[("Let them work again", "keyrack account reinstate acme")]),
    ("issuer list", &[("The issuers", "keyrack issuer list")]),
    ("issuer show", &[("A policy, to be changed in a file", "keyrack issuer show voxpria")]),
    ("issuer presets", &[("Policies that come with Keyrack", "keyrack issuer presets")]),
    (
        "issuer apply",
        &[(
            "What a changed policy would break, then apply it",
            "keyrack issuer apply voxpria.toml --dry-run",
        )],
    ),
    ("issuer add", &[("Begin with a preset", "keyrack issuer add voxpria")]),
    ("operator list", &[("Who may do what", "keyrack operator list")]),
    ("operator set", &[("Let somebody work with keys", "keyrack operator set grace operator")]),
    ("operator remove", &[("Take a role away", "keyrack operator remove grace")]),
    (
        "operator leave",
        &[("Somebody leaves, their keys go to a team", "keyrack operator leave grace --give-to Platform")],
    ),
    (
        "hygiene",
        &[
            ("What is to be tidied", "keyrack hygiene"),
            (
                "For a weekly cron: exit code 6 over a threshold",
                "keyrack hygiene --only unused-90d --max unused-90d=20 --quiet",
            ),
        ],
    ),
    (
        "freeze add",
        &[(
            "Refuse whatever the filter fits, also keys made later",
            "keyrack freeze add --filter account:acme --for 1h",
        )],
    ),
    ("freeze list", &[("What is frozen, by whom, until when", "keyrack freeze list")]),
    ("freeze lift", &[("Let it work again", "keyrack freeze lift 3")]),
    ("creation stop", &[("Nobody makes keys for a while", "keyrack creation stop --account acme --for 1h")]),
    ("creation allow", &[("Keys can be made again", "keyrack creation allow --account acme")]),
    ("creation list", &[("Where no key can be made", "keyrack creation list")]),
    (
        "import",
        &[
            (
                "What would come in, and what not",
                "keyrack import sanctum tokens.csv --account acme --dry-run",
            ),
            ("A better-auth database", "keyrack import better-auth auth.sqlite --account acme"),
        ],
    ),
    ("export", &[("Everything, with hashes", "keyrack export keys.ndjson")]),
    (
        "leak sweep",
        &[
            ("A folder of logs: exit code 6 if something of yours works", "keyrack leak sweep logs"),
            (
                "A scanner's report; pause what works",
                "keyrack leak sweep report.json --report gitleaks --pause 1h",
            ),
        ],
    ),
    (
        "incident report",
        &[("The story of today, for the ticket", "keyrack incident report --since 1d --output md")],
    ),
    ("report", &[("The week, for the meeting", "keyrack report --since 7d --output md")]),
    (
        "expiring",
        &[
            ("What ends within a month", "keyrack expiring --within 30d"),
            ("The same as a calendar", "keyrack expiring --within 90d --ics"),
        ],
    ),
    ("status", &[("What wants a person now: exit code 6 if something does", "keyrack status")]),
    (
        "explain",
        &[
            ("Why a key is refused", "keyrack explain ID --method GET --path /v1/contacts"),
            ("The same with a secret, which is asked for", "keyrack explain"),
        ],
    ),
    ("alerts list", &[("What nobody has looked at", "keyrack alerts list")]),
    ("alerts ack", &[("Say that you have", "keyrack alerts ack 17 18")]),
    ("approval list", &[("What waits for a second person", "keyrack approval list")]),
    ("approval show", &[("Whom it touches", "keyrack approval show 3")]),
    ("approval approve", &[("Carry it out, under both names", "keyrack approval approve 3")]),
    ("approval decline", &[("Leave all as it is", "keyrack approval decline 3")]),
    (
        "approval override",
        &[(
            "In an emergency, without a second person",
            "keyrack approval override 3 --reason 'keys are being abused, nobody answers'",
        )],
    ),
    ("events follow", &[("Every change as a line, from the first one on", "keyrack events follow --from 1")]),
    ("events endpoints list", &[("How far each has got", "keyrack events endpoints list")]),
    (
        "events endpoints add",
        &[(
            "A signed webhook",
            "keyrack events endpoints add siem https://siem.example/keyrack --secret-file siem.secret",
        )],
    ),
    ("events endpoints remove", &[("It gets nothing more", "keyrack events endpoints remove siem")]),
    ("events endpoints test", &[("Send one, and see the answer", "keyrack events endpoints test siem")]),
    ("events send", &[("The service that sends", "keyrack events send")]),
    (
        "audit list",
        &[("Who revoked what this week", "keyrack audit list --filter 'action:key.revoke at:<7d'")],
    ),
    ("audit verify", &[("Was anything changed behind our back?", "keyrack audit verify")]),
    (
        "audit anchor",
        &[(
            "Sign the newest row, and keep that elsewhere",
            "keyrack audit anchor --key anchor.key --to anchors.ndjson",
        )],
    ),
    ("audit anchor-key", &[("The key to sign with", "keyrack audit anchor-key anchor.key")]),
    ("audit lanes", &[("Let 16 changes commit at the same time", "keyrack audit lanes 16")]),
    ("audit undone", &[("Which revocations a restored backup undid", "keyrack audit undone")]),
    (
        "audit accept",
        &[("It was restored on purpose", "keyrack audit accept --reason 'restored after INC-42'")],
    ),
    ("reminders sweep", &[("What would be sent", "keyrack reminders sweep --dry-run")]),
    ("reminders watch", &[("The service that sends every hour", "keyrack reminders watch")]),
    ("reminders list", &[("What is due, sent or failed", "keyrack reminders list")]),
    ("reminders show", &[("One letter, with its history", "keyrack reminders show ID")]),
    ("reminders retry", &[("Send what failed once more", "keyrack reminders retry ID")]),
    ("reminders sweeps", &[("What the last sweeps did", "keyrack reminders sweeps")]),
    ("reminders template", &[("The texts, to be changed", "keyrack reminders template --write templates")]),
    (
        "gate",
        &[
            (
                "Behind a proxy on this machine",
                "keyrack gate --listen 127.0.0.1:8090 --trusted-proxy 127.0.0.1/32",
            ),
            (
                "One of many, which answers from memory for at most a second",
                "keyrack gate --trusted-proxy 10.0.0.0/8 --freshness lease=1s",
            ),
            (
                "By a socket, counting together with others in a Redis Cluster",
                "keyrack gate --listen unix:/run/keyrack/gate.sock --trusted-proxy unix --limits redis-cluster://a:6379,b:6379",
            ),
        ],
    ),
    ("doctor", &[("What is wrong, and how to mend it", "keyrack doctor")]),
    ("info", &[("Which settings hold, and where each was decided", "keyrack info")]),
    ("migrate", &[("Bring the schema up to date", "keyrack migrate --db keys.db")]),
    ("demo", &[("A database to play with", "keyrack demo --db demo.db --keys 1000")]),
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
