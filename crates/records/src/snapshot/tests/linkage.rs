use super::*;
use crate::linkage::{Identity, LinkageKey, Method, Prefixes, QuestionKey};

const METHOD: Method = Method::Nino(Prefixes::AndMadeUp);

fn key(person: u32) -> LinkageKey {
    let nino = format!("ZZ{person:06}A");
    METHOD.key(&Identity { nino: &nino, family_name: "", first_name: "", born: None }).unwrap()
}

fn question() -> QuestionKey {
    QuestionKey::new([7; 32])
}

/// Keys of everybody but the last.
fn keys(persons: u32) -> Linkage {
    let mut linkage = Linkage::nobody(METHOD, persons);
    (0..persons.saturating_sub(1)).for_each(|person| linkage.set(person, &key(person)));
    linkage
}

fn write_linked(store: &Store, persons: u32) -> Result<Snapshot, StoreFault> {
    let mut writer = store.writer(head())?;
    let all: Vec<u32> = (0..persons).collect();
    writer.append("participants", &rows("participants", &all, 0))?;
    writer.link(keys(persons));
    writer.commit()
}

/// The hash of each person, by number.
fn hashes(linkage: &Linkage) -> Vec<Option<[u8; 32]>> {
    (0..linkage.persons()).map(|p| linkage.hash(p, &question()).map(|h| *h.as_bytes())).collect()
}

fn expected(persons: &[u32]) -> Vec<Option<[u8; 32]>> {
    persons.iter().map(|p| Some(*question().hash(&key(*p)).as_bytes())).collect()
}

#[test]
fn a_snapshot_keeps_each_persons_key_and_hands_out_hashes_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    write_linked(&store, 4).unwrap();
    let snapshot = store.current().unwrap().unwrap();
    let linkage = snapshot.linkage().unwrap().unwrap();
    let mut all = expected(&[0, 1, 2]);
    all.push(None);
    assert_eq!(hashes(&linkage), all);
    assert_eq!((linkage.persons(), linkage.with_key(), linkage.method()), (4, 3, METHOD));
    assert!(linkage.hash(4, &question()).is_none(), "nobody has that number");
    assert_eq!(
        format!("{linkage:?} {snapshot:?}"),
        "Linkage(withheld) Snapshot(Manifest(edition 1, as of 2026-01-01))"
    );
    // The size of the file tells the number of persons, and nothing of who has a key.
    assert_eq!(snapshot.manifest().format, 2);
    assert_eq!(snapshot.manifest().linkage.as_ref().unwrap().bytes, 24 + 12 + 4 * 14 + 16);
}

#[test]
fn a_snapshot_of_the_older_form_opens_without_linkage() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    write_one(&store, 5).unwrap();
    let text = fs::read_to_string(dir.path().join("snapshots/000001/manifest.json")).unwrap();
    assert!(text.contains("\"format\": 1") && !text.contains("linkage"), "as an older program writes it");
    assert!(store.current().unwrap().unwrap().linkage().unwrap().is_none());
    assert!(!dir.path().join("LINKAGE_KEY").exists(), "a key is made when it is needed");
}

#[test]
fn keys_of_other_persons_than_the_snapshots_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut writer = store.writer(head()).unwrap();
    writer.append("participants", &rows("participants", &[0, 1], 0)).unwrap();
    writer.link(keys(3));
    assert_eq!(writer.commit().unwrap_err().code(), "CL506");
}

