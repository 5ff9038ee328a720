use super::records::CURRENT;
use super::*;
use crate::fixture::{Folders, NOW, PARTNER};
use cairn_gate::Provisional;
use cairn_policy::folder::{APPROVAL_FILE, APPROVALS_DIR, BOARD_FILE};

fn watcher(folders: &Folders) -> Watcher {
    watcher_after(folders, None)
}

fn watcher_after(folders: &Folders, last: Option<PolicyStatement>) -> Watcher {
    Watcher::new(PartnerId::new(PARTNER).unwrap(), last, folders.places()).unwrap()
}

impl Watcher {
    /// What a look finds, but for the first board, which every test has.
    fn news(&mut self, now: Moment) -> Vec<Change> {
        self.look(now).into_iter().filter(|change| *change != Change::Board).collect()
    }
}

fn version(watcher: &Watcher) -> Option<u32> {
    watcher.in_force().layers.as_ref().map(|l| l.statement().version)
}

fn turned_away(changes: &[Change]) -> &'static str {
    match changes {
        [Change::PolicyTurnedAway(turned_away)] if !turned_away.findings.is_empty() => turned_away.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_policy_that_does_not_hold_leaves_the_one_before_in_force() {
    let folders = Folders::new();
    let mut watcher = watcher(&folders);
    assert_eq!(watcher.news(NOW), [], "no policy was ever there, and that is no news");
    assert_eq!(version(&watcher), None);

    folders.write_policy(|text| text);
    assert_eq!(watcher.news(NOW), [Change::Policy]);
    assert_eq!(version(&watcher), Some(7));
    assert_eq!(watcher.news(NOW), [], "nothing changed");
    let seven = folders.policy_hash();

    folders.write_policy(|text| text.replace("[unit]", "[unti]"));
    assert_eq!(turned_away(&watcher.news(NOW)), "CN512");
    assert_eq!(watcher.news(NOW), [], "said once");
    assert_eq!(version(&watcher), Some(7));

    folders.write_policy(|text| text.replace("= \"strathcarron-council\"", "= \"fife-council\""));
    assert_eq!(turned_away(&watcher.news(NOW)), "CN513");
    std::fs::remove_file(folders.policy_dir().join(POLICY_FILE)).unwrap();
    assert_eq!(turned_away(&watcher.news(NOW)), "CN511");
    assert_eq!(version(&watcher), Some(7));

    folders.write_version(8, seven, |text| text);
    assert_eq!(watcher.news(NOW), [Change::Policy]);
    assert_eq!(version(&watcher), Some(8));
}

#[test]
fn versions_only_rise_also_after_a_restart() {
    let folders = Folders::new();
    folders.write_policy(|text| text.replace("version        = 7", "version        = 8"));
    let mut watcher = watcher(&folders);
    assert_eq!(watcher.news(NOW), [Change::Policy]);
    let eight = std::fs::read_to_string(folders.policy_dir().join(POLICY_FILE)).unwrap();
    let last = watcher.in_force().layers.as_ref().map(|l| l.statement().clone());
    let back = [
        ("older", "version        = 7", "strathcarron-council-sharing"),
        ("the same version, another text", "version        = 8 # more", "strathcarron-council-sharing"),
        ("another policy, a higher version", "version        = 9", "another-sharing"),
    ];
    for (case, version_line, id) in back {
        let text = eight.replace("version        = 8", version_line);
        folders.write_policy(|_| text.replace("strathcarron-council-sharing", id));
        assert_eq!(turned_away(&watcher.news(NOW)), "CN518", "{case}");
        assert_eq!(watcher.news(NOW), [], "{case}: said once");
        assert_eq!(version(&watcher), Some(8), "{case}: the one before stays");
        let mut restarted = watcher_after(&folders, last.clone());
        let changes = restarted.news(NOW);
        assert_eq!((&changes[0], turned_away(&changes[1..])), (&Change::Policy, "CN518"), "{case}");
        assert_eq!(version(&restarted), Some(8), "{case}: the node's own copy stays in force");
        // Without its copy the node knows the last version by its ledger.
        std::fs::rename(folders.places().kept(), folders.path("aside")).unwrap();
        let mut without = watcher_after(&folders, last.clone());
        assert_eq!(turned_away(&without.news(NOW)), "CN518", "{case}");
        assert_eq!(version(&without), None, "{case}: nothing is in force until it is put right");
        std::fs::rename(folders.path("aside"), folders.places().kept()).unwrap();
        folders.write_policy(|_| eight.clone());
        assert_eq!(watcher.news(NOW), [Change::PolicyAsBefore], "{case}");
        assert_eq!(without.news(NOW), [Change::Policy], "{case}");
        assert_eq!((version(&without), version(&watcher)), (Some(8), Some(8)), "{case}");
    }
    let hash = folders.policy_hash();
    folders.write_version(10, hash, |text| text);
    assert_eq!(watcher.news(NOW), [Change::Policy]);
    assert_eq!(version(&watcher), Some(10));
}

#[test]
fn a_policy_names_the_text_that_it_replaces() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    let mut watcher = watcher(&folders);
    assert_eq!(watcher.news(NOW), [Change::Policy], "the first may say anything");
    let seven = folders.policy_hash();
    folders.write_policy(|text| text.replace("version        = 7", "version        = 8"));
    let changes = watcher.news(NOW);
    let [Change::PolicyTurnedAway(turned_away)] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(turned_away.code, "CN519");
    let says = format!("version 8 does not say what it replaces: write supersedes = \"{seven}\"");
    assert_eq!(turned_away.findings, [says]);
    assert_eq!(watcher.in_force().turned_away.as_deref(), Some(turned_away));

    folders.write_version(8, Hash::of(b"another"), |text| text);
    assert_eq!(self::turned_away(&watcher.news(NOW)), "CN519");
    assert_eq!(version(&watcher), Some(7));
    // Line ends are no difference: not in what is replaced, and not in what is offered again.
    folders.write_version(8, seven, |text| text.replace('\n', "\r\n"));
    assert_eq!(watcher.news(NOW), [Change::Policy]);
    assert_eq!((version(&watcher), watcher.in_force().turned_away.is_some()), (Some(8), false));
    folders.write_version(8, seven, |text| text);
    assert_eq!(watcher.news(NOW), []);
}

