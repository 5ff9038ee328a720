//! `cairn node run` and `cairn node status`.

use std::fmt::Write as _;
use std::path::Path;

use cairn_link::NodeIdentity;
use cairn_node::in_force::kept_policy;
use cairn_node::status::{BrakeState, CoordinatorLink, LinkageState, PolicyInForce};
use cairn_node::{Config, Node, Status, acknowledge_restore};
use cairn_question::Name;

use super::config;
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

/// What may be missing is charged under the caps of the policy that the node kept.
pub(super) fn restored(folder: &Path) -> Result<Exit, Failure> {
    let config = config(folder)?;
    let kept = kept_policy(&config.ledger_path).map_err(|e| Failure::new("CC419", e.to_string()))?;
    let layers = kept.ok_or_else(|| {
        Failure::new("CC419", "no policy has been in force at this node, so there is no account yet")
    })?;
    let charged = acknowledge_restore(&config.ledger_path, &layers.caps(), context::now())
        .map_err(|e| Failure::new("CC115", e.to_string()))?;
    say::out(&format!(
        "The restored ledger is acknowledged, and ρ {charged} is charged for what it may have forgotten.\n\
         Noisy tables are refused until the next policy year; tables without noise are answered from the next start on.\n"
    ));
    Ok(Exit::Done)
}

fn in_words(status: &Status) -> String {
    let mut text = format!("{} in {}\n", status.partner, status.federation);
    let _ = writeln!(text, "  coordinator  {}", link(&status.coordinator));
    let _ = match &status.snapshot {
        Some(held) => writeln!(text, "  records      edition {} as of {}", held.edition, held.as_of),
        None => writeln!(text, "  records      none, so nothing can be counted: cairn node load"),
    };
    let _ = match &status.policy {
        Some(p) => writeln!(text, "{}", policy(p)),
        None => writeln!(text, "  policy       none in force, so nothing is answered: cairn policy check"),
    };
    not_in_force(status, &mut text);
    board(status, &mut text);
    let _ = writeln!(text, "  brake        {}", brake(status.brake));
    if let Some(account) = &status.account {
        let _ = writeln!(
            text,
            "  privacy loss ρ {} of {} this year, {} of {} in all",
            account.year, account.year_cap, account.lifetime, account.lifetime_cap
        );
    }
    if let Some(LinkageState { keeper, here }) = &status.linkage {
        let stands = if *here {
            "is here"
        } else if *keeper == status.partner {
            "was made here and is not here: put its file back, or have the keeper named again"
        } else {
            "has not come yet; it is asked for again by itself"
        };
        let _ = writeln!(text, "  linkage      the secret of {keeper} {stands}");
    }
    text
}

fn policy(p: &PolicyInForce) -> String {
    let names = p.approved_by.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
    let mut text = format!("  policy       {} version {}", p.statement.id, p.statement.version);
    if let Some(since) = p.since {
        let _ = write!(text, ", here since {since}");
    }
    let _ = write!(text, "\n               approved by {}", if names.is_empty() { "nobody" } else { &names });
    let _ = write!(
        text,
        "\n               last day {}, first day {}, review by {}",
        p.until, p.from, p.review_by
    );
    for (share, day) in &p.shares_end {
        let _ = write!(text, "\n               share {share}: last day {day}");
    }
    if !p.unnamed_columns.is_empty() {
        let columns = &p.unnamed_columns;
        let some: Vec<&str> = columns.iter().take(COLUMNS_SHOWN).map(String::as_str).collect();
        let more = if columns.len() > COLUMNS_SHOWN { ", …" } else { "" };
        let _ = write!(
            text,
            "\n               {} columns that it does not name, and so hides: {}{more}",
            columns.len(),
            some.join(", ")
        );
    }
    text
}

/// Most columns that a policy does not name which are shown; the status file has all.
const COLUMNS_SHOWN: usize = 6;

fn not_in_force(status: &Status, text: &mut String) {
    let Some(why) = &status.turned_away else { return };
    let _ = writeln!(text, "  not in force [{}] what lies in the policy folder:", why.code);
    for finding in &why.findings {
        let _ = writeln!(text, "               {finding}");
    }
}

fn board(status: &Status, text: &mut String) {
    let _ = match &status.board {
        Some(board) => writeln!(text, "  board        {} version {}", board.id, board.version),
        None if status.board_pinned => {
            writeln!(text, "  board        pinned; board.toml is not in the policy folder")
        }
        None => writeln!(text, "  board        none pinned, so no policy comes into force [CN008]"),
    };
    for (member, day) in status.board.iter().flat_map(|b| &b.members) {
        let _ = writeln!(text, "               {member}: key counts until {day}");
    }
}

fn link(link: &CoordinatorLink) -> String {
    match link {
        CoordinatorLink::Dialling => "dialling".into(),
        CoordinatorLink::Connected => "connected".into(),
        CoordinatorLink::Lost { code, says } => format!("not connected, dialling again [{code}]: {says}"),
        CoordinatorLink::Stopped => "stopped".into(),
    }
}

pub(crate) const fn brake(brake: BrakeState) -> &'static str {
    match brake {
        BrakeState::Absent => "no file",
        BrakeState::Present => "there is a file; it says what is paused, if anything",
        BrakeState::Unreadable => "cannot be read, so everything is paused",
    }
}
