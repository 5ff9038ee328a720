//! `cairn authority`: the federation's root, its members' identities, its issuers and their credentials.

use std::path::{Path, PathBuf};

use cairn_link::identity::{pin_issuer, save_credential};
use cairn_link::{AnalystIdentity, Authority, Issuer};
use cairn_question::{Day, Name, PartnerId, VerifyingKey};
use clap::Subcommand;

use crate::context::now;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::say;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a federation: its transport root, its signing key, an empty register
    Init {
        /// The federation's name: a-z, 0-9 and `-`
        #[arg(long)]
        federation: Name,
        /// The folder to make; it holds the two keys that everything rests on
        folder: PathBuf,
    },
    /// Make the coordinator's identity and enter it in the register
    Coordinator {
        /// The authority's folder
        authority: PathBuf,
        /// The coordinator's name
        #[arg(long, default_value = "coordinator")]
        name: Name,
        /// Host name or IP address under which nodes and analysts dial it (repeat for more)
        #[arg(long, required = true)]
        address: Vec<String>,
        /// The folder to make
        #[arg(long)]
        out: PathBuf,
    },
    /// Make a partner's identity and enter it in the register
    Partner {
        /// The authority's folder
        authority: PathBuf,
        /// The partner's id: a-z, 0-9 and `-`
        #[arg(long)]
        id: PartnerId,
        /// Its name in words
        #[arg(long)]
        name: String,
        /// Its kind: council, charity, college, health_board, national_body … (`cairn schema show partner_type`)
        #[arg(long)]
        kind: String,
        /// The folder to make
        #[arg(long)]
        out: PathBuf,
    },
    /// Give a partner its seat in secure totals until a day, or take it away. The coordinator is given the new register; nobody restarts
    Seat {
        /// The authority's folder
        authority: PathBuf,
        /// The partner's id
        #[arg(long)]
        id: PartnerId,
        /// The last day on which it takes part
        #[arg(long, required_unless_present = "withdraw")]
        until: Option<Day>,
        /// It takes part in no total any more
        #[arg(long, conflicts_with = "until")]
        withdraw: bool,
    },
    /// Say whose node makes the linkage secret, by which partners count people once, and hands it to the others. Said again, there is a new secret
    Keeper {
        /// The authority's folder
        authority: PathBuf,
        /// The partner's id; it must have a seat
        #[arg(long)]
        id: PartnerId,
    },
    /// Make an issuer: an organisation that vouches for its own analysts. Nodes enrolled from now on pin its key
    Issuer {
        /// The authority's folder
        authority: PathBuf,
        /// The issuer's name, as policies name it
        #[arg(long)]
        name: Name,
        /// The folder to make
        #[arg(long)]
        out: PathBuf,
    },
    /// Make an analyst's identity: transport and signing key. What the analyst may ask is for an issuer to say
    Analyst {
        /// The authority's folder
        authority: PathBuf,
        /// The analyst's id: one for each human
        #[arg(long)]
        id: Name,
        /// The folder to make
        #[arg(long)]
        out: PathBuf,
    },
    /// As an issuer, vouch for an analyst in one role; the credential is put into the analyst's folder
    Credential {
        /// The issuer's folder
        issuer: PathBuf,
        /// The analyst's folder
        #[arg(long)]
        analyst: PathBuf,
        /// The role, as policies name it
        #[arg(long)]
        role: Name,
        /// The organisation the analyst works for
        #[arg(long)]
        organisation: String,
        /// Days for which it holds
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
    },
    /// As a node's administrator, pin an issuer's key that came after the node was enrolled
    Pin {
        /// The node's identity folder
        identity: PathBuf,
        /// The issuer's name
        #[arg(long)]
        name: Name,
        /// The issuer's public key (its file signing.pub)
        #[arg(long)]
        key: PathBuf,
    },
    /// Sign a new certificate, of 90 days, into a party's folder; its keys and the register stay as they are
    Renew {
        /// The authority's folder
        authority: PathBuf,
        /// The identity folder of a partner, an analyst or the coordinator
        #[arg(long)]
        identity: PathBuf,
        /// For the coordinator only: the addresses under which it is dialled (repeat for more)
        #[arg(long)]
        address: Vec<String>,
    },
    /// Show the register: who is in the federation
    Register {
        /// The authority's folder
        authority: PathBuf,
    },
}

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Init { federation, folder } => {
            Authority::create(folder, federation.clone(), now())?;
            say::note(&format!(
                "Made the federation `{federation}` in {}. Keep this folder offline.",
                folder.display()
            ));
            say::note(
                "Next: cairn authority coordinator, then cairn authority issuer, then cairn authority partner",
            );
        }
        Command::Coordinator { authority, name, address, out } => {
            let mut opened = Authority::open(authority)?;
            opened.make_coordinator(name, address, out, now())?;
            say::note(&format!("Made the coordinator `{name}` in {}.", out.display()));
            say::note(&format!(
                "Give it the register after each change: {}",
                opened.register_file().display()
            ));
        }
        Command::Partner { authority, id, name, kind, out } => {
            known_kind(kind)?;
            Authority::open(authority)?.enrol_node(id, name, kind, out, now())?;
            say::note(&format!(
                "Enrolled `{id}`; its folder is {}. Hand it over by a safe way, then delete your copy.",
                out.display()
            ));
        }
        Command::Issuer { authority, name, out } => {
            Authority::open(authority)?.make_issuer(name, out)?;
            say::note(&format!("Made the issuer `{name}` in {}.", out.display()));
        }
        Command::Analyst { authority, id, out } => {
            Authority::open(authority)?.enrol_analyst(id, out, now())?;
            say::note(&format!("Enrolled the analyst `{id}` in {}.", out.display()));
            say::note("Next: an issuer says what the analyst may ask: cairn authority credential");
        }
        Command::Seat { authority, id, until, withdraw } => {
            let mut authority = Authority::open(authority)?;
            authority.seat(id, *until, now())?;
            if *withdraw {
                say::note(&format!(
                    "Of a day whose first total without noise had `{id}` in it, no further one can be made (CO106)."
                ));
            }
            register(&authority);
        }
        Command::Keeper { authority, id } => {
            let mut authority = Authority::open(authority)?;
            authority.set_linkage_keeper(id, now())?;
            register(&authority);
        }
        Command::Credential { issuer, analyst, role, organisation, days } => {
            credential(issuer, analyst, role, organisation, *days)?;
        }
        Command::Renew { authority, identity, address } => {
            Authority::open(authority)?.renew(identity, address, now())?;
            say::note(&format!(
                "Renewed {} for 90 days. It is taken up at the next start.",
                identity.display()
            ));
        }
        Command::Pin { identity, name, key } => pin(identity, name, key)?,
        Command::Register { authority } => register(&Authority::open(authority)?),
    }
    Ok(Exit::Done)
}

