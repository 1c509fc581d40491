//! Everything that a key can do.

use strum::{EnumMessage, IntoStaticStr};

/// One thing that a key, the palette or a click can ask for. The sentence above each is what the help and the palette say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumMessage, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Action {
    // Everywhere
    /// Quit Keyrack immediately, from anywhere
    Interrupt,
    /// Suspend Keyrack; `fg` in the shell resumes it
    Suspend,
    /// Redraw the whole screen
    Redraw,
    // On every screen
    /// What every key does here
    Help,
    /// Copy the command that does the same as this screen or question, without any secret in it
    CopyCommand,
    /// The same, while typing text
    CopyCommandTyping,
    /// Find any command by name
    Palette,
    /// Choose a theme with a live preview
    Themes,
    /// Change the settings of the console, and save them
    Settings,
    /// Revoke an exposed key: paste it, see whose it is, confirm
    Emergency,
    /// Report what happened in an incident: keys, decisions, requests, gates, mail; ready to paste
    Incident,
    /// After a restored backup: see which revocations it undid, and revoke those keys again
    Restored,
    /// Changes to many keys that wait for a second person: see which keys, approve or decline
    ShowApprovals,
    /// Why a key is refused: paste what was sent, hidden, and see each step of the verdict
    ExplainSecret,
    /// Read everything again from the database
    Refresh,
    /// All keys
    #[strum(serialize = "keys")]
    ScreenKeys,
    /// What expires soon and what is overdue
    #[strum(serialize = "expiring")]
    ScreenExpiring,
    /// What was mailed, what failed, what is due
    #[strum(serialize = "reminders")]
    ScreenReminders,
    /// Customers, their plans and standing
    #[strum(serialize = "accounts")]
    ScreenAccounts,
    /// Who changed what, and when
    #[strum(serialize = "audit")]
    ScreenAudit,
    /// The policies that keys are created under
    #[strum(serialize = "issuers")]
    ScreenIssuers,
    /// Who may use Keyrack, and in which role
    #[strum(serialize = "operators")]
    ScreenOperators,
    /// Unusual use of keys; which gates run
    #[strum(serialize = "alerts")]
    ScreenAlerts,
    /// Keys that need attention: never expiring, unused, without an owner, and more
    #[strum(serialize = "hygiene")]
    ScreenHygiene,
    /// Old keys that still work beside their replacements, and who uses them
    #[strum(serialize = "rotations")]
    ScreenRotations,
    /// An overview of everything, and what needs attention
    #[strum(serialize = "overview")]
    ScreenOverview,
    /// Go to the next screen
    NextScreen,
    /// Go to the screen before
    PreviousScreen,
    /// Send the reminders that are due, after a preview; or watch the running sweep
    Sweep,
    /// Show times as "3d ago" or as dates
    ToggleTimes,
    /// Take mouse clicks, or leave them to the terminal for selecting text
    ToggleMouse,
    /// One step back: close, clear the marks, clear the filter, then the view before
    Back,
    /// Back to the view before: screen, tab, filter, order and row
    HistoryBack,
    /// Forward again, after going back
    HistoryForward,
    /// Undo the last of: filter, tab, order, marks, pause, suspension, role. Pauses and roles ask first
    Undo,
    /// What this console changed since it was opened
    #[strum(serialize = "session-log")]
    SessionLog,
    /// Save the settings changed here, for the next start
    #[strum(serialize = "save")]
    SaveChoices,
    /// Quit Keyrack
    Quit,
    // In a list
    /// Previous row
    Up,
    /// Next row
    Down,
    /// One page up
    PageUp,
    /// One page down
    PageDown,
    /// Half a page up
    HalfPageUp,
    /// Half a page down
    HalfPageDown,
    /// First row
    Top,
    /// Last row
    Bottom,
    /// Tab to the left, such as from all keys to the live ones
    Left,
    /// Tab to the right
    Right,
    /// Show the beginning of what is cut off at the right
    MoveLeft,
    /// Show more of what is cut off at the right
    MoveRight,
    /// Open the selected row, or close it
    Open,
    /// Filter the list: words, and conditions such as status:active expires:<30d
    Filter,
    /// Show everything again
    ClearFilter,
    /// Create a key, account, issuer or operator, depending on the screen
    New,
    // Keys
    /// Choose the sort column
    Sort,
    /// Reverse the order
    SortReverse,
    /// Choose the columns of the table
    #[strum(serialize = "columns")]
    ChooseColumns,
    /// Mark the row, to act on several at once
    Mark,
    /// Mark everything from the last mark to this row
    MarkRange,
    /// Mark every row that matches the filter
    MarkAll,
    /// Clear all marks
    ClearMarks,
    /// Copy the masked preview of the key, or of all marked keys
    CopyPreview,
    /// Copy the id of the key, or of all marked keys
    CopyId,
    /// Write the key, or all marked keys, to a file or the clipboard: CSV, NDJSON, ids, previews
    Export,
    /// List all keys in question, and their present use
    ShowReach,
    /// Revoke the selected key, or all marked keys; can't be undone
    Revoke,
    /// Pause the key, or all marked keys: refused for a while, then working again automatically
    Pause,
    /// Resume the paused key, or all marked keys that are paused
    Resume,
    /// Freeze all keys that match a filter, or stop the creation of keys, for a while; lift either
    Freeze,
    /// Rotate the key: create a replacement with the same attributes
    Rotate,
    /// Set the key's own request budgets, or go back to the policy's
    Limit,
    /// Change name, description, owner, tags, scopes, networks or expiry of the key, or of all marked keys
    #[strum(serialize = "edit-key")]
    EditKey,
    /// Create a key like the selected one, with a new name and secret
    #[strum(serialize = "new-like")]
    NewLike,
    /// Move between the list and the detail, or to the next tab
    FocusDetail,
    /// Show a sparkline of the last 24 hours for each key, or hide it
    ToggleUsage,
    /// Explain step by step what a request with this key would get now
    Explain,
    /// Show all keys of this key's account
    #[strum(serialize = "same-account")]
    ShowAccountKeys,
    /// Show all keys that the same person created
    #[strum(serialize = "same-creator")]
    ShowSameCreator,
    // A key's detail
    /// Scroll up
    ScrollUp,
    /// Scroll down
    ScrollDown,
    /// Scroll one page up
    ScrollPageUp,
    /// Scroll one page down
    ScrollPageDown,
    /// Scroll to the beginning
    ScrollTop,
    /// Scroll to the end
    ScrollBottom,
    /// Go to the key that it replaces or is replaced by
    OpenLinked,
    // Accounts, audit, issuers, operators
    /// Change the account's name, admins or plan
    ChangeAccount,
    /// Suspend the account, or reinstate it
    ToggleStanding,
    /// Verify the hash chain of the audit, and the tables against it
    VerifyAudit,
    /// Give the operator another role
    ChangeRole,
    /// Remove all rights of the operator
    RemoveOperator,
    /// Offboard the operator: remove the role, and decide about each of their keys
    Leaves,
    // Reminders
    /// Resend the selected reminder, or all marked ones, with the next sweep
    Retry,
    /// Go to the key that the reminder or the alert is about
    GoToKey,
    /// Show this key's reminders: when they were sent, and to whom
    KeyReminders,
    /// Notify the account's admins by mail: key replaced, no longer working, or found exposed
    TellAdmins,
    // Alerts
    /// Acknowledge the selected alert, or all marked ones
    Acknowledge,
    // Rotations
    /// Close the overlap, or all marked ones, now: the old keys are revoked, which can't be undone
    CloseOverlap,
    /// Extend the overlap, or all marked ones: the old keys work longer
    ExtendOverlap,
    /// Go to the replacement
    OpenReplacement,
    // A sweep
    /// Approve the request, and carry it out
    Approve,
    /// Decline the request: nothing is done
    Decline,
    /// In an emergency, carry out your own request without a second person; raises an alert
    DoAlone,
    /// Show the next request
    NextRequest,
    /// Continue: ask whether to send, or leave the summary
    SendLetters,
    /// Stop the sweep after the letter under way
    StopSweep,
    /// Close; a running sweep continues
    CloseSweep,
    // A line of text
    /// Accept what was typed
    Accept,
    /// Cancel: leave it as it was
    CancelPrompt,
    /// Complete the field or value of a filter
    #[strum(serialize = "complete")]
    CompletePrompt,
    /// Clear the line
    ClearLine,
    // A form
    /// Next field
    NextField,
    /// Field before
    PreviousField,
    /// Up within the field, or the field above
    FieldUp,
    /// Down within the field, or the field below
    FieldDown,
    /// Left within the field
    FieldLeft,
    /// Right within the field
    FieldRight,
    /// Tick or untick
    Toggle,
    /// Choose, press the button, or go to the next field
    Press,
    /// Continue from any field: review, then create
    Submit,
    /// Close the form
    CloseForm,
    // A question
    /// Do it
    Yes,
    /// Leave everything as it is
    No,
    /// Next button or field
    NextButton,
    /// Button or field before
    PreviousButton,
    /// Press the button under the cursor
    PressButton,
    // Leaked secrets
    /// Tick the finding to revoke it, or untick it
    TickFinding,
    /// Write the reason, then the ticket
    EditReason,
    /// Copy the report as Markdown
    CopyReport,
    /// Search a file or a folder
    OpenFile,
    /// One page up
    FindingsPageUp,
    /// One page down
    FindingsPageDown,
    // Somebody leaves
    /// Give the key to another owner, or keep it as it is
    GiveKey,
    /// Give all of the keys, or none
    GiveAll,
    /// Rotate all keys that aren't given away
    RotateKept,
    /// Revoke all keys that aren't given away
    RevokeKept,
    /// Write who gets the keys
    GiveTo,
    // The reveal
    /// Copy the secret to the clipboard
    CopySecret,
    /// Write the secret to a new file that only you can read
    WriteSecret,
    /// Copy a command that checks the key; the secret is not in it
    CopyCheck,
    /// Hide the secret, or show it again
    HideSecret,
    /// Confirm that you have the secret: the key stays, and this closes
    Done,
    /// Close without confirming the secret
    LeaveReveal,
    /// Revoke the new key now instead of confirming its secret
    Discard,
    // A list to choose from
    /// Previous choice
    PickUp,
    /// Next choice
    PickDown,
    /// One page up
    PickPageUp,
    /// One page down
    PickPageDown,
    /// Choose it
    Choose,
    /// Cancel: leave it as it was
    CancelPicker,
    // A page to read
    /// Scroll up
    ReadUp,
    /// Scroll down
    ReadDown,
    /// One page up
    ReadPageUp,
    /// One page down
    ReadPageDown,
    /// To the beginning
    ReadTop,
    /// To the end
    ReadBottom,
    /// Show only lines that contain a word
    Search,
    /// Do what the line under the cursor says
    RunHelp,
    /// Close the help
    CloseHelp,
    /// Close the page
    CloseReader,
}

impl Action {
    /// The name in files.
    pub fn id(self) -> &'static str {
        self.into()
    }

    /// A sentence for the help and the palette.
    pub fn description(self) -> &'static str {
        self.get_documentation().unwrap_or_default()
    }
}
