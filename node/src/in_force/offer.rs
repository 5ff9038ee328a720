//! What lies in the policy folder, read whole: a time stamp can lie, and the files are small.

use std::fs::File as DiskFile;
use std::io::{self, Read as _};
use std::path::Path;

use cairn_policy::{File, Sources};
use cairn_question::Hash;

/// The national board's file, in the policy folder.
pub const FRAMEWORK_FILE: &str = "framework.toml";

/// The partner's policy.
pub const POLICY_FILE: &str = "policy.toml";

/// Most bytes of one policy file: a policy of five shares has some 15 KB.
pub const POLICY_BYTES_MAX: u64 = 1 << 20;

/// The files of a policy that is offered to the node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Offer {
    pub(crate) framework: String,
    pub(crate) policy: String,
}

/// What a look into the folder found.
pub(crate) enum Found {
    /// Neither file is there.
    Nothing,
    /// One is missing, or cannot be read.
    Unreadable,
    /// Both, perhaps faulty.
    Offer(Offer),
}

/// Looks into the folder; with a digest that differs whenever what was found does.
pub(crate) fn look(policy_dir: &Path) -> (Hash, Found) {
    let texts = [FRAMEWORK_FILE, POLICY_FILE].map(|name| read(&policy_dir.join(name)));
    let digest = digest_of(&texts);
    let found = match texts {
        [Ok(framework), Ok(policy)] => Found::Offer(Offer { framework, policy }),
        texts if texts.iter().all(is_absent) => Found::Nothing,
        _ => Found::Unreadable,
    };
    (digest, found)
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
}

/// Reads one text of the folder, no longer than it may be.
pub(super) fn read(path: &Path) -> Result<String, io::Error> {
    let mut text = String::new();
    let length = DiskFile::open(path)?.take(POLICY_BYTES_MAX + 1).read_to_string(&mut text)?;
    if u64::try_from(length).is_ok_and(|n| n <= POLICY_BYTES_MAX) {
        Ok(text)
    } else {
        Err(io::ErrorKind::FileTooLarge.into())
    }
}

/// One digest for what was read, or for why it was not.
pub(super) fn digest_of(texts: &[Result<String, io::Error>]) -> Hash {
    let parts = texts.iter().flat_map(|text| match text {
        Ok(text) => Hash::of(text.as_bytes()).to_string().into_bytes(),
        Err(e) => format!("{:?};", e.kind()).into_bytes(),
    });
    Hash::of(&parts.collect::<Vec<u8>>())
}

fn is_absent(text: &Result<String, io::Error>) -> bool {
    text.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
}
