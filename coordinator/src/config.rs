//! The coordinator's configuration: one TOML file, every unit in its key's name, unknown keys refused.

use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::{Path, PathBuf};

use cairn_link::log::LogConfig;
use serde::Deserialize;

/// Most bytes of a configuration file.
const CONFIG_BYTES_MAX: u64 = 64 * 1024;

/// How a coordinator is set up. A relative path is read from the folder of the file that names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder with the coordinator's key, certificate and the federation's keys, as `cairn authority` made it.
    pub identity_dir: PathBuf,
    /// The address that nodes and analysts dial, UDP. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// The federation's signed register.
    pub register_path: PathBuf,
    /// The SQLite file with questions, replies and coverage statements. Made at first start.
    pub store_path: PathBuf,
    /// Longest time that a round stays open, in seconds. Default 60: a node's own time limit for one count is 30 unless it
    /// sets another, and a second question may be waiting before it. A question that expires earlier closes earlier.
    #[serde(default = "Config::default_round_deadline_s")]
    pub round_deadline_s: NonZeroU32,
    /// How long a round waits for a partner that is not connected, in seconds. Default 3: a node that lost its connection dials
    /// again within two; a longer wait makes every answer as slow as the slowest absence. 0 waits for nobody.
    #[serde(default = "Config::default_offline_wait_s")]
    pub offline_wait_s: u16,
    /// Most rounds open at once, of all analysts. Default 256: each holds its replies in memory, 1 MB for an
    /// ordinary table from 32 partners.
    #[serde(default = "Config::default_open_rounds_max")]
    pub open_rounds_max: NonZeroU16,
    /// Most rounds that one analyst has open at once. Default 32: an indicator report asks as one batch of some 20 questions.
    #[serde(default = "Config::default_open_rounds_per_analyst_max")]
    pub open_rounds_per_analyst_max: NonZeroU16,
    /// Days for which a closed round can be fetched again. Default 30. A question lives a day at most, so that a number which is
    /// forgotten after a month can never be asked twice.
    #[serde(default = "Config::default_results_keep_days")]
    pub results_keep_days: NonZeroU16,
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
            Self::Unreadable { .. } => "CO001",
            Self::Invalid(_) => "CO002",
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
        for path in [&mut config.identity_dir, &mut config.register_path, &mut config.store_path] {
            *path = folder.join(&*path);
        }
        Ok(config)
    }

    const fn default_round_deadline_s() -> NonZeroU32 {
        const { NonZeroU32::new(60).unwrap() }
    }

    const fn default_offline_wait_s() -> u16 {
        3
    }

    const fn default_open_rounds_max() -> NonZeroU16 {
        const { NonZeroU16::new(256).unwrap() }
    }

    const fn default_open_rounds_per_analyst_max() -> NonZeroU16 {
        const { NonZeroU16::new(32).unwrap() }
    }

    const fn default_results_keep_days() -> NonZeroU16 {
        const { NonZeroU16::new(30).unwrap() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_a_configuration_and_states_the_defaults() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/samples/coordinator.toml");
        let config = Config::read(&path).unwrap();
        assert_eq!(config.round_deadline_s, Config::default_round_deadline_s());
        assert_eq!(config.offline_wait_s, Config::default_offline_wait_s());
        assert_eq!(config.open_rounds_max, Config::default_open_rounds_max());
        assert_eq!(config.open_rounds_per_analyst_max, Config::default_open_rounds_per_analyst_max());
        assert_eq!(config.results_keep_days, Config::default_results_keep_days());
        assert_eq!(config.log, LogConfig::default());
    }

    #[test]
    fn nothing_is_taken_that_is_not_a_key() {
        let least = "identity_dir='i'\nlisten='127.0.0.1:0'\nregister_path='r'\nstore_path='/s'\n";
        let config = Config::parse(least, Path::new("/etc/cairn")).unwrap();
        assert_eq!(config.identity_dir, Path::new("/etc/cairn/i"));
        assert_eq!(config.store_path, Path::new("/s"));
        let check = |more: &str, says: &str| {
            let fault = Config::parse(&format!("{least}{more}\n"), Path::new("")).unwrap_err();
            assert_eq!(fault.code(), "CO002");
            assert!(fault.to_string().contains(says), "{fault}");
        };
        check("rond_deadline_s = 5", "rond_deadline_s");
        check("round_deadline_s = 0", "line 5");
        check("round_deadline_s = '5s'", "line 5");
        check("[log]\nlevel = 'loud'", "loud");
        check("[console]\n", "console");
        assert!(Config::parse("", Path::new("")).is_err());
    }
}
