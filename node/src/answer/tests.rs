//! The whole way of a question inside a node: real policy, real ledger, real engine, real noise; no network.

use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use cairn_engine::Limits;
use cairn_gate::Keys;
use cairn_ledger::{Entry, EntryKind};
use cairn_link::{Flights, NodeIdentity};
use cairn_question::privacy::{Epsilon, GaussianLoss, NanoRho};
use cairn_question::{Cell, OutcomeV1, PartnerId, Scaling, TotalTreatment};
use cairn_release::Shares;
use cairn_release::share::HonestPartners;

use super::*;
use crate::fixture::{Asked, Folders, NOW, PARTNER};
use crate::in_force::Watcher;
use crate::service::look;
use crate::witness::acknowledge_restore;

/// 300 women and 150 men: 8 or more, to the nearest 5.
const SEXES: &str = "[300,150,0]";

/// A node without its network. What is in force changes when the test looks.
struct Standing {
    folders: Folders,
    desk: Arc<Desk>,
    watcher: Watcher,
    clock: Clock,
    now: Arc<AtomicU64>,
}

impl Standing {
    /// With the shipped policy and 450 people.
    fn new() -> Self {
        let folders = Folders::new();
        folders.write_policy(|text| text);
        folders.load(450, "2026-03-31");
        Self::start(folders, 2)
    }

    fn start(folders: Folders, counts_at_once: usize) -> Self {
        Self::paced(folders, Pace { counts_at_once, slot: Duration::from_millis(5) })
    }

    fn paced(folders: Folders, pace: Pace) -> Self {
        let now = Arc::new(AtomicU64::new(NOW.unix_s()));
        let shown = Arc::clone(&now);
        let clock = Clock::new(move || Moment::from_unix_s(shown.load(Ordering::SeqCst)));
        let identity = NodeIdentity::load(&folders.identity_dir(), NOW).unwrap();
        let signing = NodeIdentity::load_signing_key(&folders.identity_dir()).unwrap();
        let (federation, partner) = (identity.federation().clone(), identity.partner().clone());
        let keys = Keys { signing, cap: [7; 32] };
        let gate = Gate::new(federation, partner.clone(), identity.issuers().clone(), keys);
        let ledger = Ledger::open(&folders.path("ledger.sqlite")).unwrap();
        let witness = Witness::open(&folders.path("ledger.sqlite"));
        let others = Others::open(&folders.path("ledger.sqlite"), identity.federation().clone());
        let engine = Engine::new(Limits::default()).unwrap();
        let seats = SeatsFile::new(&folders.identity_dir(), *identity.federation_key(), partner.clone());
        let paths = (&*folders.identity_dir(), &*folders.path("ledger.sqlite"));
        let linkage = LinkageSecretFile::new(paths, partner.clone(), identity.shared_signing_key());
        let totals = (seats, linkage, identity.shared_signing_key());
        let desk = Arc::new(Desk::new(gate, (ledger, witness, others), totals, engine, pace, clock.clone()));
        let mut watcher = Watcher::new(partner, None, folders.places()).unwrap();
        look(&desk, &mut watcher, &clock);
        Self { folders, desk, watcher, clock, now }
    }

    /// Ends it like a process: nothing is told. Gives the folders to start again on.
    fn kill(self) -> Folders {
        let Self { folders, desk, .. } = self;
        drop(desk);
        // A step that was under way on a blocking thread lets go of the ledger when it ends.
        while cairn_ledger::durable::Lock::take(&folders.path("ledger.sqlite")).is_err() {
            std::thread::yield_now();
        }
        folders
    }

    fn look(&mut self) {
        look(&self.desk, &mut self.watcher, &self.clock);
    }

    async fn reply(&self, asked: &Asked) -> Vec<u8> {
        self.desk.answer(asked.bytes.clone(), NOW.plus_s(600), Flights::none()).await
    }

