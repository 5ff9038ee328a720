//! Makes up people, seeded and calibrated to published totals, with their truth.
//!
//! [`generate`] writes one folder for each partner: its export in the partner's own shape, and the mapping file with which
//! `cairn node load` reads it. Beside the folders stands `truth.json`: the exact counts that the exports hold. Nobody in
//! the data is real. The same [`Spec`] gives the same bytes on every machine: every decision is made in integers.

mod calibration;
mod draw;
mod error;
mod export;
mod holding;
mod partner;
mod person;
mod shape;
mod spec;
mod truth;

use std::fs;
use std::path::Path;

pub use error::GenerateError;
pub use partner::{DEMO_PARTNERS, partners_of_full_scale};
pub use spec::Spec;
pub use truth::{AllTruth, FollowUps, PartnerTruth, Truth};

use calibration::Calibration;
use holding::Holding;

/// Makes up the people and writes, below `folder`, `<partner>/*.csv`, `<partner>/mapping.toml` and `truth.json`. Files of
/// the same names are replaced.
///
/// # Errors
/// [`GenerateError`]: a spec out of range, an unknown partner, or a folder that cannot be written.
pub fn generate(spec: &Spec, folder: &Path) -> Result<Truth, GenerateError> {
    let calibration = Calibration::embedded()?;
    let partners = partner::chosen(&spec.partners, &calibration)?;
    spec.check()?;
    let people = person::people(spec, &calibration, &partners)?;
    let mut truth = Truth::of(spec, &people);
    for partner in &partners {
        let holding = Holding::of(partner, &people, &calibration, spec);
        let own = folder.join(&partner.id);
        fs::create_dir_all(&own).map_err(|e| GenerateError::Write { file: own.clone(), cause: e })?;
        for (name, text) in export::files(partner, &holding, spec) {
            let file = own.join(name);
            fs::write(&file, text).map_err(|e| GenerateError::Write { file: file.clone(), cause: e })?;
        }
        truth.add(partner, &holding, spec);
    }
    truth.finish(&people);
    let file = folder.join("truth.json");
    fs::write(&file, truth.to_json()).map_err(|e| GenerateError::Write { file, cause: e })?;
    Ok(truth)
}

#[cfg(test)]
mod tests;
