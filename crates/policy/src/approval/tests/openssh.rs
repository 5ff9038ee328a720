//! Stock `ssh-keygen -Y` says what we say: of a thousand mutated signatures, of its own, and of ours.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ring::digest::{SHA256, SHA512, digest};

use super::super::key::Kind;
use super::super::quorum::counted;
use super::super::sshsig::{NAMESPACE, armoured};
use super::super::wire::put;
use super::*;

const MUTATIONS: usize = 1_000;
const TODAY: &str = "2026-11-20";

/// One question to both: did this member sign this text, for approvals, with a key that counts on this day?
#[derive(Clone)]
struct Case {
    what: String,
    member: String,
    text: String,
    signature: Vec<u8>,
    day: Day,
}

/// A folder with the board's allowed signers, and what stock ssh-keygen says there.
struct OpenSsh {
    folder: tempfile::TempDir,
    signers: PathBuf,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Good,
    Bad,
}

impl OpenSsh {
    fn new(board: &Board) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let signers = folder.path().join("allowed_signers");
        std::fs::write(&signers, board.allowed_signers()).expect("written");
        Self { folder, signers }
    }

    fn verify(&self, case: &Case, number: usize) -> Verdict {
        let file = self.folder.path().join(format!("{number}.sig"));
        std::fs::write(&file, &case.signature).expect("written");
        let time = format!("verify-time={}120000Z", case.day.date().format("%Y%m%d"));
        let mut child = keygen()
            .args(["-Y", "verify", "-n", NAMESPACE, "-I", &case.member, "-O", &time])
            .args([Path::new("-f"), &self.signers, Path::new("-s"), &file])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ssh-keygen runs");
        // It may be gone before it read the text, since a bad signature file needs none.
        let _ = child.stdin.take().expect("a pipe").write_all(case.text.as_bytes());
        match child.wait().expect("it ends").code() {
            Some(0) => Verdict::Good,
            Some(255) => Verdict::Bad,
            other => panic!("ssh-keygen ended with {other:?} at {}", case.what),
        }
    }
}

/// The test fails where there is no ssh-keygen: agreement that was not looked at is not agreement.
fn keygen() -> Command {
    let there = std::env::split_paths(&std::env::var_os("PATH").expect("a PATH"))
        .any(|folder| folder.join("ssh-keygen").is_file());
    assert!(there, "ssh-keygen is missing: install openssh-client 9.1 or newer (scripts/test does)");
    Command::new("ssh-keygen")
}

fn ours(board: &Board, case: &Case) -> Verdict {
    let file = SignatureFile { stem: case.member.clone(), bytes: case.signature.clone() };
    let ([signers], _) = counted([board], &case.text, &[file], case.day);
    if signers.is_empty() { Verdict::Bad } else { Verdict::Good }
}

/// The worked example's board, and a member with a security key.
fn signing_board() -> Board {
    let token = member("token", "token").replace(&public("token").line(), &token("ssh:").line());
    board(&(board_text() + &token))
}

fn token(application: &str) -> PublicKey {
    let kind = Kind::SecurityKey { application: application.as_bytes().to_vec() };
    PublicKey { kind, point: point(&pair("token")) }
}

/// The parts of a signature, each of which can be made wrong.
#[derive(Clone)]
struct Parts {
    head: Vec<u8>,
    key: Vec<u8>,
    namespace: Vec<u8>,
    reserved: Vec<u8>,
    hash: Vec<u8>,
    kind: Vec<u8>,
    signature: Vec<u8>,
    token: Vec<u8>,
    tail: Vec<u8>,
}

impl Parts {
    /// A good signature of `member` over `text`.
    fn good(member: &str, text: &str, hash: &str) -> Self {
        let key = if member == "token" { token("ssh:") } else { public(member) };
        let mut parts = Self {
            head: b"SSHSIG\0\0\0\x01".to_vec(),
            key: key.blob(),
            namespace: NAMESPACE.into(),
            reserved: Vec::new(),
            hash: hash.into(),
            kind: key.name().into(),
            signature: Vec::new(),
            token: if member == "token" { vec![1, 0, 0, 0, 7] } else { Vec::new() },
            tail: Vec::new(),
        };
        parts.sign(member, text);
        parts
    }

    /// Signs what the parts now say.
    fn sign(&mut self, member: &str, text: &str) {
        let algorithm = if self.hash.starts_with(b"sha256") { &SHA256 } else { &SHA512 };
        let mut over = b"SSHSIG".to_vec();
        for part in
            [&self.namespace[..], &self.reserved, &self.hash, digest(algorithm, text.as_bytes()).as_ref()]
        {
            put(&mut over, part);
        }
        if member == "token" {
            let message = digest(&SHA256, &over);
            over = [digest(&SHA256, b"ssh:").as_ref(), &self.token, message.as_ref()].concat();
        }
        self.signature = pair(member).sign(&over).as_ref().to_vec();
    }

