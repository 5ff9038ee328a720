//! Notes and their signatures as files: written once, never over one that is there.

use std::path::{Path, PathBuf};

use cairn_policy::Severity;
use cairn_policy::approval::sshsig::SIGNATURE_BYTES_MAX;
use cairn_policy::approval::{Minute, Reason, SignatureFile, lf};
use cairn_question::Name;

use super::key::MemberKey;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{files, say};

/// Where a note and its signatures lie.
pub(super) struct Places {
    pub(super) note: PathBuf,
    pub(super) signatures: PathBuf,
}

/// Where the minute of a note comes from.
pub(super) struct Minuted<'a> {
    there: Option<&'a str>,
    given: Option<&'a str>,
}

impl Minuted<'_> {
    /// The minute of the note that is there, or the one that was given.
    pub(super) fn minute(&self, of: impl Fn(&str) -> Option<Minute>) -> Result<Minute, Failure> {
        match (self.there.and_then(of), self.given) {
            (Some(there), given) if given.is_none_or(|g| g == there.as_str()) => Ok(there),
            (_, Some(given)) => Minute::new(given).map_err(|e| Failure::new("CC415", e.to_string())),
            (_, None) => Err(Failure::new("CC415", "say with --minute where the decision is minuted")),
        }
    }
}

/// The note: written now, or there already and word for word the one that would be written.
pub(super) fn written(
    places: &Places,
    minute: Option<&str>,
    note: impl FnOnce(Minuted<'_>) -> Result<String, Failure>,
) -> Result<String, Failure> {
    if !places.note.exists() {
        let text = note(Minuted { there: None, given: minute })?;
        files::write_new(&places.note, &text)?;
        say::note(&format!("Wrote {}.", places.note.display()));
        return Ok(text);
    }
    let there = lf(&files::read_text(&places.note)?);
    let text = note(Minuted { there: Some(&there), given: minute })?;
    if text == there {
        return Ok(text);
    }
    let differs = text.lines().zip(there.lines()).find(|(is, was)| is != was);
    let says = format!(
        "{} is another note than these files make{}; move it and its signatures away to write a new one",
        places.note.display(),
        differs.map(|(is, _)| format!(": `{is}`")).unwrap_or_default()
    );
    Err(Failure::not_verified("CC414", says))
}

/// Signs a note and keeps the signature under the member's name.
pub(super) fn sign(places: &Places, text: &str, key: &MemberKey, stem: &str) -> Result<(), Failure> {
    files::make_folder(&places.signatures)?;
    let path = places.signatures.join(format!("{stem}.sig"));
    files::write_new(&path, &key.sign(text)?)?;
    say::note(&format!("Wrote {}.", path.display()));
    Ok(())
}

/// The note as it lies there.
pub(super) fn read(places: &Places) -> Result<String, Failure> {
    files::read_text(&places.note)
}

/// Every `.sig` file, by name. What is too long is cut where it is known to be.
pub(super) fn signatures(places: &Places) -> Vec<SignatureFile> {
    let Ok(folder) = std::fs::read_dir(&places.signatures) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = folder.flatten().take(FILES_MAX).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "sig"));
    paths.sort();
    paths.iter().map(|path| signature(path)).collect()
}

/// One that cannot be read is no signature, and does not stop the others: it is named as one that was not counted.
fn signature(path: &Path) -> SignatureFile {
    let most = u64::try_from(SIGNATURE_BYTES_MAX).unwrap_or(u64::MAX);
    let bytes = files::read_bytes(path, most).unwrap_or_else(|why| {
        say::warning("CC105", &format!("{} cannot be read: {why}", path.display()));
        Vec::new()
    });
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    SignatureFile::new(&name, bytes)
}

/// Says which signatures are still missing; the other reasons of an approval are those of whoever verifies.
pub(super) fn still_missing(reasons: &[Reason]) {
    match reasons.iter().filter(|r| r.code == TOO_FEW).map(|r| r.says.as_str()).collect::<Vec<_>>() {
        missing if missing.is_empty() => say::note("Enough members have signed. Next: verify it."),
        missing => missing.into_iter().for_each(say::note),
    }
}

/// Says why an approval does not stand.
pub(super) fn not_approved(reasons: &[Reason]) -> Exit {
    uncounted(reasons);
    say::note("NOT APPROVED.");
    Exit::NotVerified
}

/// Says what is wrong, or was not counted, each with what to do next.
pub(super) fn uncounted(reasons: &[Reason]) {
    for Reason { code, severity, says, fix } in reasons {
        let text = format!("{says}; {fix}");
        match severity {
            Severity::Error => say::error(code, &text),
            Severity::Warning | Severity::Note => say::warning(code, &text),
        }
    }
}

pub(super) fn names(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

pub(super) fn stranger(member: &Name) -> Failure {
    Failure::bad_file("CC413", format!("nobody on the board is called `{member}`; board.toml has the ids"))
}

pub(super) fn other_key(member: &Name) -> Failure {
    Failure::bad_file("CC413", format!("the board has another key of `{member}` than this one"))
}

/// Too few signatures.
const TOO_FEW: &str = "CP728";

/// Most files of a folder of signatures that are looked at.
const FILES_MAX: usize = 200;
