//! The published figures, as `data/calibration.toml` holds them with their sources.

use cairn_question::Period;
use serde::Deserialize;

use crate::error::GenerateError;

/// All figures.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Calibration {
    #[expect(dead_code, reason = "says the format; there is one so far")]
    cairn_calibration: u8,
    pub(crate) council: Vec<Council>,
    pub(crate) disability: Disability,
    pub(crate) follow_up: FollowUp,
    pub(crate) starts: Starts,
}

/// One council's totals, April 2019 to June 2025.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Council {
    pub(crate) code: String,
    #[expect(dead_code, reason = "for whoever reads the figures")]
    pub(crate) name: String,
    pub(crate) partner: String,
    pub(crate) people: u32,
    pub(crate) entered_work: u32,
    pub(crate) in_work_week_52: u32,
    #[serde(default)]
    #[expect(dead_code, reason = "for whoever reads the figures")]
    pub(crate) estimated: bool,
}

/// Disability, and entering work by it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Disability {
    pub(crate) yes_per_1000: u32,
    pub(crate) no_per_1000: u32,
    pub(crate) yes_enter_work_per_1000: u32,
    pub(crate) no_enter_work_per_1000: u32,
    pub(crate) unknown_enter_work_per_1000: u32,
}

/// Still in work, among those whose week had come.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowUp {
    pub(crate) in_work_per_1000_due: [u32; 4],
    pub(crate) rest_not_known_per_1000: u32,
}

/// When people start.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Starts {
    pub(crate) first: Period,
    pub(crate) weights: Vec<u32>,
    pub(crate) return_once_per_1000: u32,
    pub(crate) return_twice_per_1000: u32,
}

impl Calibration {
    /// The figures that this program was built with.
    pub(crate) fn embedded() -> Result<Self, GenerateError> {
        toml::from_str(include_str!("../data/calibration.toml")).map_err(GenerateError::Calibration)
    }

    pub(crate) fn council(&self, code: &str) -> Option<&Council> {
        self.council.iter().find(|c| c.code == code)
    }

    /// Whole per cent by which people of a council enter work more often than those of `areas` together.
    pub(crate) fn work_percent(&self, code: &str, areas: &[String]) -> u32 {
        relative(self, code, areas, |c| (c.entered_work, c.people))
    }

    /// The same for being known to be in work at 52 weeks: it tells how well a council records follow-ups.
    pub(crate) fn follow_percent(&self, code: &str, areas: &[String]) -> u32 {
        relative(self, code, areas, |c| (c.in_work_week_52, c.entered_work))
    }
}

fn relative(all: &Calibration, code: &str, areas: &[String], of: impl Fn(&Council) -> (u32, u32)) -> u32 {
    let here = all.council(code).map(&of);
    let chosen = all.council.iter().filter(|c| areas.contains(&c.code)).map(&of);
    let (parts, wholes) =
        chosen.fold((0_u64, 0_u64), |(p, w), (part, whole)| (p + u64::from(part), w + u64::from(whole)));
    let Some((part, whole)) = here else { return 100 };
    let (above, below) = (u64::from(part) * wholes * 100, u64::from(whole) * parts);
    u32::try_from(above.checked_div(below).unwrap_or(100)).unwrap_or(100)
}
