use cairn_question::register::{CoordinatorEntry, PartnerEntry, Register, SeatV1};
use cairn_question::{Name, QuestionId};
use tempfile::TempDir;

use super::*;

const NOW: Moment = Moment::from_unix_s(1_764_590_400);
const PARTNERS: [&str; 3] = ["angus", "fife", "moray"];

fn key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn id(text: &str) -> PartnerId {
    PartnerId::new(text).unwrap()
}

/// Nodes of one federation, each with its folder, and the key that signs their register.
struct World {
    federation: SigningKey,
    nodes: Vec<Node>,
    version: u32,
}

struct Node {
    id: PartnerId,
    folder: TempDir,
    /// Where its ledger would be.
    state: TempDir,
    key: Arc<SigningKey>,
    seats: SeatsFile,
    linkage: LinkageSecretFile,
}

impl Node {
    fn of(name: &str, federation: &SigningKey) -> Self {
        let (folder, key, id) = (tempfile::tempdir().unwrap(), Arc::new(key()), id(name));
        let state = tempfile::tempdir().unwrap();
        let seats = SeatsFile::new(folder.path(), federation.verifying_key(), id.clone());
        let paths = (folder.path(), &*state.path().join("ledger.sqlite"));
        let linkage = LinkageSecretFile::new(paths, id.clone(), Arc::clone(&key));
        Self { id, folder, state, key, seats, linkage }
    }

    fn look(&self) {
        self.linkage.look(&self.seats, NOW);
    }

    fn asks(&self) -> Option<Handed> {
        let document = self.linkage.asking().borrow().clone()?;
        Some(Handed { asker: self.id.clone(), document })
    }

    fn hears(&self, handed: Handed) -> Option<Handed> {
        self.linkage.hand_over(&self.seats, handed)
    }

    fn secret(&self) -> Option<[u8; 32]> {
        let secret = self.linkage.for_roster(&self.seats.look().unwrap())?;
        Some(*secret.to_keep())
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join(LINKAGE_SECRET_FILE)
    }

    /// The same node after its next start.
    fn restarted(self) -> Self {
        let paths = (self.folder.path(), &*self.state.path().join("ledger.sqlite"));
        let linkage = LinkageSecretFile::new(paths, self.id.clone(), Arc::clone(&self.key));
        Self { linkage, ..self }
    }
}

impl World {
    /// Everybody has a seat, and the register that says so.
    fn new(keeper: Option<&str>) -> Self {
        let federation = key();
        let nodes = PARTNERS.map(|name| Node::of(name, &federation)).into();
        let mut world = Self { federation, nodes, version: 0 };
        world.register(keeper, &PARTNERS);
        world
    }

    /// The next version of the register, at every node.
    fn register(&mut self, keeper: Option<&str>, seated: &[&str]) {
        self.version += 1;
        let entry = |node: &Node| PartnerEntry {
            id: node.id.clone(),
            name: node.id.to_string(),
            kind: "council".to_owned(),
            signing_key: node.key.verifying_key(),
            seat: seated.contains(&node.id.as_str()).then(|| SeatV1 {
                controller: name(node.id.as_str()),
                tls_key: Hash::of(node.id.as_str().as_bytes()),
                valid_from: NOW.day_utc(),
                valid_until: NOW.day_utc().plus_days(365),
            }),
        };
        let register = Register {
            cairn_register: 1,
            federation: name("trial"),
            version: self.version,
            issued_at: NOW,
            coordinator: Some(CoordinatorEntry { name: name("hub"), signing_key: key().verifying_key() }),
            partners: self.nodes.iter().map(entry).collect(),
            linkage_keeper: keeper.map(id),
        };
        let signed = register.sign(&self.federation).to_bytes();
        self.nodes.iter().for_each(|node| assert!(node.seats.take(&signed)));
        self.nodes.iter().for_each(Node::look);
    }

