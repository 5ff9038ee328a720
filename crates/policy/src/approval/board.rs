//! `board.toml`: who may approve, with which keys, and how many of them for what.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cairn_question::form::nearest;
use cairn_question::{Day, Hash, Moment, Name};
use chrono::Datelike as _;

use super::key::PublicKey;
use super::note::{Change, Document};
use super::seats::{MEMBERS_MAX, Quorum};
use super::sshsig::NAMESPACE;
use crate::finding::{Faults, File, Finding, Severity};
use crate::letters;
use crate::london::london_day;
use crate::read::{At, Section, VERSION_MAX, parse, shown};

/// A board that was read and has no error.
#[derive(Clone, Debug)]
pub struct Board {
    document: Document,
    loosen: Quorum,
    tighten: Quorum,
    board: Quorum,
    members: Vec<Member>,
}

/// One member with the key that the board has of them.
#[derive(Clone, Debug)]
pub struct Member {
    /// The word that names them in quorums and files: `convener`.
    pub id: Name,
    /// What people call them.
    pub name: String,
    /// Their public key.
    pub key: PublicKey,
    /// First day on which they may sign, London.
    pub from: Day,
    /// First day on which they may no longer sign, London.
    pub to: Day,
}

impl Board {
    /// Every finding of a `board.toml` in one run; the file loads when none is an error.
    #[must_use]
    pub fn check(file: &File) -> Vec<Finding> {
        read(file).1
    }

    /// Reads a `board.toml`.
    ///
    /// # Errors
    /// Every finding, at least one of them an error.
    pub fn load(file: &File) -> Result<Self, Vec<Finding>> {
        let (board, findings) = read(file);
        let sound = findings.iter().all(|f| f.severity != Severity::Error);
        board.filter(|_| sound).ok_or(findings)
    }

    /// Its id, version and hash.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// SHA-256 of the file with LF line ends: what a node pins at installation.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.document.hash
    }

    /// The members in the order of the file.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member of this id.
    #[must_use]
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.id.as_str() == id)
    }

    /// The signatures that a policy with this change asks for. A first policy permits what nothing permitted before.
    #[must_use]
    pub const fn quorum(&self, change: Change) -> &Quorum {
        match change {
            Change::First | Change::Loosens => &self.loosen,
            Change::Tightens => &self.tighten,
        }
    }

    /// The signatures that a change of this file asks for.
    #[must_use]
    pub const fn board_quorum(&self) -> &Quorum {
        &self.board
    }

    /// The file that stock `ssh-keygen -Y verify -f` takes: one line a member, by id.
    #[must_use]
    pub fn allowed_signers(&self) -> String {
        let mut members: Vec<&Member> = self.members.iter().collect();
        members.sort_by(|a, b| a.id.cmp(&b.id));
        members.into_iter().fold(String::new(), |mut text, Member { id, key, from, to, .. }| {
            let (after, before) = (utc(*from), utc(*to));
            let options =
                format!("namespaces=\"{NAMESPACE}\",valid-after=\"{after}\",valid-before=\"{before}\"");
            let _ = writeln!(text, "{id} {options} {key}");
            text
        })
    }
}

impl Member {
    /// Whether they may sign on this day.
    #[must_use]
    pub fn valid_on(&self, day: Day) -> bool {
        self.from <= day && day < self.to
    }
}

/// The moment in UTC at which a day begins in London, as OpenSSH writes it: in summer an hour before midnight.
fn utc(day: Day) -> String {
    let plain = day.date().format("%Y%m%d");
    let midnight_s = u64::try_from(i64::from(day.epoch_days()) * 86_400).unwrap_or(0);
    if london_day(Moment::from_unix_s(midnight_s.saturating_sub(1))) == day {
        return format!("{}230000Z", day.plus_days(-1).date().format("%Y%m%d"));
    }
    format!("{plain}Z")
}

/// A member as far as it could be read.
struct Seat {
    id: At<Name>,
    name: Option<At<String>>,
    key: Option<At<PublicKey>>,
    valid: Option<(At<Day>, At<Day>)>,
}

/// A quorum with its place.
type Asked = At<Quorum>;

fn read(file: &File) -> (Option<Board>, Vec<Finding>) {
    let faults = Faults::new(file);
    letters::check(file, &faults);
    let board = parse(&faults).and_then(|tree| {
        let root = Section::root(&tree, &faults);
        root.format("cairn_board");
        let head = root.section("board").and_then(head);
        let seats: Vec<Seat> = root.array("member").into_iter().filter_map(seat).collect();
        let quorums = root.section("quorum").and_then(|q| quorums(&q, &seats).inspect(|_| q.finish()));
        members(&root, &seats, quorums.as_ref());
        root.finish();
        let ((id, version), [loosen, tighten, board]) = (head?, quorums?);
        let members = seats.into_iter().map(Seat::member).collect::<Option<Vec<_>>>()?;
        let document = Document::of(id, version, &file.text);
        Some(Board { document, loosen: loosen.value, tighten: tighten.value, board: board.value, members })
    });
    (board, faults.into_found())
}

