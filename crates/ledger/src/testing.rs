//! What the tests share: a made-up question, a fresh ledger, and a small language in which cases are written.

use cairn_policy::{Caps, Quota};
use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::{Day, Hash, Moment, Name, QuestionId};
use std::collections::BTreeMap;

use crate::{
    Bound, Debited, Denied, Entry, EntryKind, Kind, Ledger, LedgerFault, NotOpened, Opened, Opening, Recall,
    Repeat, Reservation, Reserved, Scope, SnapshotKey, StoredAnswer,
};

/// 1 May 2026, 12:00 UTC.
pub(crate) const NOON: Moment = Moment::from_unix_s(1_777_636_800);

pub(crate) fn caps(year: u64, lifetime: u64) -> Caps {
    Caps {
        per_year: NanoRho::new(year),
        lifetime: NanoRho::new(lifetime),
        year_starts_month: 4,
        year_starts_day: 1,
    }
}

/// A question of its own, noon on 1 May 2026, with room for everything.
pub(crate) fn want(number: u8, cost: u64) -> Reservation {
    Reservation {
        question_id: QuestionId::from_bytes([number; 32]),
        question_hash: Hash::of(&[number]),
        canonical: Hash::of(&[number, number]),
        snapshot: SnapshotKey { as_of: Day::new(2026, 3, 31).unwrap(), edition: 1 },
        treatment: Hash::of(b"treatment"),
        scope: scope("national-analyst participants people"),
        settings: Hash::of(b"settings"),
        analyst: Name::new("analyst-1").unwrap(),
        share: Name::new("smf-quarterly").unwrap(),
        cost: NanoRho::new(cost),
        pure_epsilon: None,
        caps: caps(1_000, 10_000),
        quota: Quota { tables_per_day: 1_000, tables_per_year: 10_000, rho_per_year: None },
        hold_until: NOON.plus_s(600),
        day: Day::new(2026, 5, 1).unwrap(),
    }
}

/// A role, a dataset, a measure, and `noise` where the tables are noisy.
pub(crate) fn scope(words: &str) -> Scope {
    let words: Vec<&str> = words.split(' ').collect();
    Scope {
        role: Name::new(words[0]).unwrap(),
        dataset: words[1].to_owned(),
        measure: words[2].parse().unwrap(),
        kind: match words.get(3) {
            Some(&"noise") => Kind::Noise,
            Some(&"audit") => Kind::Audit,
            _ => Kind::Cells,
        },
    }
}

pub(crate) fn fresh() -> (tempfile::TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
    (folder, ledger)
}