    fn node(&self, name: &str) -> &Node {
        self.nodes.iter().find(|node| node.id.as_str() == name).unwrap()
    }

    /// Everything that is asked goes to the keeper, and what it gives back to whoever asked.
    fn exchange(&self, keeper: &str) {
        for asker in &self.nodes {
            let sealed = asker.asks().and_then(|handed| self.node(keeper).hears(handed));
            assert!(sealed.and_then(|sealed| asker.hears(sealed)).is_none(), "nothing more to say");
        }
    }

    fn secrets(&self) -> Vec<Option<[u8; 32]>> {
        self.nodes.iter().map(Node::secret).collect()
    }
}

#[test]
fn every_partner_ends_with_the_keepers_secret_in_a_file_of_its_own() {
    let world = World::new(Some("fife"));
    assert_eq!(world.secrets().iter().filter(|s| s.is_some()).count(), 1, "the keeper makes it");
    assert!(world.node("fife").asks().is_none());
    world.exchange("fife");
    let made = world.node("fife").secret();
    assert_eq!((made.is_some(), world.secrets()), (true, vec![made; 3]));
    let files: Vec<Vec<u8>> = world.nodes.iter().map(|node| std::fs::read(node.file()).unwrap()).collect();
    assert!(files.windows(2).all(|pair| pair[0] == pair[1]) && files[0].len() == FILE_BYTES);
    #[cfg(unix)]
    for node in &world.nodes {
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!(node.file().metadata().unwrap().mode() & 0o777, 0o600);
    }
    // Nobody asks any more, and after a restart it is still there.
    assert!(world.nodes.iter().all(|node| node.asks().is_none()));
    let World { federation, nodes, version } = world;
    let world = World { federation, nodes: nodes.into_iter().map(Node::restarted).collect(), version };
    world.nodes.iter().for_each(Node::look);
    assert_eq!((world.secrets(), world.nodes.iter().all(|n| n.asks().is_none())), (vec![made; 3], true));
    let state = world.node("moray").linkage.state();
    assert_eq!(state, Some(LinkageState { keeper: id("fife"), here: true }));
}

#[test]
fn a_new_roster_has_a_new_secret_and_the_old_one_is_in_no_file() {
    let mut world = World::new(Some("fife"));
    world.exchange("fife");
    let (before, old) = (world.node("fife").secret(), world.node("angus").seats.look().unwrap());
    world.register(Some("fife"), &PARTNERS);
    assert!(!world.node("angus").file().exists(), "gone with its roster");
    assert_eq!(world.node("angus").linkage.state(), Some(LinkageState { keeper: id("fife"), here: false }));
    world.exchange("fife");
    let after = world.node("fife").secret();
    assert_eq!((after.is_some(), after == before, world.secrets()), (true, false, vec![after; 3]));
    // A question of the older roster finds none, and does not have the keeper make one for it.
    for name in PARTNERS {
        let seats = Seats { own: world.node(name).seats.look().unwrap().own, ..clone_of(&old) };
        assert!(world.node(name).linkage.for_roster(&seats).is_none(), "{name}");
    }
    assert_eq!(world.secrets(), vec![after; 3]);

    // One leaves: it keeps nothing, and gets nothing of the new one.
    world.register(Some("fife"), &["angus", "fife"]);
    let left = world.node("moray");
    assert!(!left.file().exists() && left.asks().is_none() && left.linkage.state().is_none());
    world.exchange("fife");
    assert_eq!(world.node("angus").secret(), world.node("fife").secret());
    assert_ne!(world.node("angus").secret(), after);

    // Another keeper makes another.
    let before = world.node("fife").secret();
    world.register(Some("angus"), &PARTNERS);
    world.exchange("angus");
    let after = world.node("angus").secret();
    assert_eq!((after.is_some(), after == before, world.secrets()), (true, false, vec![after; 3]));
    world.register(None, &PARTNERS);
    assert!(world.nodes.iter().all(|node| !node.file().exists() && node.asks().is_none()));
}

