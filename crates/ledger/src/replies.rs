//! How many replies an analyst had in a day, as the audit has it: every one of them is kept for ever.

use cairn_policy::london_day;
use cairn_question::{Day, Moment, Name, Refusal};
use rusqlite::{Connection, params};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::chain::{integer, natural};
use crate::entry::EntryKind;
use crate::fault::LedgerFault;

/// Most questions of one analyst with an audit entry in one day of Europe/London: answers, repeats, refusals and failures together.
///
/// None of them is ever deleted, and the largest is a table of 16,384 cells (some 0.5 MB), so without a limit one credential
/// could fill the disk. 2,000 is twenty times the shipped policies' quota of a share, a question every 43 seconds all day long:
/// nobody at work comes near it, and it keeps one analyst under some 1 GB a day even where every question is the largest.
pub const REPLIES_PER_ANALYST_PER_DAY: u32 = 2_000;

/// The counts of one day. They are in the audit; here they are only kept from being counted anew for every question.
#[derive(Default)]
pub(crate) struct Replies {
    day: Option<Day>,
    /// The last entry that is counted.
    counted_to: u64,
    per_analyst: BTreeMap<Name, u32>,
}

/// Of an entry, what is counted by.
#[derive(Deserialize)]
struct Who {
    at: Moment,
    kind: EntryKind,
    #[serde(default)]
    analyst: Option<Name>,
}

impl Replies {
    /// The analyst's count on the day of `now`, entries up to this moment included.
    pub(crate) fn of(
        &mut self,
        connection: &Connection,
        analyst: &Name,
        now: Moment,
    ) -> Result<u32, LedgerFault> {
        let day = london_day(now);
        match self.day {
            Some(counted) if counted == day => {}
            // A new day: what is counted already was before it.
            Some(counted) if counted < day => self.per_analyst.clear(),
            // Just opened, or the clock was put back: what is counted is of no use.
            _ => *self = Self::default(),
        }
        // Set only once all is counted: a read that fails is begun again from the start.
        self.day = None;
        self.count(connection, day)?;
        self.day = Some(day);
        Ok(self.per_analyst.get(analyst).copied().unwrap_or(0))
    }

    /// Counts from the newest entry back to the last that is counted, or to the first that is of an earlier day.
    fn count(&mut self, connection: &Connection, day: Day) -> Result<(), LedgerFault> {
        let sql = "SELECT seq, text FROM entry WHERE seq > ?1 ORDER BY seq DESC";
        let mut statement = connection.prepare_cached(sql).map_err(LedgerFault::read)?;
        let mut rows = statement.query(params![integer(self.counted_to)]).map_err(LedgerFault::read)?;
        while let Some(row) = rows.next().map_err(LedgerFault::read)? {
            let seq = natural(row.get(0).map_err(LedgerFault::read)?, "entry")?;
            let text: String = row.get(1).map_err(LedgerFault::read)?;
            let who: Who =
                serde_json::from_str(&text).map_err(|_| LedgerFault::Damaged { table: "entry" })?;
            self.counted_to = self.counted_to.max(seq);
            let on = london_day(who.at);
            if on < day {
                break;
            }
            if let Some(analyst) = who.analyst.filter(|_| on == day && is_question(who.kind)) {
                let count = self.per_analyst.entry(analyst).or_insert(0);
                *count = count.saturating_add(1);
            }
        }
        Ok(())
    }
}

/// The refusal past the limit.
pub(crate) fn too_many() -> Refusal {
    let says =
        format!("at most {REPLIES_PER_ANALYST_PER_DAY} questions of one analyst in a day, all together");
    Refusal::one("ledger.replies-per-day", "CA209", says)
}

const fn is_question(kind: EntryKind) -> bool {
    match kind {
        EntryKind::QuestionAnswered
        | EntryKind::QuestionRepeated
        | EntryKind::QuestionRefused
        | EntryKind::QuestionFailed => true,
        EntryKind::Start
        | EntryKind::Stop
        | EntryKind::Load
        | EntryKind::Erase
        | EntryKind::Policy
        | EntryKind::Brake
        | EntryKind::Restore => false,
    }
}

#[cfg(test)]
mod tests;