pub(crate) fn debit(ledger: &mut Ledger, want: &Reservation, now: Moment) -> Debited {
    match ledger.reserve(want, now) {
        Ok(Reserved::Debited(debit)) => debit,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn answered() -> Entry {
    Entry::new(EntryKind::QuestionAnswered)
}

/// Runs `script`, one step to a `;`, on a fresh ledger and compares what each step came to.
///
/// `hold N [cost C] [pure E] [by ANALYST] [canon K] [treat T] [hash H] [until S] [cap Y] [life L] [day D] [year D] [slice R] [share S]
/// [settings S] [of ROLE/DATASET/MEASURE[/noise]] [edition E]`,
/// `open N [with PARTNERS] [fresh] [record R] [until S] [dataset D] [edition E]`, `opening N`, `bound [0 [dataset D] [edition E]]`,
/// `settle N [table T]`, `repeat N`, `abandon N`, `refuse N [hash H]`, `recall N [hash H]`, `at S` (seconds after noon),
/// `account`, `reopen`.
pub(crate) fn check(script: &str, expected: &[&str]) {
    let mut run = Run::new();
    let got: Vec<String> = script.split(';').map(|step| run.step(step.trim())).collect();
    let got: Vec<&str> = got.iter().map(String::as_str).filter(|s| !s.is_empty()).collect();
    assert_eq!(got, expected, "{script}");
}

struct Run {
    folder: tempfile::TempDir,
    ledger: Option<Ledger>,
    now: Moment,
    debits: BTreeMap<u8, Debited>,
    stored: BTreeMap<u8, StoredAnswer>,
}

impl Run {
    fn new() -> Self {
        let (folder, ledger) = fresh();
        let (debits, stored) = (BTreeMap::new(), BTreeMap::new());
        Self { folder, ledger: Some(ledger), now: NOON, debits, stored }
    }

    fn step(&mut self, step: &str) -> String {
        let words: Vec<&str> = step.split_whitespace().collect();
        let number = words.get(1).map_or(0, |n| n.parse::<i64>().unwrap());
        let id = u8::try_from(number.rem_euclid(256)).unwrap();
        let option = |name: &str| words.iter().position(|w| *w == name).map(|at| words[at + 1]);
        let now = self.now;
        let ledger = self.ledger.as_mut().unwrap();
        match words[0] {
            "at" => {
                self.now = Moment::from_unix_s(NOON.unix_s().saturating_add_signed(number));
                String::new()
            }
            "reopen" => {
                self.ledger = None;
                self.ledger = Some(Ledger::open(&self.folder.path().join("ledger.sqlite")).unwrap());
                String::new()
            }
            "hold" => match ledger.reserve(&wanted(id, now, option), now) {
                Ok(Reserved::Debited(debit)) => {
                    let year = debit.year_so_far().nano();
                    self.debits.insert(id, debit);
                    format!("held, year {year}")
                }
                Ok(Reserved::Stored(stored)) => {
                    let table = String::from_utf8(stored.table_json().to_vec()).unwrap();
                    self.stored.insert(id, stored);
                    format!("stored {table}")
                }
                Err(Denied::Refusal(refusal)) => {
                    let codes: Vec<&str> = refusal.rules.iter().map(|r| r.code.as_str()).collect();
                    format!("refused {}", codes.join(" "))
                }
                Err(Denied::Fault(fault)) => fault.code().to_owned(),
            },
            "open" | "opening" | "bound" => self.total(&words, id, option),
            "settle" => {
                let debit = self.debits.remove(&id).unwrap();
                let table = option("table").unwrap_or("table");
                told("settled", ledger.settle(debit, &[id], table.as_bytes(), &answered(), now))
            }
            "repeat" => {
                let entry = Entry::new(EntryKind::QuestionRepeated);
                let stored = self.stored.remove(&id).unwrap();
                told("repeated", ledger.repeat(stored, &[id], &entry, now))
            }
            "abandon" => {
                let entry = Entry::new(EntryKind::QuestionFailed);
                told("abandoned", ledger.abandon(self.debits.remove(&id).unwrap(), &entry, now))
            }
            "refuse" => {
                let entry = Entry::new(EntryKind::QuestionRefused);
                let hash = hash(id, option("hash"));
                told("refused", ledger.refuse(want(id, 0).question_id, hash, b"no", &entry, now))
            }
            "recall" => match ledger.recall(want(id, 0).question_id, hash(id, option("hash"))).unwrap() {
                Recall::Reply(bytes) if bytes == b"no" => "no".to_owned(),
                Recall::Reply(bytes) => format!("reply {}", bytes[0]),
                other => format!("{other:?}"),
            },
            "account" => {
                let it = ledger.account(&caps(1_000, 10_000), now).unwrap();
                let (year, life, held) = (it.year.nano(), it.lifetime.nano(), it.held.nano());
                let (pure, other) = (it.pure_epsilon_millionths, it.other.nano());
                format!(
                    "year {year}, ever {life}, held {held}, pure {pure}, other {other}, from {}",
                    it.year_from
                )
            }
            other => panic!("no such step: {other}"),
        }
    }

    /// The steps of secure totals.
    fn total<'a>(&mut self, words: &[&str], id: u8, option: impl Fn(&str) -> Option<&'a str>) -> String {
        let ledger = self.ledger.as_mut().unwrap();
        match words[0] {
            "opening" => match ledger.opening(want(id, 0).question_id).unwrap() {
                None => "none".to_owned(),
                Some(Opened::Over) => "over".to_owned(),
                Some(Opened::Record(kept)) => String::from_utf8(kept.bytes().to_vec()).unwrap(),
            },
            "bound" => {
                let (_, snapshot) = records(option);
                match ledger.bound_to(snapshot).unwrap() {
                    Bound::Free => "free".to_owned(),
                    Bound::Partners(ids) => letters(&ids),
                    Bound::OtherEdition => "other edition".to_owned(),
                    Bound::Forgotten => "forgotten".to_owned(),
                }
            }
            _ => {
                let debit = self.debits.remove(&id).unwrap();
                let repeat = if words.contains(&"fresh") { Repeat::Charged } else { Repeat::SamePartners };
                let opened = open(ledger, debit, (id, repeat), self.now, option);
                opened.unwrap_or_else(|not| match not {
                    NotOpened::Refused { debit, refusal } => {
                        self.debits.insert(id, *debit);
                        refusal.rules[0].code.clone()
                    }
                    NotOpened::Fault(fault) => fault.code().to_owned(),
                })
            }
        }
    }
}

fn wanted<'a>(id: u8, now: Moment, option: impl Fn(&str) -> Option<&'a str>) -> Reservation {
    let number = |name: &str| option(name).map(|n| n.parse::<u64>().unwrap());
    let mut want = want(id, number("cost").unwrap_or(0));
    want.question_hash = hash(id, option("hash"));
    want.day = cairn_policy::london_day(now);
    want.hold_until = number("until").map_or(now.plus_s(600), |s| NOON.plus_s(s));
    want.caps = caps(number("cap").unwrap_or(1_000), number("life").unwrap_or(10_000));
    let narrow = |name: &str| number(name).map(|n| u32::try_from(n).unwrap());
    want.pure_epsilon = narrow("pure").map(|e| Epsilon::from_millionths(e).unwrap());
    want.quota = Quota {
        tables_per_day: narrow("day").unwrap_or(1_000),
        tables_per_year: narrow("year").unwrap_or(10_000),
        rho_per_year: number("slice").map(NanoRho::new),
    };
    if let Some(edition) = option("edition") {
        want.snapshot.edition = edition.parse().unwrap();
    }
    if let Some(settings) = option("settings") {
        want.settings = Hash::of(settings.as_bytes());
    }
    if let Some(words) = option("of") {
        want.scope = scope(&words.replace('/', " "));
    }
    if let Some(share) = option("share") {
        want.share = Name::new(share).unwrap();
    }
    if let Some(analyst) = option("by") {
        want.analyst = Name::new(analyst).unwrap();
    }
    if let Some(canon) = option("canon") {
        want.canonical = Hash::of(canon.as_bytes());
    }
    if let Some(treat) = option("treat") {
        want.treatment = Hash::of(treat.as_bytes());
    }
    want
}

