//! A question put as a secure total, which every question is unless own tables are asked for: the manifest that the analyst signs beside it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use cairn_policy::{File, SecureTerms, UsualTotal, secure_terms};
use cairn_question::answer::Zeros;
use cairn_question::privacy::Epsilon;
use cairn_question::register::Register;
use cairn_question::{
    AskV1, Breakdown, Envelope, Grid, Hash, LinkedBy, Measure, Perturbations, Question, Schema, SigningKey,
    TotalTreatment,
};
use cairn_seal::occupancy::{Buckets, CountTerms};
use cairn_seal::{CLAMP_MAX, Layout, ManifestV1, Members, Refused, Ring, Roster};
use clap::Args;

use crate::failure::Failure;
use crate::files::read_text;
use crate::policy::FRAMEWORK;

mod gauss;

use gauss::Gauss;

/// Seconds for which a total's partners are waited for, all flights together. Nobody waits for it where all are ready.
const WITHIN_S: u64 = 120;

/// Seconds for which the slowest partner is waited for in one flight.
const FLIGHT_S: u16 = 10;

/// Room for the noise of all partners together: e^(−2²⁸) at the widest noise that can be shared.
const NOISE_TAIL: u64 = 1 << 40;

#[derive(Args)]
pub(crate) struct Total {
    /// Protect the total otherwise than the framework's usual way: dp=0.1 for noise of ε 0.1 in all, gauss=0.1 for noise from the bell curve of that ε at δ 1e-6, round=8,5 to withhold fewer than 8 and round to 5, cell-key=5,1 for counts that every
    /// partner changes, fewer than 5 withheld, once=2,8000 for how many different people there are over all partners, at ε 2 a linkage key, where public figures lead one to
    /// expect 8000, in the fullest cell where it is broken down
    #[arg(long, value_name = "PROTECTION", conflicts_with = "own_tables")]
    total: Option<Protection>,
    /// The framework whose terms of secure totals the partners hold; the shipped one without it
    #[arg(long, value_name = "FILE", conflicts_with = "own_tables")]
    framework: Option<PathBuf>,
    /// Ask every partner for its own protected table, instead of one total whose parts nobody sees
    #[arg(long)]
    own_tables: bool,
    /// Have it counted anew, with fresh noise that every partner charges, though you were answered the same question before
    #[arg(long, conflicts_with = "own_tables")]
    again: bool,
}

/// How a total is wanted to be protected: all partners hold it against their policies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Protection {
    /// This treatment.
    Of(TotalTreatment),
    /// People counted once, each under at most as many keys as the framework reckons with.
    Once { epsilon: Epsilon, buckets: Buckets, linked_by: LinkedBy },
    /// Gaussian noise on counts that are scaled for as many as are invited.
    Gauss(Gauss),
}

/// What a question is put as.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PutAs {
    protection: Protection,
    terms: SecureTerms,
    /// Though an equal one was answered.
    again: bool,
}

impl Total {
    /// What the question is put as; `None` for every partner's own table.
    pub(crate) fn put_as(&self, question: &Question) -> Result<Option<PutAs>, Failure> {
        if self.own_tables {
            return Ok(None);
        }
        let terms = framework_terms(self.framework.as_deref())?;
        let put_as = match self.total {
            None => PutAs::usual(question, terms)?,
            Some(protection) => PutAs::of(protection, terms),
        };
        if !put_as.protection.is_charged() && question.as_of.is_none() {
            let says = "a total without noise is of a named day, so that all of a day's totals are of the same partners: add `as of` and the day of the records, such as `as of 2026-09-30`";
            return Err(Failure::new("CC219", says));
        }
        Ok(Some(PutAs { again: self.again, ..put_as }))
    }
}

impl Protection {
    /// Whether its noise is fresh and charged each time.
    const fn is_charged(&self) -> bool {
        match self {
            Self::Of(treatment) => treatment.is_charged(),
            Self::Once { .. } | Self::Gauss(_) => true,
        }
    }
}

