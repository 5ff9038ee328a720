//! Kill −9 at any point: what the ledger said it kept, it kept.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::testing::caps;
use crate::verify_export;

mod openings;

/// Where the child finds its ledger, and at which question it goes on: set for the child only.
const LEDGER: &str = "CAIRN_TEST_LEDGER";
const FROM: &str = "CAIRN_TEST_FROM";

/// How many kills, where somebody wants more than the usual ones: `CAIRN_TEST_KILLS=1000`.
const KILLS: &str = "CAIRN_TEST_KILLS";

const KILLS_USUALLY: u64 = 20;

/// How many kills one ledger lives through; the whole chain is walked after each.
const KILLS_OF_ONE: u64 = 50;

fn kills() -> u64 {
    std::env::var_os(KILLS).map_or(KILLS_USUALLY, |kills| kills.to_str().unwrap().parse().unwrap())
}

fn question(number: u64) -> Reservation {
    let mut want = want(0, 1);
    let digest = Hash::of(&number.to_le_bytes());
    want.question_id = QuestionId::from_bytes(*digest.as_bytes());
    want.question_hash = digest;
    want.canonical = digest;
    want.caps = plenty();
    want.quota.tables_per_day = 1_000_000;
    want.quota.tables_per_year = 1_000_000;
    want
}

fn plenty() -> Caps {
    caps(1_000_000, 1_000_000)
}

/// The child's part of the next test; without its environment it has nothing to do.
#[test]
fn child_that_is_killed() {
    let Some(path) = std::env::var_os(LEDGER) else { return };
    let from: u64 = std::env::var_os(FROM).and_then(|from| from.to_str()?.parse().ok()).unwrap();
    let mut ledger = Ledger::open(Path::new(&path)).unwrap();
    for number in from..from + 10_000 {
        let debit = debit(&mut ledger, &question(number), NOON);
        println!("\nheld {number}");
        ledger.settle(debit, &number.to_le_bytes(), b"table", &answered(), NOON).unwrap();
        println!("\nsettled {number}");
    }
}

fn child(path: &Path, from: u64) -> Child {
    child_of("ledger::tests::crash::child_that_is_killed", path, from)
}

fn child_of(name: &str, path: &Path, from: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(LEDGER, path)
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A line of the child's: what it says is kept, of which question.
fn heard(line: &str) -> Option<(String, u64)> {
    let (word, number) = line.split_once(' ')?;
    let number = number.parse().ok()?;
    ["held", "settled"].contains(&word).then(|| (word.to_owned(), number))
}

/// Reads the child's lines, kills it some way after the `lines`th, and gives all that it had printed.
fn killed_after(mut child: Child, lines: usize, pause: u64, path: &Path) -> Vec<(String, u64)> {
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut printed: Vec<_> = said.by_ref().filter_map(|line| heard(&line)).take(lines).collect();
    let beside = Ledger::open(path).unwrap_err();
    assert_eq!(beside.code(), "CA003", "one writer, also across processes");
    for _ in 0..pause {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    printed.extend(said.filter_map(|line| heard(&line)));
    assert!(printed.len() >= lines, "the child lived until it was killed");
    printed
}

/// Every line that the child printed is true of the ledger, and the chain holds; gives the number of entries.
fn check_kept(ledger: &Ledger, printed: &[(String, u64)], key: &SigningKey) -> u64 {
    for (word, number) in printed {
        let want = question(*number);
        let recalled = ledger.recall(want.question_id, want.question_hash).unwrap();
        match (word.as_str(), recalled) {
            (_, Recall::Reply(reply)) => assert_eq!(reply, number.to_le_bytes()),
            ("held", Recall::Open) => {}
            (word, other) => panic!("{word} {number}, but {other:?}"),
        }
    }
    let mut export = Vec::new();
    ledger.export(&mut export, key).unwrap();
    verify_export(export.as_slice(), Some(&key.verifying_key())).unwrap().entries
}

/// Nothing was answered that is not charged: every reply has a debit that is spent.
fn check_charged(ledger: &Ledger) {
    let sql = "SELECT count(*) FROM question WHERE reply IS NOT NULL
               AND id NOT IN (SELECT question_id FROM debit WHERE state = 'spent' AND cost = 1)";
    let free = ledger.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(free, 0, "answers without a charge");
}

/// A small generator of pseudo-random numbers: every run kills at the same counts, at ever other instants.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What some kills came to.
#[derive(Default)]
struct Tally {
    /// Charges that outlived their kill.
    charges: u64,
    /// Kills between a hold and its answer.
    cut_off: u64,
    /// Kills after an answer was durable and before the program had said so.
    unsaid: u64,
}

#[test]
fn kill_9_loses_nothing_that_was_kept() {
    let (kills, mut dice, mut all) = (kills(), Dice(88_172_645_463_325_252), Tally::default());
    let mut done = 0;
    while done < kills {
        let of_one = (kills - done).min(KILLS_OF_ONE);
        let tally = kill_one_ledger(of_one, &mut dice);
        done += of_one;
        all.charges += tally.charges;
        all.cut_off += tally.cut_off;
        all.unsaid += tally.unsaid;
    }
    eprintln!(
        "{kills} kills: {} charges kept, {} questions cut off between hold and answer, {} answers durable and not yet said",
        all.charges, all.cut_off, all.unsaid
    );
    assert!(all.cut_off > 0, "some question was cut off between its hold and its answer");
}

fn kill_one_ledger(kills: u64, dice: &mut Dice) -> Tally {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let key = SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
    let (mut tally, mut said_settled, mut next) = (Tally::default(), 0, 0);
    for _ in 0..kills {
        let lines = usize::try_from(1 + dice.roll(12)).unwrap();
        let printed = killed_after(child(&path, next), lines, dice.roll(3_000), &path);
        let mut ledger = Ledger::open(&path).unwrap();
        let entries = check_kept(&ledger, &printed, &key);
        check_charged(&ledger);
        said_settled += u64::try_from(printed.iter().filter(|(word, _)| word == "settled").count()).unwrap();
        // One question at most is open, and one at most was settled without the child living to say so.
        let account = ledger.account(&plenty(), NOON).unwrap();
        assert!(account.held.nano() <= 1, "{account:?}");
        assert_eq!(account.lifetime.nano() - account.held.nano(), entries);
        let unsaid = entries - said_settled;
        assert!(unsaid <= 1, "{unsaid} settled and not said");
        tally.unsaid += unsaid;
        tally.cut_off += account.held.nano();
        // The open question is counted again on its own hold: not charged twice.
        let again = debit(&mut ledger, &question(entries), NOON);
        ledger.settle(again, &entries.to_le_bytes(), b"table", &answered(), NOON).unwrap();
        let after = ledger.account(&plenty(), NOON).unwrap();
        assert_eq!((after.lifetime.nano(), after.held.nano()), (entries + 1, 0));
        next = entries + 1;
        said_settled = next;
    }
    tally.charges = next;
    tally
}
