//! The federation's authority: its transport root, its own signing key, and the register.

use cairn_question::register::{CoordinatorEntry, PartnerEntry, Register, SeatV1};
use cairn_question::{Day, Hash, Moment, Name, PartnerId, SigningKey, VerifyingKey};
use rcgen::PublicKeyData as _;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

use super::certificate::{Root, make_root};
use super::denied::{DENIED_FILE, EMPTY_LIST};
use super::error::IdentityError;
use super::folder::Secrecy::{Private, Public};
use super::folder::{
    FEDERATION_PUBLIC, FORMAT, IDENTITY_FILE, ISSUERS, IdentityFile, ROOT, SIGNING_KEY, SIGNING_PUBLIC,
    TLS_CERTIFICATE, TLS_KEY, check_format, make_folder, make_signing_key, read, read_signing_key, read_text,
    read_toml, refuse_existing, replace, to_toml, write_new,
};
use super::issuer::{Issuer, IssuersFile};
use super::party::{Party, Role};

/// A federation's authority, opened. Its folder holds the two keys that everything rests on; it is best kept on a machine that
/// is off most of the time, since no running part of the federation needs it. Has no `Debug`.
pub struct Authority {
    dir: PathBuf,
    federation: Name,
    root: Root,
    root_pem: String,
    key: SigningKey,
    register: Register,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorityFile {
    format: u32,
    federation: Name,
}

impl Authority {
    /// Makes a federation: its transport root, its signing key and an empty register of version 1.
    ///
    /// # Errors
    /// [`IdentityError::Exists`] where any of the files is there already; nothing is overwritten.
    pub fn create(dir: &Path, federation: Name, now: Moment) -> Result<Self, IdentityError> {
        make_folder(dir)?;
        let files = [AUTHORITY_FILE, ROOT_KEY, ROOT, FEDERATION_KEY, FEDERATION_PUBLIC, REGISTER, ISSUERS];
        refuse_existing(dir, &files)?;
        let root = make_root(&federation, now)?;
        write_new(&dir.join(ROOT_KEY), root.key.as_bytes(), Private)?;
        write_new(&dir.join(ROOT), root.certificate.as_bytes(), Public)?;
        let key = make_signing_key(&dir.join(FEDERATION_KEY), &dir.join(FEDERATION_PUBLIC))?;
        let register = Register {
            cairn_register: 1,
            federation: federation.clone(),
            version: 1,
            issued_at: now,
            coordinator: None,
            partners: Vec::new(),
            linkage_keeper: None,
        };
        write_new(&dir.join(REGISTER), &register.sign(&key).to_bytes(), Public)?;
        IssuersFile::new([].into()).write(dir)?;
        let file = AuthorityFile { format: FORMAT, federation };
        write_new(&dir.join(AUTHORITY_FILE), to_toml("A federation's authority.", &file).as_bytes(), Public)?;
        Self::open(dir)
    }

    /// Opens an authority's folder.
    ///
    /// # Errors
    /// [`IdentityError`], among them a key that others can read, and a register that the federation's key did not sign.
    pub fn open(dir: &Path) -> Result<Self, IdentityError> {
        let file = dir.join(AUTHORITY_FILE);
        let AuthorityFile { format, federation } = read_toml(&file)?;
        check_format(&file, format)?;
        let root_pem = read_text(&dir.join(ROOT))?;
        let root_key = read(&dir.join(ROOT_KEY), Private)?;
        let root_key = std::str::from_utf8(&root_key)
            .map_err(|_| IdentityError::malformed(&dir.join(ROOT_KEY), "not a private key in PEM"))?;
        let root = Root::open(&root_pem, root_key)?;
        let key = read_signing_key(&dir.join(FEDERATION_KEY))?;
        let register = Register::open(read_text(&dir.join(REGISTER))?.as_bytes(), &key.verifying_key())
            .map_err(|e| IdentityError::malformed(&dir.join(REGISTER), e.to_string()))?;
        Ok(Self { dir: dir.to_owned(), federation, root, root_pem, key, register })
    }

    /// The federation's name.
    #[must_use]
    pub const fn federation(&self) -> &Name {
        &self.federation
    }

    /// The key that every party pins: it signs registers.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// The register as it stands.
    #[must_use]
    pub const fn register(&self) -> &Register {
        &self.register
    }

    /// The signed register's file: what the coordinator is given after each change.
    #[must_use]
    pub fn register_file(&self) -> PathBuf {
        self.dir.join(REGISTER)
    }