#[test]
fn what_was_in_force_stays_over_a_restart_whatever_lies_in_the_folder() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    let mut watcher = watcher(&folders);
    watcher.news(NOW);
    let last = watcher.in_force().layers.as_ref().map(|l| l.statement().clone());
    let later = NOW.plus_s(60);
    let restart = |what: &str, expected: Option<&str>| {
        let mut restarted = watcher_after(&folders, last.clone());
        let changes = restarted.news(later);
        assert_eq!(changes[0], Change::Policy, "{what}");
        let code = changes.get(1).map(|_| turned_away(&changes[1..]));
        assert_eq!((code, version(&restarted)), (expected, Some(7)), "{what}");
        assert_eq!(restarted.in_force().since, Some(NOW), "{what}");
    };
    restart("as it was", None);
    folders.write_policy(|text| text.replace("[unit]", "[unti]"));
    restart("broken", Some("CN512"));
    std::fs::remove_file(folders.policy_dir().join(POLICY_FILE)).unwrap();
    restart("gone", Some("CN511"));
    std::fs::remove_file(folders.policy_dir().join(FRAMEWORK_FILE)).unwrap();
    restart("both gone", Some("CN511"));
}

#[test]
fn a_copy_that_does_not_fit_is_not_put_in_force() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    let mut first = watcher(&folders);
    first.news(NOW);
    let seven = first.in_force().layers.as_ref().map(|l| l.statement().clone()).unwrap();
    let check = |last: &PolicyStatement, says: &str| {
        std::fs::rename(folders.policy_dir(), folders.path("hidden")).unwrap();
        let mut restarted = watcher_after(&folders, Some(last.clone()));
        let changes = restarted.news(NOW);
        std::fs::rename(folders.path("hidden"), folders.policy_dir()).unwrap();
        let [Change::KeptTurnedAway { code: "CN521", finding }] = changes.as_slice() else {
            panic!("{changes:?}")
        };
        assert!(finding.contains(says), "{finding}");
        assert_eq!(version(&restarted), None);
        // What lies in the folder is judged as if there were no copy.
        let fits = *last == seven;
        assert_eq!(restarted.news(NOW).contains(&Change::Policy), fits, "{says}");
    };
    check(&PolicyStatement { version: 9, ..seven.clone() }, "older than version 9");
    check(&PolicyStatement { hash: Hash::of(b"another"), ..seven.clone() }, "with another text");
    check(&PolicyStatement { id: "another".to_owned(), ..seven.clone() }, "cannot follow `another`");
    std::fs::write(folders.places().kept(), "sha256:00\n{}").unwrap();
    check(&seven, "is damaged");
}