fn head(section: Section<'_>) -> Option<(Name, u32)> {
    let (id, version) = (section.name("id"), section.whole("version", 1..=VERSION_MAX));
    section.finish();
    Some((id?.value, version?.value))
}

fn seat(section: Section<'_>) -> Option<Seat> {
    let id = section.name("id");
    let section = match &id {
        Some(id) => section.renamed(format!("member.{}", id.value)),
        None => section,
    };
    let (name, key, valid) = (section.text("name"), key(&section), section.section("valid").and_then(valid));
    section.finish();
    Some(Seat { id: id?, name, key, valid })
}

fn key(section: &Section<'_>) -> Option<At<PublicKey>> {
    let text = section.text("key")?;
    match PublicKey::parse(&text.value) {
        Ok(key) => Some(At::new(key, text.span)),
        Err(error) => {
            let fix = "copy the line of the member's `.pub` file (`ssh-keygen -t ed25519` or `-t ed25519-sk` makes one)";
            section.faults().error("CP708", &text.span, section.rule("key"), error.to_string(), fix);
            None
        }
    }
}

fn valid(section: Section<'_>) -> Option<(At<Day>, At<Day>)> {
    let (from, to) = (section.day("from"), section.day("to"));
    if let (Some(from), Some(to)) = (&from, &to)
        && to.value <= from.value
    {
        let says = format!("`to` is {} and `from` is {}: no day is left to sign", to.value, from.value);
        let fix = "`to` is the first day on which the key no longer counts; write a later one";
        section.faults().error("CP709", &to.span, section.rule("to"), says, fix);
    }
    if let Some(early) = from.as_ref().filter(|d| d.value.date().year() < FIRST_YEAR) {
        let says = format!("`from` is {}, before anybody had such a key", early.value);
        section.faults().error(
            "CP709",
            &early.span,
            section.rule("from"),
            says,
            "write the day from which the key counts",
        );
    }
    section.finish();
    Some((from?, to?))
}

impl Seat {
    fn member(self) -> Option<Member> {
        let (from, to) = self.valid?;
        let (name, key) = (self.name?.value, self.key?.value);
        Some(Member { id: self.id.value, name, key, from: from.value, to: to.value })
    }
}

/// What holds between the members: ids and keys once each, and nobody without a vote.
fn members(root: &Section<'_>, seats: &[Seat], quorums: Option<&[Asked; 3]>) {
    let faults = root.faults();
    if seats.len() > MEMBERS_MAX {
        let says = format!("more than {MEMBERS_MAX} members");
        faults.error("CP002", &root.span, "member", says, "a board that signs is small: name those who do");
    }
    for (n, seat) in seats.iter().enumerate() {
        let before = seats.get(..n).unwrap_or_default();
        let (id, rule) = (&seat.id, format!("member.{}", seat.id.value));
        if before.iter().any(|s| s.id.value == id.value) {
            let says = format!("two members are called `{}`", id.value);
            faults.error("CP703", &id.span, rule.clone(), says, "give each an id of its own");
        }
        let Some(key) = &seat.key else { continue };
        let twin = before.iter().find(|s| s.key.as_ref().is_some_and(|k| k.value.point == key.value.point));
        if let Some(twin) = twin {
            let says = format!(
                "`{}` and `{}` have the same key: one person would count twice",
                twin.id.value, id.value
            );
            faults.error(
                "CP704",
                &key.span,
                format!("{rule}.key"),
                says,
                "let each member make their own key",
            );
        }
    }
    let Some(quorums) = quorums else { return };
    let votes: BTreeSet<&Name> = quorums.iter().flat_map(|q| q.value.of.iter().chain(&q.value.and)).collect();
    for seat in seats.iter().filter(|s| !votes.contains(&s.id.value)) {
        let says = format!("`{}` is in no quorum, so their signature counts for nothing", seat.id.value);
        let fix = "name them in a quorum, or delete them";
        faults.warn("CP710", &seat.id.span, format!("member.{}", seat.id.value), says, fix);
    }
}

