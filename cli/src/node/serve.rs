//! `cairn node run` and `cairn node status`.

use std::fmt::Write as _;
use std::path::Path;

use cairn_link::NodeIdentity;
use cairn_node::status::{BrakeState, CoordinatorLink};
use cairn_node::{Config, Node, Status};

use super::CONFIG;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{context, logs, say};

pub(super) fn run(folder: &Path) -> Result<Exit, Failure> {
    let config = config(folder)?;
    logs::start(config.log);
    context::runtime()?.block_on(serve(config))
}

async fn serve(config: Config) -> Result<Exit, Failure> {
    let clock = context::clock();
    let identity = NodeIdentity::load(&config.identity_dir, clock.now())?;
    let draw = || context::random().ok();
    let node = Node::start(config, identity, clock, draw)
        .await
        .map_err(|e| Failure::new(e.code(), e.to_string()))?;
    context::until_told_to_stop().await?;
    node.stop().await;
    Ok(Exit::Done)
}

pub(super) fn status(folder: &Path) -> Result<Exit, Failure> {
    let config = config(folder)?;
    let status = Status::read(&config.ledger_path)
        .map_err(|_| Failure::new("CC109", "this node has not run yet: cairn node run --node FOLDER"))?;
    say::out(&in_words(&status));
    if status.is_stale(context::now()) {
        say::warning("CC110", &format!("the node does not run; this is how it stood at {}", status.at));
    }
    Ok(Exit::Done)
}

fn config(folder: &Path) -> Result<Config, Failure> {
    Config::read(&folder.join(CONFIG)).map_err(|e| Failure::bad_file(e.code(), e.to_string()))
}

fn in_words(status: &Status) -> String {
    let mut text = format!("{} in {}\n", status.partner, status.federation);
    let _ = writeln!(text, "  coordinator  {}", link(&status.coordinator));
    let _ = match &status.snapshot {
        Some(held) => writeln!(text, "  records      edition {} as of {}", held.edition, held.as_of),
        None => writeln!(text, "  records      none, so nothing can be counted: cairn node load"),
    };
    let _ = match &status.policy {
        Some(p) => writeln!(
            text,
            "  policy       {} version {}, in force {} to {}, review by {}",
            p.statement.id, p.statement.version, p.from, p.until, p.review_by
        ),
        None => writeln!(text, "  policy       none in force, so nothing is answered: cairn policy check"),
    };
    let _ = writeln!(text, "  brake        {}", brake(status.brake));
    if let Some(account) = &status.account {
        let _ = writeln!(
            text,
            "  privacy loss ρ {} of {} this year, {} of {} in all",
            account.year, account.year_cap, account.lifetime, account.lifetime_cap
        );
    }
    text
}

fn link(link: &CoordinatorLink) -> String {
    match link {
        CoordinatorLink::Dialling => "dialling".into(),
        CoordinatorLink::Connected => "connected".into(),
        CoordinatorLink::Lost { code, says } => format!("not connected, dialling again [{code}]: {says}"),
        CoordinatorLink::Stopped => "stopped".into(),
    }
}

const fn brake(brake: BrakeState) -> &'static str {
    match brake {
        BrakeState::Absent => "no file",
        BrakeState::Present => "there is a file; it says what is paused, if anything",
        BrakeState::Unreadable => "cannot be read, so everything is paused",
    }
}