    /// A question between its hold and its count.
    fn reserved(&self, asked: &Asked) -> (Counting, Arc<Held>) {
        let in_force = self.desk.in_force();
        let (layers, inner) = (in_force.layers.unwrap(), &self.desk.inner);
        let mut ledger = inner.ledger();
        let Step::On(verified) = inner.gate.verify(&asked.bytes, &layers, &mut ledger, NOW) else {
            panic!("not verified")
        };
        let Step::On(permitted) = inner.gate.permit(verified, &layers, &mut ledger, NOW) else {
            panic!("not permitted")
        };
        match inner.reserve(permitted, in_force.held, &mut ledger, NOW) {
            Step::On(reserved) => reserved,
            other => panic!("{other:?}"),
        }
    }

    /// The last steps of a question, without the wait for its slot.
    fn ended(&self, counting: Counting, counted: Counted) -> Vec<u8> {
        let (inner, in_force) = (&self.desk.inner, self.desk.in_force());
        match inner.protect(counting, counted, &in_force) {
            Ok(releasable) => inner.release(releasable, None, &in_force),
            Err(failed) => inner.fail(*failed),
        }
    }

    /// A question at work in the background.
    fn begin(&self, asked: &Asked, within_s: u64) -> tokio::task::JoinHandle<Vec<u8>> {
        let (desk, bytes) = (Arc::clone(&self.desk), asked.bytes.clone());
        tokio::spawn(async move { desk.answer(bytes, NOW.plus_s(within_s), Flights::none()).await })
    }

    /// Until a question has its hold, and so stands before its count.
    async fn until_held(&self) {
        while self.account().1 == 0 {
            tokio::task::yield_now().await;
        }
    }

    async fn check(&self, asked: &Asked, expected: &str) {
        let reply = self.reply(asked).await;
        assert_eq!(self.folders.shown(asked, &reply), expected);
    }

    fn entries(&self) -> Vec<Entry> {
        self.desk.with_ledger(|ledger| ledger.entries(0, 1_000).unwrap())
    }

    fn kinds(&self) -> Vec<EntryKind> {
        self.entries().iter().map(|e| e.kind).collect()
    }

    /// Spent and held of the person's account.
    fn account(&self) -> (u64, u64) {
        let caps = self.desk.in_force().layers.unwrap().caps();
        let now = self.clock.now();
        let account = self.desk.with_ledger(|ledger| ledger.account(&caps, now).unwrap());
        (account.lifetime.nano(), account.held.nano())
    }
}

#[tokio::test]
async fn a_question_is_answered_and_the_same_one_gets_the_same_bytes() {
    let standing = Standing::new();
    let asked = standing.folders.ask(1, "people by sex");
    let reply = standing.reply(&asked).await;
    assert_eq!(standing.folders.shown(&asked, &reply), SEXES);
    assert_eq!(standing.reply(&asked).await, reply);
    standing.check(&standing.folders.ask(2, "people by sex"), SEXES).await;
    use EntryKind::{Load, Policy, QuestionAnswered, QuestionRepeated};
    assert_eq!(standing.kinds()[1..], [Policy, Load, QuestionAnswered, QuestionRepeated], "after the board");
    assert_eq!(standing.desk.at_work(), 0);
}

#[tokio::test]
async fn noise_is_charged_once() {
    let standing = Standing::new();
    let asked = standing.folders.ask(1, "people by disabled");
    let reply = standing.reply(&asked).await;
    let OutcomeV1::Answer(answer) = standing.folders.outcome(&asked, &reply) else { panic!("no answer") };
    assert!(answer.table.cells.iter().all(|c| matches!(c, Cell::Value(_))));
    let (spent, held) = standing.account();
    assert!(spent > 0 && held == 0, "{spent} {held}");
    assert_eq!(spent, answer.privacy.charged.nano());
    assert_eq!(standing.reply(&asked).await, reply);
    assert_eq!(standing.account(), (spent, 0));
}

