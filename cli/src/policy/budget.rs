//! `cairn policy budget`: what is left of the person's account at a node, in tables. Reads beside a running node.

use std::fmt::Write as _;
use std::path::PathBuf;

use cairn_ledger::{Account, History};
use cairn_node::in_force::kept_policy;
use cairn_policy::Layers;
use cairn_question::privacy::NanoRho;
use clap::Args;

use super::status::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{context, say};

#[derive(Args)]
pub(crate) struct Budget {
    /// The node's folder, or its node.toml
    #[arg(long, value_name = "NODE")]
    node: PathBuf,
}

pub(super) fn run(budget: &Budget) -> Result<Exit, Failure> {
    let config = config(&budget.node)?;
    let kept = kept_policy(&config.ledger_path).map_err(|e| Failure::new("CC419", e.to_string()))?;
    let layers = kept.ok_or_else(|| {
        Failure::new("CC419", "no policy has been in force at this node, so there is no account yet")
    })?;
    let account = History::open(&config.ledger_path)?.account(&layers.caps(), context::now())?;
    say::out(&in_words(&layers, &account));
    Ok(Exit::Done)
}

/// The account, then each noisy share in tables.
fn in_words(layers: &Layers, account: &Account) -> String {
    let statement = layers.statement();
    let left = |cap: NanoRho, spent: NanoRho| NanoRho::new(cap.nano().saturating_sub(spent.nano()));
    let lifetime = left(account.lifetime_cap, account.lifetime);
    // What is left for life also limits the year.
    let year = left(account.year_cap, account.year).min(lifetime);
    let mut text = format!(
        "The person's account at {} (policy {} v{}): one for all shares, analysts and versions.\n",
        layers.controller(),
        statement.id,
        statement.version
    );
    let _ = writeln!(
        text,
        "  since {}   ρ {} of {} spent or held\n  for life           ρ {} of {}\n",
        account.year_from, account.year, account.year_cap, account.lifetime, account.lifetime_cap
    );
    if account.once_lifetime > NanoRho::ZERO {
        let _ = writeln!(
            text,
            "  people counted once over all partners, on an account of its own: ρ {} since {}, {} for life\n",
            account.once_year, account.year_from, account.once_lifetime
        );
    }
    let shares = layers.tables_for(year, lifetime);
    if shares.is_empty() {
        text.push_str("No share draws on it: plain tables are limited by each analyst's quota only.\n");
        return text;
    }
    let width = shares.iter().map(|s| s.share.as_str().len()).max().unwrap_or(0);
    let _ = writeln!(text, "  {:<width$}  tables left this year  tables left for life", "share");
    for share in &shares {
        let _ = writeln!(
            text,
            "  {:<width$}  {:>21}  {:>20}",
            share.share.as_str(),
            share.per_year,
            share.lifetime
        );
    }
    text.push_str("Each figure is what is left if nothing else is asked. Plain tables draw on no account.\n");
    text
}

#[cfg(test)]
mod tests;