    fn blob(&self) -> Vec<u8> {
        let mut made = Vec::new();
        put(&mut made, &self.kind);
        put(&mut made, &self.signature);
        made.extend_from_slice(&self.token);
        let mut blob = self.head.clone();
        for part in [&self.key, &self.namespace, &self.reserved, &self.hash, &made] {
            put(&mut blob, part);
        }
        blob.extend_from_slice(&self.tail);
        blob
    }

    fn file(&self) -> Vec<u8> {
        armoured(&self.blob()).into_bytes()
    }
}

/// Numbers that are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, many: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(many).expect("fits")).expect("fits")
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Changes, puts in or takes out a byte or two, or cuts the end off.
    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(2) {
            let at = self.below(bytes.len().max(1));
            match self.below(4) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 => bytes.insert(at.min(bytes.len()), u8::try_from(self.below(256)).expect("a byte")),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
        }
    }
}

const KINDS: [fn(&mut Dice, &mut Case); 7] =
    [of_bytes, of_armour, of_blob, of_parts, of_text, of_member, of_day];

/// The n-th mutated signature.
fn mutated(dice: &mut Dice, number: usize) -> Case {
    let member = dice.pick(&["convener", "siro", "caldicott-guardian", "dpo", "token"]);
    let text = fixture("approval.txt");
    let hash = dice.pick(&["sha512", "sha256"]);
    let signature = Parts::good(member, &text, hash).file();
    let what = format!("{number}: {member}, {hash}");
    let mut case = Case { what, member: member.to_owned(), text, signature, day: day(TODAY) };
    KINDS[number % KINDS.len()](dice, &mut case);
    case
}

fn of_bytes(dice: &mut Dice, case: &mut Case) {
    case.what.push_str(", bytes of the file");
    dice.spoil(&mut case.signature);
}

/// What may and may not stand around and between the letters.
fn of_armour(dice: &mut Dice, case: &mut Case) {
    let text = String::from_utf8(case.signature.clone()).expect("ASCII");
    let at = 30 + dice.below(text.len() - 60);
    let put = |what: &str| format!("{}{what}{}", &text[..at], &text[at..]);
    let edits: [(&str, String); 20] = [
        ("a space", put(" ")),
        ("a line end", put("\n")),
        ("CRLF inside", put("\r\n")),
        ("a tab and a form feed", put("\t\u{c}\u{b}")),
        ("a no-break space", put("\u{a0}")),
        ("a zero byte", put("\0")),
        ("padding inside", put("=")),
        ("four letters", put("AAAA")),
        ("a second last line", put("\n-----END SSH SIGNATURE-----\n")),
        ("CRLF everywhere", text.replace('\n', "\r\n")),
        ("text before", format!("hello\n{text}")),
        ("an empty line before", format!("\n{text}")),
        ("text behind", format!("{text}hello \u{e9}\n")),
        ("text on the last line", text.trim_end().to_owned() + " hello"),
        ("no last line end", text.trim_end().to_owned()),
        ("a zero byte at the end", text.replace("\n-----END", "\0\n-----END")),
        ("two zero bytes at the end", text.replace("\n-----END", "\0\0\n-----END")),
        ("one long line", armoured_in_one_line(&text)),
        ("more padding", text.replace("\n-----END", "=\n-----END")),
        ("another alphabet", text.replace('+', "-").replace('/', "_")),
    ];
    let (what, edited) = dice.pick(&edits);
    case.what.push_str(&format!(", {what} at {at}"));
    case.signature = edited.into_bytes();
}

fn armoured_in_one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let inner = lines[1..lines.len() - 1].concat();
    format!("{}\n{inner}\n{}\n", lines[0], lines[lines.len() - 1])
}

fn of_blob(dice: &mut Dice, case: &mut Case) {
    case.what.push_str(", bytes of the blob");
    let mut blob = Parts::good(&case.member, &case.text, dice.pick(&["sha512", "sha256"])).blob();
    dice.spoil(&mut blob);
    case.signature = armoured(&blob).into_bytes();
}