/// The three quorums and what holds between them.
fn quorums(section: &Section<'_>, seats: &[Seat]) -> Option<[Asked; 3]> {
    let [loosen, tighten, board] = ["loosen", "tighten", "board"].map(|key| quorum(section, key, seats));
    let [loosen, tighten, board] = [loosen?, tighten?, board?];
    let faults = section.faults();
    if loosen.value.least() < LOOSEN_LEAST {
        let says = format!("one signature would be enough to permit more; it takes {LOOSEN_LEAST}");
        faults.error("CP706", &loosen.span, section.rule("loosen"), says, "raise `need`, or add to `and`");
    }
    if !loosen.value.and.iter().any(|m| m.as_str() == OFFICER) {
        let says = format!("more can be permitted without `{OFFICER}`, the data protection officer");
        let fix = format!("write `and = [\"{OFFICER}\"]`");
        faults.error("CP706", &loosen.span, section.rule("loosen"), says, fix);
    }
    if let Some(enough) = weaker(&loosen.value, &tighten.value) {
        let says = format!("{enough} may permit more, and may not permit less");
        let fix = "whoever may loosen must be able to tighten: lower `tighten`, or raise `loosen`";
        faults.error("CP705", &loosen.span, section.rule("loosen"), says, fix);
    }
    if board.value.least() < loosen.value.least() {
        let says = format!(
            "{} signatures change the board and {} permit more: a new board would be the easy way",
            board.value.least(),
            loosen.value.least()
        );
        faults.error("CP707", &board.span, section.rule("board"), says, "raise `need` of `board`");
    }
    Some([loosen, tighten, board])
}

fn quorum(section: &Section<'_>, key: &'static str, seats: &[Seat]) -> Option<Asked> {
    let table = section.section(key)?;
    let (need, of) = (table.whole("need", 0..=u32::MAX), table.texts("of"));
    let and = table.texts_opt("and").map(|l| l.value).unwrap_or_default();
    let (need, of) = (need?, of?.value);
    let many = u32::try_from(of.len()).unwrap_or(u32::MAX);
    if need.value == 0 || need.value > many {
        let says = match need.value {
            0 => "a quorum of 0: nobody would need to sign".to_owned(),
            need => format!("{need} are needed and `of` names {many}"),
        };
        let fix = format!("write 1 to {many}");
        table.faults().error("CP701", &need.span, table.rule("need"), says, fix);
    }
    let mut seen = BTreeSet::new();
    let mut named = |key: &str, list: Vec<At<String>>| -> Vec<Name> {
        let member = |word: At<String>| {
            if !seen.insert(word.value.clone()) {
                let says = format!("`{}` is named twice in one quorum, and signs once", shown(&word.value));
                table.faults().error("CP703", &word.span, table.rule(key), says, "delete one");
            }
            declared(&table, key, &word, seats);
            Name::new(word.value).ok()
        };
        list.into_iter().filter_map(member).collect()
    };
    let (of, and) = (named("of", of), named("and", and));
    let span = table.span.clone();
    table.finish();
    Some(At::new(Quorum { need: need.value, of, and }, span))
}

/// A member of a quorum must be one of the board.
fn declared(table: &Section<'_>, key: &str, word: &At<String>, seats: &[Seat]) {
    let ids = || seats.iter().map(|s| s.id.value.to_string());
    if ids().any(|id| id == word.value) {
        return;
    }
    let word_shown = shown(&word.value);
    let fix = match nearest(&word_shown, ids()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add a `[[member]]` with `id = \"{word_shown}\"` and their key"),
    };
    let says = format!("`{word_shown}` is not a member of this board");
    table.faults().error("CP702", &word.span, table.rule(key), says, fix);
}

/// Some who would be enough for `loosen` and not for `tighten`.
fn weaker(loosen: &Quorum, tighten: &Quorum) -> Option<String> {
    let need = usize::try_from(loosen.need).unwrap_or(usize::MAX);
    // The sets that help `tighten` least: one that leaves out those it counts, one that leaves out those it must have.
    [&tighten.of, &tighten.and].into_iter().find_map(|helpful| {
        let mut of: Vec<&Name> = loosen.of.iter().collect();
        of.sort_by_key(|m| helpful.contains(m));
        let set: BTreeSet<Name> = of.into_iter().take(need).chain(&loosen.and).cloned().collect();
        let words = set.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
        (!tighten.met_by(&set)).then_some(words)
    })
}

/// The member whose signature every loosening needs.
const OFFICER: &str = "dpo";
/// Fewest signatures that may permit more: no one person opens a council's records.
const LOOSEN_LEAST: usize = 2;
/// OpenSSH cannot write days of all years; Ed25519 is of 2011.
const FIRST_YEAR: i32 = 2000;