/// One letter for a partner: the node id of 16 such bytes.
pub(crate) fn partners(letters: &str) -> Vec<[u8; 16]> {
    letters.bytes().map(|letter| [letter; 16]).collect()
}

fn letters(ids: &[[u8; 16]]) -> String {
    ids.iter().map(|id| char::from(id[0])).collect()
}

fn records<'a>(option: impl Fn(&str) -> Option<&'a str>) -> (Name, SnapshotKey) {
    let mut snapshot = want(0, 0).snapshot;
    snapshot.edition = option("edition").map_or(1, |edition| edition.parse().unwrap());
    (Name::new(option("dataset").unwrap_or("participants")).unwrap(), snapshot)
}

fn open<'a>(
    ledger: &mut Ledger,
    debit: Debited,
    (id, repeat): (u8, Repeat),
    now: Moment,
    option: impl Fn(&str) -> Option<&'a str>,
) -> Result<String, NotOpened> {
    let (dataset, snapshot) = records(&option);
    let partners = partners(option("with").unwrap_or("abc"));
    let named = format!("record-{id}");
    let record = option("record").unwrap_or(&named).as_bytes();
    let deadline = option("until").map_or(now.plus_s(600), |s| NOON.plus_s(s.parse().unwrap()));
    let opening = Opening { dataset: &dataset, snapshot, repeat, partners: &partners, record, deadline };
    let kept = ledger.open_total(debit, opening, &[id], &answered(), now)?;
    assert_eq!((kept.question_id(), kept.bytes()), (want(id, 0).question_id, record));
    Ok("opened".to_owned())
}

fn hash(id: u8, named: Option<&str>) -> Hash {
    named.map_or_else(|| Hash::of(&[id]), |named| Hash::of(named.as_bytes()))
}

fn told(done: &str, result: Result<(), LedgerFault>) -> String {
    match result {
        Ok(()) => done.to_owned(),
        Err(fault) => fault.code().to_owned(),
    }
}
