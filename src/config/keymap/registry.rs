//! The registry: every action with its words, its places and its keys as shipped.

use super::Action::*;
use super::Chord;
use super::Context::*;
use super::entry::{Entry, entry};

/// The keys as shipped. Every spelling is read by a test, so that none is lost here.
pub(super) fn defaults() -> Vec<Vec<Chord>> {
    REGISTRY
        .iter()
        .map(|entry| entry.keys.iter().filter_map(|key| Chord::parse(key).ok()).collect())
        .collect()
}

/// Every action, in the order in which the help shows them.
pub const REGISTRY: &[Entry] = &[
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
        &[Global, Reader],
        &["x"],
        "Revoke an exposed key: paste it, see whose it is, confirm",
    )
    .hint(17)
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
    entry(ScreenAccounts, "accounts", "Accounts", &[Global], &["3"], "Customers, their plans and standing")
        .in_palette(),
    entry(ScreenAudit, "audit", "Audit", &[Global], &["4"], "Who changed what, and when").in_palette(),
    entry(ScreenIssuers, "issuers", "Issuers", &[Global], &["5"], "The policies that keys are made under")
        .in_palette(),
    entry(
        ScreenOperators,
        "operators",
        "Operators",
        &[Global],
        &["6"],
        "Who may use Keyrack, and in which role",
    )
    .in_palette(),
    entry(NextScreen, "next-screen", "next screen", &[Global], &["]"], "Go to the next screen"),
    entry(PreviousScreen, "previous-screen", "previous screen", &[Global], &["["], "Go to the screen before"),
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
        &[Keys, Expiring, Detail],
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
    entry(CopyId, "copy-id", "copy id", &[Keys, Expiring, Detail], &["Y"], "Copy the id of the key")
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
        &[Keys, Expiring, Detail],
        &["tab"],
        "Move between the list and the detail",
    )
    .hint(11),
    entry(Sort, "sort", "sort", &[Keys], &["s"], "Choose what the list is sorted by").hint(22).in_palette(),
    entry(SortReverse, "sort-reverse", "reverse", &[Keys], &["S"], "Turn the order round").in_palette(),
    entry(
        Mark,
        "mark",
        "mark",
        &[Keys, Expiring],
        &["space"],
        "Mark the row, for doing something with several keys",
    )
    .hint(26),
    entry(
        MarkRange,
        "mark-range",
        "range",
        &[Keys],
        &["v"],
        "Mark everything from the last mark to this row",
    ),
    entry(
        MarkAll,
        "mark-all",
        "mark all",
        &[Keys, Expiring],
        &["ctrl-a"],
        "Mark every key that the filter shows",
    )
    .in_palette(),
    entry(ClearMarks, "clear-marks", "clear marks", &[Keys, Expiring], &["u"], "Take all marks away")
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
    entry(Accept, "accept", "accept", &[Prompt], &["enter"], "Take what was typed").hint(10),
    entry(CancelPrompt, "cancel-prompt", "cancel", &[Prompt], &["esc"], "Leave it as it was").hint(12),
    entry(
        CompletePrompt,
        "complete",
        "complete",
        &[Prompt],
        &["tab"],
        "Complete the field or value of a filter",
    )
    .hint(14),
    entry(ClearLine, "clear-line", "clear", &[Prompt], &["ctrl-u"], "Empty the line"),
    entry(NextField, "next-field", "next", &[Form], &["tab"], "Next field").hint(10),
    entry(PreviousField, "previous-field", "previous", &[Form], &["backtab"], "Field before"),
    entry(FieldUp, "field-up", "up", &[Form], &["up"], "Up within the field, or the field above"),
    entry(FieldDown, "field-down", "down", &[Form], &["down"], "Down within the field, or the field below"),
    entry(FieldLeft, "field-left", "left", &[Form], &["left"], "Left within the field"),
    entry(FieldRight, "field-right", "right", &[Form], &["right"], "Right within the field"),
    entry(Toggle, "toggle", "tick", &[Form], &["space"], "Tick or untick").hint(12),
    entry(
        Press,
        "press",
        "choose",
        &[Form],
        &["enter"],
        "Take the choice, press the button, or go on to the next field",
    )
    .hint(14),
    entry(Submit, "submit", "go on", &[Form], &["ctrl-s"], "Go on from any field: review, then create")
        .hint(16),
    entry(CloseForm, "close-form", "cancel", &[Form], &["esc"], "Leave the form").hint(18),
    entry(Yes, "yes", "yes", &[Dialog], &["y"], "Do it").hint(10),
    entry(No, "no", "no", &[Dialog], &["n", "esc"], "Leave everything as it is").hint(12),
    entry(
        NextButton,
        "next-button",
        "next button",
        &[Dialog],
        &["tab", "right", "down"],
        "Next button or field",
    ),
    entry(
        PreviousButton,
        "previous-button",
        "previous button",
        &[Dialog],
        &["backtab", "left", "up"],
        "Button or field before",
    ),
    entry(PressButton, "press-button", "press", &[Dialog], &["enter"], "Press the button under the cursor"),
    entry(CopySecret, "copy-secret", "copy", &[Reveal], &["c", "y"], "Copy the secret to the clipboard")
        .hint(10),
    entry(
        WriteSecret,
        "write-secret",
        "write file",
        &[Reveal],
        &["w"],
        "Write the secret to a new file that only you can read",
    )
    .hint(12),
    entry(
        CopyCheck,
        "copy-check",
        "copy curl",
        &[Reveal],
        &["k"],
        "Copy a command that checks the key; the secret is not in it",
    )
    .hint(14),
    entry(HideSecret, "hide-secret", "hide/show", &[Reveal], &["h"], "Hide the secret, or show it again")
        .hint(16),
    entry(Done, "done", "done", &[Reveal], &["d"], "The secret is in safe hands: keep the key and close")
        .hint(18),
    entry(
        LeaveReveal,
        "leave-reveal",
        "leave",
        &[Reveal],
        &["esc", "q"],
        "Close without having taken the secret over",
    )
    .hint(20),
    entry(PickUp, "pick-up", "up", &[Picker], &["up", "ctrl-p", "ctrl-k"], "Previous choice"),
    entry(PickDown, "pick-down", "down", &[Picker], &["down", "ctrl-n", "ctrl-j"], "Next choice"),
    entry(PickPageUp, "pick-page-up", "page up", &[Picker], &["pageup"], "One page up"),
    entry(PickPageDown, "pick-page-down", "page down", &[Picker], &["pagedown"], "One page down"),
    entry(Choose, "choose", "choose", &[Picker], &["enter", "tab"], "Take the choice").hint(10),
    entry(CancelPicker, "cancel-picker", "cancel", &[Picker], &["esc"], "Leave it as it was").hint(12),
    entry(ReadUp, "read-up", "up", &[Reader], &["k", "up"], "Scroll up"),
    entry(ReadDown, "read-down", "down", &[Reader], &["j", "down"], "Scroll down"),
    entry(ReadPageUp, "read-page-up", "page up", &[Reader], &["pageup", "ctrl-b", "ctrl-u"], "One page up"),
    entry(
        ReadPageDown,
        "read-page-down",
        "page down",
        &[Reader],
        &["pagedown", "ctrl-f", "ctrl-d", "space"],
        "One page down",
    ),
    entry(ReadTop, "read-top", "top", &[Reader], &["g", "home"], "To the beginning"),
    entry(ReadBottom, "read-bottom", "end", &[Reader], &["G", "end"], "To the end"),
    entry(Search, "search", "search", &[Reader], &["/"], "Show only lines with a word"),
    entry(CloseReader, "close-reader", "close", &[Reader], &["esc", "q", "?", "enter"], "Close the page")
        .hint(12),
];