/// How the framework protects a total where nobody says. It reckons with as many rows of one person as the dictionary allows, which no
/// policy exceeds.
fn usual(terms: &SecureTerms, question: &Question) -> Result<TotalTreatment, Failure> {
    let UsualTotal { min_people, round_to, zeros } = terms.usual.ok_or_else(|| {
        let says = "the framework has no usual protection of a total: ask one question with --total (round=8,5 …), or with --own-tables; a report is of usual totals or of own tables";
        Failure::new("CC220", says)
    })?;
    let rows_per_person = match &question.measure {
        Measure::People => 1,
        Measure::Rows => {
            let table = Schema::smf().table(&question.dataset);
            table.and_then(|t| t.rows_per_person_max).unwrap_or(1)
        }
        measure => {
            let says =
                format!("{measure} is no secure total: only people and rows are; ask with --own-tables");
            return Err(Failure::new("CC218", says));
        }
    };
    // Held for every question, as a policy's own cohort is, also where there is no filter.
    Ok(TotalTreatment::SuppressRound { min_people, round_to, zeros, min_cohort: min_people, rows_per_person })
}

impl PutAs {
    /// A total with this protection under these terms.
    pub(crate) const fn of(protection: Protection, terms: SecureTerms) -> Self {
        Self { protection, terms, again: false }
    }

    /// As the framework protects a total where nobody says.
    pub(crate) fn usual(question: &Question, terms: SecureTerms) -> Result<Self, Failure> {
        Ok(Self::of(Protection::Of(usual(&terms, question)?), terms))
    }

    /// The same under another protection.
    pub(crate) const fn protected_by(&self, protection: Protection) -> Self {
        Self { protection, ..*self }
    }

    /// By what it links people, where it counts them once over all partners.
    pub(crate) const fn counts_once(&self) -> Option<LinkedBy> {
        match self.protection {
            Protection::Once { linked_by, .. } => Some(linked_by),
            Protection::Of(_) | Protection::Gauss(_) => None,
        }
    }

    /// The signed manifest of a question.
    pub(crate) fn manifest(
        &self,
        (ask, hash, grid): (&AskV1, Hash, &Grid),
        register: &Register,
        analyst: &SigningKey,
    ) -> Result<Envelope, Failure> {
        let no = |refused: &Refused| Failure::new(refused.code(), format!("no total can be made: {refused}"));
        let roster = Roster::of(register).map_err(|e| no(&e))?;
        let places = ask.partners.iter().map(|partner| {
            let says = || format!("`{partner}` has no seat in secure totals; ask without it (--partners), or every partner for its own table (--own-tables)");
            roster.of_partner(partner).map(|(at, _)| at).ok_or_else(|| Failure::new("CC214", says()))
        });
        let places: Vec<usize> = places.collect::<Result<_, _>>()?;
        let invited = Members::of(places).map_err(|e| no(&e))?;
        let colluding = usize::try_from(self.terms.colluding_max).unwrap_or(usize::MAX);
        let least = usize::try_from(self.terms.answering_min).unwrap_or(usize::MAX);
        let answering = least.max(usize::midpoint(invited.len(), colluding) + 1);
        let number = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let honest = number(invited.len().saturating_sub(colluding));
        let breakdown = self.breakdown(grid)?;
        let treatment = self.treatment((&ask.question.measure, breakdown), honest).map_err(|e| no(&e))?;
        let layout = layout(&treatment, (ask, grid), (invited.len(), number(colluding)));
        let manifest = ManifestV1 {
            cairn_manifest: 1,
            question: ask.id,
            question_hash: hash,
            roster_version: roster.version(),
            roster: *roster.hash(),
            layout: layout.map_err(|e| no(&e))?,
            invited,
            colluding_max: number(colluding),
            answering_min: number(answering),
            clamp: CLAMP_MAX,
            scale: treatment.scaling().factor().unsigned_abs(),
            noise_tail: NOISE_TAIL,
            treatment,
            deadline: ask.asked_at.plus_s(WITHIN_S).min(ask.expires_at),
            flight_s: FLIGHT_S,
            again: self.again && treatment.is_charged(),
        };
        Ok(manifest.sign(analyst))
    }