#[test]
fn a_policy_that_cannot_be_kept_is_not_in_force_until_it_can() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    let mut watcher = watcher(&folders);
    let in_the_way = folders.path("policy-in-force.json.new");
    std::fs::create_dir(&in_the_way).unwrap();
    assert_eq!(turned_away(&watcher.news(NOW)), "CN522");
    assert_eq!((watcher.news(NOW), version(&watcher)), (vec![], None), "said once, and tried again");
    std::fs::remove_dir(&in_the_way).unwrap();
    assert_eq!((watcher.news(NOW), version(&watcher)), (vec![Change::Policy], Some(7)));
}

#[test]
fn a_policy_waits_for_its_first_day_while_the_one_before_answers() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    let mut watcher = watcher(&folders);
    watcher.news(NOW);
    let seven = folders.policy_hash();
    folders.write_version(8, seven, |text| text.replace("= 2026-04-01", "= 2026-06-17"));
    let changes = watcher.news(NOW);
    let [Change::PolicyTurnedAway(TurnedAway { code: WAITS, findings })] = changes.as_slice() else {
        panic!("{changes:?}")
    };
    assert_eq!(findings, &["version 8 comes into force on 2026-06-17; the one before stays until then"]);
    assert_eq!(watcher.news(NOW.plus_s(86_400)), [], "said once");
    assert_eq!(version(&watcher), Some(7));
    // 22:59 UTC on the 16th is a minute before midnight in London.
    let midnight = Moment::from_unix_s(1_781_650_800);
    assert_eq!(watcher.news(Moment::from_unix_s(midnight.unix_s() - 60)), []);
    assert_eq!(watcher.news(midnight), [Change::Policy]);
    assert_eq!((version(&watcher), watcher.in_force().since), (Some(8), Some(midnight)));
}

#[test]
fn last_days_are_told_once_also_over_a_restart() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    let mut watcher = watcher(&folders);
    watcher.news(NOW);
    let last = watcher.in_force().layers.as_ref().map(|l| l.statement().clone());
    // 1 December 2026 is 61 days before the review.
    let first = Moment::from_unix_s(1_796_083_200);
    assert_eq!(watcher.news(first), []);
    let told = |changes: &[Change]| {
        let findings = changes.iter().filter_map(|change| match change {
            Change::Lapses { code: "CN523", finding } => Some(finding.clone()),
            _ => None,
        });
        findings.collect::<Vec<_>>()
    };
    let review = "the board reviews the policy by 2027-01-31: within 60 days";
    assert_eq!(told(&watcher.news(first.plus_s(86_400))), [review]);
    assert_eq!(watcher.news(first.plus_s(86_400)), []);
    let mut restarted = watcher_after(&folders, last);
    assert_eq!(restarted.news(first.plus_s(86_400)), [Change::Policy], "told before");
    let end = first.plus_s(121 * 86_400);
    assert_eq!(told(&restarted.news(end)).len(), 2, "both are over");
    assert_eq!(restarted.news(end.plus_s(86_400)), []);
}

