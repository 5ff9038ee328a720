//! kill −9 of any node at any flight of a secure total: the right sum over the partners that it names, or no figure; nobody opens two things; no
//! charge is lost.
//!
//! A node is killed at a moment of its round that nobody chose, or, as the build that stops where it is told to (`cairn-sabotaged`), at each place in
//! turn: before each flight leaves, and between the ledger's transaction and the opening that it allows. It is started again at once, or when the asker
//! has its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ring::rand::SecureRandom as _;
use serde_json::Value;

use crate::answers::combined;
use crate::harness::federation::{EQUALITIES, EVERYDAY, Federation, Partner};
use crate::harness::people::{ANGUS, DUNDEE, FIFE, people};
use crate::harness::program::{Done, PATIENCE, run};
use crate::sabotage::{VARIABLE, broken};
use crate::totals::{AS_SHIPPED, PARTNERS, SIX, an_auditor_recomputes, total};

/// How many nodes are killed: ten, or as many as this variable says (docs/reference/secure-totals.md).
const TRIALS: &str = "CAIRN_SUITE_KILLS";

/// Most trials of one federation: a year's account of its people pays for these and no more.
const TRIALS_MAX: usize = 50;

/// Where a node is stopped to be killed, in the order of its round (`cairn-node` says each in its log): all but `kept` before something leaves.
const PLACES: [&str; 8] = ["counted", "ready", "keys", "sealed", "opening", "kept", "open", "receipted"];

/// A loss that a year's account pays for often enough, and whose noise is far below what any partner adds.
const SMALL: [(&str, &str); 2] = [
    ("epsilon   = 0.1", "epsilon   = 0.05"),
    (
        "per_analyst = { tables_per_day = 20, tables_per_year = 60 }",
        "per_analyst = { tables_per_day = 500, tables_per_year = 2000 }",
    ),
];

/// Each partner's people of Dundee: ten times the noise of a total.
const EVERYWHERE: usize = 700;

/// A partner's people of Fife: no two sets of partners have the same sum of them.
fn own(place: usize) -> usize {
    10 << place
}

/// Too few of Angus for any partner to show.
const FEW: usize = 3;

fn partner(place: usize) -> Partner {
    let id = PARTNERS[place];
    let groups = [("d", EVERYWHERE, DUNDEE), ("f", own(place), FIFE), ("a", FEW, ANGUS)];
    let people =
        groups.map(|(group, count, council)| people(&format!("{}{group}", &id[..2]), count, council, "F"));
    Partner {
        policy: [&AS_SHIPPED[..], &SMALL].concat(),
        framework: SIX.to_vec(),
        config: "[log]\nlevel = \"debug\"\nformat = \"json\"",
        ..Partner::new(id, people.concat())
    }
}

/// One node killed in one total.
#[derive(Clone, Copy)]
struct Trial {
    /// Without noise, and not with noise of all together.
    exact: bool,
    victim: &'static str,
    /// Where it is stopped first; `None` where it is killed at any moment.
    place: Option<&'static str>,
    /// Started again while the question is still open.
    back_at_once: bool,
}

impl Trial {
    /// The trials by number: every place by turns, under noise and without, with each node; as many moments that nobody chose; first those that come back at once.
    fn numbered(number: usize) -> Self {
        let (turn, round) = (number % 10, number / 10);
        Self {
            exact: (turn + round / 2).is_multiple_of(2),
            victim: PARTNERS[(number + round) % PARTNERS.len()],
            place: PLACES.get(turn).copied().filter(|_| round.is_multiple_of(2)),
            back_at_once: round % 8 < 4,
        }
    }
}

/// What became of one trial.
struct Came {
    trial: Trial,
    /// The last step that the victim's log had, when it was dead.
    reached: String,
    question: String,
    /// Whose total the asker has; `None` without a figure.
    of: Option<BTreeSet<String>>,
    is_right: bool,
    doubled: usize,
    lost: usize,
}

