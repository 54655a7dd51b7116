//! The commands that show and set what the suppliers' codes mean.

use clap::{Args, Subcommand};

#[derive(Clone, Debug, Subcommand)]
pub enum VocabularyCommand {
    /// What is known
    List {
        /// Only of one subject: offering, sub-status, appointment-status, message, characteristic, shape.
        #[arg(long, env = "ORDER_TIMELINE_SUBJECT")]
        subject: Option<String>,
        /// Instead, the values that the feed uses and that are not known, the most frequent first.
        #[arg(long, env = "ORDER_TIMELINE_UNKNOWN")]
        unknown: bool,
        /// As JSON, one object a line.
        #[arg(long, env = "ORDER_TIMELINE_JSON")]
        json: bool,
    },
    /// Say what a value means; kept over upgrades. What is not given stays as it is. It holds for events that come from
    /// now on (a running service takes it up within seconds); `rebuild` applies it to those that came before.
    Set(WordConfig),
    /// Take back what was set: what came with the program holds again, or nothing
    Unset {
        /// As for `set`.
        subject: String,
        /// As for `set`.
        value: String,
    },
}

#[derive(Args, Clone, Debug)]
pub struct WordConfig {
    /// offering, sub-status, appointment-status, message (by its code), characteristic, or shape: a deviation of the
    /// JSON as `list --unknown` shows it.
    pub subject: String,
    /// The value as the supplier sends it; case, spaces and punctuation make no difference.
    pub value: String,
    /// What it means, in words for the middle of a sentence: "committed by the supplier".
    #[arg(long, env = "ORDER_TIMELINE_WORDS")]
    pub words: Option<String>,
    /// information, progress, amend, delay, action-needed, access-failed, missed, flagged, rescheduled,
    /// complete, cancelled; several with commas, "" for none.
    #[arg(long, env = "ORDER_TIMELINE_CLASSES", value_delimiter = ',')]
    pub classes: Option<Vec<String>>,
    /// customer or supplier; unknown or "" where nobody knows.
    #[arg(long, env = "ORDER_TIMELINE_FAULT")]
    pub fault: Option<String>,
    /// The milestone that is reached where it is said, such as KCI2; "" for none.
    #[arg(long, env = "ORDER_TIMELINE_MILESTONE")]
    pub milestone: Option<String>,
    /// How you know.
    #[arg(long, env = "ORDER_TIMELINE_SOURCE")]
    pub source: Option<String>,
}
