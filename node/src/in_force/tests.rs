use super::*;
use crate::fixture::{Folders, PARTNER};

fn watcher(folders: &Folders) -> Watcher {
    watcher_after(folders, None)
}

fn watcher_after(folders: &Folders, last: Option<PolicyStatement>) -> Watcher {
    Watcher::new(PartnerId::new(PARTNER).unwrap(), last, &folders.policy_dir(), &folders.data_dir()).unwrap()
}

fn version(watcher: &Watcher) -> Option<u32> {
    watcher.in_force().layers.as_ref().map(|l| l.statement().version)
}

fn turned_away(changes: &[Change]) -> &'static str {
    match changes {
        [Change::PolicyTurnedAway { code, findings }] if !findings.is_empty() => code,
        other => panic!("{other:?}"),
    }
}

const NEXT: (&str, &str) = ("version        = 7", "version        = 8");

#[test]
fn a_policy_that_does_not_hold_leaves_the_one_before_in_force() {
    let folders = Folders::new();
    let mut watcher = watcher(&folders);
    assert_eq!(watcher.look(), [], "no policy was ever there, and that is no news");
    assert_eq!(version(&watcher), None);

    folders.write_policy(|text| text);
    assert_eq!(watcher.look(), [Change::Policy]);
    assert_eq!(version(&watcher), Some(7));
    assert_eq!(watcher.look(), [], "nothing changed");

    folders.write_policy(|text| text.replace("[unit]", "[unti]"));
    assert_eq!(turned_away(&watcher.look()), "CN512");
    assert_eq!(watcher.look(), [], "said once");
    assert_eq!(version(&watcher), Some(7));

    folders.write_policy(|text| text.replace("= \"strathcarron-council\"", "= \"fife-council\""));
    assert_eq!(turned_away(&watcher.look()), "CN513");
    std::fs::remove_file(folders.policy_dir().join(POLICY_FILE)).unwrap();
    assert_eq!(turned_away(&watcher.look()), "CN511");
    assert_eq!(version(&watcher), Some(7));

    folders.write_policy(|text| text.replace(NEXT.0, NEXT.1));
    assert_eq!(watcher.look(), [Change::Policy]);
    assert_eq!(version(&watcher), Some(8));
}

#[test]
fn versions_only_rise_also_after_a_restart() {
    let folders = Folders::new();
    folders.write_policy(|text| text.replace(NEXT.0, NEXT.1));
    let mut watcher = watcher(&folders);
    assert_eq!(watcher.look(), [Change::Policy]);
    let last = watcher.in_force().layers.as_ref().map(|l| l.statement().clone());
    let back = [
        ("older", "version        = 7", "strathcarron-council-sharing"),
        ("the same version, another text", "version        = 8 # more", "strathcarron-council-sharing"),
        ("another policy, a higher version", "version        = 9", "another-sharing"),
    ];
    for (case, version_line, id) in back {
        let change =
            |text: String| text.replace(NEXT.0, version_line).replace("strathcarron-council-sharing", id);
        folders.write_policy(change);
        assert_eq!(turned_away(&watcher.look()), "CN518", "{case}");
        assert_eq!(watcher.look(), [], "{case}: said once");
        assert_eq!(version(&watcher), Some(8), "{case}: the one before stays");
        let mut restarted = watcher_after(&folders, last.clone());
        assert_eq!(turned_away(&restarted.look()), "CN518", "{case}");
        assert_eq!(version(&restarted), None, "{case}: nothing is in force until it is put right");
        folders.write_policy(|text| text.replace(NEXT.0, NEXT.1));
        assert_eq!(
            (restarted.look(), watcher.look()),
            (vec![Change::Policy], vec![Change::Policy]),
            "{case}"
        );
        assert_eq!((version(&restarted), version(&watcher)), (Some(8), Some(8)), "{case}");
    }
    folders.write_policy(|text| text.replace(NEXT.0, "version        = 10"));
    assert_eq!(watcher.look(), [Change::Policy]);
    assert_eq!(version(&watcher), Some(10));
}

#[test]
fn a_brake_is_seen_changed_and_released_and_one_that_does_not_read_pauses_everything() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    let mut watcher = watcher(&folders);
    watcher.look();
    assert_eq!(watcher.in_force().brake, Brake::Absent);
    let set = Change::Brake { findings: vec![] };

    folders.write_brake("cairn_brake = 1\npaused_shares = [\"smf-people\"]\n");
    assert_eq!(watcher.look(), std::slice::from_ref(&set));
    assert_eq!(watcher.in_force().brake, Brake::Present);
    assert_eq!(watcher.look(), []);

    folders.write_brake("cairn_brake = 1\npause_al = true\n");
    let changes = watcher.look();
    let [Change::Brake { findings }] = changes.as_slice() else { panic!("{changes:?}") };
    assert!(findings[0].contains("pause_al"), "{findings:?}");
    assert_eq!(watcher.in_force().brake, Brake::Unreadable);

    // A new policy comes into force under the brake that is set.
    folders.write_policy(|text| text.replace(NEXT.0, NEXT.1));
    assert_eq!(watcher.look(), [Change::Policy]);
    assert_eq!((version(&watcher), watcher.in_force().brake), (Some(8), Brake::Unreadable));

    folders.release_brake();
    assert_eq!(watcher.look(), [set]);
    assert_eq!(watcher.in_force().brake, Brake::Absent);
}

#[test]
fn records_come_into_force_when_they_are_committed() {
    let folders = Folders::new();
    let mut watcher = watcher(&folders);
    assert_eq!(watcher.look(), []);
    folders.load(20, "2026-03-31");
    assert_eq!(watcher.look(), [Change::Snapshot]);
    let facts = watcher.in_force().held.as_ref().unwrap().facts.clone();
    assert_eq!((facts.edition, facts.as_of.to_string().as_str()), (1, "2026-03-31"));
    assert_eq!(facts.provisional, Provisional::No);
    assert_eq!(watcher.look(), []);
    folders.load(20, "2026-06-14");
    assert_eq!(watcher.look(), [Change::Snapshot]);
    let facts = watcher.in_force().held.as_ref().unwrap().facts.clone();
    assert_eq!((facts.edition, facts.provisional), (2, Provisional::Yes), "loaded a day after");

    // A pointer that does not read leaves the records before in force.
    std::fs::write(folders.data_dir().join(CURRENT), "nowhere\n").unwrap();
    assert!(matches!(watcher.look().as_slice(), [Change::SnapshotTurnedAway { .. }]));
    assert_eq!(watcher.in_force().held.as_ref().unwrap().facts.edition, 2);
}
