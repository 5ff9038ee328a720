//! What a policy does to groups of people, on the partner's own records: which share of the cells of its tables would be withheld, by
//! protected characteristic. For the paper of the partner's own board.
//!
//! It is counted on this machine and touches no ledger: no table leaves, no analyst is told anything, and what a board is told about its own
//! records tells it nothing that it may not know. So nothing is charged. The result holds numbers of cells and no number of people; but numbers of cells
//! are not protected either, so the paper is the board's own and is not published.

use cairn_engine::{Engine, EngineFault};
use cairn_policy::{Asker, Layers, decide, pack};
use cairn_question::schema::CODE_GRAIN;
use cairn_question::{Day, GroupBy, Measure, Name, PartnerId, Question, QuestionId, Schema};
use cairn_records::{Snapshot, Store, StoreFault};
use cairn_release::{CellShares, ReleaseFault, Terms, cell_shares};

use crate::config::Config;
use crate::service::limits;

/// The protected characteristics (Equality Act 2010, section 4) that the data dictionary has a column of participants for, in words
/// that a board uses. Marriage and civil partnership, and pregnancy and maternity, are in no column.
pub const CHARACTERISTICS: [(&str, &str); 9] = [
    ("age_band", "age"),
    ("disabled_eqa", "disability"),
    ("long_term_condition", "disability (long-term condition)"),
    ("limits_activity", "disability (limits activity)"),
    ("trans_status", "gender reassignment"),
    ("ethnic_group", "race"),
    ("religion", "religion or belief"),
    ("sex", "sex"),
    ("sexual_orientation", "sexual orientation"),
];

/// Other columns that a board asks about in the same breath. Columns of class S that stand in neither list go by their own names.
pub const BESIDE: [(&str, &str); 1] = [("gender", "gender")];

/// The columns that say where, of which a table is crossed with the first that its share has.
pub const AREAS: [&str; 2] = ["council_code", "lep_code"];

/// What a policy does on one snapshot.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Impact {
    /// The day of the records.
    pub as_of: Day,
    /// One row a share, characteristic, and with or without the area.
    pub rows: Vec<ImpactRow>,
    /// Shares that were not worked out: this program does not make their tables, they do not
    /// count people, or the export does not feed their table.
    pub left_out: Vec<Name>,
}

/// One table that the share would answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImpactRow {
    /// The share.
    pub share: Name,
    /// In words.
    pub characteristic: String,
    /// The column that it was crossed with, if any.
    pub area: Option<String>,
    /// Its cells.
    pub cells: CellShares,
}