#[test]
fn a_brake_is_seen_changed_and_released_and_one_that_does_not_read_pauses_everything() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    let mut watcher = watcher(&folders);
    watcher.news(NOW);
    assert_eq!(watcher.in_force().brake, Brake::Absent);
    let set = Change::Brake { findings: vec![] };
    let seven = folders.policy_hash();

    folders.write_brake("cairn_brake = 1\npaused_shares = [\"smf-people\"]\n");
    assert_eq!(watcher.news(NOW), std::slice::from_ref(&set));
    assert_eq!(watcher.in_force().brake, Brake::Present);
    assert_eq!(watcher.news(NOW), []);

    folders.write_brake("cairn_brake = 1\npause_al = true\n");
    let changes = watcher.news(NOW);
    let [Change::Brake { findings }] = changes.as_slice() else { panic!("{changes:?}") };
    assert!(findings[0].contains("pause_al"), "{findings:?}");
    assert_eq!(watcher.in_force().brake, Brake::Unreadable);

    // A new policy comes into force under the brake that is set.
    folders.write_version(8, seven, |text| text);
    assert_eq!(watcher.news(NOW), [Change::Policy]);
    assert_eq!((version(&watcher), watcher.in_force().brake), (Some(8), Brake::Unreadable));

    folders.release_brake();
    assert_eq!(watcher.news(NOW), [set]);
    assert_eq!(watcher.in_force().brake, Brake::Absent);
}

#[test]
fn records_come_into_force_when_they_are_committed() {
    let folders = Folders::new();
    let mut watcher = watcher(&folders);
    assert_eq!(watcher.news(NOW), []);
    folders.load(20, "2026-03-31");
    assert_eq!(watcher.news(NOW), [Change::Snapshot]);
    let facts = watcher.in_force().held.as_ref().unwrap().facts.clone();
    assert_eq!((facts.edition, facts.as_of.to_string().as_str()), (1, "2026-03-31"));
    assert_eq!(facts.provisional, Provisional::No);
    assert_eq!(watcher.news(NOW), []);
    folders.load(20, "2026-06-14");
    assert_eq!(watcher.news(NOW), [Change::Snapshot]);
    let facts = watcher.in_force().held.as_ref().unwrap().facts.clone();
    assert_eq!((facts.edition, facts.provisional), (2, Provisional::Yes), "loaded a day after");

    // A pointer that does not read leaves the records before in force.
    std::fs::write(folders.data_dir().join(CURRENT), "nowhere\n").unwrap();
    assert!(matches!(watcher.news(NOW).as_slice(), [Change::SnapshotTurnedAway { .. }]));
    assert_eq!(watcher.in_force().held.as_ref().unwrap().facts.edition, 2);
}

