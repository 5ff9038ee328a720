//! `cairn coordinator`: set one up and run it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cairn_coordinator::config::{LogFormat, LogLevel};
use cairn_coordinator::{Config, Coordinator};
use cairn_link::CoordinatorIdentity;
use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
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
}

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Init { folder, identity, register, listen } => init(folder, identity, register, *listen),
        Command::Run { config, address_file } => {
            context::runtime()?.block_on(serve(config, address_file.as_deref()))
        }
    }
}

fn init(folder: &Path, identity: &Path, register: &Path, listen: SocketAddr) -> Result<Exit, Failure> {
    files::make_folder(folder)?;
    let text = format!(
        "# A Cairn coordinator: cairn coordinator run --config {}\n# All settings with their defaults: deploy/samples/coordinator.toml\n\
         identity_dir  = {}\nregister_path = {}\nstore_path    = \"rounds.sqlite\"\nlisten        = \"{listen}\"\n",
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
    let config = Config::read(path).map_err(|e| Failure::bad_file(e.code(), e.to_string()))?;
    logs::start(level(config.log.level), form(config.log.format));
    let clock = context::clock();
    let identity = CoordinatorIdentity::load(&config.identity_dir, clock.now())?;
    let running = Coordinator::start(&config, identity, clock)
        .await
        .map_err(|e| Failure::new(e.code(), e.to_string()))?;
    if let Some(file) = address_file {
        files::replace(file, &format!("{}\n", running.local_address()))?;
    }
    context::until_told_to_stop().await?;
    running.stop().await;
    Ok(Exit::Done)
}

const fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    }
}

const fn form(format: LogFormat) -> logs::Form {
    match format {
        LogFormat::Text => logs::Form::Text,
        LogFormat::Json => logs::Form::Json,
    }
}