    /// Where people are counted once: in how many of the table's cells one may be, by the framework.
    fn breakdown(&self, grid: &Grid) -> Result<Option<Breakdown>, Failure> {
        match (self.counts_once(), self.terms.cells_per_person_max) {
            (None, _) => Ok(None),
            (Some(_), Some(most)) => Ok(Breakdown::of(grid, most)),
            (Some(_), None) if grid.cells() == 1 => Ok(None),
            (Some(_), None) => {
                let says = "the framework does not say in how many cells a person may be (cells_per_person_max), so that people are counted once in all and not by groups; ask for each part with a filter";
                Err(Failure::new("CC221", says))
            }
        }
    }

    /// How a total over so many that are sure to be honest is protected.
    fn treatment(
        &self,
        (measure, breakdown): (&Measure, Option<Breakdown>),
        honest: u16,
    ) -> Result<TotalTreatment, Refused> {
        match self.protection {
            Protection::Of(treatment) => Ok(treatment),
            Protection::Once { epsilon, buckets, linked_by } => {
                let keys_per_person = self.terms.keys_per_person_max;
                let buckets_power = buckets.power();
                Ok(TotalTreatment::CountOnce {
                    epsilon,
                    keys_per_person,
                    buckets_power,
                    linked_by,
                    breakdown,
                })
            }
            Protection::Gauss(gauss) => gauss.treatment(measure, honest),
        }
    }
}

/// Words for a table's numbers; for people counted once, the pattern that their terms make.
fn layout(
    treatment: &TotalTreatment,
    (ask, grid): (&AskV1, &Grid),
    (invited, colluding): (usize, u16),
) -> Result<Layout, Refused> {
    if let Some(numbers) = treatment.numbers(&ask.question, grid.cells()) {
        return Layout::new(Ring::U64, numbers);
    }
    CountTerms::of_total(treatment, invited, colluding)?.layout()
}

/// A framework's terms of secure totals: the shipped one's where none is named.
pub(crate) fn framework_terms(framework: Option<&Path>) -> Result<SecureTerms, Failure> {
    let file = match framework {
        Some(path) => {
            let text = read_text(path).map_err(|failure| Failure::new("CC213", failure.says))?;
            File::new(path.display().to_string(), text)
        }
        None => File::new("framework.toml", FRAMEWORK),
    };
    let none = |what: &str| Failure::new("CC213", format!("{}: {what}", file.name));
    let terms = secure_terms(&file).map_err(|_| none("is no framework; see `cairn policy check`"))?;
    terms.ok_or_else(|| none("has no [secure] terms of secure totals"))
}

impl FromStr for Protection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (method, figures) = text.split_once('=').ok_or_else(help)?;
        let figures: Vec<&str> = figures.split(',').map(str::trim).collect();
        let whole = |text: &str| text.parse::<u32>().map_err(|_| help());
        let epsilon = |text: &str| text.parse::<Epsilon>().map_err(|_| help());
        let treatment = match (method.trim(), figures.as_slice()) {
            ("once", [loss, expected, rest @ ..]) if rest.len() <= 1 => {
                let buckets = Buckets::for_expected(whole(expected)?).map_err(|_| help())?;
                let linked_by = match rest {
                    [] | ["nino"] => LinkedBy::Nino,
                    ["slk"] => LinkedBy::Slk,
                    _ => return Err(help()),
                };
                return Ok(Self::Once { epsilon: epsilon(loss)?, buckets, linked_by });
            }
            ("gauss", figures) => return Gauss::read(figures).map(Self::Gauss).ok_or_else(help),
            ("dp", [loss, rest @ ..]) if rest.len() <= 1 => TotalTreatment::Dp {
                epsilon: epsilon(loss)?,
                sensitivity: rest.first().map_or(Ok(1), |most| whole(most))?,
            },
            ("round", [min_people, round_to, rest @ ..]) if rest.len() <= 2 => {
                TotalTreatment::SuppressRound {
                    min_people: whole(min_people)?,
                    round_to: whole(round_to)?,
                    zeros: Zeros::Show,
                    min_cohort: rest.first().map_or(Ok(0), |least| whole(least))?,
                    rows_per_person: rest.get(1).map_or(Ok(1), |most| whole(most))?,
                }
            }
            ("cell-key", [min_people, round_to]) => TotalTreatment::CellKey {
                table: Perturbations::D3Total,
                min_people: whole(min_people)?,
                round_to: whole(round_to)?,
                zeros: Zeros::Show,
            },
            _ => return Err(help()),
        };
        Ok(Self::Of(treatment))
    }
}