#[tokio::test]
async fn a_restored_backup_answers_nothing_until_it_is_acknowledged_and_paid_for() {
    let folders = Standing::new().kill();
    let (ledger, backup) = (folders.path("ledger.sqlite"), folders.path("backup.sqlite"));
    std::fs::copy(&ledger, &backup).unwrap();
    let standing = Standing::start(folders, 2);
    let noisy = standing.folders.ask(1, "people by disabled");
    standing.desk.held(None);
    standing.desk.inner.publish_end();
    let earlier = standing.desk.checkpoint().borrow().clone();
    standing.reply(&noisy).await;
    let end = standing.desk.checkpoint().borrow().clone();
    assert!(end.is_some(), "the end of the ledger is signed before the reply leaves");
    let (spent, _) = standing.account();
    let caps = standing.desk.in_force().layers.unwrap().caps();
    let folders = standing.kill();
    assert!(acknowledge_restore(&ledger, &caps, NOW).is_err(), "nothing is lacking");

    std::fs::copy(&backup, &ledger).unwrap();
    let standing = Standing::start(folders, 2);
    assert_eq!(standing.account(), (0, 0), "the charge is forgotten");
    // Whoever holds an older end, or none of this ledger, hides nothing.
    standing.desk.held(Some(b"none".to_vec()));
    standing.desk.held(end);
    standing.desk.held(earlier);
    let asked = standing.folders.ask(2, "people by sex");
    standing.check(&asked, "ledger.restored CA211").await;
    assert_eq!(*standing.desk.checkpoint().borrow(), None, "no end of it is told");
    // Also after a start at which nobody says anything.
    let standing = Standing::start(standing.kill(), 2);
    standing.check(&standing.folders.ask(3, "people by sex"), "ledger.restored CA211").await;

    let folders = standing.kill();
    let charged = acknowledge_restore(&ledger, &caps, NOW).unwrap();
    assert_eq!(charged, caps.per_year);
    assert!(charged.nano() >= spent);
    let standing = Standing::start(folders, 2);
    standing.check(&asked, SEXES).await;
    standing.check(&standing.folders.ask(4, "people by disabled"), "budget.epsilon_per_year CA202").await;
    let gate = &standing.desk.inner.gate;
    let end = standing.desk.checkpoint().borrow().clone();
    let given_up = gate.open_checkpoint(&end.unwrap()).unwrap().given_up;
    assert!(given_up.is_some(), "whoever holds the lost end takes this one in its place");
}

#[tokio::test]
async fn a_node_that_is_not_ready_refuses_and_answers_later() {
    let folders = Folders::new();
    let mut standing = Standing::start(folders, 2);
    let asked = standing.folders.ask(1, "people by sex");
    standing.check(&asked, "node.no-policy CN005").await;
    standing.folders.write_policy(|text| text);
    standing.look();
    standing.check(&asked, "node.no-snapshot CN006").await;
    standing.folders.load(450, "2026-03-31");
    standing.look();
    standing.check(&asked, SEXES).await;
    assert_eq!(standing.desk.answer(b"who".to_vec(), NOW, Flights::none()).await, b"");
}

#[tokio::test]
async fn a_node_without_a_pinned_board_says_so() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    let mut standing = Standing::start(folders, 2);
    let places = crate::in_force::Places { pin: None, ..standing.folders.places() };
    std::fs::remove_file(places.kept()).unwrap();
    std::fs::remove_file(standing.folders.path(crate::in_force::KEPT_BOARD_FILE)).unwrap();
    standing.watcher = Watcher::new(PartnerId::new(PARTNER).unwrap(), None, places).unwrap();
    standing.look();
    standing.check(&standing.folders.ask(1, "people by sex"), "node.no-board CN008").await;
}

#[tokio::test]
async fn a_broken_policy_changes_nothing_and_a_repaired_one_does() {
    let mut standing = Standing::new();
    let seven = standing.folders.policy_hash();
    standing.folders.write_policy(|text| text.replace("[unit]", "[unti]"));
    standing.look();
    standing.check(&standing.folders.ask(1, "people by sex"), SEXES).await;
    let last = standing.entries().into_iter().rfind(|e| e.kind == EntryKind::Policy).unwrap();
    assert_eq!(last.code.as_deref(), Some("CN512"));
    assert!(last.note.unwrap().contains("turned away: policy.toml:"));
    // The repaired one answers by council only.
    let only = "group_by  = { council_code = \"code\", age_band = \"code\", sex = \"code\"";
    standing
        .folders
        .write_version(8, seven, |text| text.replace(only, "group_by  = { council_code = \"code\""));
    standing.look();
    let reply = standing.reply(&standing.folders.ask(2, "people by sex")).await;
    let shown = standing.folders.shown(&standing.folders.ask(2, "people by sex"), &reply);
    assert!(shown.starts_with("share.smf-people.group_by"), "{shown}");
}