#[test]
fn a_node_killed_at_any_flight_leaves_the_right_sum_or_none_and_no_node_opens_twice() {
    let trials: usize = std::env::var(TRIALS).map_or(10, |text| text.parse().unwrap());
    let federations = trials.div_ceil(TRIALS_MAX);
    let broken = broken();
    let numbers = |federation| (federation..trials).step_by(federations).collect::<Vec<_>>();
    let work: Vec<JoinHandle<Vec<Came>>> = (0..federations)
        .map(|federation| {
            let (numbers, broken) = (numbers(federation), broken.clone());
            std::thread::spawn(move || Killing::begin(broken).all(&numbers))
        })
        .collect();
    let came: Vec<Came> = work.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    eprintln!("{}", shown(&came));
    assert!(came.iter().all(|came| came.is_right && came.doubled == 0 && came.lost == 0));
    for place in PLACES {
        let there = |came: &Came| came.trial.place == Some(place) && came.reached == place;
        assert!(came.iter().any(there), "nobody was killed at {place}");
    }
    assert!(came.iter().any(|came| came.of.is_some()), "no total was answered");
}

struct Killing {
    federation: Federation,
    framework: String,
    broken: std::path::PathBuf,
    /// From the moment a node hears of a question to its reply.
    round: Duration,
    answers: usize,
}

impl Killing {
    fn begin(broken: std::path::PathBuf) -> Self {
        let partners: Vec<Partner> = (0..PARTNERS.len()).map(partner).collect();
        let federation = Federation::start_with(&partners, "round_deadline_s = 16\noffline_wait_s = 3");
        let framework = federation.path("fife/policy/framework.toml").display().to_string();
        let mut killing = Self { federation, framework, broken, round: Duration::ZERO, answers: 0 };
        killing.round = killing.measured();
        killing
    }

    fn all(mut self, numbers: &[usize]) -> Vec<Came> {
        let mut came: Vec<Came> = numbers.iter().map(|n| self.kill(Trial::numbered(*n))).collect();
        // Everybody is back, and one total more is of all of them.
        let (answer, _) = self.answered(&self.ask(false).join().unwrap());
        let answer = answer.unwrap();
        assert_eq!(answer["coverage"]["total"]["partners"].as_array().unwrap().len(), PARTNERS.len());
        for partner in PARTNERS {
            self.ledger_bears_it_out(partner, &mut came);
        }
        came
    }

    /// How long a round is for a node that nobody kills.
    fn measured(&mut self) -> Duration {
        let from = self.log_length("fife");
        let asking = self.ask(false);
        self.heard("fife", from, |line| line["message"] == "a question has come");
        let begun = Instant::now();
        self.heard("fife", from, |line| line["message"] == "a question is replied to");
        let round = begun.elapsed();
        let (answer, says) = self.answered(&asking.join().unwrap());
        assert!(answer.is_some(), "{says}");
        round
    }

    fn ask(&self, exact: bool) -> JoinHandle<Done> {
        let (text, protection, who) = if exact {
            ("people by council as of 2026-01-01", "round=8,5", EVERYDAY)
        } else {
            ("people by disabled", "dp=0.05", EQUALITIES)
        };
        let words = [&["ask", text][..], &total(protection, &self.framework, who)].concat();
        let whom = ["--as", "analyst", "--coordinator", &self.federation.address, "--format", "json"];
        // A total that cannot open waits for its last partner no longer than the question is good for.
        let command = self.federation.command(&[&words[..], &whom, &["--expires-in-min", "1"]].concat());
        std::thread::spawn(move || run(command))
    }

    /// The answer, where there is a figure in it; and what was said.
    fn answered(&self, done: &Done) -> (Option<Value>, String) {
        let says = format!("exit {}: {}{}", done.code, done.out, done.err);
        let Ok(answer) = serde_json::from_str::<Value>(&done.out) else {
            assert!(done.out.is_empty() && done.code != 0, "{says}");
            return (None, says);
        };
        assert!(answer["answers"].as_object().unwrap().is_empty(), "nobody gives a table of its own: {says}");
        let has_figures = !answer["coverage"]["total"].is_null();
        assert_eq!(!answer["combined"].is_null(), has_figures, "{says}");
        (Some(answer).filter(|_| has_figures), says)
    }

