//! How a release protects its tables: in its own words, and under the meet of all layers.

use super::cells;
use crate::document::{CellsKind, CountOnceDoc, FrameworkDoc, How, Release};
use crate::settings::Settings;
use crate::treatment::{Cells, CountOnce, Method};

/// What the release says, over its profile.
pub(super) fn own(framework: &FrameworkDoc, release: &Release, delta: f64) -> Option<Method> {
    match &release.how {
        How::Dp { mechanism, epsilon, groups_per_person } => Some(Method::Dp {
            mechanism: mechanism.value.at(epsilon.value, delta),
            epsilon: epsilon.value,
            groups_per_person: groups_per_person.value,
        }),
        How::CountOnce(doc) => count_once(framework, doc).map(Method::CountOnce),
        How::Cells(doc) => {
            let cells = cells::read(framework, doc)?;
            Some(match &doc.kind {
                CellsKind::SuppressRound => Method::SuppressRound(cells),
                CellsKind::SuppressAudit => Method::SuppressAudit(cells),
                CellsKind::CellKey { table } => Method::CellKey { table: table.value.clone(), cells },
            })
        }
    }
}

/// `None` under a framework without terms: nobody says how many keys a person may have.
fn count_once(framework: &FrameworkDoc, doc: &CountOnceDoc) -> Option<CountOnce> {
    let terms = framework.secure.as_ref()?;
    Some(CountOnce {
        epsilon: doc.epsilon.value,
        keys_per_person: terms.keys_per_person_max.value,
        cells_per_person: terms.cells_per_person_max.as_ref().map_or(CountOnce::UNSAID, |most| most.value),
        counts_per_year: doc.counts_per_year.value,
        counts_lifetime: doc.counts_lifetime.value,
    })
}

/// What leaves is protected by the meet, not by the share's own words.
pub(super) fn met(method: Method, settings: &Settings, delta: f64) -> Method {
    let cells = |cells: Cells| Cells { min_people: cells.min_people.max(settings.min_people), ..cells };
    match method {
        Method::SuppressRound(own) => Method::SuppressRound(cells(own)),
        Method::SuppressAudit(own) => Method::SuppressAudit(cells(own)),
        Method::CellKey { table, cells: own } => Method::CellKey { table, cells: cells(own) },
        Method::Dp { mechanism, epsilon, groups_per_person } => {
            let epsilon = settings.epsilon.unwrap_or(epsilon).min(epsilon);
            Method::Dp { mechanism: mechanism.at(epsilon, delta), epsilon, groups_per_person }
        }
        Method::CountOnce(own) => {
            let fewer = |most: Option<u32>, own: u32| most.unwrap_or(own).min(own);
            Method::CountOnce(CountOnce {
                epsilon: settings.count_epsilon.unwrap_or(own.epsilon).min(own.epsilon),
                keys_per_person: own.keys_per_person,
                cells_per_person: own.cells_per_person,
                counts_per_year: fewer(settings.counts_per_year, own.counts_per_year),
                counts_lifetime: fewer(settings.counts_lifetime, own.counts_lifetime),
            })
        }
    }
}