fn help() -> String {
    "write dp=EPSILON (dp=0.1; dp=0.1,3 where one person may be in 3 cells), gauss=EPSILON (gauss=0.1; gauss=0.1,3 likewise; gauss=0.1,3,1e-7 for another δ than 1e-6), round=THRESHOLD,BASE (round=8,5; round=8,5,10 for cohorts of at least 10), cell-key=THRESHOLD,BASE (cell-key=5,1), or once=EPSILON,PEOPLE (once=2,8000: different people over all partners, 8000 of them expected from public figures, in the fullest cell of a table; once=2,8000,slk where partners link by name and date of birth)"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use cairn_question::Name;

    use super::*;

    #[test]
    fn a_framework_is_a_file_that_a_person_could_have_written() {
        let folder = tempfile::tempdir().unwrap();
        let check = |path: &Path, says: &str| {
            let failure = framework_terms(Some(path)).unwrap_err();
            assert_eq!(failure.code, "CC213");
            assert!(failure.says.contains(says), "{}", failure.says);
        };
        check(folder.path(), "it is a folder");
        let file = folder.path().join("framework.toml");
        check(&file, "there is no such file");
        check(Path::new("/dev/zero"), "a device or a pipe");
        std::fs::write(&file, " ".repeat((4 << 20) + 1)).unwrap();
        check(&file, "over 4 MiB");
        std::fs::write(&file, "nothing of the kind").unwrap();
        check(&file, "is no framework");
        std::fs::write(&file, FRAMEWORK).unwrap();
        assert_eq!(framework_terms(Some(&file)).unwrap(), framework_terms(None).unwrap());
    }

    /// Under a framework that says in how many cells a person may be, and under the shipped one, which does not.
    #[test]
    fn people_are_counted_once_by_groups_where_the_framework_says_in_how_many_cells_one_may_be() {
        let name = Name::new("any").unwrap();
        let grid = |text: &str| {
            cairn_question::form::parse(text, &name, &name, Schema::smf())
                .unwrap()
                .grid(Schema::smf())
                .unwrap()
        };
        let shipped = framework_terms(None).unwrap();
        let of_two = SecureTerms { cells_per_person_max: Some(2), ..shipped };
        let found = |terms, protection: &str, text: &str| {
            let put_as = PutAs::of(protection.parse().unwrap(), terms);
            put_as.breakdown(&grid(text)).map_err(|failure| failure.code)
        };
        let cells = u32::try_from(grid("people by sex").cells()).unwrap();
        assert_eq!(found(of_two, "once=2,8000", "people by sex"), Ok(Breakdown::new(cells, 2).ok()));
        assert_eq!(found(of_two, "once=2,8000", "people where sex = female"), Ok(None));
        assert_eq!(found(shipped, "once=2,8000", "people"), Ok(None));
        assert_eq!(found(shipped, "once=2,8000", "people by sex"), Err("CC221".to_owned()));
        assert_eq!(found(shipped, "dp=0.1", "people by sex"), Ok(None));
        // 2¹⁵ buckets of three bits are 12 KiB: eighty cells are a vector, and more are none.
        let once = |cells| TotalTreatment::CountOnce {
            epsilon: Epsilon::from_millionths(2_000_000).unwrap(),
            keys_per_person: 2,
            buckets_power: 15,
            linked_by: LinkedBy::Nino,
            breakdown: Breakdown::new(cells, 2).ok(),
        };
        let layout = |cells| CountTerms::of_total(&once(cells), 10, 3).map(|terms| terms.cells());
        assert_eq!((layout(80), layout(81).map_err(|no| no.code())), (Ok(80), Err("CU007")));
    }

    fn shipped_without(line: &str) -> tempfile::NamedTempFile {
        let text = FRAMEWORK.lines().filter(|l| !l.starts_with(line)).map(|l| format!("{l}\n"));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text.collect::<String>()).unwrap();
        file
    }

    #[test]
    fn a_question_is_put_as_the_frameworks_usual_total_unless_it_says_otherwise() {
        let name = |text: &str| Name::new(text).unwrap();
        let put = |words: &Total, text: &str| {
            let question =
                cairn_question::form::parse(text, &name("any"), &name("smf-reporting"), Schema::smf());
            words
                .put_as(&question.unwrap())
                .map(|put| put.map(|p| p.protection))
                .map_err(|failure| failure.code)
        };
        let none = || Total { total: None, framework: None, own_tables: false, again: false };
        let usual = none();
        let round = |min_cohort, rows_per_person| {
            let (min_people, round_to, zeros) = (8, 5, Zeros::Show);
            Protection::Of(TotalTreatment::SuppressRound {
                min_people,
                round_to,
                zeros,
                min_cohort,
                rows_per_person,
            })
        };
        let check = |text: &str, expected| assert_eq!(put(&usual, text), expected, "{text}");
        check("people by council as of 2026-09-30", Ok(Some(round(8, 1))));
        check("people by council where sex = female as of 2026-09-30", Ok(Some(round(8, 1))));
        check("starts by quarter from 2024-Q2 to 2025-Q1 as of 2026-09-30", Ok(Some(round(8, 4))));
        check("people by council", Err("CC219".to_owned()));
        let own = Total { own_tables: true, ..usual };
        assert_eq!(put(&own, "people by council"), Ok(None));
        let said = |text: &str| Total { total: text.parse().ok(), ..none() };
        assert_eq!(put(&said("round=10,5"), "people"), Err("CC219".to_owned()));
        assert!(matches!(
            put(&said("dp=0.1"), "people"),
            Ok(Some(Protection::Of(TotalTreatment::Dp { .. })))
        ));
        let silent = shipped_without("usual ");
        let framework = Some(silent.path().to_owned());
        assert_eq!(put(&Total { framework, ..none() }, "people"), Err("CC220".to_owned()));
    }

    #[test]
    fn a_protection_is_read_from_its_figures() {
        let check = |text: &str, expected: Option<TotalTreatment>| {
            assert_eq!(text.parse::<Protection>().ok(), expected.map(Protection::Of), "{text}");
        };
        let epsilon = Epsilon::from_millionths(100_000).unwrap();
        check("dp=0.1", Some(TotalTreatment::Dp { epsilon, sensitivity: 1 }));
        check("dp=0.1,3", Some(TotalTreatment::Dp { epsilon, sensitivity: 3 }));
        let round = |min_cohort, rows_per_person| {
            let (min_people, round_to, zeros) = (8, 5, Zeros::Show);
            Some(TotalTreatment::SuppressRound { min_people, round_to, zeros, min_cohort, rows_per_person })
        };
        check("round=8,5", round(0, 1));
        check("round=8, 5, 10, 4", round(10, 4));
        let two = Epsilon::from_millionths(2_000_000).unwrap();
        let buckets = Buckets::of_power(14).unwrap();
        let once = |linked_by| Ok(Protection::Once { epsilon: two, buckets, linked_by });
        assert_eq!("once=2,8000".parse(), once(LinkedBy::Nino));
        assert_eq!("once=2,8000,slk".parse(), once(LinkedBy::Slk));
        let (table, min_people, round_to, zeros) = (Perturbations::D3Total, 5, 1, Zeros::Show);
        check("cell-key=5,1", Some(TotalTreatment::CellKey { table, min_people, round_to, zeros }));
        assert_eq!("gauss=0.1,3".parse(), Ok(Protection::Gauss(Gauss::read(&["0.1", "3"]).unwrap())));
        for wrong in [
            "once=2",
            "once=2,9000000",
            "once=2,8000,2",
            "",
            "dp",
            "dp=",
            "dp=0",
            "dp=1,2,3",
            "round=8",
            "round=8,x",
            "cell-key",
            "cell-key=5",
            "cell-key=5,1,3",
            "gauss",
            "gauss=",
            "gauss=0.1,1,2",
        ] {
            check(wrong, None);
        }
    }
}
