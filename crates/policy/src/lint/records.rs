use crate::lint::Ground;
use crate::treatment::SnapshotEvery;

/// An equal question on one snapshot gets the stored table: one that is forgotten sooner would be drawn again.
pub(super) fn check(ground: &Ground<'_>) {
    let Some(cached) = ground.policy.records.as_ref().and_then(|r| r.answers_cached_days.as_ref()) else {
        return;
    };
    let slowest = ground.policy.datasets.values().filter_map(|d| d.snapshot.as_ref().map(|s| s.value)).max();
    let days = match slowest {
        Some(SnapshotEvery::Quarter) => 92,
        Some(SnapshotEvery::Month) | None => 31,
    };
    if cached.value < days {
        let says = format!("answers are kept for {} days, and a snapshot is asked for {days}", cached.value);
        let fix = format!("write {days} or more: the same question must get the same table");
        ground.faults.error("CP428", &cached.span, "records.answers_cached_days", says, fix);
    }
}
