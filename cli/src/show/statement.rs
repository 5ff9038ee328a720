//! The statement under every table: the privacy unit, what the table cost, who sees what, who is trusted, and what is not covered.

use cairn_question::TotalV1;
use cairn_question::answer::{PrivacyStatement, TreatmentV1};
use cairn_question::privacy::NanoRho;

use super::Shown;
use crate::once::Once;

/// The statement, a line each; nothing where nobody answered.
pub(super) fn statement(shown: &Shown) -> Vec<String> {
    if let Some(total) = &shown.coverage.total {
        let once = shown.combined.as_ref().and_then(|sum| Once::of(total, sum));
        return once.map_or_else(|| of_total(shown, total), |once| of_count_once(shown, total, &once));
    }
    if shown.answers.is_empty() {
        return Vec::new();
    }
    let mut lines = losses(shown);
    lines.push(SEES.to_owned());
    lines.push(TRUSTED.to_owned());
    let noisy =
        |(_, answer): &(_, cairn_question::AnswerV1)| matches!(answer.treatment, TreatmentV1::Dp { .. });
    if shown.answers.iter().any(noisy) {
        lines.push(NOISY.to_owned());
    }
    if !shown.answers.iter().all(noisy) {
        lines.push(WITHOUT_NOISE.to_owned());
    }
    lines.push(NOT_COVERED.to_owned());
    lines
}

/// The same of a secure total: who sees it, and what nobody sees.
fn of_total(shown: &Shown, total: &TotalV1) -> Vec<String> {
    let (partners, colluding) = (total.partners.len(), total.colluding_max);
    let (seen, learnt) = match total.treatment {
        TreatmentV1::Dp { .. } => (
            "The coordinator and whoever asked see this total alone, and its noise is in it before anybody can read it.",
            "no more than the total of the others, and the noise of the others keeps the loss to what is said here.",
        ),
        TreatmentV1::CellKey { .. } => (
            "Every partner changed its own counts before they were added up, so that nobody sees an exact total. The coordinator sees the changed one, and withholds and rounds it; whoever asked sees what is left.",
            "the changed total of the others; in a cell where one of these alone has people, that is its changed figure.",
        ),
        _ => (
            "The coordinator sees the exact total, and withholds and rounds it; whoever asked sees what is left.",
            "the exact total of the others; in a cell where one of these alone has people, that is its figure.",
        ),
    };
    let sees = format!("Who sees what: nobody sees the figures of any of the {partners} partners. {seen}");
    let pools = format!(
        "Who pools what they have: the coordinator and up to {colluding} of the partners learn {learnt}"
    );
    let mut lines = each_charged(shown);
    lines.extend(known_to_several(shown, Noise::OfAll));
    if matches!(total.treatment, TreatmentV1::Dp { concentrated: Some(_), .. }) {
        lines.push(ADDS_UP.to_owned());
    }
    lines.extend([sees, pools, TRUSTED_WITH_TOTAL.to_owned(), NOT_COVERED.to_owned()]);
    lines
}

/// Whose noise protects a table.
#[derive(Clone, Copy)]
enum Noise {
    /// Each partner's own.
    OfEach,
    /// One for the total.
    OfAll,
}

/// The same of people counted once over all partners. Their loss is not added up over partners: a person is one bucket at all of them together.
fn of_count_once(shown: &Shown, total: &TotalV1, once: &Once) -> Vec<String> {
    let (partners, colluding) = (total.partners.len(), total.colluding_max);
    let sees = format!(
        "Who sees what: nobody sees the pattern of any of the {partners} partners, and no identifier or pseudonym leaves one. The coordinator sees the pattern of all of them together, and drops it once it is counted; whoever asked sees the number."
    );
    let pools = format!(
        "Who pools what they have: the coordinator and up to {colluding} of the partners learn the others' pattern together, and the noise of these keeps the loss to what is said here."
    );
    let mut lines = vec![once.error_in_words(), once.loss_in_words()];
    lines.extend(each_charged(shown));
    lines.extend([sees, pools, TRUSTED_WITH_TOTAL.to_owned(), NOT_COVERED.to_owned()]);
    lines
}