/// One part says something else; sometimes the signature is made to fit it.
fn of_parts(dice: &mut Dice, case: &mut Case) {
    let mut parts = Parts::good(&case.member, &case.text, dice.pick(&["sha512", "sha256"]));
    let namespaces = [
        "",
        "cairn-policy@v1\0",
        "cairn-policy@v1\0\0",
        "cairn-policy@v2",
        "CAIRN-policy@v1",
        "cairn-policy@v1 ",
        "git",
    ];
    let hashes = ["sha256", "sha512", "sha256\0", "SHA512", "sha1", "sha384", "", "sha256,sha512", "*"];
    let names = [
        "ssh-ed25519",
        "ssh-ed25519\0",
        "ed25519",
        "ED25519",
        "Ed25519-SK",
        "sk-ssh-ed25519@openssh.com",
        "SSH-ED25519",
        "ssh-rsa",
        "",
        "ssh-ed25519-cert-v01@openssh.com",
    ];
    let which = dice.below(11);
    match which {
        0 => {
            parts.head = dice
                .pick(&[b"SSHSIG\0\0\0\0", b"SSHSIG\0\0\0\x02", b"SSHSIG\x01\0\0\x01", b"sshsig\0\0\0\x01"])
                .to_vec()
        }
        1 => parts.namespace = dice.pick(&namespaces).into(),
        2 => parts.reserved = dice.pick(&["x", "", "\0", "reserved"]).into(),
        3 => parts.hash = dice.pick(&hashes).into(),
        4 => parts.kind = dice.pick(&names).into(),
        5 => parts.key = renamed(&parts.key, dice.pick(&names)),
        6 => parts.tail = dice.pick(&["x", "\0", "\0\0\0\0"]).into(),
        7 => {
            parts.token = dice
                .pick(&[
                    &[][..],
                    &[1],
                    &[1, 0, 0, 0, 7],
                    &[5, 0, 0, 0, 7],
                    &[1, 0, 0, 0, 8],
                    &[1, 0, 0, 0, 7, 0],
                ])
                .to_vec()
        }
        8 => {
            parts.key = dice
                .pick(&[public("stranger"), public("token"), token("ssh:"), token("ssh:other"), token("")])
                .blob()
        }
        9 => parts.key.extend_from_slice(dice.pick(&[&b"x"[..], b"\0\0\0\0", b"\0\0\0\x01x"])),
        _ => {}
    }
    let fits = dice.below(2) == 1;
    if fits {
        let signer = if case.member == "token" && parts.token.len() != 5 { "token" } else { &case.member };
        parts.sign(signer, &case.text);
    }
    match (which, dice.below(3)) {
        (10, 0) => drop(parts.signature.pop()),
        (10, 1) => parts.signature.push(0),
        (10, _) => parts.signature.clear(),
        _ => {}
    }
    case.what
        .push_str(&format!(", part {which}, {}", if fits { "signed again" } else { "as it was signed" }));
    case.signature = parts.file();
}

/// The same key under another name of its kind.
fn renamed(blob: &[u8], name: &str) -> Vec<u8> {
    let length = usize::from(blob[3]);
    let mut renamed = Vec::new();
    put(&mut renamed, name.as_bytes());
    renamed.extend_from_slice(&blob[4 + length..]);
    renamed
}

fn of_text(dice: &mut Dice, case: &mut Case) {
    let at = dice.below(case.text.len());
    let edits = [
        case.text.replace('\n', "\r\n"),
        format!("{}\n", case.text),
        case.text.trim_end().to_owned(),
        case.text[..at].to_owned(),
        format!("{}x{}", &case.text[..at], &case.text[at..]),
        case.text.clone(),
        case.text.replace("version 7", "version 8"),
        String::new(),
    ];
    case.text = dice.pick(&edits);
    case.what.push_str(", the text");
}

fn of_member(dice: &mut Dice, case: &mut Case) {
    case.member =
        dice.pick(&["convener", "siro", "caldicott-guardian", "dpo", "token", "stranger", "Siro"]).to_owned();
    if dice.below(3) == 0 {
        case.signature = Parts::good("stranger", &case.text, "sha512").file();
    }
    case.what.push_str(&format!(", for {}", case.member));
}

fn of_day(dice: &mut Dice, case: &mut Case) {
    let days =
        ["2025-12-31", "2026-01-01", "2026-06-30", "2027-12-31", "2028-01-01", "2038-01-20", "2000-01-01"];
    case.day = day(dice.pick(&days));
    case.what.push_str(&format!(", on {}", case.day));
}