fn findings(changes: &[Change]) -> (&'static str, String) {
    match changes {
        [Change::PolicyTurnedAway(why) | Change::BoardTurnedAway(why)] => (why.code, why.findings.join("\n")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn too_few_signatures_leave_the_policy_before_and_enough_bring_the_next_in() {
    let folders = Folders::new();
    folders.write_policy_of(&folders.board, &["convener", "siro"], |text| text);
    let mut watcher = watcher(&folders);
    let (code, says) = findings(&watcher.news(NOW));
    assert_eq!((code, version(&watcher)), ("CN528", None));
    assert!(says.contains("has convener, siro; missing dpo"), "{says}");
    assert_eq!(watcher.news(NOW), [], "said once");
    folders.write_policy(|text| text);
    assert_eq!(watcher.news(NOW), [Change::Policy]);
    let approved_by: Vec<&str> = watcher.in_force().approved_by.iter().map(Name::as_str).collect();
    assert_eq!(approved_by, ["convener", "dpo", "siro"]);

    // A new version, copied file by file: turned away, and looked at again with each file.
    let seven = folders.policy_hash();
    let next = |members: &[&str]| {
        folders.write_policy_of(&folders.board, members, |text| {
            let eight = format!("version        = 8\nsupersedes = \"{seven}\"");
            text.replace("version        = 7", &eight).replace("tables_per_day = 100", "tables_per_day = 101")
        });
    };
    next(&[]);
    let note = folders.policy_dir().join(APPROVAL_FILE);
    std::fs::rename(&note, folders.path("aside")).unwrap();
    let (code, says) = findings(&watcher.news(NOW));
    assert_eq!((code, says.as_str()), ("CN528", "approval.txt is not there: nobody approved this policy"));
    std::fs::rename(folders.path("aside"), &note).unwrap();
    assert!(findings(&watcher.news(NOW)).1.contains("has nobody"));
    for (members, missing) in [
        (&["convener"][..], "missing one more of siro, caldicott-guardian; missing dpo"),
        (&["convener", "dpo"], "missing one more of siro, caldicott-guardian"),
    ] {
        next(members);
        let (code, says) = findings(&watcher.news(NOW));
        assert_eq!((code, version(&watcher)), ("CN528", Some(7)));
        assert!(says.contains(missing), "{says}");
    }
    next(&["caldicott-guardian", "convener", "dpo"]);
    assert_eq!((watcher.news(NOW), version(&watcher)), (vec![Change::Policy], Some(8)));

    // What provably permits nothing new takes one signature, and none is not enough.
    let eight = folders.policy_hash();
    let tighter = |members: &[&str]| {
        folders.write_policy_of(&folders.board, members, |text| {
            let nine = format!("version        = 9\nsupersedes = \"{eight}\"");
            text.replace("version        = 7", &nine).replace("tables_per_day = 100", "tables_per_day = 99")
        });
    };
    tighter(&[]);
    assert!(findings(&watcher.news(NOW)).1.contains("missing one more"));
    tighter(&["dpo"]);
    assert_eq!((watcher.news(NOW), version(&watcher)), (vec![Change::Policy], Some(9)));
}

#[test]
fn an_approval_is_of_this_policy_and_this_framework_and_by_this_board() {
    let folders = Folders::new();
    let check = |what: &str, spoil: &dyn Fn(), says: &str| {
        folders.write_policy(|text| text);
        spoil();
        let mut watcher = watcher(&folders);
        let (code, found) = findings(&watcher.news(NOW));
        assert_eq!((code, version(&watcher)), ("CN528", None), "{what}");
        assert!(found.contains(says), "{what}: {found}");
    };
    let edit = |file: &str, from: &str, to: &str| {
        let text = std::fs::read_to_string(folders.policy_dir().join(file)).unwrap();
        assert!(text.contains(from), "{file} has {from}");
        folders.place(file, &text.replacen(from, to, 1));
    };
    let path = |file: &str| folders.policy_dir().join(file);
    check("another text", &|| edit(POLICY_FILE, "tables_per_day = 100", "tables_per_day = 101"), "CP721");
    check("another framework", &|| edit(FRAMEWORK_FILE, "[floor]", "# more\n[floor]"), "CP721 `framework`");
    check("another note", &|| edit(APPROVAL_FILE, "nobody met", "all met"), "CP725");
    check("no signatures", &|| std::fs::remove_dir_all(path(APPROVALS_DIR)).unwrap(), "has nobody");
    let mixed = || {
        std::fs::copy(path("approvals/siro.sig"), path("approvals/dpo.sig")).unwrap();
    };
    check("another's signature", &mixed, "missing dpo");
    let other = folders.board.next();
    let by_another = || {
        folders.write_policy_of(&other, &cairn_policy::approval::MADE_UP_QUORUM, |text| text);
        folders.place(BOARD_FILE, &folders.board.text());
    };
    check("by another board", &by_another, "another key than the board has");
    let too_long = || folders.place("approvals/dpo.sig", &"-".repeat(70_000));
    check("a signature too long", &too_long, "missing dpo");
    let many = || (0..3_000).for_each(|n| folders.place(&format!("approvals/a{n}.sig"), ""));
    folders.write_policy(|text| text);
    many();
    let mut watcher = watcher(&folders);
    assert!(watcher.news(NOW).len() == 1, "bounded, and told once");
}

#[test]
fn without_a_pinned_board_no_policy_comes_into_force() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    let places = |pin| Places { pin, ..folders.places() };
    let partner = || PartnerId::new(PARTNER).unwrap();
    let mut unpinned = Watcher::new(partner(), None, places(None)).unwrap();
    let (code, says) = findings(&unpinned.look(NOW));
    assert_eq!((code, version(&unpinned)), ("CN524", None));
    assert!(says.contains("node.toml"), "{says}");
    assert!(matches!(unpinned.in_force().board, BoardInForce::Unpinned));

    let mut other = Watcher::new(partner(), None, places(Some(Hash::of(b"another board")))).unwrap();
    let changes = other.look(NOW);
    assert_eq!(findings(&changes[..1]).0, "CN525");
    assert_eq!((findings(&changes[1..]).0, version(&other)), ("CN525", None));

    // Once a board is kept, only a hand-over changes it: neither a pin that is gone nor another one does.
    let mut pinned = watcher(&folders);
    assert_eq!(pinned.look(NOW), [Change::Board, Change::Policy]);
    let mut later = Watcher::new(partner(), None, places(None)).unwrap();
    assert_eq!(later.look(NOW), [Change::Policy]);
    let mut later = Watcher::new(partner(), None, places(Some(Hash::of(b"another board")))).unwrap();
    let changes = later.look(NOW);
    assert_eq!((findings(&changes[..1]).0, &changes[1..]), ("CN526", &[Change::Policy][..]));
    assert!(matches!(later.in_force().board, BoardInForce::Board(_)));
}

#[test]
fn a_board_hands_over_to_the_next_by_both_quorums() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    let mut watcher = watcher(&folders);
    watcher.look(NOW);
    let next = folders.board.next();
    folders.place(BOARD_FILE, &next.text());
    let (code, says) = findings(&watcher.look(NOW));
    assert_eq!(code, "CN527");
    assert!(says.contains("both boards agreed"), "{says}");
    let hand_over = |members: &[&str]| {
        for file in folders.board.hand_over(&next, members).unwrap() {
            folders.place(&file.path, &file.text);
        }
    };
    hand_over(&["convener", "siro"]);
    let (code, says) = findings(&watcher.look(NOW));
    assert!(code == "CN527" && says.contains("old board") && says.contains("new board"), "{says}");
    assert_eq!(watcher.look(NOW), [], "said once");
    hand_over(&["convener", "siro", "dpo"]);
    assert_eq!(watcher.look(NOW), [Change::Board]);

    // From now on the new board's approval counts, also after a restart with the old pin.
    let last = watcher.in_force().layers.as_ref().map(|l| l.statement().clone());
    let mut restarted = watcher_after(&folders, last);
    assert_eq!(restarted.look(NOW), [Change::Policy]);
    let seven = folders.policy_hash();
    let eight = |board: &cairn_policy::approval::MadeUpBoard| {
        folders.write_policy_of(board, &cairn_policy::approval::MADE_UP_QUORUM, |text| {
            text.replace("version        = 7", &format!("version        = 8\nsupersedes = \"{seven}\""))
        });
        folders.place(BOARD_FILE, &next.text());
    };
    eight(&folders.board);
    assert_eq!(findings(&restarted.look(NOW)).0, "CN528");
    eight(&next);
    assert_eq!(restarted.look(NOW), [Change::Policy]);
    // The old board does not come back.
    folders.place(BOARD_FILE, &folders.board.text());
    assert_eq!(findings(&restarted.look(NOW)).0, "CN527");
}

#[test]
fn a_framework_that_changes_under_a_policy_needs_the_board_again() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    let mut watcher = watcher(&folders);
    watcher.look(NOW);
    let framework = std::fs::read_to_string(folders.policy_dir().join(FRAMEWORK_FILE)).unwrap();
    folders.place(FRAMEWORK_FILE, &format!("{framework}# a word more\n"));
    assert_eq!(findings(&watcher.look(NOW)).0, "CN528");
    assert_eq!(version(&watcher), Some(7));
}
