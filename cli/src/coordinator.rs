//! `cairn coordinator`: set one up and run it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cairn_coordinator::store::{StoreFault, Transcripts};
use cairn_coordinator::{Config, Coordinator};
use cairn_link::CoordinatorIdentity;
use cairn_question::QuestionId;
use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::transcript::TranscriptFile;
use crate::{context, files, logs, say};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a coordinator's folder: its configuration, with the identity and the register that the authority gave
    Init {
        /// The folder to make
        folder: PathBuf,
        /// The identity folder that `cairn authority coordinator` made
        #[arg(long)]
        identity: PathBuf,
        /// The signed register, as the authority writes it after each change
        #[arg(long)]
        register: PathBuf,
        /// The address to listen on (UDP)
        #[arg(long, default_value = "0.0.0.0:4433")]
        listen: SocketAddr,
        /// Longest that a round waits for a partner that is connected and does not reply, in seconds
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=3_600))]
        round_deadline_s: u16,
    },
    /// Run the coordinator until it is told to stop
    Run {
        /// Its configuration file
        #[arg(long)]
        config: PathBuf,
        /// Write the address listened on to this file, for whoever started it with port 0
        #[arg(long)]
        address_file: Option<PathBuf>,
    },
    /// Write what an entitled auditor recomputes a secure total from, to a file that only you can read. Whoever has it has the exact sum
    Transcript {
        /// Its configuration file; the coordinator may run or not
        #[arg(long)]
        config: PathBuf,
        /// The question's number, as the answer in JSON has it
        #[arg(long, value_name = "ID")]
        question: QuestionId,
        /// The file to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Show which partners are connected, as the running coordinator last wrote it
    Status {
        /// Its configuration file
        #[arg(long)]
        config: PathBuf,
    },
}

/// Where a running coordinator writes how it stands, beside its configuration: no partner's data, only who is connected.
pub(crate) const STATUS_FILE: &str = "status.json";

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Init { folder, identity, register, listen, round_deadline_s } => {
            init(folder, identity, register, *listen, *round_deadline_s)
        }
        Command::Status { config } => status(config),
        Command::Transcript { config, question, out } => transcript(config, *question, out),
        Command::Run { config, address_file } => {
            context::runtime()?.block_on(serve(config, address_file.as_deref()))
        }
    }
}

fn init(
    folder: &Path,
    identity: &Path,
    register: &Path,
    listen: SocketAddr,
    round_deadline_s: u16,
) -> Result<Exit, Failure> {
    files::make_folder(folder)?;
    let text = format!(
        "# A Cairn coordinator: cairn coordinator run --config {}\n# All settings with their defaults: deploy/samples/coordinator.toml\n\
         identity_dir  = {}\nregister_path = {}\nstore_path    = \"rounds.sqlite\"\nlisten        = \"{listen}\"\nround_deadline_s = {round_deadline_s}\n",
        folder.join("coordinator.toml").display(),
        files::quoted(&files::absolute(identity)?),
        files::quoted(&files::absolute(register)?),
    );
    let config = folder.join("coordinator.toml");
    files::write_new(&config, &text)?;
    say::note(&format!("Made {}. Next: cairn coordinator run --config {0}", config.display()));
    Ok(Exit::Done)
}

async fn serve(path: &Path, address_file: Option<&Path>) -> Result<Exit, Failure> {
    let config = read(path)?;
    logs::start(config.log);
    let clock = context::clock();
    let identity = CoordinatorIdentity::load(&config.identity_dir, clock.now())?;
    let running = Coordinator::start(&config, identity, clock)
        .await
        .map_err(|e| Failure::new(e.code(), e.to_string()))?;
    if let Some(file) = address_file {
        files::replace(file, &format!("{}\n", running.local_address()))?;
    }
    let status = path.with_file_name(STATUS_FILE);
    tokio::select! {
        told = context::until_told_to_stop() => told?,
        failed = keep_status(&running, &status) => failed?,
    }
    running.stop().await;
    // Nobody is connected to a coordinator that does not run.
    let _ = std::fs::remove_file(&status);
    Ok(Exit::Done)
}

fn read(config: &Path) -> Result<Config, Failure> {
    Config::read(config).map_err(|e| Failure::bad_file(e.code(), e.to_string()))
}

fn transcript(config: &Path, question: QuestionId, out: &Path) -> Result<Exit, Failure> {
    let fault = |fault: StoreFault| Failure::new(fault.code(), fault.to_string());
    let store = Transcripts::open(&read(config)?.store_path).map_err(fault)?;
    let kept = store.of(question).map_err(fault)?.ok_or_else(|| {
        let says = "no transcript is kept of this question: it is not known here or forgotten, was no secure total, did not open, or was too long";
        Failure::new("CC117", says)
    })?;
    files::write_new_private(out, &TranscriptFile::new(&kept)?.text())?;
    say::note(&format!(
        "Wrote {}. Whoever has it has the exact sum: hand it to the entitled auditor only.",
        out.display()
    ));
    say::note(&format!(
        "Next: cairn audit recompute {} --federation-key FEDERATION.pub --answer ANSWER.json",
        out.display()
    ));
    Ok(Exit::Done)
}

/// Writes the status whenever it changes. Ends only when it cannot be written.
async fn keep_status(running: &Coordinator, file: &Path) -> Result<(), Failure> {
    let mut written = None;
    let mut look = tokio::time::interval(STATUS_EVERY);
    loop {
        look.tick().await;
        let now = running.status();
        if written.as_ref() != Some(&now) {
            let value = serde_json::json!({
                "register_version": now.register_version,
                "connected": now.connected,
                "away": now.away,
                "open_rounds": now.open_rounds,
                "policies": now.policies,
            });
            files::replace(file, &format!("{value:#}\n"))?;
            written = Some(now);
        }
    }
}

/// How often the status is looked at: often enough that an operator who waits for a node sees it come.
const STATUS_EVERY: std::time::Duration = std::time::Duration::from_millis(500);

fn status(config: &Path) -> Result<Exit, Failure> {
    let file = config.with_file_name(STATUS_FILE);
    match files::read_text(&file) {
        Ok(text) => say::out(&text),
        Err(_) => return Err(Failure::new("CC108", "the coordinator does not run from this configuration")),
    }
    Ok(Exit::Done)
}