#[test]
fn ssh_keygen_agrees_on_a_thousand_mutated_signatures() {
    let board = signing_board();
    let open_ssh = OpenSsh::new(&board);
    let mut dice = Dice(0x5eed_cafe);
    let cases: Vec<Case> = (0..MUTATIONS).map(|number| mutated(&mut dice, number)).collect();
    let numbered: Vec<(usize, Case)> = cases.into_iter().enumerate().collect();
    let ask = |part: &[(usize, Case)]| -> Vec<(Verdict, Verdict, String)> {
        let both =
            |(n, case): &(usize, Case)| (ours(&board, case), open_ssh.verify(case, *n), case.what.clone());
        part.iter().map(both).collect()
    };
    let verdicts: Vec<(Verdict, Verdict, String)> = std::thread::scope(|scope| {
        let asked: Vec<_> =
            numbered.chunks(MUTATIONS / 4).map(|part| scope.spawn(move || ask(part))).collect();
        asked.into_iter().flat_map(|part| part.join().expect("asked")).collect()
    });
    let differ: Vec<&(Verdict, Verdict, String)> =
        verdicts.iter().filter(|(we, they, _)| we != they).collect();
    assert!(differ.is_empty(), "(we, ssh-keygen, what): {differ:#?}");
    let good = verdicts.iter().filter(|(we, ..)| *we == Verdict::Good).count();
    assert!((150..=850).contains(&good), "both verdicts come up often enough: {good} good");
}

#[test]
fn the_real_approvals_hold_for_both() {
    let text = fixture("approval.txt");
    let mut file = board_text();
    for line in fixture("allowed_signers").lines() {
        let (id, key) = (line.split(' ').next().expect("an id"), line.splitn(3, ' ').nth(2).expect("a key"));
        file = file.replace(&public(id).line(), key);
    }
    let board = board(&file);
    let open_ssh = OpenSsh::new(&board);
    for (n, member) in ["convener", "dpo", "siro"].into_iter().enumerate() {
        let signature = fixture(&format!("approvals/{member}.sig")).into_bytes();
        let case = |text: &str| Case {
            what: member.to_owned(),
            member: member.to_owned(),
            text: text.to_owned(),
            signature: signature.clone(),
            day: day(TODAY),
        };
        let changed = text.replace("version 7", "version 8");
        for (text, verdict) in [(&text, Verdict::Good), (&changed, Verdict::Bad)] {
            assert_eq!(
                (ours(&board, &case(text)), open_ssh.verify(&case(text), n)),
                (verdict, verdict),
                "{member}"
            );
        }
    }
}

#[test]
fn a_key_and_a_signature_of_ssh_keygen_are_read_here() {
    let folder = tempfile::tempdir().expect("a folder");
    let (key, note) = (folder.path().join("key"), folder.path().join("approval.txt"));
    std::fs::write(&note, fixture("approval.txt")).expect("written");
    let run = |arguments: &[&str], file: &Path| {
        let output = keygen().args(arguments).arg(file).output().expect("ssh-keygen runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    run(&["-q", "-t", "ed25519", "-N", "", "-C", "a member", "-f"], &key);
    let line = std::fs::read_to_string(key.with_extension("pub")).expect("a public key");
    let public = PublicKey::parse(&line).expect("a key");
    assert!(run(&["-l", "-f"], &key).contains(&public.fingerprint()));
    run(&["-q", "-Y", "sign", "-n", NAMESPACE, "-f", &key.to_string_lossy()], &note);
    let signature = std::fs::read(folder.path().join("approval.txt.sig")).expect("a signature");
    let parsed = super::super::sshsig::Signature::parse(&signature).expect("a signature");
    assert_eq!(parsed.verify(&public, NAMESPACE, fixture("approval.txt").as_bytes()), Ok(()));
    assert!(parsed.verify(&public, NAMESPACE, b"another note").is_err());
}

#[test]
fn where_we_are_stricter_is_known() {
    let board = signing_board();
    let open_ssh = OpenSsh::new(&board);
    let text = fixture("approval.txt");
    let check = |member: &str, parts: &Parts, behind: usize| {
        let mut signature = parts.file();
        signature.extend(std::iter::repeat_n(b'x', behind));
        let (what, member) = (member.to_owned(), member.to_owned());
        let case = Case { what, member, text: text.clone(), signature, day: day(TODAY) };
        assert_eq!(open_ssh.verify(&case, 0), Verdict::Good);
        ours(&board, &case)
    };
    let good = Parts::good("token", &text, "sha512");
    assert_eq!(check("token", &good, 0), Verdict::Good);
    // A security key that nobody touched.
    let mut untouched = good.clone();
    untouched.token[0] = 0;
    untouched.sign("token", &text);
    assert_eq!(check("token", &untouched, 0), Verdict::Bad);
    // The second half of the signature plus the order of the curve (RFC 8032, 5.1.7).
    let mut larger = Parts::good("siro", &text, "sha512");
    let mut carry = 0_u16;
    for (byte, order) in larger.signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).expect("a byte");
        carry = sum >> 8;
    }
    assert_eq!(check("siro", &larger, 0), Verdict::Bad);
    // A file that is too long to be a signature.
    assert_eq!(check("token", &good, 60_000), Verdict::Good);
    assert_eq!(check("token", &good, 70_000), Verdict::Bad);
}

/// The order of the group of Ed25519, 2^252 + 27742317777372353535851937790883648493, lowest byte first.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
