//! Counts the people of a folder of exports once, by National Insurance number, through the whole of linkage and the occupancy sum, and holds the answers against the
//! truth: `cargo run --release -p cairn-records --example people_of_a_folder -- FOLDER`. One CSV a partner with columns `local_person_id` and `nino`; made-up numbers (`ZZ`) are taken.
//! Fails unless at least 17 of 20 intervals hold the number of distinct keys. Noise is drawn from numbered seeds: every run gives the same figures.

use std::collections::BTreeSet;
use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

use cairn_question::privacy::Epsilon;
use cairn_question::{Hash, QuestionId};
use cairn_records::linkage::{Identity, LinkageTally, Method, Prefixes, QuestionKey};
use cairn_seal::occupancy::{
    Buckets, CountTerms, Figure, FreshNoise, LinkageQuality, Occupied, Opened, ReaderLoss,
};
use cairn_seal::{LinkageSecret, Plain};

const RUNS: u8 = 20;
const COVERED_MIN: u32 = 17;

/// People that public figures would lead one to expect; never a count of the records.
const EXPECTED: u32 = 8_000;
const MAY_COLLUDE: u16 = 3;

/// The National Insurance numbers of one partner, as exported.
type Export = Vec<String>;

#[expect(clippy::print_stdout, reason = "an example prints its figures")]
fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("a folder of exports is needed")?;
    let exports = exports(Path::new(&folder))?;
    let mut tally = LinkageTally::default();
    let (truth, distinct) = truth(&exports, &mut tally);
    let partners = u16::try_from(exports.len())?;
    println!(
        "{partners} partners, {} records; {} without a key: {tally:?}",
        tally.records(),
        tally.without_key()
    );
    println!("{truth} distinct keys; {distinct} summed over partners");
    let mut failed = false;
    for millionths in [1_000_000, 2_000_000] {
        let epsilon = Epsilon::from_millionths(millionths)?;
        let terms = CountTerms::new(epsilon, partners, MAY_COLLUDE, Buckets::for_expected(EXPECTED)?)?;
        let reader = ReaderLoss::at(&terms, 1e-6);
        println!("ε {epsilon}, {} buckets; a reader's ε {:.4}", terms.buckets().count(), reader.epsilon());
        let mut covered = 0;
        for run in 0..RUNS {
            let count = opened(&terms, &exports, run)?.count(&terms)?;
            covered += u32::from(count.covers(f64::from(truth)));
            if run == 0 {
                let with_key = Figure { value: i64::from(distinct), plus_minus_95: 0 };
                let without_key = Figure { value: i64::try_from(tally.without_key())?, plus_minus_95: 0 };
                println!("{}", LinkageQuality::new(count, with_key, without_key, partners));
            }
        }
        println!("{covered} of {RUNS} intervals hold {truth}");
        failed |= covered < COVERED_MIN;
    }
    if failed { Err("too few intervals hold the truth".into()) } else { Ok(()) }
}

fn exports(folder: &Path) -> Result<Vec<Export>, Box<dyn Error>> {
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut exports = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "csv")) {
        let mut reader = csv::Reader::from_path(file)?;
        let names = reader.headers()?.clone();
        let place = |wanted| names.iter().position(|name| name == wanted);
        // A list of the truth has numbers too, and is no partner's export.
        let (Some(_), Some(column)) = (place("local_person_id"), place("nino")) else { continue };
        let cell = |row: csv::StringRecord| row.get(column).unwrap_or_default().to_owned();
        exports.push(reader.records().map(|row| row.map(cell)).collect::<Result<_, _>>()?);
    }
    Ok(exports)
}

/// The distinct keys of all partners together, and each partner's added up.
fn truth(exports: &[Export], tally: &mut LinkageTally) -> (u32, u32) {
    let key = QuestionKey::new([0; 32]);
    let (mut all, mut summed) = (BTreeSet::new(), 0);
    for export in exports {
        let keys = export.iter().filter_map(|nino| METHOD.key_counted(&identity(nino), tally));
        let own: BTreeSet<[u8; 32]> = keys.map(|of| *key.hash(&of).as_bytes()).collect();
        summed += own.len();
        all.extend(own);
    }
    (u32::try_from(all.len()).unwrap_or(u32::MAX), u32::try_from(summed).unwrap_or(u32::MAX))
}

fn opened(terms: &CountTerms, exports: &[Export], run: u8) -> Result<Opened, Box<dyn Error>> {
    let roster = Hash::of(b"roster");
    let secret = LinkageSecret::restored(roster, [run; 32]);
    let sub_key = secret.question_key(&roster, &QuestionId::from_bytes([run; 32]))?;
    let key = QuestionKey::new(sub_key);
    let mut sum = vec![0_u8; usize::try_from(terms.buckets().count())?];
    for (partner, export) in exports.iter().enumerate() {
        let mut occupied = Occupied::nobody(terms.buckets());
        for nino in export {
            if let Ok(of) = METHOD.key(&identity(nino)) {
                occupied.add(key.hash(&of).as_bytes());
            }
        }
        let seed = Hash::of(format!("noise of {partner} in {run} at {}", terms.epsilon()).as_bytes());
        let vector = occupied.vector(terms, FreshNoise::from_bytes(*seed.as_bytes()))?;
        let symbols = vector.symbols().ok_or("not symbols")?;
        sum.iter_mut().zip(symbols).for_each(|(sum, symbol)| *sum ^= symbol);
    }
    Ok(Opened::read(terms, &Plain::from_symbols(terms.layout()?, &sum)?)?)
}

const METHOD: Method = Method::Nino(Prefixes::AndMadeUp);

const fn identity(nino: &str) -> Identity<'_> {
    Identity { nino, family_name: "", first_name: "", born: None }
}
