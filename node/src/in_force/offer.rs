//! What lies in the policy folder, read whole: a time stamp can lie, and the files are small.

use std::fs::File as DiskFile;
use std::io::{self, Read as _};
use std::path::Path;

use cairn_policy::approval::{SignatureFile, lf};
use cairn_policy::folder::{
    APPROVAL_FILE, APPROVALS_DIR, BOARD_APPROVAL_FILE, BOARD_APPROVALS_DIR, BOARD_FILE, FRAMEWORK_FILE,
    POLICY_FILE,
};
use cairn_policy::{File, Sources};
use cairn_question::Hash;

/// Most bytes of one policy file: a policy of five shares has some 15 KB.
pub const POLICY_BYTES_MAX: u64 = 1 << 20;

/// Most bytes of a signature's file that are read; a longer one is no signature.
const SIGNATURE_BYTES_MAX: u64 = 64 * 1024 + 1;

/// Most files of a folder of signatures: two for each of 16 members.
const SIGNATURES_MAX: usize = 32;

/// Most names of a folder that are looked at.
const NAMES_MAX: usize = 1_024;

/// A note with the signatures over it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Signed {
    /// `None`: there is no note, or it cannot be read.
    pub(crate) note: Option<String>,
    pub(crate) signatures: Vec<SignatureFile>,
}

/// The files of a policy that is offered to the node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Offer {
    pub(crate) framework: String,
    pub(crate) policy: String,
    pub(crate) approval: Signed,
}

/// A `board.toml` that is offered to the node.
#[derive(Clone, Debug)]
pub(crate) struct OfferedBoard {
    pub(crate) text: String,
    pub(crate) approval: Signed,
}

/// What a look into the folder found of a policy.
#[derive(Debug)]
pub(crate) enum Found {
    /// Neither file is there.
    Nothing,
    /// One is missing, or cannot be read.
    Unreadable,
    /// Both, perhaps faulty.
    Offer(Offer),
}

/// One look into the folder.
#[derive(Debug)]
pub(crate) struct Look {
    /// Differs whenever what was found does: whoever copies file by file is looked at after each.
    pub(crate) digest: Hash,
    pub(crate) policy: Found,
    /// `None`: there is none, or it cannot be read.
    pub(crate) board: Option<OfferedBoard>,
}

/// Looks into the folder.
pub(crate) fn look(policy_dir: &Path) -> Look {
    let names = [FRAMEWORK_FILE, POLICY_FILE, BOARD_FILE, APPROVAL_FILE, BOARD_APPROVAL_FILE];
    let texts = names.map(|name| read(&policy_dir.join(name)));
    let [approvals, board_approvals] =
        [APPROVALS_DIR, BOARD_APPROVALS_DIR].map(|name| signatures(&policy_dir.join(name)));
    let digest = digest_of(&texts, &[&approvals, &board_approvals]);
    let [framework, policy, board, approval, board_approval] = texts;
    let policy = match (framework, policy) {
        (Ok(framework), Ok(policy)) => {
            let approval = Signed { note: approval.ok(), signatures: approvals };
            Found::Offer(Offer { framework, policy, approval })
        }
        (Err(framework), Err(policy)) if is_absent(&framework) && is_absent(&policy) => Found::Nothing,
        _ => Found::Unreadable,
    };
    let board_approval = Signed { note: board_approval.ok(), signatures: board_approvals };
    let board = board.ok().map(|text| OfferedBoard { text, approval: board_approval });
    Look { digest, policy, board }
}

impl Offer {
    /// To be checked. The brake is a file of its own.
    pub(crate) fn sources(&self) -> Sources {
        Sources {
            framework: File::new(FRAMEWORK_FILE, self.framework.as_str()),
            policy: File::new(POLICY_FILE, self.policy.as_str()),
            brake: None,
        }
    }

    /// Whether both texts are these, whatever an editor did to the line ends.
    pub(crate) fn is(&self, framework: &str, policy: &str) -> bool {
        lf(&self.framework) == lf(framework) && lf(&self.policy) == lf(policy)
    }
}

/// Reads one text of the folder, no longer than it may be.
pub(super) fn read(path: &Path) -> Result<String, io::Error> {
    let mut text = String::new();
    let length = open(path)?.take(POLICY_BYTES_MAX + 1).read_to_string(&mut text)?;
    if u64::try_from(length).is_ok_and(|n| n <= POLICY_BYTES_MAX) {
        Ok(text)
    } else {
        Err(io::ErrorKind::FileTooLarge.into())
    }
}

/// Opens an ordinary file. Opening a pipe waits for its writer, and a look that waits sees no brake.
fn open(path: &Path) -> io::Result<DiskFile> {
    if std::fs::metadata(path)?.is_file() {
        DiskFile::open(path)
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}

/// The signatures of a folder, by name. What cannot be read is no signature, and is told as one that does not hold.
fn signatures(folder: &Path) -> Vec<SignatureFile> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.take(NAMES_MAX).filter_map(|e| e.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".sig")).collect();
    names.sort_unstable();
    let one = |name: String| {
        let mut bytes = Vec::new();
        let file = open(&folder.join(&name));
        let read = file.and_then(|f| f.take(SIGNATURE_BYTES_MAX).read_to_end(&mut bytes));
        SignatureFile::new(&name, if read.is_ok() { bytes } else { Vec::new() })
    };
    names.into_iter().take(SIGNATURES_MAX).map(one).collect()
}

/// One digest for what was read, or for why it was not.
pub(super) fn digest_of(texts: &[Result<String, io::Error>], signatures: &[&[SignatureFile]]) -> Hash {
    let texts = texts.iter().map(|text| match text {
        Ok(text) => Hash::of(text.as_bytes()).to_string(),
        Err(e) => format!("{:?}", e.kind()),
    });
    let signatures = signatures.iter().map(|files| {
        let each = files.iter().map(|f| format!("{:?} {},", f.stem, Hash::of(&f.bytes)));
        each.collect::<String>()
    });
    let parts: Vec<String> = texts.chain(signatures).collect();
    Hash::of(parts.join(";").as_bytes())
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