#[tokio::test]
async fn a_brake_stops_a_question_that_waits_for_its_turn_and_frees_its_hold() {
    let mut standing = Standing::new();
    let asked = standing.folders.ask(1, "people by disabled");
    // Both turns are taken, so that the question stands between its hold and its count.
    let desk = Arc::clone(&standing.desk);
    let turns = desk.turns.acquire_many(2).await.unwrap();
    let waits = standing.begin(&asked, 600);
    standing.until_held().await;
    standing.folders.write_brake("cairn_brake = 1\npause_all = true\nreason = \"a test\"\n");
    standing.look();
    let reply = waits.await.unwrap();
    assert_eq!(standing.folders.shown(&asked, &reply), "brake.pause_all CR003");
    assert_eq!(standing.account(), (0, 0), "nothing left, nothing charged");
    drop(turns);
    standing.check(&standing.folders.ask(2, "people by sex"), "brake.pause_all CR003").await;
    standing.folders.release_brake();
    standing.look();
    standing.check(&standing.folders.ask(3, "people by sex"), SEXES).await;
    let brakes = standing.entries().into_iter().filter(|e| e.kind == EntryKind::Brake);
    let notes: Vec<String> = brakes.filter_map(|e| e.note).collect();
    assert_eq!(notes, ["set", "released"]);
}

#[tokio::test]
async fn a_brake_drops_a_count_under_way() {
    let mut standing = Standing::new();
    let asked = standing.folders.ask(1, "people by sex");
    let (counting, held) = standing.reserved(&asked);
    let desk = Arc::clone(&standing.desk);
    // The engine has threads of its own: on a busy machine a count can be over before it is first looked at. Then the next one.
    let mut tries = 0..100;
    let mut table = loop {
        assert!(tries.next().is_some(), "no count is ever seen under way");
        let mut table = Box::pin(desk.table(&counting, &held, NOW.plus_s(600)));
        match std::future::poll_fn(|c| Poll::Ready(table.as_mut().poll(c))).await {
            Poll::Pending => break table,
            Poll::Ready(over) => assert!(matches!(over, Counted::Table(_))),
        }
    };
    standing.folders.write_brake("cairn_brake = 1\npause_all = true\n");
    standing.look();
    let counted = table.as_mut().await;
    drop(table);
    assert!(matches!(counted, Counted::Stopped(_)));
    while desk.engine.tasks() > 0 {
        tokio::task::yield_now().await;
    }
    let reply = standing.ended(counting, counted);
    assert_eq!(standing.folders.shown(&asked, &reply), "brake.pause_all CR003");
}

/// ε in millionths at δ = 10⁻⁶, on counts times 2 to this power.
fn bell(millionths: u32, power: u8) -> TotalTreatment {
    let loss = GaussianLoss::at(Epsilon::from_millionths(millionths).unwrap(), 1_000_000).unwrap();
    let scaling = Scaling::of_power(power).unwrap();
    TotalTreatment::DpGaussian { loss, sensitivity: 1, l2_squared: 1, scaling }
}

/// One of the 32 whom the shipped framework wants, whose noisy tables leave in totals under Gaussian noise.
fn seated() -> (Standing, cairn_question::register::Register) {
    let folders = Folders::new();
    let register = folders.seat_others(31);
    let dp = "method    = \"dp\"\n";
    folders.write_policy(|text| {
        let text = text.replace("discrete-laplace", "discrete-gaussian");
        text.replace(dp, &format!("{dp}min_partners = 3\n"))
    });
    folders.load(450, "2026-03-31");
    (Standing::start(folders, 2), register)
}

