//! Everything that a key can do.

use strum::{EnumMessage, IntoStaticStr};

/// One thing that a key, the palette or a click can ask for. The sentence above each is what the help and the palette say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumMessage, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Action {
    // Everywhere
    /// Leave Keyrack at once, from anywhere
    Interrupt,
    /// Put Keyrack to sleep; `fg` in the shell wakes it
    Suspend,
    /// Draw the whole screen anew
    Redraw,
    // On every screen
    /// What every key does here
    Help,
    /// Copy the command that does the same as this screen or question, without any secret in it
    CopyCommand,
    /// The same where characters are text
    CopyCommandTyping,
    /// Find any command by name
    Palette,
    /// Choose a theme with a live preview
    Themes,
    /// Change the settings of the console, and save them
    Settings,
    /// Revoke an exposed key: paste it, see whose it is, confirm
    Emergency,
    /// Tell what happened in an incident: keys, decisions, requests, gates, letters; ready to be pasted
    Incident,
    /// After a restored backup: see which revocations it undid, and make them again
    Restored,
    /// Changes of many keys that wait for a second person: see whom they touch, approve or decline
    ShowApprovals,
    /// Why a key is refused: paste what was sent, hidden, and see each step of the verdict
    ExplainSecret,
    /// Read everything anew from the database
    Refresh,
    /// All keys
    #[strum(serialize = "keys")]
    ScreenKeys,
    /// What ends soon and what is overdue
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
    /// The policies that keys are made under
    #[strum(serialize = "issuers")]
    ScreenIssuers,
    /// Who may use Keyrack, and in which role
    #[strum(serialize = "operators")]
    ScreenOperators,
    /// What is out of the ordinary about the use of keys; which gates run
    #[strum(serialize = "alerts")]
    ScreenAlerts,
    /// What is to be tidied: keys that never expire, that nobody uses, that nobody owns, and the like
    #[strum(serialize = "hygiene")]
    ScreenHygiene,
    /// Old keys that still work beside their replacements, and who uses them
    #[strum(serialize = "rotations")]
    ScreenRotations,
    /// How everything stands, and what wants a person
    #[strum(serialize = "overview")]
    ScreenOverview,
    /// Go to the next screen
    NextScreen,
    /// Go to the screen before
    PreviousScreen,
    /// Send the reminders that are due: shows first what would go to whom; or look at the running sweep
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
    /// Save the settings that were changed here, for the next time
    #[strum(serialize = "save")]
    SaveChoices,
    /// Leave Keyrack
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
    /// Create: a key, an account, an issuer, as the screen has it
    New,
    // Keys
    /// Choose what the list is sorted by
    Sort,
    /// Turn the order round
    SortReverse,
    /// Choose the columns of the table
    #[strum(serialize = "columns")]
    ChooseColumns,
    /// Mark the row, for doing something with several
    Mark,
    /// Mark everything from the last mark to this row
    MarkRange,
    /// Mark every row that the filter shows
    MarkAll,
    /// Take all marks away
    ClearMarks,
    /// Copy the masked preview of the key, or of all marked keys
    CopyPreview,
    /// Copy the id of the key, or of all marked keys
    CopyId,
    /// Write the key, or all marked keys, to a file or the clipboard: CSV, NDJSON, ids, previews
    Export,
    /// See all of the keys that it is about, and what they do right now
    ShowReach,
    /// Revoke the selected key, or all marked keys, for good
    Revoke,
    /// Refuse the key, or all marked keys, for a while: it works again by itself, or when it is resumed
    Pause,
    /// Let the paused key, or all marked ones that are paused, work again now
    Resume,
    /// Freeze all keys that a filter fits, or stop the creation of keys, for a while; lift what is held
    Freeze,
    /// Replace the key by a successor with the same attributes
    Rotate,
    /// Give the key budgets of its own, or the policy's again
    Limit,
    /// Change name, description, owner, tags, scopes, networks or expiry of the key, or of all marked keys
    #[strum(serialize = "edit-key")]
    EditKey,
    /// Create a key like the selected one: all of it but name and secret
    #[strum(serialize = "new-like")]
    NewLike,
    /// Move between the list and the detail, or to the next tab
    FocusDetail,
    /// Show a sparkline of the last 24 hours for each key, or hide it
    ToggleUsage,
    /// What a request with this key would meet now, step by step
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
    /// Go to the key that this one replaces or is replaced by
    OpenLinked,
    // Accounts, audit, issuers, operators
    /// Change the account's name, admins or plan
    ChangeAccount,
    /// Suspend the account, or reinstate it
    ToggleStanding,
    /// Check that no row of the audit was edited, removed, inserted or moved
    VerifyAudit,
    /// Give the operator another role
    ChangeRole,
    /// Take all rights from the operator
    RemoveOperator,
    /// The operator leaves: take the role, and decide what becomes of each of their keys
    Leaves,
    // Reminders
    /// Let the next sweep send the selected reminder again, or all marked ones
    Retry,
    /// Go to the key that the reminder or the alert is about
    GoToKey,
    /// Show which reminders of this key went out, when, and to whom
    KeyReminders,
    /// Tell the admins of the account by mail: that the key is replaced, still used after its end, or was found exposed
    TellAdmins,
    // Alerts
    /// Say that somebody has looked at the selected alert, or at all marked ones
    Acknowledge,
    // Rotations
    /// End the overlap now: the old key, or the old keys of all marked ones, are revoked for good
    CloseOverlap,
    /// Let the old key, or the old keys of all marked ones, work for longer
    ExtendOverlap,
    /// Go to the replacement
    OpenReplacement,
    // A sweep
    /// Approve the request, and carry it out
    Approve,
    /// Decline the request: nothing is done
    Decline,
    /// In an emergency, do what you asked for without a second person; an alert is raised
    DoAlone,
    /// Show the next request
    NextRequest,
    /// Go on: to the question whether to send, or out of the summary
    SendLetters,
    /// Stop the sweep between two letters
    StopSweep,
    /// Close; a running sweep goes on
    CloseSweep,
    // A line of text
    /// Take what was typed
    Accept,
    /// Leave it as it was
    CancelPrompt,
    /// Complete the field or value of a filter
    #[strum(serialize = "complete")]
    CompletePrompt,
    /// Empty the line
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
    /// Take the choice, press the button, or go on to the next field
    Press,
    /// Go on from any field: review, then create
    Submit,
    /// Leave the form
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
    /// Tick the finding for revoking, or take its tick away
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
    /// Confirm the secret: the key stays, and this closes
    Done,
    /// Close without having taken the secret over
    LeaveReveal,
    /// Revoke the new key at once instead of taking its secret over
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
    /// Take the choice
    Choose,
    /// Leave it as it was
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
    /// Show only lines with a word
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