/// The kind is a code of the list `partner_type`: it goes into the signed register.
fn known_kind(kind: &str) -> Result<(), Failure> {
    let kinds =
        cairn_question::Schema::smf().code_list("partner_type").and_then(|list| list.codes_at("code"));
    let kinds = kinds.unwrap_or_default();
    if kinds.iter().any(|k| k == kind) {
        return Ok(());
    }
    let nearest = cairn_question::form::nearest(kind, kinds.iter().cloned());
    let hint = nearest.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    Err(Failure::new(
        "CC111",
        format!("there is no kind of partner `{kind}`{hint} (cairn schema show partner_type)"),
    ))
}

fn credential(
    issuer: &Path,
    analyst: &Path,
    role: &Name,
    organisation: &str,
    days: u16,
) -> Result<(), Failure> {
    let from = now();
    let issuer = Issuer::open(issuer)?;
    let identity = AnalystIdentity::load(analyst, from)?;
    let key = identity.signing_key().verifying_key();
    let until = from.plus_s(u64::from(days) * 86_400);
    let signed = issuer.credential(identity.analyst(), role, organisation, key, from, until)?;
    save_credential(analyst, &signed)?;
    say::note(&format!(
        "`{}` vouches for `{}` as `{role}` until {}.",
        issuer.name(),
        identity.analyst(),
        until.day_utc()
    ));
    Ok(())
}

fn pin(identity: &Path, name: &Name, key: &Path) -> Result<(), Failure> {
    let cannot = || {
        Failure::bad_file(
            "CC103",
            format!("{} is not a public key; give the issuer's signing.pub", key.display()),
        )
    };
    let text = std::fs::read_to_string(key).map_err(|_| cannot())?;
    let key = VerifyingKey::try_from(text.trim().to_owned()).map_err(|_| cannot())?;
    pin_issuer(identity, name, key)?;
    say::note(&format!("Pinned `{name}` ({}). The node takes it up at its next start.", key.id()));
    Ok(())
}

fn register(authority: &Authority) {
    let register = authority.register();
    let mut text = format!("{} (register version {})\n", register.federation, register.version);
    for partner in &register.partners {
        text.push_str(&format!("  {:<28} {:<16} {}\n", partner.id.as_str(), partner.kind, partner.name));
    }
    if let Some(keeper) = &register.linkage_keeper {
        text.push_str(&format!("  the linkage secret is made by {keeper}\n"));
    }
    say::out(&text);
}