/// A node holds the manifest to the rule of scaling for the 22 of 32 that are sure to be honest, and then ρ to its policy; what it masks is scaled
/// counts with noise of its share.
#[tokio::test]
async fn a_part_under_gaussian_noise_is_scaled_as_it_must_be_held_by_its_rho_and_drawn() {
    let (standing, register) = seated();
    let layers = standing.desk.in_force().layers.unwrap();
    let decide = |number: u8, total: TotalTreatment| {
        let (asked, signed) = standing.folders.ask_total((number, "people by disabled"), &register, total);
        let decided = standing.desk.inner.decide(&signed.to_bytes(), Some(&signed), &layers);
        match decided {
            Step::On((permitted, invitation)) => Ok((permitted, invitation.unwrap())),
            Step::Reply(reply) => Err(standing.folders.shown(&asked, &reply)),
            Step::Unreadable => panic!("no question"),
        }
    };
    let refused = |number, total| decide(number, total).err().unwrap_or_default();
    // σ is .57 at ε = 10: 16·σ/√22 is too little, and with enough it is still more than the policy's loss.
    assert_eq!(refused(1, bell(10_000_000, 4)), "total.manifest CT022");
    assert_eq!(refused(2, bell(10_000_000, 5)), "release.noisy-people.epsilon CN021");
    assert_eq!(standing.account(), (0, 0));
    let Ok((permitted, _)) = decide(3, bell(100_000, 4)) else { panic!("refused") };
    let in_force = standing.desk.in_force();
    let inner = &standing.desk.inner;
    let reserved = inner.reserve(permitted, in_force.held.clone(), &mut inner.ledger(), NOW);
    let Step::On((counting, held)) = reserved else { panic!("not held") };
    let rho = NanoRho::cap_for(0.1, 1e-6).nano();
    assert_eq!(standing.account(), (rho, rho));
    let counted = standing.desk.table(&counting, &held, NOW.plus_s(600)).await;
    let counted = match counted {
        Counted::Table(raw) => raw,
        _ => panic!("not counted"),
    };
    let sealable = inner.gate.seal(counting, &counted).unwrap();
    let drawn = sealable.draw(HonestPartners::of(32, 10).unwrap(), &mut Shares).unwrap();
    // 450 people of whom nothing is said, and nobody in the other cells; a share is 16·41/√22, some 140 wide.
    let most = drawn.iter().max().unwrap();
    assert!(most.abs_diff(16 * 450) < 8 * 150, "{drawn:?}");
    assert!(drawn.iter().all(|n| n == most || n.unsigned_abs() < 8 * 150), "{drawn:?}");
    assert!(drawn.iter().any(|n| n % 16 != 0), "{drawn:?}");
}

#[tokio::test]
async fn a_policy_that_protects_more_reaches_a_count_under_way() {
    let mut standing = Standing::new();
    let asked = standing.folders.ask(1, "people by sex");
    let (counting, held) = standing.reserved(&asked);
    let counted = standing.desk.table(&counting, &held, NOW.plus_s(600)).await;
    assert!(matches!(counted, Counted::Table(_)));
    let seven = standing.folders.policy_hash();
    standing
        .folders
        .write_version(8, seven, |text| text.replace("tables_per_day = 100", "tables_per_day = 99"));
    standing.look();
    let reply = standing.ended(counting, counted);
    assert_eq!(standing.folders.shown(&asked, &reply), "policy.changed CN007");
    assert_eq!(standing.account(), (0, 0));
}

#[tokio::test]
async fn a_policy_that_expires_stops_what_is_under_way_and_refuses_everything() {
    let mut standing = Standing::new();
    let asked = standing.folders.ask(1, "people by sex");
    let (counting, held) = standing.reserved(&asked);
    let counted = standing.desk.table(&counting, &held, NOW.plus_s(600)).await;
    // The next version's last day is today, and today ends.
    let seven = standing.folders.policy_hash();
    standing.folders.write_version(8, seven, |text| {
        text.replace("= 2027-01-31", "= 2026-06-14").replace("= 2027-03-31", "= 2026-06-15")
    });
    standing.look();
    let midnight = Moment::from_unix_s(1_781_564_400);
    standing.now.store(midnight.unix_s() - 1, Ordering::SeqCst);
    assert_eq!(standing.desk.inner.still_permitted(&counting, &standing.desk.in_force()), Ok(()));
    standing.now.store(midnight.unix_s(), Ordering::SeqCst);
    let reply = standing.ended(counting, counted);
    assert_eq!(standing.folders.shown(&asked, &reply), "policy.expires CR002");
    standing.look();
    let told = standing.entries().into_iter().rfind(|e| e.code.as_deref() == Some("CN523")).unwrap();
    assert_eq!(told.note.unwrap(), "the policy expired after 2026-06-15: nothing is answered");
}