    /// Makes a node's folder at `out_dir` and enters the partner, with its name in words and its kind (a code of the list
    /// `partner_type`), in the register. The issuers known here are pinned in the folder; the node's administrator may
    /// take any of them out again.
    ///
    /// # Errors
    /// [`IdentityError::Unusable`] for a partner that is in the register already; [`IdentityError::Exists`].
    pub fn enrol_node(
        &mut self,
        partner: &PartnerId,
        name: &str,
        kind: &str,
        out_dir: &Path,
        now: Moment,
    ) -> Result<(), IdentityError> {
        check_words("a partner's name", name)?;
        check_words("a partner's kind", kind)?;
        if self.register.partner(partner).is_some() {
            return Err(IdentityError::unusable(format!("partner `{partner}` is in the register already")));
        }
        if self.register.partners.len() >= cairn_question::limits::PARTNERS_MAX {
            return Err(IdentityError::unusable("the register is full"));
        }
        let id = Name::new(partner.as_str()).map_err(|e| IdentityError::unusable(e.to_string()))?;
        refuse_existing(out_dir, &[ISSUERS])?;
        let signing_key = self.make_party(Role::Node, id.clone(), &[], out_dir, now)?;
        IssuersFile::new(IssuersFile::read(&self.dir)?.issuers).write(out_dir)?;
        let valid_from = now.day_utc();
        let seat = SeatV1 {
            controller: id,
            tls_key: public_key_hash(&out_dir.join(TLS_KEY))?,
            valid_from,
            valid_until: valid_from.plus_days(SEAT_DAYS),
        };
        self.register.partners.push(PartnerEntry {
            id: partner.clone(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            signing_key,
            seat: Some(seat),
        });
        self.write_register(now)
    }

    /// Gives a partner its seat in secure totals until this day, the last one; or none, from today on: it leaves the roster, and its node is not
    /// invited again. Everybody else goes on as before, under the next version of the register.
    ///
    /// # Errors
    /// [`IdentityError::Unusable`] for a partner that is not in the register, or has no seat that could be changed.
    pub fn seat(
        &mut self,
        partner: &PartnerId,
        until: Option<Day>,
        now: Moment,
    ) -> Result<(), IdentityError> {
        let none = || IdentityError::unusable(format!("partner `{partner}` has no seat in secure totals"));
        let entry = self.register.partners.iter_mut().find(|entry| entry.id == *partner).ok_or_else(none)?;
        match (until, &mut entry.seat) {
            (Some(until), Some(seat)) if until >= seat.valid_from => seat.valid_until = until,
            (Some(_), _) => return Err(none()),
            (None, seat) => *seat = None,
        }
        // A partner without a seat is in no roster, and so in no hand-over.
        if until.is_none() && self.register.linkage_keeper.as_ref() == Some(partner) {
            self.register.linkage_keeper = None;
        }
        self.write_register(now)
    }

    /// Says whose node makes the linkage secret and hands it to the other partners with a seat. A register is of a new version then, and the secret with it: said again
    /// of the same partner, it is a way to a new secret.
    ///
    /// # Errors
    /// [`IdentityError::Unusable`] for a partner that is not in the register, or has no seat.
    pub fn set_linkage_keeper(&mut self, partner: &PartnerId, now: Moment) -> Result<(), IdentityError> {
        if self.register.partner(partner).is_none_or(|entry| entry.seat.is_none()) {
            return Err(IdentityError::unusable(format!("partner `{partner}` has no seat in secure totals")));
        }
        self.register.linkage_keeper = Some(partner.clone());
        self.write_register(now)
    }

    /// Makes the coordinator's folder at `out_dir` and enters its key in the register. `addresses` are the host names and IP
    /// addresses under which it is dialled.
    ///
    /// # Errors
    /// [`IdentityError::Unusable`] where there is a coordinator already, or no usable address; [`IdentityError::Exists`].
    pub fn make_coordinator(
        &mut self,
        name: &Name,
        addresses: &[String],
        out_dir: &Path,
        now: Moment,
    ) -> Result<(), IdentityError> {
        if self.register.coordinator.is_some() {
            return Err(IdentityError::unusable("the register has a coordinator already"));
        }
        if addresses.is_empty() || addresses.len() > ADDRESSES_MAX {
            return Err(IdentityError::unusable("a coordinator has 1 to 16 host names or IP addresses"));
        }
        refuse_existing(out_dir, &[DENIED_FILE])?;
        let signing_key = self.make_party(Role::Coordinator, name.clone(), addresses, out_dir, now)?;
        write_new(&out_dir.join(DENIED_FILE), EMPTY_LIST.as_bytes(), Public)?;
        self.register.coordinator = Some(CoordinatorEntry { name: name.clone(), signing_key });
        self.write_register(now)
    }

    /// Makes an analyst's folder at `out_dir`: a transport certificate and a signing key. What the analyst may ask is for an
    /// issuer to say ([`Issuer::credential`]); gives the key that it must name.
    ///
    /// # Errors
    /// [`IdentityError::Exists`].
    pub fn enrol_analyst(
        &self,
        analyst: &Name,
        out_dir: &Path,
        now: Moment,
    ) -> Result<VerifyingKey, IdentityError> {
        self.make_party(Role::Analyst, analyst.clone(), &[], out_dir, now)
    }

    /// Makes an issuer's folder at `out_dir`. Nodes enrolled from now on pin its key; at others it is pinned by
    /// [`pin_issuer`](super::pin_issuer).
    ///
    /// # Errors
    /// [`IdentityError::Unusable`] for a name that was used before; [`IdentityError::Exists`].
    pub fn make_issuer(&self, name: &Name, out_dir: &Path) -> Result<Issuer, IdentityError> {
        let mut known = IssuersFile::read(&self.dir)?;
        if known.issuers.contains_key(name) {
            return Err(IdentityError::unusable(format!("there is an issuer `{name}` already")));
        }
        let issuer = Issuer::create(out_dir, name.clone())?;
        known.issuers.insert(name.clone(), issuer.verifying_key());
        known.write(&self.dir)?;
        Ok(issuer)
    }

    /// Signs a new certificate, of 90 days, for the key of a party's folder that this authority made, and puts it there. The party's
    /// keys stay as they are; the register does not change.
    ///
    /// # Errors
    /// [`IdentityError::Foreign`] for a folder of another federation, or a coordinator's without `addresses`.
    pub fn renew(&self, folder: &Path, addresses: &[String], now: Moment) -> Result<(), IdentityError> {
        let identity = IdentityFile::read(folder)?;
        let file = folder.join(IDENTITY_FILE);
        if identity.federation != self.federation {
            return Err(IdentityError::foreign(&file, format!("it is of `{}`", identity.federation)));
        }
        if (identity.role == Role::Coordinator) != (1..=ADDRESSES_MAX).contains(&addresses.len()) {
            return Err(IdentityError::unusable("a coordinator, and nobody else, has 1 to 16 addresses"));
        }
        let key_file = folder.join(&identity.tls_key);
        let key = read(&key_file, Private)?;
        let key = std::str::from_utf8(&key).ok().and_then(|pem| rcgen::KeyPair::from_pem(pem).ok());
        let key = key.ok_or_else(|| IdentityError::malformed(&key_file, "not a private key in PEM"))?;
        let party = Party::new(self.federation.clone(), identity.role, identity.id);
        let certificate = self.root.sign(&party, addresses, &key, now)?;
        replace(&folder.join(&identity.tls_certificate), certificate.as_bytes())
    }

    fn make_party(
        &self,
        role: Role,
        id: Name,
        addresses: &[String],
        dir: &Path,
        now: Moment,
    ) -> Result<VerifyingKey, IdentityError> {
        make_folder(dir)?;
        let files =
            [IDENTITY_FILE, TLS_KEY, TLS_CERTIFICATE, SIGNING_KEY, SIGNING_PUBLIC, FEDERATION_PUBLIC, ROOT];
        refuse_existing(dir, &files)?;
        let party = Party::new(self.federation.clone(), role, id.clone());
        let leaf = self.root.issue(&party, addresses, now)?;
        write_new(&dir.join(TLS_KEY), leaf.key.as_bytes(), Private)?;
        write_new(&dir.join(TLS_CERTIFICATE), leaf.certificate.as_bytes(), Public)?;
        let signing = make_signing_key(&dir.join(SIGNING_KEY), &dir.join(SIGNING_PUBLIC))?;
        let federation_key = format!("{}\n", self.verifying_key());
        write_new(&dir.join(FEDERATION_PUBLIC), federation_key.as_bytes(), Public)?;
        write_new(&dir.join(ROOT), self.root_pem.as_bytes(), Public)?;
        let identity = IdentityFile::new(self.federation.clone(), role, id);
        let text = to_toml(&format!("The identity of {party}."), &identity);
        write_new(&dir.join(IDENTITY_FILE), text.as_bytes(), Public)?;
        Ok(signing.verifying_key())
    }

    fn write_register(&mut self, now: Moment) -> Result<(), IdentityError> {
        self.register.version = self.register.version.saturating_add(1);
        self.register.issued_at = now;
        replace(&self.register_file(), &self.register.sign(&self.key).to_bytes())
    }
}

/// SHA-256 of the public key that belongs to a private one in PEM.
fn public_key_hash(file: &Path) -> Result<Hash, IdentityError> {
    let key = read(file, Private)?;
    let key = std::str::from_utf8(&key).ok().and_then(|pem| rcgen::KeyPair::from_pem(pem).ok());
    let key = key.ok_or_else(|| IdentityError::malformed(file, "not a private key in PEM"))?;
    Ok(Hash::of(&key.subject_public_key_info()))
}

fn check_words(what: &str, text: &str) -> Result<(), IdentityError> {
    let fits =
        !text.trim().is_empty() && text.len() <= WORDS_BYTES_MAX && !text.chars().any(char::is_control);
    if fits {
        Ok(())
    } else {
        Err(IdentityError::unusable(format!("{what} has 1 to {WORDS_BYTES_MAX} bytes of plain text")))
    }
}

/// How long a seat lasts that nobody prolongs: three years.
const SEAT_DAYS: i32 = 1_096;

const AUTHORITY_FILE: &str = "authority.toml";
const ROOT_KEY: &str = "root.key";
const FEDERATION_KEY: &str = "federation.key";
const REGISTER: &str = "register.json";

/// Most bytes of a partner's name in words.
const WORDS_BYTES_MAX: usize = 200;

/// Most addresses in the coordinator's certificate.
const ADDRESSES_MAX: usize = 16;
