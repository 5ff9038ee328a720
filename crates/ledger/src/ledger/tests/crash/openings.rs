//! Kill −9 around an opening: what was sent of a question is the one record that the ledger keeps, whatever instant the kill comes at.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::testing::partners;
use crate::{Opened, Opening, Repeat};

/// Which run of the child this is: no two runs make the same record, as no two draw the same secret.
const RUN: &str = "CAIRN_TEST_FROM";

/// What a child said: a question's number, and the record that it kept or sent.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Said {
    Held(u64),
    Sent(u64, String),
}

/// The child's part of the next test: a node that starts, sends again what is kept, and goes on with one question after another.
#[test]
fn child_that_opens() {
    let Some(path) = std::env::var_os(LEDGER) else { return };
    let run: u64 = std::env::var_os(RUN).and_then(|run| run.to_str()?.parse().ok()).unwrap();
    let mut ledger = Ledger::open(Path::new(&path)).unwrap();
    for number in 0..10_000 {
        let record = match ledger.opening(question(number).question_id).unwrap() {
            Some(Opened::Record(kept)) => kept,
            Some(Opened::Over) => panic!("no deadline passed"),
            None => {
                let debit = debit(&mut ledger, &question(number), NOON);
                println!("\nheld {number}");
                open(&mut ledger, debit, format!("{number}-of-run-{run}").as_bytes())
            }
        };
        // Here the OPEN leaves.
        println!("\nsent {number} {}", str::from_utf8(record.bytes()).unwrap());
    }
}

fn open(ledger: &mut Ledger, debit: Debited, record: &[u8]) -> crate::KeptRecord {
    let (dataset, three, snapshot) =
        (Name::new("participants").unwrap(), partners("abc"), want(0, 0).snapshot);
    let (repeat, deadline) = (Repeat::SamePartners, NOON.plus_s(600));
    let opening = Opening { dataset: &dataset, snapshot, repeat, partners: &three, record, deadline };
    ledger.open_total(debit, opening, record, &answered(), NOON).unwrap()
}

fn heard(line: &str) -> Option<Said> {
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        ["held", number] => Some(Said::Held(number.parse().ok()?)),
        // A line that the kill cut short was never sent whole.
        ["sent", number, record] => Some(Said::Sent(number.parse().ok()?, (*record).to_owned())),
        _ => None,
    }
}

/// Kills the child some way after the `lines`th line that is new, and gives all that it had said in whole lines.
fn killed(mut child: Child, (known, lines): (usize, u64), pause: u64) -> Vec<Said> {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut said = Vec::new();
    let mut read = |said: &mut Vec<Said>| {
        let mut line = String::new();
        let whole = out.read_line(&mut line).unwrap() > 0 && line.ends_with('\n');
        said.extend(heard(line.trim_end()));
        whole
    };
    while said.len() < known + usize::try_from(lines).unwrap() && read(&mut said) {}
    for _ in 0..pause {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    while read(&mut said) {}
    said
}

#[test]
fn kill_9_opens_nothing_twice_and_loses_no_charge() {
    let (kills, mut dice) = (kills(), Dice(2_463_534_242));
    let (mut unsaid, mut cut_off, mut charges, mut run) = (0, 0, 0, 0);
    while run < kills {
        let of_one = (kills - run).min(KILLS_OF_ONE);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let mut sent: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for _ in 0..of_one {
            let child = child_of("ledger::tests::crash::openings::child_that_opens", &path, run);
            // What is kept is sent again first, one line each.
            let said = killed(child, (sent.len(), 1 + dice.roll(8)), dice.roll(3_000));
            let ledger = Ledger::open(&path).unwrap();
            for said in said {
                match said {
                    Said::Held(number) => assert_ne!(recalled(&ledger, number), Recall::Unknown),
                    Said::Sent(number, record) => drop(sent.entry(number).or_default().insert(record)),
                }
            }
            let (opened, held) = check_opened(&ledger, &sent);
            assert!(
                opened <= u64::try_from(sent.len()).unwrap() + 1,
                "one at most is durable and not yet sent"
            );
            unsaid += opened - u64::try_from(sent.len()).unwrap();
            cut_off += held;
            run += 1;
        }
        charges += u64::try_from(sent.len()).unwrap();
    }
    eprintln!(
        "{kills} kills: {charges} openings sent, {cut_off} questions cut off between hold and opening, {unsaid} openings durable and not yet sent"
    );
    assert!(cut_off > 0, "some question was cut off between its hold and its opening");
}

fn recalled(ledger: &Ledger, number: u64) -> Recall {
    ledger.recall(question(number).question_id, question(number).question_hash).unwrap()
}

/// What was sent of each question is one record and the ledger's; nothing is opened that is not charged. Gives how many are opened
/// and how many held.
fn check_opened(ledger: &Ledger, sent: &BTreeMap<u64, BTreeSet<String>>) -> (u64, u64) {
    for (number, records) in sent {
        assert_eq!(records.len(), 1, "question {number} was opened twice: {records:?}");
        let Some(Opened::Record(kept)) = ledger.opening(question(*number).question_id).unwrap() else {
            panic!("question {number} was sent and is not kept");
        };
        let record = records.first().unwrap();
        assert_eq!(str::from_utf8(kept.bytes()).unwrap(), record);
        assert_eq!(recalled(ledger, *number), Recall::Reply(record.as_bytes().to_vec()));
    }
    check_charged(ledger);
    let count = "SELECT count(*) FROM opening JOIN debit USING (question_id) WHERE state = 'spent'";
    let opened: i64 = ledger.connection.query_row(count, [], |row| row.get(0)).unwrap();
    let opened = u64::try_from(opened).unwrap();
    let account = ledger.account(&plenty(), NOON).unwrap();
    assert_eq!(account.lifetime.nano() - account.held.nano(), opened, "each opening is charged once");
    assert!(account.held.nano() <= 1, "{account:?}");
    let mut export = Vec::new();
    let key = SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
    ledger.export(&mut export, &key).unwrap();
    assert_eq!(verify_export(export.as_slice(), Some(&key.verifying_key())).unwrap().entries, opened);
    (opened, account.held.nano())
}