fn clone_of(seats: &Seats) -> Seats {
    Seats {
        roster: Arc::clone(&seats.roster),
        coordinator: seats.coordinator,
        own: seats.own,
        linkage_keeper: seats.linkage_keeper.clone(),
    }
}

#[test]
fn only_the_keeper_is_believed_and_only_a_partner_with_a_seat_is_sealed_to() {
    let world = World::new(Some("fife"));
    let (angus, fife, moray) = (world.node("angus"), world.node("fife"), world.node("moray"));
    // Under another's name, or by a partner that is not the keeper.
    let asked = angus.asks().unwrap();
    assert!(fife.hears(Handed { asker: id("moray"), ..asked.clone() }).is_none());
    assert!(moray.hears(asked.clone()).is_none());
    let roster = *angus.seats.look().unwrap().roster.hash();
    let forged = LinkageSecret::make(roster, &SystemRandom::new()).unwrap();
    let (own, asker) = (moray.seats.look().unwrap().own, angus.seats.look().unwrap().own);
    let asking = Envelope::parse(&asked.document, HANDED_BYTES_MAX).unwrap();
    let party = Party { node: asker, key: &angus.key.verifying_key() };
    let sealed = forged.seal_for(&asking, party, (own, &moray.key), &SystemRandom::new()).unwrap();
    angus.hears(Handed { asker: id("angus"), document: sealed.to_bytes() });
    assert!(angus.secret().is_none());
    // What was asked before is of no use any more; the next look asks with a fresh key.
    let late = fife.hears(asked).unwrap();
    angus.hears(late);
    assert!(angus.secret().is_none());
    angus.look();
    let sealed = fife.hears(angus.asks().unwrap()).unwrap();
    // Of another partner's, nobody takes anything; of its own, once.
    moray.hears(Handed { asker: id("moray"), ..sealed.clone() });
    assert!(moray.secret().is_none());
    angus.hears(sealed.clone());
    angus.hears(sealed);
    assert_eq!((angus.secret().is_some(), angus.secret()), (true, fife.secret()));
}

