//! What keys do in what lies over the screens.

use super::super::Action::*;
use super::super::Context::*;
use super::super::entry::{Registered, entry};

pub(super) const ENTRIES: &[Registered] = &[
    entry(Accept, "accept", "accept", &[Prompt], &["enter"], "Take what was typed").hint(10),
    entry(CancelPrompt, "cancel-prompt", "cancel", &[Prompt], &["esc"], "Leave it as it was").hint(12),
    entry(
        CompletePrompt,
        "complete",
        "complete",
        &[Prompt],
        &["tab"],
        "Complete the field or value of a filter",
    ),
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
    entry(
        Discard,
        "discard",
        "revoke",
        &[Reveal, Leaving],
        &["x"],
        "Revoke the new key at once instead of taking its secret over",
    )
    .hint(22),
    entry(PickUp, "pick-up", "up", &[Picker], &["up", "ctrl-p", "ctrl-k"], "Previous choice"),
    entry(PickDown, "pick-down", "down", &[Picker], &["down", "ctrl-n", "ctrl-j"], "Next choice"),
    entry(PickPageUp, "pick-page-up", "page up", &[Picker], &["pageup"], "One page up"),
    entry(PickPageDown, "pick-page-down", "page down", &[Picker], &["pagedown"], "One page down"),
    entry(Choose, "choose", "choose", &[Picker], &["enter", "tab"], "Take the choice").hint(10),
    entry(CancelPicker, "cancel-picker", "cancel", &[Picker], &["esc"], "Leave it as it was").hint(12),
    entry(ReadUp, "read-up", "up", &[Reader, Preview, Sweeping], &["k", "up"], "Scroll up"),
    entry(ReadDown, "read-down", "down", &[Reader, Preview, Sweeping], &["j", "down"], "Scroll down"),
    entry(
        ReadPageUp,
        "read-page-up",
        "page up",
        &[Reader, Preview, Sweeping],
        &["pageup", "ctrl-b", "ctrl-u"],
        "One page up",
    ),
    entry(
        ReadPageDown,
        "read-page-down",
        "page down",
        &[Reader, Preview, Sweeping],
        &["pagedown", "ctrl-f", "ctrl-d", "space"],
        "One page down",
    ),
    entry(ReadTop, "read-top", "top", &[Reader, Preview, Sweeping], &["g", "home"], "To the beginning"),
    entry(ReadBottom, "read-bottom", "end", &[Reader, Preview, Sweeping], &["G", "end"], "To the end"),
    entry(Search, "search", "search", &[Reader], &["/"], "Show only lines with a word"),
    entry(CloseReader, "close-reader", "close", &[Reader], &["esc", "q", "?", "enter"], "Close the page")
        .hint(12),
    entry(
        SendLetters,
        "send-letters",
        "send",
        &[Preview, Sweeping],
        &["enter"],
        "Go on: to the question whether to send, or out of the summary",
    )
    .hint(10),
    entry(StopSweep, "stop-sweep", "stop", &[Sweeping], &["s"], "Stop the sweep between two letters")
        .hint(14),
    entry(
        CloseSweep,
        "close-sweep",
        "close",
        &[Preview, Sweeping],
        &["esc", "q"],
        "Close; a running sweep goes on",
    )
    .hint(12),
];
