//! Secure totals at the coordinator: which it takes on, and how a sum without noise is protected before anybody reads it.

use std::sync::Arc;

use cairn_disclosure::{Counts, Rule, suppress_round};
use cairn_question::register::Register;
use cairn_question::{
    AskV1, Breakdown, Cell, Day, Grid, Hash, Measure, Moment, PartnerId, Question, SignedAsk, TableV1,
    TotalTreatment,
};
use cairn_seal::manifest::ManifestV1;
use cairn_seal::occupancy::{CellCount, CountTerms, OpenedCells};
use cairn_seal::{Manifest, Members, Plain, Refused, Ring, RollCall, Roster};

pub mod again;

/// What a round needs of the total that its question was put as.
#[derive(Clone, Debug)]
pub struct TotalTerms {
    /// The analyst's manifest, held against the roster and under its own terms: the nodes hold it against the framework's.
    pub manifest: Manifest,
    /// The roster that it names.
    pub roster: Arc<Roster>,
    /// The question.
    pub question: Question,
    /// The partners that it must be of: those of the first total without noise of the same records. `None`: whoever is ready.
    pub bound: Option<Vec<PartnerId>>,
}

/// A total that opened and was protected.
#[derive(Clone, Debug)]
pub struct OpenedTotal {
    /// The table that leaves.
    pub table: TableV1,
    /// Whose total it is, in the order of their names.
    pub partners: Vec<PartnerId>,
    /// t, as the manifest has it.
    pub colluding_max: u16,
    /// SHA-256 of the manifest's text.
    pub manifest: Hash,
    /// H₂ of the attempt that opened.
    pub opening: Hash,
    /// Stands for every vector, commitment and signature of the round.
    pub transcript: Hash,
}

/// Why a total is not taken on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoTotal {
    /// The manifest does not hold.
    #[error("the manifest of the total does not hold: {0}")]
    Manifest(#[from] Refused),
    /// It invites others than the question is put to.
    #[error("the manifest invites other partners than the question is put to")]
    OtherPartners,
    /// Its vectors are not as long as the question's table.
    #[error("the manifest's vectors do not fit the question's table")]
    OtherTable,
    /// A total without noise is of the same partners as every other of its snapshot, so that the snapshot must be named.
    #[error("a total without noise must name the day of its records")]
    NoDay,
    /// People are counted once in the cells that the manifest has patterns for, and nothing but people is.
    #[error(
        "the manifest does not count people once in the cells of the question's table, or something else than people is asked for"
    )]
    Breakdown,
    /// A partner of the first total without noise of a day has no seat any more: of other partners there is none, since the difference could be one partner's figure (R6).
    #[error(
        "the first total without noise of the records of {day} was of `{partner}` too, who has no seat any more: no further one of that day can be made; ask with noise, or as of another day"
    )]
    SeatGone {
        /// Who.
        partner: PartnerId,
        /// The day of the records.
        day: Day,
    },
}

impl TotalTerms {
    /// The terms of the total that a question was put as; `None` for one that wants each partner's own table.
    ///
    /// # Errors
    /// [`NoTotal`].
    pub fn of(
        signed: &SignedAsk,
        (ask, hash): (&AskV1, &Hash),
        (register, grid): (&Register, &Grid),
        now: Moment,
    ) -> Result<Option<Self>, NoTotal> {
        let Some(envelope) = &signed.manifest else { return Ok(None) };
        let roster = Roster::of(register)?;
        let analyst = signed.peek_credential().map_err(|_| Refused::Manifest)?.key;
        let manifest = Manifest::open_as_said(&envelope.to_bytes(), &analyst, &roster)?;
        manifest.of_question(ask.id, hash)?;
        manifest.in_time(&roster, now)?;
        check(manifest.says(), ask, &roster, grid)?;
        Ok(Some(Self { manifest, roster: Arc::new(roster), question: ask.question.clone(), bound: None }))
    }

    /// The day of a total without noise, whose partners are those of every other of the day; `None` for one with noise.
    #[must_use]
    pub fn exact_of(&self) -> Option<Day> {
        self.question.as_of.filter(|_| !self.manifest.says().treatment.is_charged())
    }

    /// Holds the partners that it is bound to against the roster.
    ///
    /// # Errors
    /// [`NoTotal::SeatGone`].
    pub fn still_seated(&self) -> Result<(), NoTotal> {
        let gone = |partner: &&PartnerId| self.roster.of_partner(partner).is_none();
        let gone = self.bound.iter().flatten().find(gone);
        match gone.zip(self.exact_of()) {
            Some((partner, day)) => Err(NoTotal::SeatGone { partner: partner.clone(), day }),
            None => Ok(()),
        }
    }

    /// Whose total it is to be: whoever is ready by `until`, or exactly those that it is bound to.
    ///
    /// # Errors
    /// [`Refused::NotInRoster`] where one of these has no seat any more.
    pub fn roll_call(&self, until: Moment) -> Result<RollCall, Refused> {
        let Some(bound) = &self.bound else { return Ok(RollCall::Whoever { until }) };
        let place = |id| self.roster.of_partner(id).map(|(place, _)| place).ok_or(Refused::NotInRoster);
        let places: Vec<usize> = bound.iter().map(place).collect::<Result<_, _>>()?;
        Members::of(places).map(RollCall::Exactly)
    }