    fn kill(&mut self, trial: Trial) -> Came {
        let Trial { victim, .. } = trial;
        let begun = Instant::now();
        if let Some(place) = trial.place {
            self.federation.take_node(victim).kill_9();
            let mut command = Command::new(&self.broken);
            command.args(["node", "run", "--node", victim]).current_dir(self.federation.dir.path());
            command.env(VARIABLE, "StopsToBeKilled").env(format!("{VARIABLE}_AT"), place);
            self.federation.start_node_as(victim, command);
            self.federation.wait_connected(&PARTNERS);
        }
        let from = self.log_length(victim);
        let asking = self.ask(trial.exact);
        let come = self.heard(victim, from, |line| line["message"] == "a question has come");
        let question = come.unwrap()["question"].clone();
        match trial.place {
            // Where it is not in the attempt that opens, it never comes there, and is killed with the answer.
            Some(place) => {
                self.heard(victim, from, |line| line["step"] == place || asking.is_finished());
            }
            None => std::thread::sleep(self.some_moment()),
        }
        self.federation.take_node(victim).kill_9();
        let lines = self.lines(victim, from);
        let of_it = || lines.iter().rev().filter(|line| line["question"] == question);
        let replied = of_it().any(|line| line["message"] == "a question is replied to");
        let step = of_it().find_map(|line| line["step"].as_str()).unwrap_or("come");
        let reached = if replied { "replied" } else { step }.to_owned();
        if trial.back_at_once {
            self.federation.start_node(victim);
        }
        let (answer, says) = self.answered(&asking.join().unwrap());
        if !trial.back_at_once {
            self.federation.start_node(victim);
        }
        self.federation.wait_connected(&PARTNERS);
        let is_right = answer.as_ref().is_none_or(|answer| self.is_right(answer, trial.exact));
        if !is_right {
            eprintln!("a wrong sum: {says}");
        }
        let of = answer.as_ref().map(partners_of);
        let whose = of.as_ref().map_or(0, BTreeSet::len);
        eprintln!(
            "{victim} killed after {reached}, total of {whose}, {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        let question = question.as_str().unwrap().to_owned();
        Came { trial, reached, question, of, is_right, doubled: 0, lost: 0 }
    }

    /// The right sum over the partners that it names, borne out by what they signed.
    fn is_right(&mut self, answer: &Value, exact: bool) -> bool {
        self.answers += 1;
        an_auditor_recomputes(&self.federation, &format!("answer-{}", self.answers), answer, &self.framework);
        let of = partners_of(answer);
        let places: Vec<usize> = (0..PARTNERS.len()).filter(|place| of.contains(PARTNERS[*place])).collect();
        let (few, everywhere) = (places.len() * FEW, places.len() * EVERYWHERE);
        let owns: usize = places.iter().map(|place| own(*place)).sum();
        if exact {
            let is = |council, people: usize| {
                let cell: Value = serde_json::from_str(&combined(answer, council)).unwrap();
                cell["cell"] == (people + 2) / 5 * 5
            };
            return is(ANGUS, few) && is(DUNDEE, everywhere) && is(FIFE, owns);
        }
        let within = answer["coverage"]["total"]["treatment"]["plus_minus_95"].as_i64().unwrap();
        let cells = answer["combined"]["cells"].as_array().unwrap();
        let off: Vec<i64> = cells.iter().map(|cell| cell["cell"].as_i64().unwrap()).collect();
        let off =
            |people: usize| off.iter().map(|n| (n - i64::try_from(people).unwrap()).abs()).min().unwrap();
        // Once in millions of answers it is further off; any other set of partners is 700 away.
        off(few + everywhere + owns) <= 5 * within && 10 * within < 700
    }

    fn some_moment(&self) -> Duration {
        let mut bytes = [0; 4];
        ring::rand::SystemRandom::new().fill(&mut bytes).unwrap();
        self.round.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
    }

    /// What one node's ledger says of every trial, beside what its log says that it sent.
    fn ledger_bears_it_out(&self, partner: &str, came: &mut [Came]) {
        let entries = self.federation.audit(partner);
        let mut charges: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry["kind"] == "question-answered") {
            *charges.entry(entry["question_id"].as_str().unwrap()).or_default() += 1;
        }
        assert!(charges.values().all(|times| *times == 1), "{partner} charged a question twice");
        let lines = self.lines(partner, 0);
        let at = |question: &str, step: &str| -> Vec<&Value> {
            lines.iter().filter(|line| line["question"] == question && line["step"] == step).collect()
        };
        for came in came {
            let question = came.question.clone();
            let frames: BTreeSet<&str> =
                at(&question, "open").iter().filter_map(|line| line["frame"].as_str()).collect();
            let (charged, opened) = (charges.contains_key(question.as_str()), !frames.is_empty());
            came.doubled += frames.len().saturating_sub(1);
            let counts = came.of.as_ref().is_some_and(|of| of.contains(partner));
            came.lost += usize::from((opened || counts) && !charged);
            assert!(!charged || !at(&question, "opening").is_empty(), "{partner} was charged for nothing");
            if came.of.is_some() && !counts {
                assert!(!charged, "{partner} is not in the total and was charged");
            }
        }
        let costs: Vec<u64> = entries
            .iter()
            .filter(|e| e["kind"] == "question-answered")
            .filter_map(|e| e["cost"].as_u64())
            .filter(|cost| *cost > 0)
            .collect();
        let year =
            entries.iter().rev().find_map(|e| e["year_so_far"].as_u64().filter(|year| *year > 0)).unwrap();
        assert!(
            year >= costs.iter().sum(),
            "{partner}: the year stands at {year}, and {costs:?} were charged"
        );
    }

