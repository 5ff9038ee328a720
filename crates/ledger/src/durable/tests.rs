use super::*;

fn store() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    (folder, path)
}

#[test]
fn a_store_that_may_forget_is_refused() {
    let check = |setting: &str, expected: Option<(&str, &str)>| {
        let (_folder, path) = store();
        let connection = open(&path).unwrap();
        connection.execute_batch(setting).unwrap();
        match (assert_durable(&connection), expected) {
            (Ok(()), None) => {}
            (Err(LedgerFault::NotDurable { pragma, found, .. }), Some(expected)) => {
                assert_eq!((pragma, found.as_str()), expected);
            }
            (got, expected) => panic!("{setting}: {got:?}, expected {expected:?}"),
        }
    };
    check("", None);
    check("PRAGMA synchronous = NORMAL", Some(("synchronous", "1")));
    check("PRAGMA synchronous = OFF", Some(("synchronous", "0")));
    check("PRAGMA journal_mode = DELETE", Some(("journal_mode", "delete")));
    check("PRAGMA foreign_keys = OFF", Some(("foreign_keys", "0")));
    let memory = Connection::open_in_memory().unwrap();
    set(&memory).unwrap();
    assert!(matches!(assert_durable(&memory), Err(LedgerFault::NotDurable { .. })));
}

#[cfg(unix)]
#[test]
fn every_file_of_a_store_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, path) = store();
    let _lock = Lock::take(&path).unwrap();
    let connection = open(&path).unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["store.sqlite", "store.sqlite-shm", "store.sqlite-wal", "store.sqlite.lock"]);
}

#[test]
fn there_is_one_writer() {
    let (_folder, path) = store();
    let first = Lock::take(&path).unwrap();
    let second = Lock::take(&path);
    assert!(matches!(second, Err(LedgerFault::InUse { .. })), "{second:?}");
    // A process that is being started has a copy of the open file for a moment; that must not keep the lock.
    let copy = first.file.try_clone().unwrap();
    drop(first);
    Lock::take(&path).unwrap();
    drop(copy);
}

#[test]
fn what_cannot_be_opened_says_so() {
    let (folder, path) = store();
    std::fs::write(&path, "not a database, but long enough to be taken for the start of one").unwrap();
    for path in [path, folder.path().join("missing/store.sqlite"), folder.path().to_owned()] {
        let fault = open(&path).map(|_| ()).unwrap_err();
        assert_eq!(fault.code(), "CA001", "{fault}");
    }
}