/// Puts other bytes where the linkage file is, and has the manifest and the pointer say that it was always so.
fn replace_file(dir: &Path, edition: u32, bytes: &[u8]) {
    let folder = dir.join(format!("snapshots/{edition:06}"));
    fs::write(folder.join("linkage.sealed"), bytes).unwrap();
    let path = folder.join("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest["linkage"]["sha256"] = cairn_question::Hash::of(bytes).to_string().into();
    manifest["linkage"]["bytes"] = bytes.len().into();
    let text = serde_json::to_vec(&manifest).unwrap();
    fs::write(dir.join("CURRENT"), format!("{edition} {}\n", cairn_question::Hash::of(&text))).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn a_changed_byte_is_found_when_the_snapshot_is_opened_and_when_the_keys_are() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let snapshot = write_linked(&store, 4).unwrap();
    let path = dir.path().join("snapshots/000001/linkage.sealed");
    let good = fs::read(&path).unwrap();
    for place in 0..good.len() {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(store.current().unwrap_err().code(), "CL505", "byte {place}");
        assert_eq!(snapshot.linkage().unwrap_err().code(), "CL510", "byte {place}");
    }
    // Somebody who corrects the manifest too still has no key to seal with.
    for bytes in [&good[..good.len() - 1], &good[..24], &[], &[good.as_slice(), &[0]].concat()] {
        replace_file(dir.path(), 1, bytes);
        let snapshot = store.current().unwrap().unwrap();
        assert_eq!(snapshot.linkage().unwrap_err().code(), "CL510", "{} bytes", bytes.len());
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(store.current().unwrap_err().code(), "CL505");
    assert_eq!(snapshot.linkage().unwrap_err().code(), "CL501");
}

#[test]
fn a_file_of_another_edition_is_refused_though_the_manifest_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    write_linked(&store, 4).unwrap();
    let earlier = fs::read(dir.path().join("snapshots/000001/linkage.sealed")).unwrap();
    write_linked(&store, 4).unwrap();
    replace_file(dir.path(), 2, &earlier);
    assert_eq!(store.current().unwrap().unwrap().linkage().unwrap_err().code(), "CL510");
    // Neither does it help to write the edition that is wanted into its head.
    let mut claimed = earlier;
    claimed[19] = 2;
    replace_file(dir.path(), 2, &claimed);
    assert_eq!(store.current().unwrap().unwrap().linkage().unwrap_err().code(), "CL510");
}

#[test]
fn the_key_is_made_once_for_its_owner_only_and_without_it_nothing_opens() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let path = dir.path().join("LINKAGE_KEY");
    write_linked(&store, 4).unwrap();
    let made = fs::read(&path).unwrap();
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).unwrap()) & 0o777, 0o600);
    let snapshot = write_linked(&store, 4).unwrap();
    assert_eq!((made.len(), &fs::read(&path).unwrap()), (32, &made), "the second load finds it");
    let another = tempfile::tempdir().unwrap();
    write_linked(&Store::open(another.path()).unwrap(), 4).unwrap();
    assert_ne!(fs::read(another.path().join("LINKAGE_KEY")).unwrap(), made);

    fs::copy(another.path().join("LINKAGE_KEY"), &path).unwrap();
    assert_eq!(snapshot.linkage().unwrap_err().code(), "CL510", "another store's key");
    for wrong in [&made[1..], &[made.as_slice(), &[0]].concat(), b""] {
        fs::write(&path, wrong).unwrap();
        assert_eq!(snapshot.linkage().unwrap_err().code(), "CL509", "{} bytes", wrong.len());
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(store.current().unwrap().unwrap().linkage().unwrap_err().code(), "CL509");
}

#[test]
fn who_is_erased_has_no_key_any_more_and_the_others_keep_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    write_people(&store, 6, &[0, 1, 3, 5]);
    // The same people again, with keys.
    let snapshot = store.current().unwrap().unwrap();
    let mut writer = store.writer(head()).unwrap();
    for part in snapshot.parts("participants") {
        let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(part).unwrap()).unwrap();
        reader.build().unwrap().for_each(|b| writer.append("participants", &b.unwrap()).unwrap());
    }
    writer.link(keys(6));
    writer.commit().unwrap();
    store.erase(&["b", "d"].into(), head().loaded_at).unwrap();
    let kept = store.current().unwrap().unwrap().linkage().unwrap().unwrap();
    let mut all = expected(&[0, 2, 4]);
    all.push(None);
    assert_eq!(hashes(&kept), all);
    assert_eq!(fs::read_dir(dir.path().join("snapshots")).unwrap().count(), 1, "no other edition keeps them");

    // Without the store's key nobody can carry the others over; whoever is to be erased goes all the same.
    fs::remove_file(dir.path().join("LINKAGE_KEY")).unwrap();
    assert_eq!(store.erase(&["a"].into(), head().loaded_at).unwrap().people, 1);
    let kept = store.current().unwrap().unwrap();
    assert_eq!((kept.manifest().persons, kept.linkage().unwrap().is_none()), (3, true));
}

#[test]
fn a_disk_that_fills_while_keys_are_written_leaves_the_last_good_snapshot_and_its_keys() {
    let dir = tempfile::tempdir().unwrap();
    write_one(&Store::open(dir.path()).unwrap(), 5).unwrap();
    let mut failures = 0;
    for steps in 0.. {
        let (store, left) = filling_after(dir.path(), steps);
        let result = write_linked(&store, 7);
        let current = Store::open(dir.path()).unwrap().current().unwrap().unwrap();
        if current.manifest().persons == 7 {
            assert_eq!(current.linkage().unwrap().unwrap().with_key(), 6);
            assert!(result.is_ok() || left.load(Ordering::SeqCst) == 0);
            break;
        }
        assert_eq!(result.unwrap_err().code(), "CL502");
        assert!(current.linkage().unwrap().is_none(), "the last good one, which has none");
        failures += 1;
    }
    assert!(failures > 15, "every create, write, sync and rename was made to fail: {failures}");
}