#[test]
fn a_file_that_is_none_stops_the_keeper_and_is_replaced_elsewhere() {
    let world = World::new(Some("fife"));
    world.exchange("fife");
    let (fife, angus) = (world.node("fife"), world.node("angus"));
    let good = std::fs::read(fife.file()).unwrap();
    for wrong in [&good[1..], &[good.as_slice(), &[0]].concat(), b"", b"cairn"] {
        for node in [fife, angus] {
            std::fs::write(node.file(), wrong).unwrap();
            node.look();
            assert!(node.secret().is_none(), "{} bytes", wrong.len());
        }
        // A keeper that made another would count with another secret than everybody else.
        assert!(fife.hears(angus.asks().unwrap()).is_none());
        assert_eq!(std::fs::read(fife.file()).unwrap(), wrong);
        std::fs::write(fife.file(), &good).unwrap();
        world.exchange("fife");
        assert_eq!(std::fs::read(angus.file()).unwrap(), good);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(fife.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(fife.secret().is_none(), "readable by others");
    }
}

#[test]
fn a_keeper_that_lost_its_secret_makes_no_other_of_the_same_roster() {
    let mut world = World::new(Some("fife"));
    world.exchange("fife");
    let first = world.node("angus").secret();
    let fife = world.node("fife");
    std::fs::remove_file(fife.file()).unwrap();
    let seats = fife.seats.look().unwrap();
    fife.look();
    assert!(fife.secret().is_none() && !fife.file().exists() && fife.linkage.has_lost(&seats));
    assert_eq!(fife.linkage.state(), Some(LinkageState { keeper: id("fife"), here: false }));
    assert!(!world.node("angus").linkage.has_lost(&seats), "it is no keeper");
    // Whoever asks is given none; a file of an older roster, as from a backup, changes nothing.
    std::fs::remove_file(world.node("moray").file()).unwrap();
    world.node("moray").look();
    assert!(fife.hears(world.node("moray").asks().unwrap()).is_none());
    let older = LinkageSecret::make(Hash::of(b"before"), &SystemRandom::new()).unwrap();
    std::fs::write(fife.file(), [TAG, &[0; 4], Hash::of(b"before").as_bytes(), older.to_keep()].concat())
        .unwrap();
    assert!(fife.secret().is_none());
    // The very secret from a backup is good; and so is being named again, which is another roster.
    std::fs::copy(world.node("angus").file(), fife.file()).unwrap();
    assert_eq!(fife.secret(), first);
    std::fs::remove_file(fife.file()).unwrap();
    world.register(Some("fife"), &PARTNERS);
    world.exchange("fife");
    let second = world.node("fife").secret();
    assert_eq!((second.is_some(), second == first, world.secrets()), (true, false, vec![second; 3]));
}

#[test]
fn a_register_that_cannot_be_read_takes_nothing_away() {
    let world = World::new(Some("fife"));
    let fife = world.node("fife");
    let made = fife.secret();
    let register = fife.folder.path().join(crate::seats::REGISTER_FILE);
    let good = std::fs::read(&register).unwrap();
    std::fs::write(&register, b"half").unwrap();
    fife.look();
    std::fs::write(&register, good).unwrap();
    assert_eq!(fife.secret(), made);
}

#[test]
fn what_is_not_answered_is_asked_again_ever_more_rarely() {
    let world = World::new(Some("fife"));
    let angus = world.node("angus");
    let mut asking = angus.linkage.asking();
    asking.mark_unchanged();
    let mut again = Vec::new();
    for second in 0..700 {
        angus.linkage.look(&angus.seats, NOW.plus_s(second));
        angus.linkage.remind(NOW.plus_s(second));
        if asking.has_changed().unwrap() {
            asking.mark_unchanged();
            again.push(second);
        }
    }
    assert_eq!(again, [1, 3, 7, 15, 31, 63, 127, 255, 511]);
    world.exchange("fife");
    angus.linkage.remind(NOW.plus_s(9_000));
    assert!(angus.asks().is_none());
}

#[test]
fn a_question_has_the_same_key_at_every_partner() {
    let world = World::new(Some("moray"));
    world.exchange("moray");
    let keys = world.nodes.iter().map(|node| {
        let seats = node.seats.look().unwrap();
        let secret = node.linkage.for_roster(&seats).unwrap();
        secret.question_key(seats.roster.hash(), &QuestionId::from_bytes([9; 32])).unwrap()
    });
    let keys: Vec<[u8; 32]> = keys.collect();
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    /// Whatever the coordinator sends, nothing is taken and nothing is handed out.
    #[test]
    fn any_bytes_are_taken_for_nothing(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600),
        cut in 0_usize..600,
        place in 0_usize..600,
    ) {
        let world = World::new(Some("fife"));
        let (angus, fife) = (world.node("angus"), world.node("fife"));
        let asked = angus.asks().unwrap();
        let mut changed = asked.document.clone();
        let end = changed.len();
        changed[place % end] ^= 1;
        for document in [bytes, asked.document[..cut % end].to_vec(), changed] {
            let of = |asker: &str| Handed { asker: id(asker), document: document.clone() };
            proptest::prop_assert!(angus.hears(of("angus")).is_none());
            // A changed letter of the envelope may be one that says nothing: what is signed is what counts.
            if let Some(sealed) = fife.hears(of("angus")) {
                proptest::prop_assert_eq!(document.len(), end);
                drop(sealed);
            }
            proptest::prop_assert!(fife.hears(of("moray")).is_none() && fife.hears(of("nobody")).is_none());
        }
        proptest::prop_assert!(angus.secret().is_none());
    }
}
