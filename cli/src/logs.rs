//! Log lines of a service, on stderr. Only our own crates speak, whatever the level: a library's line could carry a
//! query plan, and with it a value.

use cairn_link::log::{LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;

/// The crates whose lines are written.
const OURS: &[&str] = &["cairn", "cairn_coordinator", "cairn_gate", "cairn_link", "cairn_node"];

/// Starts logging as a service's configuration says.
pub(crate) fn start(config: LogConfig) {
    let level = config.level.as_str();
    let ours = OURS.iter().map(|name| format!(",{name}={level}")).collect::<String>();
    let filter = EnvFilter::new(format!("off{ours}"));
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // A second start in one process changes nothing.
    let _ = match config.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}
