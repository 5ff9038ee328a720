//! The node's configuration: one TOML file, every unit in its key's name, unknown keys refused.

use std::num::{NonZeroU16, NonZeroU32};
use std::path::{Path, PathBuf};

use cairn_link::Address;
use cairn_link::log::LogConfig;
use cairn_question::Hash;
use serde::{Deserialize, Deserializer};

/// Most bytes of a configuration file.
const CONFIG_BYTES_MAX: u64 = 64 * 1024;

/// How a node is set up. A relative path is read from the folder of the file that names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder with the node's keys, its certificate and the issuers that it trusts, as `cairn authority` made it.
    pub identity_dir: PathBuf,
    /// Where the coordinator listens: `host:port`. The node dials out to it, by UDP, and nothing dials in.
    #[serde(deserialize_with = "address")]
    pub coordinator: Address,
    /// The folder with the snapshots that `cairn node load` publishes.
    pub data_dir: PathBuf,
    /// The SQLite file of the ledger and the audit. Made at first start, with the node's own secret (`cap.key`) beside it.
    pub ledger_path: PathBuf,
    /// The folder with `framework.toml`, `policy.toml`, what the board approved (`approval.txt`, `approvals/`, `board.toml`) and, where
    /// the brake is set, `local-brake.toml`. Without an approved policy nothing is answered.
    pub policy_dir: PathBuf,
    /// SHA-256 of `board.toml` (LF line ends) in the policy folder: the board whose approval this node asks for. Where trust begins: it
    /// lets the first board in, and from then on only a hand-over of that board changes it. Without it no policy comes into force.
    #[serde(default)]
    pub board: Option<Hash>,
    /// Most memory that all counts under way may hold together, in MB. Default 512: a small office machine, 100 times what ten
    /// million rows need.
    #[serde(default = "Config::default_memory_mb")]
    pub memory_mb: NonZeroU32,
    /// Longest that one count may take, in seconds. Default 30: half of what a coordinator waits for a reply.
    #[serde(default = "Config::default_count_time_limit_s")]
    pub count_time_limit_s: NonZeroU32,
    /// How many questions are counted at the same time; the others wait until their deadline. Default 2.
    #[serde(default = "Config::default_counts_at_once")]
    pub counts_at_once: NonZeroU16,
    /// How many threads count. Default 2: the machine has other work.
    #[serde(default = "Config::default_count_threads")]
    pub count_threads: NonZeroU16,
    /// How far apart the slots are at which replies leave, in milliseconds after their question came. Default 250: longer than most
    /// counts take. A shorter one is quicker and shows more of how long the count took.
    #[serde(default = "Config::default_answer_slot_ms")]
    pub answer_slot_ms: NonZeroU16,
    /// What is logged.
    #[serde(default)]
    pub log: LogConfig,
}

/// Why a configuration was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigFault {
    /// Not readable, or longer than a configuration is.
    #[error("cannot read the configuration `{path}`: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the operating system says.
        cause: std::io::ErrorKind,
    },
    /// Not TOML, an unknown key, or a value out of range; with line and column.
    #[error("the configuration does not hold: {0}")]
    Invalid(String),
}

impl ConfigFault {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "CN501",
            Self::Invalid(_) => "CN502",
        }
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// [`ConfigFault`].
    pub fn read(path: &Path) -> Result<Self, ConfigFault> {
        let unreadable = |cause| ConfigFault::Unreadable { path: path.display().to_string(), cause };
        let length = std::fs::metadata(path).map_err(|e| unreadable(e.kind()))?.len();
        if length > CONFIG_BYTES_MAX {
            return Err(unreadable(std::io::ErrorKind::FileTooLarge));
        }
        let text = std::fs::read_to_string(path).map_err(|e| unreadable(e.kind()))?;
        Self::parse(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads a configuration from text; relative paths are read from `folder`.
    ///
    /// # Errors
    /// [`ConfigFault::Invalid`].
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigFault> {
        let mut config: Self =
            toml::from_str(text).map_err(|e| ConfigFault::Invalid(e.to_string().trim().to_owned()))?;
        let paths =
            [&mut config.identity_dir, &mut config.data_dir, &mut config.ledger_path, &mut config.policy_dir];
        for path in paths {
            *path = folder.join(&*path);
        }
        Ok(config)
    }

    const fn default_memory_mb() -> NonZeroU32 {
        const { NonZeroU32::new(512).unwrap() }
    }

    const fn default_count_time_limit_s() -> NonZeroU32 {
        const { NonZeroU32::new(30).unwrap() }
    }

    const fn default_counts_at_once() -> NonZeroU16 {
        const { NonZeroU16::new(2).unwrap() }
    }

    const fn default_answer_slot_ms() -> NonZeroU16 {
        const { NonZeroU16::new(250).unwrap() }
    }

    const fn default_count_threads() -> NonZeroU16 {
        const { NonZeroU16::new(2).unwrap() }
    }
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Address, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_a_configuration_and_states_the_defaults() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/samples/node.toml");
        let config = Config::read(&path).unwrap();
        assert_eq!(config.coordinator.port(), 4433);
        assert_eq!(config.memory_mb, Config::default_memory_mb());
        assert_eq!(config.count_time_limit_s, Config::default_count_time_limit_s());
        assert_eq!(config.counts_at_once, Config::default_counts_at_once());
        assert_eq!(config.count_threads, Config::default_count_threads());
        assert_eq!(config.answer_slot_ms, Config::default_answer_slot_ms());
        assert_eq!(config.log, LogConfig::default());
    }

    #[test]
    fn nothing_is_taken_that_is_not_a_key() {
        let least =
            "identity_dir='i'\ncoordinator='127.0.0.1:1'\ndata_dir='d'\nledger_path='l'\npolicy_dir='/p'\n";
        let config = Config::parse(least, Path::new("/etc/cairn")).unwrap();
        assert_eq!(config.identity_dir, Path::new("/etc/cairn/i"));
        assert_eq!(config.policy_dir, Path::new("/p"));
        let check = |text: &str, says: &str| {
            let fault = Config::parse(text, Path::new("")).unwrap_err();
            assert_eq!(fault.code(), "CN502");
            assert!(fault.to_string().contains(says), "{fault}");
        };
        check(&format!("{least}memory = 5"), "unknown field `memory`");
        check(&format!("{least}memory_mb = 0"), "line 6");
        check(&format!("{least}answer_slot_ms = 0"), "line 6");
        check(&format!("{least}[log]\nlevel = 'loud'"), "loud");
        check(&least.replace("127.0.0.1:1", "https://hub"), "not an address");
        check(&least.replace("policy_dir", "policies_dir"), "policies_dir");
        check("", "identity_dir");
    }
}