    fn log_length(&self, partner: &str) -> u64 {
        self.federation.path(&format!("{partner}.log")).metadata().unwrap().len()
    }

    /// A node's log from a byte on, as its fields. A last line that was cut off by the kill is left out.
    fn lines(&self, partner: &str, from: u64) -> Vec<Value> {
        let mut file = std::fs::File::open(self.federation.path(&format!("{partner}.log"))).unwrap();
        file.seek(SeekFrom::Start(from)).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let fields = |line: &str| Some(serde_json::from_str::<Value>(line).ok()?["fields"].take());
        text.lines().filter_map(fields).collect()
    }

    /// Waits for a line of a node's log, without losing a moment.
    #[track_caller]
    fn heard(&self, partner: &str, from: u64, is: impl Fn(&Value) -> bool) -> Option<Value> {
        let begun = Instant::now();
        loop {
            let found = self.lines(partner, from).into_iter().find(|line| is(line));
            if found.is_some() {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "{partner} never said what was waited for");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn partners_of(answer: &Value) -> BTreeSet<String> {
    let partners = answer["coverage"]["total"]["partners"].as_array().unwrap();
    partners.iter().map(|partner| partner.as_str().unwrap().to_owned()).collect()
}

/// The table of the reference: one line for each step that a killed node had come to.
fn shown(came: &[Came]) -> String {
    let mut text = format!("{} nodes killed\n", came.len());
    text += "| the last that the node had come to | killed | stopped there | total with it | total without it | no figure | wrong sums | opened twice | charges lost |\n";
    text += "|---|---|---|---|---|---|---|---|---|\n";
    for (step, says) in STEPS {
        row(says, &came.iter().filter(|came| came.reached == step).collect::<Vec<_>>(), &mut text);
    }
    row("all", &came.iter().collect::<Vec<_>>(), &mut text);
    text
}

/// What a killed node had come to, as the table says it.
const STEPS: [(&str, &str); 10] = [
    ("come", "the question is here"),
    ("counted", "its cost is held, and it is counted"),
    ("ready", "F0, READY about to leave or gone"),
    ("keys", "F1, KEYS about to leave or gone"),
    ("sealed", "F2, SEALED about to leave or gone"),
    ("opening", "F3, the opening about to be kept"),
    ("kept", "F3, kept and charged, not sent"),
    ("open", "F3, OPEN about to leave or gone"),
    ("receipted", "receipted"),
    ("replied", "its reply has left"),
];

fn row(name: &str, came: &[&Came], text: &mut String) {
    let count = |is: &dyn Fn(&Came) -> bool| came.iter().filter(|came| is(came)).count();
    let with = |came: &Came| came.of.as_ref().map(|of| of.contains(came.trial.victim));
    let (doubled, lost): (usize, usize) =
        (came.iter().map(|came| came.doubled).sum(), came.iter().map(|came| came.lost).sum());
    let counts = [
        came.len(),
        count(&|came| came.trial.place == Some(came.reached.as_str())),
        count(&|came| with(came) == Some(true)),
        count(&|came| with(came) == Some(false)),
        count(&|came| came.of.is_none()),
        count(&|came| !came.is_right),
        doubled,
        lost,
    ];
    let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
    writeln!(text, "| {name} | {} |", counts.join(" | ")).unwrap();
}