#[tokio::test]
async fn a_table_that_was_counted_before_the_brake_does_not_leave_after_it() {
    let mut standing = Standing::new();
    let asked = standing.folders.ask(1, "people by sex");
    let (counting, held) = standing.reserved(&asked);
    let counted = standing.desk.table(&counting, &held, NOW.plus_s(600)).await;
    assert!(matches!(counted, Counted::Table(_)));
    standing.folders.write_brake("cairn_brake = 1\npause_all = true\n");
    standing.look();
    let reply = standing.ended(counting, counted);
    assert_eq!(standing.folders.shown(&asked, &reply), "brake.pause_all CR003");
}

#[tokio::test]
async fn a_question_without_a_turn_before_its_deadline_fails_and_costs_nothing() {
    let standing = Standing::new();
    let turns = standing.desk.turns.acquire_many(2).await.unwrap();
    let asked = standing.folders.ask(1, "people by disabled");
    let waits = standing.begin(&asked, 30);
    standing.until_held().await;
    standing.now.fetch_add(30, Ordering::SeqCst);
    assert_eq!(standing.folders.shown(&asked, &waits.await.unwrap()), "fault CN515");
    assert_eq!(standing.account(), (0, 0));
    drop(turns);
}

#[tokio::test]
async fn the_same_question_twice_at_once_is_counted_once() {
    let standing = Standing::new();
    let asked = standing.folders.ask(1, "people by disabled");
    let (first, second) = tokio::join!(standing.reply(&asked), standing.reply(&asked));
    assert_eq!(first, second);
    assert_eq!(standing.kinds()[1..], [EntryKind::Policy, EntryKind::Load, EntryKind::QuestionAnswered]);
}

#[tokio::test]
async fn a_question_cut_off_by_a_crash_is_counted_again_and_charged_once() {
    let standing = Standing::new();
    let asked = standing.folders.ask(1, "people by disabled");
    let turns = standing.desk.turns.acquire_many(2).await.unwrap();
    let waits = standing.begin(&asked, 600);
    standing.until_held().await;
    let held = standing.account();
    waits.abort();
    assert!(waits.await.unwrap_err().is_cancelled());
    drop(turns);

    let standing = Standing::start(standing.kill(), 2);
    assert_eq!(standing.account(), held, "the hold is on disk");
    let reply = standing.reply(&asked).await;
    assert!(matches!(standing.folders.outcome(&asked, &reply), OutcomeV1::Answer(_)));
    assert_eq!(standing.account(), (held.0, 0), "spent, and no more than was held");
    let standing = Standing::start(standing.kill(), 2);
    assert_eq!(standing.reply(&asked).await, reply, "and given again after the next start");
}

#[tokio::test]
async fn what_the_records_hold_is_in_no_audit_entry() {
    let standing = Standing::new();
    standing.check(&standing.folders.ask(1, "people by sex"), SEXES).await;
    let entries = serde_json::to_string(&standing.entries()).unwrap();
    // The digits of a hash may be anything.
    let hash = |word: &&str| word.len() >= 64 && word.chars().all(|c| c.is_ascii_hexdigit());
    let words = entries.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !hash(word));
    let said: Vec<&str> = words.collect();
    assert!(said.contains(&"people") && said.len() > 20, "{said:?}");
    for hidden in ["p00001", "300", "150"] {
        assert!(said.iter().all(|word| !word.contains(hidden)), "{hidden}: {said:?}");
    }
}

#[tokio::test]
async fn a_node_that_cannot_see_its_brake_answers_nothing() {
    let standing = Standing::new();
    standing.check(&standing.folders.ask(1, "people by sex"), SEXES).await;
    // A look that breaks drops its end of the channel.
    let (_, broken) = tokio::sync::oneshot::channel();
    assert!(crate::service::watched(broken.await, &standing.desk).is_none());
    standing.check(&standing.folders.ask(2, "people by age"), "node.no-policy CN005").await;
}

