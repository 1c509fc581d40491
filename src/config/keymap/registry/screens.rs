//! What keys do on the screens, and everywhere.

use super::super::Action::*;
use super::super::Context::*;
use super::super::entry::{Registered, entry};

pub(super) const ENTRIES: &[Registered] = &[
    entry(Interrupt, "interrupt", "quit", &[Always], &["ctrl-c"], "Leave Keyrack at once, from anywhere"),
    entry(
        Suspend,
        "suspend",
        "suspend",
        &[Always],
        &["ctrl-z"],
        "Put Keyrack to sleep; `fg` in the shell wakes it",
    ),
    entry(Redraw, "redraw", "redraw", &[Always], &["ctrl-l"], "Draw the whole screen anew"),
    entry(Help, "help", "help", &[Global], &["?", "f1"], "What every key does here").hint(90).in_palette(),
    entry(Palette, "palette", "commands", &[Global], &[":", "ctrl-p"], "Find any command by name").hint(91),
    entry(Themes, "themes", "themes", &[Global], &["ctrl-t"], "Choose a theme with a live preview")
        .in_palette(),
    entry(
        Emergency,
        "emergency",
        "exposed key",
        &[Global, Reader, Preview, Sweeping],
        &["x"],
        "Revoke an exposed key: paste it, see whose it is, confirm",
    )
    .hint(17)
    .in_palette(),
    entry(
        ExplainSecret,
        "explain-secret",
        "why refused",
        &[Global, Reader],
        &["E"],
        "Why a key is refused: paste what was sent, hidden, and see each step of the verdict",
    )
    .in_palette(),
    entry(
        Refresh,
        "refresh",
        "refresh",
        &[Global],
        &["ctrl-r", "f5"],
        "Read everything anew from the database",
    )
    .in_palette(),
    entry(ScreenKeys, "keys", "Keys", &[Global], &["1"], "All keys").in_palette(),
    entry(ScreenExpiring, "expiring", "Expiring", &[Global], &["2"], "What ends soon and what is overdue")
        .in_palette(),
    entry(
        ScreenReminders,
        "reminders",
        "Reminders",
        &[Global],
        &["3"],
        "What was mailed, what failed, what is due",
    )
    .in_palette(),
    entry(ScreenAccounts, "accounts", "Accounts", &[Global], &["4"], "Customers, their plans and standing")
        .in_palette(),
    entry(ScreenAudit, "audit", "Audit", &[Global], &["5"], "Who changed what, and when").in_palette(),
    entry(ScreenIssuers, "issuers", "Issuers", &[Global], &["6"], "The policies that keys are made under")
        .in_palette(),
    entry(
        ScreenOperators,
        "operators",
        "Operators",
        &[Global],
        &["7"],
        "Who may use Keyrack, and in which role",
    )
    .in_palette(),
    entry(
        ScreenAlerts,
        "alerts",
        "Alerts",
        &[Global],
        &["8"],
        "What is out of the ordinary about the use of keys; which gates run",
    )
    .in_palette(),
    entry(NextScreen, "next-screen", "next screen", &[Global], &["]"], "Go to the next screen"),
    entry(PreviousScreen, "previous-screen", "previous screen", &[Global], &["["], "Go to the screen before"),
    entry(
        Sweep,
        "sweep",
        "sweep",
        &[Global],
        &["S"],
        "Send the reminders that are due: shows first what would go to whom; or look at the running sweep",
    )
    .hint(25)
    .in_palette(),
    entry(ToggleTimes, "toggle-times", "times", &[Global], &["t"], "Show times as \"3d ago\" or as dates")
        .in_palette(),
    entry(
        ToggleMouse,
        "toggle-mouse",
        "mouse",
        &[Global],
        &["m"],
        "Take mouse clicks, or leave them to the terminal for selecting text",
    )
    .in_palette(),
    entry(
        Back,
        "back",
        "back",
        &[Global],
        &["esc"],
        "One step back: close, clear the marks, clear the filter",
    )
    .hint(9),
    entry(Quit, "quit", "quit", &[Global], &["q"], "Leave Keyrack").hint(95).in_palette(),
    entry(Up, "up", "up", &[Table], &["k", "up"], "Previous row"),
    entry(Down, "down", "down", &[Table], &["j", "down"], "Next row"),
    entry(PageUp, "page-up", "page up", &[Table], &["pageup", "ctrl-b"], "One page up"),
    entry(PageDown, "page-down", "page down", &[Table], &["pagedown", "ctrl-f"], "One page down"),
    entry(HalfPageUp, "half-page-up", "half page up", &[Table], &["ctrl-u"], "Half a page up"),
    entry(HalfPageDown, "half-page-down", "half page down", &[Table], &["ctrl-d"], "Half a page down"),
    entry(Top, "top", "first", &[Table], &["g", "home"], "First row"),
    entry(Bottom, "bottom", "last", &[Table], &["G", "end"], "Last row"),
    entry(Left, "left", "left", &[Table], &["h", "left"], "Tab to the left, or sort by the column before"),
    entry(Right, "right", "right", &[Table], &["l", "right"], "Tab to the right, or sort by the next column"),
    entry(Open, "open", "open", &[Table, Detail], &["enter"], "Open the selected row, or close it").hint(19),
    entry(
        Filter,
        "filter",
        "filter",
        &[Table],
        &["/"],
        "Filter the list: words, and conditions such as status:active expires:<30d",
    )
    .hint(12)
    .in_palette(),
    entry(ClearFilter, "clear-filter", "clear filter", &[Table], &["backspace"], "Show everything again")
        .in_palette(),
    entry(
        New,
        "new",
        "new",
        &[Keys, Expiring, Accounts, Issuers, Operators],
        &["n"],
        "Create: a key, an account, an issuer, as the screen has it",
    )
    .hint(14)
    .in_palette(),
    entry(
        Revoke,
        "revoke",
        "revoke",
        &[Keys, Expiring, Detail, Alerts, Reader],
        &["d"],
        "Revoke the selected key, or all marked keys, for good",
    )
    .hint(16)
    .in_palette(),
    entry(
        Rotate,
        "rotate",
        "rotate",
        &[Keys, Expiring, Detail],
        &["r"],
        "Replace the key by a successor with the same attributes",
    )
    .hint(18)
    .in_palette(),
    entry(
        CopyPreview,
        "copy-preview",
        "copy preview",
        &[Keys, Expiring, Detail],
        &["y"],
        "Copy the masked preview of the key",
    )
    .hint(24)
    .in_palette(),
    entry(
        CopyId,
        "copy-id",
        "copy id",
        &[Keys, Expiring, Detail],
        &["Y"],
        "Copy the id of the key, or of all marked keys",
    )
    .in_palette(),
    entry(
        ShowAccountKeys,
        "same-account",
        "same account",
        &[Keys, Expiring, Detail],
        &["a"],
        "Show all keys of this key's account",
    )
    .in_palette(),
    entry(
        ShowSameCreator,
        "same-creator",
        "same creator",
        &[Keys, Expiring, Detail],
        &["b"],
        "Show all keys that the same person created",
    )
    .in_palette(),
    entry(
        OpenLinked,
        "open-linked",
        "linked key",
        &[Keys, Expiring, Detail],
        &["o"],
        "Go to the key that this one replaces or is replaced by",
    )
    .in_palette(),
    entry(
        FocusDetail,
        "focus-detail",
        "detail",
        &[Keys, Expiring, Reminders, Alerts, Detail],
        &["tab"],
        "Move between the list and the detail, or to the next tab",
    )
    .hint(11),
    entry(Sort, "sort", "sort", &[Keys], &["s"], "Choose what the list is sorted by").hint(22).in_palette(),
    entry(SortReverse, "sort-reverse", "reverse", &[Keys], &["R"], "Turn the order round").in_palette(),
    entry(
        Mark,
        "mark",
        "mark",
        &[Keys, Expiring, Reminders, Alerts],
        &["space"],
        "Mark the row, for doing something with several",
    )
    .hint(26),
    entry(
        MarkRange,
        "mark-range",
        "range",
        &[Keys, Expiring, Reminders, Alerts],
        &["v"],
        "Mark everything from the last mark to this row",
    ),
    entry(
        MarkAll,
        "mark-all",
        "mark all",
        &[Keys, Expiring, Reminders, Alerts],
        &["ctrl-a"],
        "Mark every row that the filter shows",
    )
    .in_palette(),
    entry(
        ClearMarks,
        "clear-marks",
        "clear marks",
        &[Keys, Expiring, Reminders, Alerts],
        &["u"],
        "Take all marks away",
    )
    .in_palette(),
    entry(
        Retry,
        "retry",
        "send again",
        &[Reminders],
        &["r"],
        "Let the next sweep send the selected reminder again, or all marked ones",
    )
    .hint(13)
    .in_palette(),
    entry(
        GoToKey,
        "go-to-key",
        "key",
        &[Reminders, Alerts, Reader],
        &["o"],
        "Go to the key that the reminder or the alert is about",
    )
    .hint(20)
    .in_palette(),
    entry(
        KeyReminders,
        "key-reminders",
        "reminders",
        &[Keys, Expiring, Detail],
        &["i"],
        "Show which reminders of this key went out, when, and to whom",
    )
    .hint(27)
    .in_palette(),
    entry(
        Explain,
        "explain",
        "explain",
        &[Keys, Expiring, Detail, Alerts],
        &["e"],
        "What a request with this key would meet now, step by step",
    )
    .hint(28)
    .in_palette(),
    entry(
        Limit,
        "limit",
        "limits",
        &[Keys, Detail],
        &["L"],
        "Give the key budgets of its own, or the policy's again",
    )
    .in_palette(),
    entry(
        ToggleUsage,
        "toggle-usage",
        "usage",
        &[Keys],
        &["U"],
        "Show a sparkline of the last 24 hours for each key, or hide it",
    )
    .in_palette(),
    entry(
        Acknowledge,
        "acknowledge",
        "acknowledge",
        &[Alerts],
        &["a"],
        "Say that somebody has looked at the selected alert, or at all marked ones",
    )
    .hint(13)
    .in_palette(),
    entry(ScrollUp, "scroll-up", "up", &[Detail], &["k", "up"], "Scroll up"),
    entry(ScrollDown, "scroll-down", "scroll", &[Detail], &["j", "down"], "Scroll down").hint(10),
    entry(
        ScrollPageUp,
        "scroll-page-up",
        "page up",
        &[Detail],
        &["pageup", "ctrl-b", "ctrl-u"],
        "Scroll one page up",
    ),
    entry(
        ScrollPageDown,
        "scroll-page-down",
        "page down",
        &[Detail],
        &["pagedown", "ctrl-f", "ctrl-d"],
        "Scroll one page down",
    ),
    entry(ScrollTop, "scroll-top", "top", &[Detail], &["g", "home"], "Scroll to the beginning"),
    entry(ScrollBottom, "scroll-bottom", "end", &[Detail], &["G", "end"], "Scroll to the end"),
    entry(
        ChangeAccount,
        "change-account",
        "change",
        &[Accounts],
        &["e"],
        "Change the account's name, admins or plan",
    )
    .hint(15)
    .in_palette(),
    entry(
        ToggleStanding,
        "toggle-standing",
        "suspend/reinstate",
        &[Accounts],
        &["p"],
        "Suspend the account, or reinstate it",
    )
    .hint(16)
    .in_palette(),
    entry(
        VerifyAudit,
        "verify-audit",
        "verify",
        &[Audit],
        &["V"],
        "Check that no row of the audit was edited, removed, inserted or moved",
    )
    .hint(16)
    .in_palette(),
    entry(ChangeRole, "change-role", "role", &[Operators], &["e"], "Give the operator another role")
        .hint(16)
        .in_palette(),
    entry(
        RemoveOperator,
        "remove-operator",
        "remove",
        &[Operators],
        &["d"],
        "Take all rights from the operator",
    )
    .hint(18)
    .in_palette(),
];
