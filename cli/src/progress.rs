//! A line of progress on stderr for anything that takes over a second, where a person is watching.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A spinner with a message. Draws nothing where stderr is not a terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Begins; the first tick comes after a moment, so that quick work draws nothing that stays.
    pub(crate) fn begin(what: &str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    /// How a round stands.
    pub(crate) fn round(&mut self, round: cairn_link::frame::Progress) {
        self.0.set_message(format!(
            "{} of {} partners replied, {} offline",
            round.replied, round.asked, round.offline
        ));
    }

    /// Another message.
    pub(crate) fn say(&mut self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    /// Ends, leaving the screen clean.
    pub(crate) fn end(self) {
        self.0.finish_and_clear();
    }
}