#[tokio::test]
async fn a_look_that_hangs_stops_every_answer_until_it_ends() {
    let standing = Standing::new();
    standing.check(&standing.folders.ask(1, "people by sex"), SEXES).await;
    let (back, mut looked) = tokio::sync::oneshot::channel();
    let folders = Folders::new();
    let other = Watcher::new(PartnerId::new(PARTNER).unwrap(), None, folders.places()).unwrap();
    let within = std::time::Duration::from_millis(10);
    {
        let waits = crate::service::in_time(&mut looked, within, &standing.desk);
        tokio::pin!(waits);
        assert!(tokio::time::timeout(10 * within, &mut waits).await.is_err());
        standing.check(&standing.folders.ask(2, "people by age"), "node.no-policy CN005").await;
        assert!(back.send(other).is_ok());
        assert!(waits.await.is_ok());
    }
}

#[tokio::test]
async fn a_brake_stops_a_table_that_waits_for_its_slot_and_nothing_is_charged() {
    let mut standing = Standing::new();
    let asked = standing.folders.ask(1, "people by disabled");
    let (counting, held) = standing.reserved(&asked);
    let counted = standing.desk.table(&counting, &held, NOW.plus_s(600)).await;
    assert!(matches!(counted, Counted::Table(_)));
    // A slot that no test waits for.
    let slots = Slots::from(Instant::now(), Duration::from_secs(3_600));
    let desk = Arc::clone(&standing.desk);
    let waits = tokio::spawn(async move { desk.protect(counting, counted, slots).await });
    // Only a wait listens to what is in force.
    while standing.desk.in_force.receiver_count() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(standing.account().1 > 0, "its hold is there and nothing is spent");
    standing.folders.write_brake("cairn_brake = 1\npause_all = true\n");
    standing.look();
    let reply = waits.await.unwrap();
    assert_eq!(standing.folders.shown(&asked, &reply), "brake.pause_all CR003");
    assert_eq!(standing.account(), (0, 0));
    assert!(!standing.kinds().contains(&EntryKind::QuestionAnswered));
}

#[tokio::test]
async fn answers_refusals_repeats_and_what_is_no_question_leave_at_a_slot() {
    let slot = Duration::from_millis(200);
    let folders = Standing::new().kill();
    let standing = Standing::paced(folders, Pace { counts_at_once: 2, slot });
    let answered = standing.folders.ask(1, "people by sex");
    let refused = standing.folders.ask(2, "people by sex, age, gender, council");
    for (bytes, says) in [
        (answered.bytes.clone(), "an answer"),
        (answered.bytes, "the same reply again"),
        (refused.bytes, "a refusal"),
        (b"no question".to_vec(), "nothing"),
    ] {
        let came = Instant::now();
        let reply = standing.desk.answer(bytes, NOW.plus_s(600), Flights::none()).await;
        assert!(came.elapsed() >= slot, "{says} left after {:?}", came.elapsed());
        assert_eq!(reply.is_empty(), says == "nothing");
    }
}

#[tokio::test]
async fn a_reply_is_as_long_as_its_question_says_whatever_it_holds() {
    let mut standing = Standing::new();
    let spoken = |reply: &[u8]| reply.trim_ascii_end().len();
    let many = standing.reply(&standing.folders.ask(1, "people by sex")).await;
    standing.folders.write_brake("cairn_brake = 1\npause_all = true\nreason = \"a breach\"\n");
    standing.look();
    let refused = standing.reply(&standing.folders.ask(2, "people by sex")).await;
    let folders = Folders::new();
    folders.write_policy(|text| text);
    folders.load(4, "2026-03-31");
    let standing = Standing::start(folders, 2);
    let few = standing.folders.ask(1, "people by sex");
    standing.check(&few, r#"["c","c",0]"#).await;
    let few = standing.reply(&few).await;
    assert!(many != few && spoken(&refused) < spoken(&few), "they hold other things");
    assert_eq!([few.len(), refused.len()], [many.len(); 2]);
    let larger = standing.reply(&standing.folders.ask(3, "people by sex, council, age")).await;
    assert!(larger.len() > 2 * many.len(), "a larger question's is longer");
}
