use cairn_question::register::CoordinatorEntry;
use cairn_question::{Moment, Name, SigningKey};

use super::*;

const TOGETHER: u32 = 8;

fn key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap()
}

fn register(version: u32, signed_by: &SigningKey) -> Vec<u8> {
    let name = |name: &str| Name::new(name).unwrap();
    let register = Register {
        cairn_register: 1,
        federation: name("trial"),
        version,
        issued_at: Moment::from_unix_s(0),
        coordinator: Some(CoordinatorEntry { name: name("hub"), signing_key: key().verifying_key() }),
        partners: Vec::new(),
        linkage_keeper: None,
    };
    register.sign(signed_by).to_bytes()
}

fn seats(folder: &tempfile::TempDir, federation: &SigningKey) -> SeatsFile {
    SeatsFile::new(folder.path(), federation.verifying_key(), PartnerId::new("fife").unwrap())
}

fn version(folder: &tempfile::TempDir, federation: &SigningKey) -> u32 {
    let bytes = std::fs::read(folder.path().join(REGISTER_FILE)).unwrap();
    Register::open(&bytes, &federation.verifying_key()).unwrap().version
}

#[test]
fn a_register_is_taken_under_the_federations_key_and_never_an_older_one() {
    let (folder, federation) = (tempfile::tempdir().unwrap(), key());
    let seats = seats(&folder, &federation);
    assert_eq!(seats.look().err(), Some(NoSeat::Missing));
    let check = |version: u32, signed_by: &SigningKey, taken: bool| {
        assert_eq!(seats.take(&register(version, signed_by)), taken, "version {version}");
    };
    check(2, &federation, true);
    check(2, &federation, false);
    check(1, &federation, false);
    check(3, &key(), false);
    check(3, &federation, true);
    assert_eq!(seats.look().err(), Some(NoSeat::Unseated));
    // Somebody puts an older one in its place while the node runs.
    std::fs::write(folder.path().join(REGISTER_FILE), register(2, &federation)).unwrap();
    assert_eq!(seats.look().err(), Some(NoSeat::Older));
}

#[test]
fn of_registers_that_come_together_the_newest_stays() {
    for _ in 0..20 {
        let (folder, federation) = (tempfile::tempdir().unwrap(), key());
        let seats = seats(&folder, &federation);
        std::thread::scope(|scope| {
            for version in 1..=TOGETHER {
                let (seats, bytes) = (&seats, register(version, &federation));
                scope.spawn(move || seats.take(&bytes));
            }
        });
        assert_eq!(version(&folder, &federation), TOGETHER);
        assert_eq!(seats.look().err(), Some(NoSeat::Unseated));
    }
}
