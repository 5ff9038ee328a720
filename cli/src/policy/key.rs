//! `cairn policy key`: a board member's key, as OpenSSH keeps it, and what signs with it.

mod openssh;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use cairn_policy::approval::PublicKey;
use cairn_policy::approval::sshsig::{NAMESPACE, armour, to_be_signed};
use clap::{Args, Subcommand};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use zeroize::Zeroizing;

use openssh::{Pair, Sealed};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{context, files, say};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an Ed25519 key under a passphrase, as `ssh-keygen` would, and the .pub file for board.toml
    New {
        /// The file to make; the public key is written beside it with .pub
        #[arg(long)]
        out: PathBuf,
        /// What stands behind the public key, such as whose it is
        #[arg(long, default_value = "cairn-policy")]
        comment: String,
        #[command(flatten)]
        passphrase: Passphrase,
    },
}

/// Where the passphrase of a key comes from.
#[derive(Args)]
pub(crate) struct Passphrase {
    /// A file whose first line is the passphrase; without it, it is asked for on the terminal
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// A member's key, open for signing.
pub(super) struct MemberKey(Ed25519KeyPair);

pub(super) fn run(command: &Command) -> Result<Exit, Failure> {
    let Command::New { out, comment, passphrase } = command;
    let passphrase = passphrase.for_a_new_key()?;
    let seed = Zeroizing::new(context::random()?);
    let made = Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| fault())?;
    let point: [u8; 32] = made.public_key().as_ref().try_into().map_err(|_| fault())?;
    let (salt, check) = (first_of(&context::random()?)?, first_of(&context::random()?)?);
    let pair = Pair { seed, public: point };
    let key = openssh::write(&pair, comment, &passphrase, (salt, check)).ok_or_else(fault)?;
    let mut public = out.clone().into_os_string();
    public.push(".pub");
    files::write_new_private(out, &key)?;
    let line = PublicKey::from_ed25519(point);
    files::write_new(Path::new(&public), &format!("{line} {comment}\n"))?;
    say::out(&format!("{line} {comment}\n"));
    say::note(&format!("Made {} and its .pub ({}).", out.display(), line.fingerprint()));
    say::note("Keep the key and its passphrase to yourself; the line above goes into board.toml.");
    Ok(Exit::Done)
}

impl MemberKey {
    /// Opens a private key file of OpenSSH.
    pub(super) fn open(path: &Path, passphrase: &Passphrase) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::bad_file("CC409", format!("{}: {why}", path.display()));
        let text = Zeroizing::new(files::read_text(path)?);
        let sealed = Sealed::read(&text).map_err(|e| wrong(&e.to_string()))?;
        let passphrase = if sealed.is_locked() {
            passphrase.for_a_key(path)?
        } else {
            let says = "the key has no passphrase: whoever has the file can sign; ssh-keygen -p gives it one";
            say::warning("CC411", says);
            Zeroizing::default()
        };
        let pair = sealed.open(&passphrase).map_err(|e| wrong(&e.to_string()))?;
        let pair = Ed25519KeyPair::from_seed_and_public_key(&*pair.seed, &pair.public);
        pair.map(Self).map_err(|_| wrong("the private key and the public key do not belong together"))
    }

    pub(super) fn public(&self) -> Result<PublicKey, Failure> {
        self.point().map(PublicKey::from_ed25519)
    }

    /// The signature file over a text with LF line ends.
    pub(super) fn sign(&self, text: &str) -> Result<String, Failure> {
        let made = self.0.sign(&to_be_signed(NAMESPACE, text.as_bytes()));
        let made = made.as_ref().try_into().map_err(|_| fault())?;
        Ok(armour(self.point()?, NAMESPACE, made))
    }

    fn point(&self) -> Result<[u8; 32], Failure> {
        self.0.public_key().as_ref().try_into().map_err(|_| fault())
    }
}

impl Passphrase {
    fn for_a_key(&self, key: &Path) -> Result<Zeroizing<String>, Failure> {
        match &self.passphrase_file {
            Some(file) => first_line(file),
            None => asked(&format!("Passphrase of {}: ", key.display())),
        }
    }

    fn for_a_new_key(&self) -> Result<Zeroizing<String>, Failure> {
        let passphrase = match &self.passphrase_file {
            Some(file) => first_line(file)?,
            None => {
                let first = asked("Passphrase for the new key: ")?;
                if *first != *asked("The same again: ")? {
                    return Err(Failure::new("CC410", "the two passphrases differ; nothing was made"));
                }
                first
            }
        };
        if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
            let says =
                format!("a passphrase has at least {PASSPHRASE_CHARS_MIN} characters; nothing was made");
            return Err(Failure::new("CC410", says));
        }
        Ok(passphrase)
    }
}

fn first_line(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = Zeroizing::new(files::read_text(file)?);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// Asks on the terminal, without showing what is typed.
fn asked(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let cannot =
        || Failure::new("CC410", "there is no terminal to ask for the passphrase; give --passphrase-file");
    if !std::io::stdin().is_terminal() {
        return Err(cannot());
    }
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|_| cannot())
}

fn first_of<const N: usize>(random: &[u8; 32]) -> Result<[u8; N], Failure> {
    random.first_chunk().copied().ok_or_else(fault)
}

fn fault() -> Failure {
    Failure::new("CC001", "the key could not be made")
}

/// Shortest passphrase of a new key.
const PASSPHRASE_CHARS_MIN: usize = 8;