    /// The names of a set of the roster's places, in their order.
    #[must_use]
    pub fn names(&self, members: &Members) -> Vec<PartnerId> {
        self.roster.names(members.places())
    }

    /// The table that may leave of what so many partners opened together: noise is in it already, or it is withheld and rounded here by the rules
    /// that a node has for its own table; of people counted once, their estimated number in each cell, withheld where it is too small to be one and not answered
    /// where the cell has more people than buckets.
    ///
    /// # Errors
    /// [`Refused::OtherLayout`] where the numbers are not the table's; [`Refused::NotCounted`] where what opened is no count of people.
    pub fn protect(&self, (sum, in_round): (&Plain, usize), grid: &Grid) -> Result<TableV1, Refused> {
        let says = self.manifest.says();
        let values = || sum.values().ok_or(Refused::OtherLayout);
        let cells = match &says.treatment {
            // Of Gaussian noise the counts were scaled: the nearest whole number. Otherwise the factor is 1.
            TotalTreatment::Dp { .. } | TotalTreatment::DpGaussian { .. } => {
                let scaling = says.treatment.scaling();
                values()?.into_iter().map(|total| Cell::Value(scaling.unscaled(total))).collect()
            }
            TotalTreatment::SuppressRound { min_people, round_to, zeros, min_cohort, .. } => {
                let rule = Rule::new(*min_people, *round_to, *zeros).map_err(|_| Refused::Treatment)?;
                self.rounded(&values()?, &rule.with_min_cohort(*min_cohort), grid)?
            }
            // Every node changed its own counts. The rules are held on what came of them, as on one node's table.
            TotalTreatment::CellKey { min_people, round_to, zeros, .. } => {
                let rule = Rule::new(*min_people, *round_to, *zeros).map_err(|_| Refused::Treatment)?;
                self.rounded(&values()?, &rule, grid)?
            }
            TotalTreatment::CountOnce { .. } => {
                let terms = CountTerms::of_total(&says.treatment, in_round, says.colluding_max)?;
                OpenedCells::read(&terms, sum)?.count(&terms)?.into_iter().map(counted).collect()
            }
        };
        if cells.len() != grid.cells() {
            return Err(Refused::OtherLayout);
        }
        Ok(TableV1 { dimensions: grid.dimensions().to_vec(), cells, totals: Vec::new() })
    }

    /// Withheld and rounded, by the rules that a node has for its own table.
    fn rounded(&self, sum: &[i64], rule: &Rule, grid: &Grid) -> Result<Vec<Cell>, Refused> {
        // A partner that lies can make a sum negative; nobody is fewer than nobody.
        let counts: Vec<u64> = sum.iter().map(|n| u64::try_from(*n).unwrap_or(0)).collect();
        let (people, rest) = counts.split_at_checked(grid.cells()).ok_or(Refused::OtherLayout)?;
        let of_rows = if self.question.measure == Measure::People { 0 } else { grid.cells() };
        let (rows, left_out) = rest.split_at_checked(of_rows).ok_or(Refused::OtherLayout)?;
        let rows = Some(rows).filter(|rows| !rows.is_empty());
        let counts = Counts::new(people, rows, left_out).map_err(|_| Refused::OtherLayout)?;
        Ok(suppress_round(&counts, rule))
    }
}

fn check(says: &ManifestV1, ask: &AskV1, roster: &Roster, grid: &Grid) -> Result<(), NoTotal> {
    let place = |id: &PartnerId| roster.of_partner(id).map(|(place, _)| place);
    let asked: Option<Vec<usize>> = ask.partners.iter().map(place).collect();
    let asked = Members::of(asked.ok_or(NoTotal::OtherPartners)?)?;
    match says.treatment {
        _ if asked != says.invited => Err(NoTotal::OtherPartners),
        // Its layout is held to its terms with the manifest.
        TotalTreatment::CountOnce { breakdown, .. } => {
            let cells = usize::try_from(Breakdown::cells_of(breakdown)).unwrap_or(usize::MAX);
            let fits = cells == grid.cells() && ask.question.measure == Measure::People;
            if fits { Ok(()) } else { Err(NoTotal::Breakdown) }
        }
        _ => numbered(says, ask, grid),
    }
}

/// What leaves of a cell of people counted once. Both marks are made of what opened, which noise protects, and say no more than it does.
fn counted(cell: CellCount) -> Cell {
    match cell {
        CellCount::Counted(count) => Cell::Value(i64::from(count.rounded())),
        CellCount::TooFew => Cell::Withheld,
        CellCount::Full => Cell::NotAnswered,
    }
}

/// A total of a table's own numbers.
fn numbered(says: &ManifestV1, ask: &AskV1, grid: &Grid) -> Result<(), NoTotal> {
    let numbers = says.treatment.numbers(&ask.question, grid.cells());
    match () {
        () if numbers != Some(says.layout.symbols()) || says.layout.ring() != Ring::U64 => {
            Err(NoTotal::OtherTable)
        }
        () if !says.treatment.is_charged() && ask.question.as_of.is_none() => Err(NoTotal::NoDay),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests;