/// Why nothing was worked out. Holds no count.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImpactFault {
    /// The node has no records yet.
    #[error("this node has loaded no records")]
    NoRecords,
    /// The policy and the records are of two partners.
    #[error("the policy is `{policy}`'s and the records are `{records}`'s")]
    OtherPartner {
        /// Whose policy.
        policy: PartnerId,
        /// Whose records.
        records: PartnerId,
    },
    /// The records cannot be read.
    #[error(transparent)]
    Records(#[from] StoreFault),
    /// The count failed.
    #[error(transparent)]
    Engine(#[from] EngineFault),
    /// The counts do not fit the plan.
    #[error(transparent)]
    Release(#[from] ReleaseFault),
}

impl Impact {
    /// As the board's paper shows it.
    #[must_use]
    pub fn for_paper(&self) -> pack::Impact {
        // Of the cells of one table no more can be withheld than there are.
        let rows = self.rows.iter().filter_map(|row| {
            pack::ImpactRow::new(row.share.clone(), row.words(), row.cells.cells, row.cells.withheld).ok()
        });
        pack::Impact { as_of: self.as_of, rows: rows.collect(), left_out: self.left_out.clone() }
    }
}

impl ImpactRow {
    /// `sex, by council_code; noise typically moves a cell by 5 to 20 %`.
    fn words(&self) -> String {
        let area = self.area.as_ref().map(|area| format!(", by {area}")).unwrap_or_default();
        let noise = self.cells.error_per_mille.map(moved);
        format!("{}{area}{}", self.characteristic, noise.unwrap_or_default())
    }
}

/// How far noise moves a cell, in wide bands: to the per cent it would say how many people are in the cell, since the noise is known.
/// At `half or more` there are no more of them than a threshold withholds.
fn moved(per_mille: u64) -> String {
    let by = match per_mille {
        ..10 => "less than 1 %",
        10..50 => "1 to 5 %",
        50..200 => "5 to 20 %",
        200..500 => "20 to 50 %",
        500.. => "half or more",
    };
    format!("; noise typically moves a cell by {by}")
}

/// Works out the impact of a policy on the records that are in force at a node; `day` decides which shares are open.
///
/// # Errors
/// [`ImpactFault`].
pub async fn on_own_records(config: &Config, layers: &Layers, day: Day) -> Result<Impact, ImpactFault> {
    let snapshot = Store::open(&config.data_dir)?.current()?.ok_or(ImpactFault::NoRecords)?;
    let engine = Engine::new(limits(config))?;
    impact(layers, &snapshot, &engine, day).await
}

/// [`on_own_records`] of one snapshot.
///
/// # Errors
/// [`ImpactFault`].
pub async fn impact(
    layers: &Layers,
    snapshot: &Snapshot,
    engine: &Engine,
    day: Day,
) -> Result<Impact, ImpactFault> {
    let manifest = snapshot.manifest();
    if manifest.partner != *layers.partner() {
        let (policy, records) = (layers.partner().clone(), manifest.partner.clone());
        return Err(ImpactFault::OtherPartner { policy, records });
    }
    // What a duty officer pauses for a while is no part of what the board decides.
    let (layers, _) = layers.with_brake(None);
    let mut impact = Impact { as_of: manifest.as_of, rows: Vec::new(), left_out: Vec::new() };
    for share in layers.public_part().shares {
        let empty = Question {
            role: share.role,
            purpose: share.purpose,
            dataset: share.dataset,
            measure: Measure::People,
            group_by: Vec::new(),
            filter_by: Vec::new(),
            as_of: None,
        };
        let before = impact.rows.len();
        for (characteristic, area, question) in tables(&layers, &empty, day) {
            if let Some(cells) = cells(&layers, &question, snapshot, engine, day).await? {
                let share = share.id.clone();
                impact.rows.push(ImpactRow { share, characteristic, area, cells });
            }
        }
        if impact.rows.len() == before {
            impact.left_out.push(share.id);
        }
    }
    Ok(impact)
}

/// The tables of a share by each characteristic alone, and crossed with its area: those that would be answered.
fn tables(layers: &Layers, empty: &Question, day: Day) -> Vec<(String, Option<String>, Question)> {
    let area = AREAS.iter().find_map(|area| axis(layers, empty, area, day));
    let mut tables = Vec::new();
    for (column, words) in characteristics() {
        let Some(alone) = axis(layers, empty, &column, day) else { continue };
        let crossed =
            area.as_ref().map(|area| (Some(area.column.clone()), vec![area.clone(), alone.clone()]));
        for (area, group_by) in [(None, vec![alone.clone()])].into_iter().chain(crossed) {
            let question = Question { group_by, ..empty.clone() };
            if decide(layers, &question, Asker::Anyone, day).is_ok() {
                tables.push((words.clone(), area, question));
            }
        }
    }
    tables
}

/// Every characteristic with its words: those of the Act, those beside them, then what else the dictionary has in class S.
fn characteristics() -> Vec<(String, String)> {
    use cairn_question::schema::Class;
    let known = || CHARACTERISTICS.iter().chain(&BESIDE);
    let named = known().map(|(column, words)| ((*column).to_owned(), (*words).to_owned()));
    let columns = Schema::smf().table(PARTICIPANTS).map(|t| t.columns.as_slice()).unwrap_or_default();
    let special = columns.iter().filter(|c| c.class == Class::SpecialCategory);
    let others = special.filter(|c| known().all(|(column, _)| *column != c.name));
    named.chain(others.map(|c| (c.name.clone(), c.name.replace('_', " ")))).collect()
}

/// The column as the share's dataset sees it, at the finest grain that the share answers by.
fn axis(layers: &Layers, empty: &Question, column: &str, day: Day) -> Option<GroupBy> {
    let schema = Schema::smf();
    let own = (column.to_owned(), schema.find(&empty.dataset, column));
    let above = format!("{PARTICIPANTS}.{column}");
    let above = (above.clone(), schema.find(&empty.dataset, &above));
    let (seen, found) = [own, above].into_iter().find_map(|(seen, found)| Some((seen, found?)))?;
    let coarser = found.column.codes.as_deref().and_then(|list| schema.code_list(list));
    let coarser = coarser.map(|list| list.grains.iter().map(|g| g.name.as_str()).collect::<Vec<_>>());
    let grains = std::iter::once(CODE_GRAIN).chain(coarser.unwrap_or_default());
    let axes = grains.map(|grain| GroupBy { column: seen.clone(), grain: grain.to_owned(), span: None });
    let mut answered = axes.filter(|axis| {
        let question = Question { group_by: vec![axis.clone()], ..empty.clone() };
        decide(layers, &question, Asker::Anyone, day).is_ok()
    });
    // The code is the finest; of several coarser grains, the one with the most parts.
    let first = answered.next()?;
    if first.grain == CODE_GRAIN {
        return Some(first);
    }
    let parts = |axis: &GroupBy| schema.codes_at(found.column, &axis.grain).map_or(0, |codes| codes.len());
    std::iter::once(first).chain(answered).max_by_key(parts)
}

/// `None` where this program does not make the table, where the partner's own never leaves, or where there are no records of it.
async fn cells(
    layers: &Layers,
    question: &Question,
    snapshot: &Snapshot,
    engine: &Engine,
    day: Day,
) -> Result<Option<CellShares>, ImpactFault> {
    let Ok(treatment) = decide(layers, question, Asker::Anyone, day) else { return Ok(None) };
    if treatment.min_partners > 1 {
        return Ok(None);
    }
    let as_of = snapshot.manifest().as_of;
    let terms = Terms::new(NO_QUESTION, question, &treatment, Schema::smf(), as_of, NO_SECRET);
    let terms = match terms {
        Ok(terms) => terms,
        Err(ReleaseFault::NoPlan | ReleaseFault::NoBound | ReleaseFault::TooMany(_)) => return Ok(None),
        Err(fault) => return Err(fault.into()),
    };
    match engine.count(snapshot, terms.plan()).await {
        Ok(raw) => Ok(Some(cell_shares(&raw, &terms)?)),
        // The partner's export does not feed the table: its share answers nothing.
        Err(EngineFault::Absent) => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

const PARTICIPANTS: &str = "participants";

/// Nobody asked.
const NO_QUESTION: QuestionId = QuestionId::from_bytes([0; 32]);

/// Not the node's secret: which cells of one person count hardly moves how many cells are withheld, and another choice of them, made
/// with the secret, would be one more look at it.
const NO_SECRET: [u8; 32] = [0; 32];

#[cfg(test)]
mod tests;
