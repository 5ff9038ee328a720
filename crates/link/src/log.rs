//! What a service's configuration says of its log lines: the same words for node and coordinator. Nothing is written here;
//! the program that runs a service sets its log up.

use serde::Deserialize;

/// What is logged, and how.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Least level. Default `info`: one line when a question or a round begins and one when it ends.
    pub level: LogLevel,
    /// Form of a line. Default `text`.
    pub format: LogFormat,
}

/// Least level of a line that is logged.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Faults only.
    Error,
    /// And what somebody should look at.
    Warn,
    /// And what happened.
    #[default]
    Info,
    /// And every step. Never a count, a table or a record.
    Debug,
}

/// Form of a line.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogLevel {
    /// `error`, `warn`, `info` or `debug`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}
