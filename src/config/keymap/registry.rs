//! The registry: every action with its label, its places and its keys as shipped.

use super::Action::*;
use super::Chord;
use super::Context::*;
use super::entry::{Registered, entry};

/// The keys as shipped. Every spelling is read by a test, so that none is lost here.
pub(super) fn defaults() -> Vec<Vec<Chord>> {
    REGISTRY
        .iter()
        .map(|entry| entry.keys.iter().filter_map(|key| Chord::parse(key).ok()).collect())
        .collect()
}

/// Every action, in the order in which the help shows them: on the screens and everywhere, then what lies over them.
pub const REGISTRY: &[Registered] = &[
    entry(Interrupt, "quit", &[Always], &["ctrl-c"]),
    entry(Suspend, "suspend", &[Always], &["ctrl-z"]),
    entry(Redraw, "redraw", &[Always], &["ctrl-l"]),
    entry(CopyCommandTyping, "copy command", &[Always], &["f2"]),
    entry(
        CopyCommand,
        "copy command",
        &[Global, Form, Dialog, Reveal, Reader, Preview, Sweeping, AccountPage, Approvals],
        &["@"],
    )
    .in_palette(),
    entry(Help, "help", &[Global], &["?", "f1"]).hint(90).in_palette().also("keys shortcuts bindings manual"),
    entry(Palette, "commands", &[Global], &[":", "ctrl-p"]).hint(91),
    entry(Themes, "themes", &[Global], &["ctrl-t"]).in_palette().also("theme colours colors dark light"),
    entry(Settings, "settings", &[Global], &[","]).in_palette().also("preferences options configuration"),
    entry(Emergency, "exposed key", &[Global, Reader, HelpPage, Preview, Sweeping, AccountPage], &["x"])
        .hint(17)
        .in_palette()
        .also("leaked leak incident compromised"),
    entry(Incident, "report", &[Global, Dialog], &["I"]).in_palette().also("story postmortem"),
    entry(Restored, "undone", &[Global, Reader, AccountPage], &["H"]).in_palette().also("backup undone"),
    entry(ShowApprovals, "approvals", &[Global], &["A"])
        .in_palette()
        .also("four eyes requests second person"),
    entry(ExplainSecret, "why refused", &[Global, Reader, HelpPage, AccountPage], &["E"])
        .in_palette()
        .also("denied 401"),
    entry(Refresh, "refresh", &[Global], &["ctrl-r", "f5"]).in_palette().also("reload update"),
    entry(ScreenKeys, "Keys", &[Global], &["1"]).in_palette(),
    entry(ScreenExpiring, "Expiring", &[Global], &["2"]).in_palette().also("expiry soon overdue"),
    entry(ScreenReminders, "Reminders", &[Global], &["3"]).in_palette().also("mails letters"),
    entry(ScreenAccounts, "Accounts", &[Global], &["4"]).in_palette().also("customers tenants"),
    entry(ScreenAudit, "Audit", &[Global], &["5"]).in_palette().also("history log changes"),
    entry(ScreenIssuers, "Issuers", &[Global], &["6"]).in_palette().also("policies policy products"),
    entry(ScreenOperators, "Operators", &[Global], &["7"]).in_palette().also("users people roles"),
    entry(ScreenAlerts, "Alerts", &[Global], &["8"]).in_palette().also("warnings"),
    entry(ScreenHygiene, "Hygiene", &[Global], &["9"]).in_palette().also("tidy cleanup unused"),
    entry(ScreenRotations, "Rotations", &[Global], &["0"]).in_palette().also("overlaps"),
    entry(ScreenOverview, "Overview", &[Global], &["T"])
        .in_palette()
        .also("status dashboard home gates sweep"),
    entry(NextScreen, "next screen", &[Global], &["]"]),
    entry(PreviousScreen, "previous screen", &[Global], &["["]),
    entry(Sweep, "sweep", &[Global], &["S"]).hint(25).in_palette().also("send mail mails"),
    entry(ToggleTimes, "times", &[Global], &["t"]).in_palette().also("dates relative"),
    entry(ToggleMouse, "mouse", &[Global], &["m"]).in_palette(),
    entry(Back, "back", &[Global], &["esc"]).hint(9),
    entry(HistoryBack, "view before", &[Global], &["-", "ctrl-o", "alt-left"])
        .hint(96)
        .in_palette()
        .also("previous last"),
    entry(HistoryForward, "view after", &[Global], &["+", "alt-right"]).in_palette().also("forward next"),
    entry(Undo, "undo", &[Global], &["u"]).hint(97).in_palette().also("revert restore"),
    entry(SessionLog, "log", &[Global], &["J"]).in_palette().also("journal commands done"),
    entry(SaveChoices, "save choices", &[Global], &["ctrl-s"]).in_palette().also("keep settings write"),
    entry(Quit, "quit", &[Global], &["q"]).hint(95).in_palette().also("exit q bye leave close"),
    entry(Up, "up", &[Table], &["k", "up"]),
    entry(Down, "down", &[Table], &["j", "down"]),
    entry(PageUp, "page up", &[Table], &["pageup", "ctrl-b"]),
    entry(PageDown, "page down", &[Table], &["pagedown", "ctrl-f"]),
    entry(HalfPageUp, "half page up", &[Table], &["ctrl-u"]),
    entry(HalfPageDown, "half page down", &[Table], &["ctrl-d"]),
    entry(Top, "first", &[Table], &["g", "home"]),
    entry(Bottom, "last", &[Table], &["G", "end"]),
    entry(Left, "tab left", &[Table], &["h", "left"]),
    entry(Right, "tab right", &[Table], &["l", "right"]),
    entry(MoveLeft, "cut: beginning", &[Table], &["<"]).in_palette(),
    entry(MoveRight, "cut: more", &[Table], &[">"]).in_palette().also("scroll sideways right wide"),
    entry(Open, "open", &[Table, Detail, AccountPage], &["enter"]).hint(19),
    entry(Filter, "filter", &[Table], &["/"]).hint(12).in_palette().also("find search grep"),
    entry(ClearFilter, "clear filter", &[Table], &["backspace"]).in_palette().also("reset show"),
    entry(New, "new", &[Keys, Expiring, Accounts, Issuers, Operators], &["n"])
        .hint(14)
        .in_palette()
        .also("create add make generate"),
    entry(Revoke, "revoke", &[Keys, Expiring, Detail, Alerts, Reader, Leaver], &["d"])
        .hint(16)
        .in_palette()
        .also("delete remove disable kill destroy"),
    entry(Pause, "pause/resume", &[Keys, Expiring, Detail, Alerts, Findings, Exposed], &["p"])
        .hint(29)
        .in_palette()
        .also("block stop hold"),
    entry(Freeze, "freeze", &[Keys, Expiring, Accounts, Issuers, AccountPage], &["F"])
        .in_palette()
        .also("hold stop creation lift thaw"),
    entry(Resume, "resume", &[Keys, Expiring, Detail, Findings, Exposed], &["P"])
        .in_palette()
        .also("unpause unblock continue"),
    entry(Rotate, "rotate", &[Keys, Expiring, Detail, Leaver, Findings], &["r"])
        .hint(18)
        .in_palette()
        .also("renew regenerate replace"),
    entry(CopyPreview, "copy preview", &[Keys, Expiring, Detail], &["y"]).hint(24).in_palette(),
    entry(CopyId, "copy id", &[Keys, Expiring, Detail], &["Y"]).in_palette(),
    entry(Export, "export", &[Keys, Expiring, Detail, Reader], &["w"]).in_palette().also("download csv save"),
    entry(ShowReach, "all of them", &[Keys, Expiring, Detail, Form, Dialog], &["ctrl-g"])
        .in_palette()
        .also("blast radius"),
    entry(ShowAccountKeys, "same account", &[Keys, Expiring, Detail], &["a"]).in_palette(),
    entry(ShowSameCreator, "same creator", &[Keys, Expiring, Detail], &["b"]).in_palette(),
    entry(OpenLinked, "linked key", &[Keys, Expiring, Detail], &["o"])
        .in_palette()
        .also("replacement predecessor successor"),
    entry(FocusDetail, "detail", &[Keys, Expiring, Reminders, Alerts, Detail], &["tab"]).hint(11),
    entry(Sort, "sort", &[Keys], &["s"]).hint(22).in_palette().also("order"),
    entry(SortReverse, "reverse", &[Keys], &["R"]).in_palette().also("invert"),
    entry(ChooseColumns, "columns", &[Keys], &["c"]).in_palette().also("fields hide show"),
    entry(Mark, "mark", &[Keys, Expiring, Reminders, Alerts, Rotations], &["space"]).hint(26),
    entry(MarkRange, "range", &[Keys, Expiring, Reminders, Alerts, Rotations], &["v"]),
    entry(MarkAll, "mark all", &[Keys, Expiring, Reminders, Alerts, Rotations], &["ctrl-a"])
        .in_palette()
        .also("select"),
    entry(ClearMarks, "clear marks", &[Keys, Expiring, Reminders, Alerts, Rotations], &["C"])
        .in_palette()
        .also("unselect deselect"),
    entry(Retry, "send again", &[Reminders], &["r"]).hint(13).in_palette().also("resend"),
    entry(GoToKey, "key", &[Reminders, Alerts, Audit, Rotations, Reader], &["o"]).hint(20).in_palette(),
    entry(KeyReminders, "reminders", &[Keys, Expiring, Detail], &["i"]).hint(27).in_palette(),
    entry(TellAdmins, "tell admins", &[Keys, Expiring, Rotations, Detail], &["M"])
        .in_palette()
        .also("notify mail email"),
    entry(EditKey, "edit", &[Keys, Expiring, Detail], &["e"])
        .hint(21)
        .in_palette()
        .also("change modify rename extend scopes expiry owner tags"),
    entry(NewLike, "new like this", &[Keys, Expiring, Detail], &["N"])
        .in_palette()
        .also("duplicate clone copy"),
    entry(Explain, "explain", &[Keys, Expiring, Detail, Alerts], &["W"])
        .hint(28)
        .in_palette()
        .also("why verdict check"),
    entry(Limit, "limits", &[Keys, Detail], &["L"]).in_palette().also("quota budget rate"),
    entry(ToggleUsage, "usage", &[Keys], &["U"]).in_palette().also("sparkline traffic"),
    entry(Acknowledge, "acknowledge", &[Alerts], &["a"]).hint(13).in_palette().also("ack seen"),
    entry(CloseOverlap, "close now", &[Rotations], &["c"]).hint(13).in_palette().also("finish"),
    entry(ExtendOverlap, "extend", &[Rotations], &["e"]).hint(14).in_palette(),
    entry(OpenReplacement, "new key", &[Rotations], &["O"]).hint(21).in_palette(),
    entry(ScrollUp, "up", &[Detail], &["k", "up"]),
    entry(ScrollDown, "scroll", &[Detail], &["j", "down"]).hint(10),
    entry(ScrollPageUp, "page up", &[Detail], &["pageup", "ctrl-b", "ctrl-u"]),
    entry(ScrollPageDown, "page down", &[Detail], &["pagedown", "ctrl-f", "ctrl-d"]),
    entry(ScrollTop, "top", &[Detail], &["g", "home"]),
    entry(ScrollBottom, "end", &[Detail], &["G", "end"]),
    entry(ChangeAccount, "change", &[Accounts, AccountPage], &["e"])
        .hint(15)
        .in_palette()
        .also("edit rename"),
    entry(ToggleStanding, "suspend/reinstate", &[Accounts, AccountPage], &["p"])
        .hint(16)
        .in_palette()
        .also("block disable enable"),
    entry(VerifyAudit, "verify", &[Audit], &["V"]).hint(16).in_palette().also("check tamper"),
    entry(ChangeRole, "role", &[Operators], &["e"]).hint(16).in_palette().also("promote demote grant"),
    entry(RemoveOperator, "remove", &[Operators], &["d"]).hint(18).in_palette().also("delete revoke"),
    entry(Leaves, "leaves", &[Operators], &["L"]).hint(17).in_palette().also("offboard leaver departed"),
    entry(Accept, "accept", &[Prompt], &["enter"]).hint(10),
    entry(CancelPrompt, "cancel", &[Prompt], &["esc"]).hint(12),
    entry(CompletePrompt, "complete", &[Prompt], &["tab"]),
    entry(ClearLine, "clear", &[Prompt], &["ctrl-u"]),
    entry(NextField, "next", &[Form], &["tab"]).hint(10),
    entry(PreviousField, "previous", &[Form], &["backtab"]),
    entry(FieldUp, "up", &[Form], &["up"]),
    entry(FieldDown, "down", &[Form], &["down"]),
    entry(FieldLeft, "left", &[Form], &["left"]),
    entry(FieldRight, "right", &[Form], &["right"]),
    entry(Toggle, "tick", &[Form], &["space"]).hint(12),
    entry(Press, "choose", &[Form], &["enter"]).hint(14),
    entry(Submit, "go on", &[Form], &["ctrl-s"]).hint(16),
    entry(CloseForm, "cancel", &[Form], &["esc"]).hint(18),
    entry(Yes, "yes", &[Dialog], &["y"]).hint(10),
    entry(No, "no", &[Dialog], &["n", "esc"]).hint(12),
    entry(NextButton, "next button", &[Dialog], &["tab", "right", "down"]),
    entry(PreviousButton, "previous button", &[Dialog], &["backtab", "left", "up"]),
    entry(PressButton, "press", &[Dialog], &["enter"]),
    entry(TickFinding, "tick", &[Findings], &["space"]).hint(13),
    entry(EditReason, "reason", &[Findings], &["e"]).hint(14),
    entry(OpenFile, "open file", &[Findings], &["o"]).hint(16),
    entry(FindingsPageUp, "page up", &[Findings, Leaver], &["pageup", "ctrl-b"]),
    entry(FindingsPageDown, "page down", &[Findings, Leaver], &["pagedown", "ctrl-f"]),
    entry(GiveKey, "give/keep", &[Leaver], &["space"]).hint(13),
    entry(GiveAll, "give all", &[Leaver], &["a"]).hint(14),
    entry(RotateKept, "rotate kept", &[Leaver], &["ctrl-r"]).hint(17),
    entry(RevokeKept, "revoke kept", &[Leaver], &["ctrl-x"]).hint(18),
    entry(GiveTo, "to whom", &[Leaver], &["e"]).hint(15),
    entry(CopySecret, "copy", &[Reveal], &["c", "y"]).hint(10),
    entry(WriteSecret, "write file", &[Reveal], &["w"]).hint(12),
    entry(CopyCheck, "copy curl", &[Reveal], &["k"]).hint(14),
    entry(HideSecret, "hide/show", &[Reveal], &["h"]).hint(16),
    entry(Done, "done", &[Reveal], &["d"]).hint(18),
    entry(LeaveReveal, "leave", &[Reveal], &["esc", "q"]).hint(20),
    entry(Discard, "revoke", &[Reveal, Leaving], &["x"]).hint(22),
    entry(PickUp, "up", &[Picker], &["up", "ctrl-p", "ctrl-k"]),
    entry(PickDown, "down", &[Picker], &["down", "ctrl-n", "ctrl-j"]),
    entry(PickPageUp, "page up", &[Picker], &["pageup"]),
    entry(PickPageDown, "page down", &[Picker], &["pagedown"]),
    entry(Choose, "choose", &[Picker], &["enter", "tab"]).hint(10),
    entry(CancelPicker, "cancel", &[Picker], &["esc"]).hint(12),
    entry(ReadUp, "up", &[Reader, HelpPage, Preview, Sweeping, AccountPage, Approvals], &["k", "up"]),
    entry(ReadDown, "down", &[Reader, HelpPage, Preview, Sweeping, AccountPage, Approvals], &["j", "down"]),
    entry(
        ReadPageUp,
        "page up",
        &[Reader, HelpPage, Preview, Sweeping, AccountPage, Approvals],
        &["pageup", "ctrl-b", "ctrl-u"],
    ),
    entry(
        ReadPageDown,
        "page down",
        &[Reader, HelpPage, Preview, Sweeping, AccountPage, Approvals],
        &["pagedown", "ctrl-f", "ctrl-d", "space"],
    ),
    entry(ReadTop, "top", &[Reader, HelpPage, Preview, Sweeping, AccountPage, Approvals], &["g", "home"]),
    entry(ReadBottom, "end", &[Reader, HelpPage, Preview, Sweeping, AccountPage, Approvals], &["G", "end"]),
    entry(Search, "search", &[Reader, HelpPage], &["/"]),
    entry(RunHelp, "do it", &[HelpPage], &["enter"]).hint(10),
    entry(CloseHelp, "close", &[HelpPage], &["esc", "q", "?", "f1"]).hint(12),
    entry(CopyReport, "copy", &[Reader], &["y"]).hint(11),
    entry(CloseReader, "close", &[Reader], &["esc", "q", "?", "enter"]).hint(12),
    entry(Approve, "approve", &[Approvals], &["a"]).hint(10),
    entry(Decline, "decline", &[Approvals], &["d"]).hint(11),
    entry(DoAlone, "do it alone", &[Approvals], &["O"]).hint(13),
    entry(NextRequest, "next", &[Approvals], &["n", "tab"]).hint(14),
    entry(SendLetters, "send", &[Preview, Sweeping], &["enter"]).hint(10),
    entry(StopSweep, "stop", &[Sweeping], &["s"]).hint(14),
    entry(CloseSweep, "close", &[AccountPage, Approvals, Preview, Sweeping], &["esc", "q"]).hint(12),
];