/// What the table cost the people it is about, partners with the same figures together.
fn losses(shown: &Shown) -> Vec<String> {
    each_charged(shown).into_iter().chain(known_to_several(shown, Noise::OfEach)).collect()
}

/// What each partner charged, partners with the same figures together.
fn each_charged(shown: &Shown) -> Vec<String> {
    let mut losses: Vec<(&PrivacyStatement, usize)> = Vec::new();
    for privacy in privacy(shown).filter(|privacy| privacy.charged.nano() > 0) {
        match losses.iter_mut().find(|(seen, _)| **seen == *privacy) {
            Some((_, partners)) => *partners += 1,
            None => losses.push((privacy, 1)),
        }
    }
    let line = |(loss, partners): (&PrivacyStatement, usize)| {
        format!(
            "Privacy loss at each of {partners} partners, unit {}: ρ {} for this table; {} of {} so far this year",
            loss.unit, loss.charged, loss.year_so_far, loss.year_cap
        )
    };
    losses.into_iter().map(line).collect()
}

/// What each partner said of the cost: with its own table, or with its part of a total.
fn privacy(shown: &Shown) -> impl Iterator<Item = &PrivacyStatement> {
    shown.answers.iter().map(|(_, a)| &a.privacy).chain(shown.sealed.iter().map(|(_, s)| &s.privacy))
}

/// Each partner is charged for itself, so that the losses of a person whom several know add up: at most the largest of them. In a total such a person moves the
/// figures K times as far under noise that is made for one: K² times the ρ, since the distance counts by its square, and a pure loss of Kε is at most that too
/// (docs/PRIVACY.md, 7.5).
fn known_to_several(shown: &Shown, noise: Noise) -> Option<String> {
    let mut charged: Vec<NanoRho> = privacy(shown).map(|privacy| privacy.charged).collect();
    charged.retain(|charge| charge.nano() > 0);
    charged.sort_unstable_by(|a, b| b.cmp(a));
    let most = charged.first().copied().unwrap_or_default();
    let sums = charged.iter().scan(NanoRho::ZERO, |sum, charge| {
        *sum = sum.plus(*charge);
        Some(*sum)
    });
    let lost: Vec<String> = (1_u64..)
        .zip(sums)
        .take(KNOWN_MAX)
        .skip(1)
        .map(|(known, sum)| match noise {
            Noise::OfEach => format!("{sum} to {known}"),
            Noise::OfAll => format!("{} to {known}", NanoRho::new(most.nano().saturating_mul(known * known))),
        })
        .collect();
    let says = || format!("  A person known to several of them loses together at most ρ {}", lost.join(", "));
    (!lost.is_empty()).then(says)
}

const SEES: &str = "Who sees what: the coordinator and whoever asked see each partner's protected table; a partner's records, and what its protection hides, stay with it.";

const TRUSTED: &str = "Who is trusted: each partner, to count its own records as they are; the coordinator, only for who was reachable.";

const TRUSTED_WITH_TOTAL: &str = "Who is trusted: each partner, to count its own records as they are and to open one total of this question; the coordinator, for who was reachable and for the figures as they stand here, which an auditor whom the partners entitle can work out again.";

const ADDS_UP: &str = "How losses add up: the ρ of tables do, and the account is held on their sum. The ε of several tables is what that sum is at δ, and not the sum of their ε.";

const NOISY: &str = "Who pools tables: the noise of each table is its partner's own, and any number of others who pool what they have do not weaken it.";

const WITHOUT_NOISE: &str = "Who pools tables: a table without noise holds against one reader of a fixed catalogue; who knows most people in a cell already can work out the rest.";

const NOT_COVERED: &str = "Not covered: records that are wrong, what is known from elsewhere, and that the question was asked, when and by whom.";

/// Up to how many partners that know the same person a loss is written out.
const KNOWN_MAX: usize = 5;
