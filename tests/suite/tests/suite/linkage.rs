//! The linkage secret over a real federation: made by its keeper, the same at every partner with a seat, new with every roster, and nothing of it at the
//! coordinator.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::harness::federation::{Federation, Partner};
use crate::harness::people::{FIFE, people};
use crate::harness::program::wait_for;

const PARTNERS: [&str; 3] = ["angus", "fife", "moray"];

const FILE: &str = "linkage-secret";

fn partner(id: &'static str) -> Partner {
    Partner::new(id, people(&id[..2], 12, FIFE, "F"))
}

fn keeper(federation: &Federation, id: &str) {
    federation.cairn(&["authority", "keeper", "authority", "--id", id]).exits(0).says(id);
}

fn secret(federation: &Federation, partner: &str) -> Option<Vec<u8>> {
    std::fs::read(federation.path(&format!("identity/{partner}/{FILE}"))).ok()
}

/// Waits until all of these have the same file, and another one than before.
fn exchanged(federation: &Federation, partners: &[&str], before: &[Vec<u8>]) -> Vec<u8> {
    wait_for(&format!("{partners:?} to have one linkage secret"), || {
        let mut all = partners.iter().map(|partner| secret(federation, partner));
        let first = all.next()??;
        let same = all.all(|other| other.as_ref() == Some(&first));
        (same && !before.contains(&first)).then_some(first)
    })
}

#[test]
fn every_partner_has_the_keepers_secret_and_a_new_one_with_every_roster_and_nobody_restarts() {
    let mut federation = Federation::start(&PARTNERS.map(partner));
    assert!(
        PARTNERS.iter().all(|partner| secret(&federation, partner).is_none()),
        "nobody is the keeper yet"
    );
    federation.cairn(&["authority", "keeper", "authority", "--id", "nobody"]).exits(1).says("no seat");
    keeper(&federation, "fife");
    let mut made = vec![exchanged(&federation, &PARTNERS, &[])];
    only_its_owner_reads_it(&federation);
    federation.cairn(&["authority", "register", "authority"]).exits(0).says("made by fife");

    // One joins, while the keeper is away: everybody else waits, and has the new one when it is back.
    let connections = |federation: &Federation| ["angus", "moray"].map(|p| federation.connections(p));
    let before = connections(&federation);
    drop(federation.take_node("fife"));
    federation.join(&partner("stirling"));
    let everyone = [&PARTNERS[..], &["stirling"]].concat();
    wait_for("the old secret to go", || {
        ["angus", "moray"].iter().all(|p| secret(&federation, p).is_none()).then_some(())
    });
    federation.start_node("fife");
    federation.wait_connected(&everyone);
    made.push(exchanged(&federation, &everyone, &made));

    // One leaves: the others have another one, and it has none.
    federation.cairn(&["authority", "seat", "authority", "--id", "moray", "--withdraw"]).exits(0);
    made.push(exchanged(&federation, &["angus", "fife", "stirling"], &made));
    wait_for("who left to have none", || secret(&federation, "moray").is_none().then_some(()));

    // Another keeper, and the same one again: a way to a new secret.
    for _ in 0..2 {
        keeper(&federation, "angus");
        made.push(exchanged(&federation, &["angus", "fife", "stirling"], &made));
    }
    wait_for("its status", || {
        let status = federation.cairn(&["node", "status", "--node", "stirling"]).exits(0);
        status.out.contains("linkage      the secret of angus is here").then_some(())
    });
    assert_eq!(connections(&federation), before, "a node connected again");
    nothing_of_it_is_elsewhere(&federation, &made);
}

fn only_its_owner_reads_it(federation: &Federation) {
    #[cfg(unix)]
    for partner in PARTNERS {
        use std::os::unix::fs::PermissionsExt as _;
        let file = federation.path(&format!("identity/{partner}/{FILE}"));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{partner}");
    }
}

/// Every file below a folder but the secrets themselves.
fn read_all(folder: &Path, into: &mut Vec<(String, Vec<u8>)>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            read_all(&path, into);
        } else if !path.ends_with(FILE) {
            // One that a running service replaces meanwhile is read under its next name, or not at all.
            into.extend(std::fs::read(&path).ok().map(|bytes| (path.display().to_string(), bytes)));
        }
    }
}

/// Neither at the coordinator, nor in what anybody logged or said: as bytes, in hexadecimal or in base64.
fn nothing_of_it_is_elsewhere(federation: &Federation, made: &[Vec<u8>]) {
    let mut pieces = Vec::new();
    read_all(federation.dir.path(), &mut pieces);
    pieces.extend(federation.said().into_iter().map(|said| ("said".to_owned(), said)));
    assert!(pieces.iter().any(|(from, _)| from.contains("coordinator") && from.ends_with("sqlite")));
    assert!(pieces.iter().any(|(from, _)| from.ends_with("coordinator.log")));
    for file in made {
        let secret = file.last_chunk::<32>().unwrap();
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let forms = [
            secret.to_vec(),
            hex.into_bytes(),
            STANDARD_NO_PAD.encode(secret).into_bytes(),
            URL_SAFE_NO_PAD.encode(secret).into_bytes(),
            STANDARD.encode(secret).into_bytes(),
        ];
        for form in forms {
            for (from, bytes) in &pieces {
                assert!(!bytes.windows(form.len()).any(|window| window == form), "{from}");
            }
        }
    }
}
