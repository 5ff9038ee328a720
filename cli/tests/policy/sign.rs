use super::*;
use std::process::Stdio;

/// A board of four at a policy's folder, each with a key of their own.
struct Board {
    folder: tempfile::TempDir,
}

const MEMBERS: [&str; 4] = ["convener", "siro", "caldicott-guardian", "dpo"];

impl Board {
    /// The worked example's policy, framework and dictionary, under a board whose keys this program made.
    fn meets() -> Self {
        let board = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["policy.toml", "policy-v8-tighter.toml", "policy-v8-proposed.toml", "framework.toml"] {
            std::fs::copy(root().join(FIXTURE).join(name), board.folder.path().join(name)).unwrap();
        }
        board.write("passphrase", "correct horse battery staple\n");
        for member in MEMBERS {
            board.key(member);
        }
        board.write("board.toml", &board.file(2, MEMBERS.map(|m| (m, m))));
        board
    }

    fn key(&self, name: &str) {
        let out = self.path(name);
        policy(&["key", "new", "--out", &out, "--passphrase-file", &self.path("passphrase")]).exits(0);
    }

    fn file(&self, version: u32, members: [(&str, &str); 4]) -> String {
        let whole = std::fs::read_to_string(root().join(FIXTURE).join("board.toml")).unwrap();
        let (head, _) = whole.split_once("[[member]]").unwrap();
        let mut text = head.replace("version = 2", &format!("version = {version}"));
        for (id, key) in members {
            let key = self.read(&format!("{key}.pub"));
            let key = key.trim_end();
            text += &format!(
                "[[member]]\nid = \"{id}\"\nname = \"An Example\"\nkey = \"{key}\"\n\
                 valid = {{ from = 2020-01-01, to = 2099-01-01 }}\n"
            );
        }
        text
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn run(&self, command: &str, also: &[&str]) -> Ran {
        let (policy_file, dictionary) = (self.path("policy.toml"), format!("{FIXTURE}/dictionary"));
        policy(&[&[command, &policy_file, "--dictionary", &dictionary], also].concat())
    }

    fn sign(&self, member: &str, also: &[&str]) -> Ran {
        let (key, passphrase) = (self.path(member), self.path("passphrase"));
        let with = ["--member", member, "--key", &key, "--passphrase-file", &passphrase];
        self.run("approve", &[&with, also].concat())
    }

    fn ssh_keygen(&self, words: &[&str], input: &str) -> bool {
        let mut command = Command::new("ssh-keygen");
        command
            .args(words)
            .current_dir(self.folder.path())
            .stdin(std::fs::File::open(self.path(input)).unwrap());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().unwrap().success()
    }

    fn stock_verifies(&self, member: &str) -> bool {
        let signature = format!("approvals/{member}.sig");
        let words = [
            "-Y",
            "verify",
            "-f",
            "allowed_signers",
            "-I",
            member,
            "-n",
            "cairn-policy@v1",
            "-s",
            &signature,
        ];
        self.ssh_keygen(&words, "approval.txt")
    }
}

const MINUTE: [&str; 2] = ["--minute", "LEP board 2026-11-18 item 4"];

#[test]
fn a_quorum_that_signed_is_seen_here_and_by_stock_openssh() {
    let board = Board::meets();
    board.sign("convener", &[]).exits(1).says("CC415");
    board
        .sign("convener", &MINUTE)
        .exits(0)
        .says("missing one more of siro, caldicott-guardian; missing dpo");
    board.run("verify", &[]).exits(6).says("error [CP728]").says("NOT APPROVED");
    board.sign("siro", &[]).exits(0);
    board.sign("dpo", &[]).exits(0).says("Enough members have signed");
    board
        .run("verify", &[])
        .exits(0)
        .says("APPROVED by convener, dpo, siro.")
        .says("change    first; quorum 2 of");
    board.write("allowed_signers", &board.run("verify", &["--allowed-signers"]).exits(0).out);
    assert!(["convener", "siro", "dpo"].iter().all(|m| board.stock_verifies(m)));

    // What is no signature is named, and the others count.
    std::fs::create_dir(board.path("approvals/caldicott-guardian.sig")).unwrap();
    board.run("verify", &[]).exits(0).says("warning [CC105]").says("it is a folder").says("APPROVED by");
    std::fs::remove_dir(board.path("approvals/caldicott-guardian.sig")).unwrap();

    let note = board.read("approval.txt");
    board.write("approval.txt", &note.replace("item 4", "item 5"));
    assert!(!board.stock_verifies("dpo"));
    board.run("verify", &[]).exits(6).says("warning [CP725]");
    board.write("approval.txt", &note);
    board.write("policy.toml", &board.read("policy.toml").replace("min_people   = 20", "min_people   = 15"));
    board.run("verify", &[]).exits(6).says("error [CP721]");
}

#[test]
fn a_member_may_sign_with_stock_openssh_instead() {
    let board = Board::meets();
    board.run("approve", &[&["--note-only"], &MINUTE[..]].concat()).exits(0).says("has nobody");
    for member in ["caldicott-guardian", "dpo"] {
        let (new, old) = ("", "correct horse battery staple");
        assert!(
            board.ssh_keygen(&["-q", "-p", "-P", old, "-N", new, "-f", &board.path(member)], "passphrase")
        );
        let words = ["-Y", "sign", "-q", "-f", &board.path(member), "-n", "cairn-policy@v1", "approval.txt"];
        assert!(board.ssh_keygen(&words, "passphrase"), "{member}");
        std::fs::create_dir_all(board.path("approvals")).unwrap();
        std::fs::rename(board.path("approval.txt.sig"), board.path(&format!("approvals/{member}.sig")))
            .unwrap();
    }
    // A key that stock OpenSSH took the passphrase from is read too, and warned about.
    board.sign("siro", &[]).exits(0);
    board.run("verify", &[]).exits(0).says("APPROVED by caldicott-guardian, dpo, siro.");
    std::fs::remove_file(board.path("approvals/dpo.sig")).unwrap();
    board.sign("dpo", &[]).exits(0).says("warning [CC411]");
    board.run("verify", &[]).exits(0);
}

#[test]
fn only_a_member_with_their_own_key_and_passphrase_signs_and_nothing_is_overwritten() {
    let board = Board::meets();
    let with = |member: &str, key: &str, passphrase: &str| {
        let (key, passphrase) = (board.path(key), board.path(passphrase));
        let with = ["--member", member, "--key", &key, "--passphrase-file", &passphrase];
        board.run("approve", &[&with, &MINUTE[..]].concat())
    };
    with("stranger", "dpo", "passphrase").exits(5).says("CC413");
    with("siro", "dpo", "passphrase").exits(5).says("CC413");
    with("siro", "siro", "policy.toml").exits(5).says("CC409");
    with("siro", "policy.toml", "passphrase").exits(5).says("CC409");
    assert!(!Path::new(&board.path("approvals")).exists());
    assert!(!Path::new(&board.path("approval.txt")).exists(), "who cannot sign leaves no note behind");
    with("siro", "siro", "passphrase").exits(0);
    with("siro", "siro", "passphrase").exits(1).says("CC107");
    let key = board.path("siro");
    policy(&["key", "new", "--out", &key, "--passphrase-file", &board.path("passphrase")])
        .exits(1)
        .says("CC107");
    board.write("short", "short\n");
    policy(&["key", "new", "--out", "x", "--passphrase-file", &board.path("short")]).exits(1).says("CC410");
    board.sign("dpo", &["--minute", "another minute"]).exits(6).says("CC414");
}

#[test]
fn a_change_is_judged_by_the_diff_and_names_what_it_replaces() {
    let board = Board::meets();
    let old = format!("{FIXTURE}/policy.toml");
    let replaces = ["--replaces", old.as_str()];
    let both = [&replaces[..], &MINUTE].concat();
    board.write("policy.toml", &board.read("policy-v8-tighter.toml"));
    let ran = board.sign("siro", &both).exits(5).says("CC416");
    let line = ran.err.split_once("supersedes = ").unwrap().1.lines().next().unwrap().to_owned();
    let names = |text: &str| {
        let (before, rest) = text.split_once("supersedes     = ").unwrap();
        format!("{before}supersedes     = {line}\n{}", rest.split_once('\n').unwrap().1)
    };
    board.write("policy.toml", &names(&board.read("policy-v8-tighter.toml")));
    let pack = board.path("pack");
    board.run("pack", &[&replaces[..], &["--out", &pack]].concat()).exits(0);
    let (draft, paper) = (board.read("pack/approval-draft.txt"), board.read("pack/paper.txt"));
    assert!(draft.contains("change    tightens; quorum 1 of"), "{draft}");
    assert!(draft.contains("minute    DRAFT, not minuted"), "{draft}");
    assert!(paper.contains("Verdict: TIGHTENS") && paper.contains("DRAFT, not minuted"), "{paper}");
    // What it replaces was not given: nobody can say what it changes, so nothing is drafted.
    let alone = board.path("alone");
    board.run("pack", &["--out", &alone]).exits(0).says("warning [CC418]");
    assert!(board.read("alone/paper.txt").contains("was not compared"));
    assert!(!Path::new(&alone).join("approval-draft.txt").exists());
    board.sign("siro", &both).exits(0).says("change    tightens; quorum 1 of").says("Enough members");
    board.run("verify", &replaces).exits(0).says("APPROVED by siro.");

    // The same signature is not enough for what permits more, whatever a note says.
    board.write("policy.toml", &names(&board.read("policy-v8-proposed.toml")));
    board.run("verify", &replaces).exits(6).says("CP722").says("CP728");
    board.run("verify", &[]).exits(6).says("warning [CC418]");
}

#[test]
fn a_new_board_needs_the_old_one_and_the_new() {
    let board = Board::meets();
    board.key("new-dpo");
    std::fs::create_dir(board.path("next")).unwrap();
    let members = [
        ("convener", "convener"),
        ("siro", "siro"),
        ("caldicott-guardian", "caldicott-guardian"),
        ("dpo", "new-dpo"),
    ];
    board.write("next/board.toml", &board.file(3, members));
    let (old, new) = (board.path("board.toml"), board.path("next/board.toml"));
    let sign = |member: &str, key: &str| {
        let (key, passphrase) = (board.path(key), board.path("passphrase"));
        let with = ["--member", member, "--key", &key, "--passphrase-file", &passphrase];
        policy(&[&["board", "rotate", &old, &new], &with[..], &MINUTE].concat())
    };
    let verify = || policy(&["board", "verify", &old, &new]);
    sign("siro", "convener").exits(5).says("CC413");
    assert!(!Path::new(&board.path("next/board-approval.txt")).exists());
    sign("convener", "convener").exits(0).says("too few signatures of the old board");
    sign("siro", "siro").exits(0);
    verify().exits(6).says("CP728");
    sign("dpo", "dpo").exits(0);
    sign("dpo", "siro").exits(5).says("CC413");
    verify().exits(6).says("new board");
    sign("dpo", "new-dpo").exits(0).says("Enough members have signed");
    verify().exits(0).says("APPROVED by convener, dpo, siro: strathcarron-lep-board version 3");
    assert!(Path::new(&board.path("next/board-approvals/dpo.old.sig")).exists());
    policy(&["board", "check", &new]).exits(0).says("version 3: sha256:");
}
