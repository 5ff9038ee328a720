//! Attacks on what stands beside the numbers: how long an answer takes to come, and how long it is.
//!
//! The two partners differ in one person or a few in every small group. Each question of one small group is asked of both, in an order
//! that changes, and an attacker who sees only the network says which partner it was.

use std::time::Duration;

use tokio::task::JoinSet;

use super::line::{Holds, Line};
use super::people::{SIDES, codes};
use super::stage::{Attacked, READER, Seen, Session};
use crate::failure::Failure;

/// How many questions are under way at a time: an analyst's program may have as many open.
const AT_ONCE: usize = 8;

/// Most questions that are timed at each side. With 6,400, 19 runs in 20 in which nothing is to be seen come to an upper bound of .52: of equal laws
/// the area has a standard error of √(1 ÷ 6n), and it may lie 1.96 of them off before as many are added ([`TWO_SIDED_95`]).
pub(super) const TIMED_MOST: u16 = 8_000;

/// Most of them that one analyst asks: a node replies to 2,000 of one analyst in a day, and the other attacks need some.
const OF_ONE_ANALYST: usize = 1_800;

/// How many analysts it takes, so that the sessions share them evenly.
pub(super) fn analysts(timed: usize) -> usize {
    timed.div_ceil(OF_ONE_ANALYST).next_power_of_two().min(AT_ONCE)
}

const _: () = assert!(AT_ONCE.is_power_of_two() && (TIMED_MOST as usize) <= AT_ONCE * OF_ONE_ANALYST);

/// One question at both sides, left and right.
type Pair = [Seen; 2];

/// Two lines. `timed`: how many questions are put to each side.
pub(super) async fn times_and_sizes(attacked: &Attacked, timed: usize) -> Result<[Line; 2], Failure> {
    let questions = questions(timed);
    let mut workers = JoinSet::new();
    for worker in 0..AT_ONCE {
        let mut session = Session::open_as(attacked, worker).await?;
        let own: Vec<String> = questions.iter().skip(worker).step_by(AT_ONCE).cloned().collect();
        workers.spawn(async move {
            let pairs = ask_in_turn(&mut session, own).await;
            session.close().await;
            pairs
        });
    }
    let mut pairs = Vec::new();
    while let Some(own) = workers.join_next().await {
        pairs.extend(own.map_err(|_| Failure::new("CC503", "a timed question came to nothing"))??);
    }
    Ok([times(&pairs), sizes(&pairs)])
}

/// Every other question is put to the right side first.
async fn ask_in_turn(session: &mut Session, questions: Vec<String>) -> Result<Vec<Pair>, Failure> {
    let mut pairs = Vec::new();
    for (n, text) in questions.iter().enumerate() {
        let [left, right] = SIDES;
        pairs.push(if n % 2 == 0 {
            let seen = session.seen(READER, text, left).await?;
            [seen, session.seen(READER, text, right).await?]
        } else {
            let seen = session.seen(READER, text, right).await?;
            [session.seen(READER, text, left).await?, seen]
        });
    }
    Ok(pairs)
}

/// Tables of one group each, no two equal, so that each is counted anew: of the smallest groups first.
fn questions(most: usize) -> Vec<String> {
    let filters = |column: &str| -> Vec<String> {
        codes(column).iter().map(|code| format!("{column} = {code}")).collect()
    };
    let [councils, ages, genders, carers, cared_for] =
        ["council_code", "age_band", "gender", "unpaid_carer", "care_experienced"].map(filters);
    let none = [String::new()];
    let groups = [
        all(&genders, &ages, &councils),
        all(&carers, &genders, &councils),
        all(&carers, &ages, &councils),
        all(&genders, &none, &councils),
        all(&ages, &none, &councils),
        all(&cared_for, &genders, &councils),
        all(&cared_for, &ages, &councils),
    ];
    let groups = groups.concat();
    let of = |what: &str| groups.iter().map(|g| format!("{what} where {g}")).collect::<Vec<_>>();
    // Both tables are short, so that the replies to all are equally long.
    [of("people by armed_forces"), of("people")].concat().into_iter().take(most).collect()
}

/// Every filter of each with every one of the others.
fn all(first: &[String], second: &[String], third: &[String]) -> Vec<String> {
    let pairs = first.iter().flat_map(|a| second.iter().map(move |b| [a, b]));
    let whole = pairs.flat_map(|[a, b]| third.iter().map(move |c| [a, b, c]));
    let joined = whole.map(|filters| {
        let filters: Vec<&str> = filters.into_iter().map(String::as_str).filter(|f| !f.is_empty()).collect();
        filters.join(" and ")
    });
    joined.collect()
}

fn times(pairs: &[Pair]) -> Line {
    let of = |side: usize| pairs.iter().filter_map(move |pair| pair.get(side)).map(|s| s.took).collect();
    let (left, right): (Vec<Duration>, Vec<Duration>) = (of(0), of(1));
    let auc = Auc::of(&left, &right);
    let seen = format!(
        "AUC {:.3}, at most {:.3} (95 %), from {} questions at each side; half came within {} ms",
        auc.advantage(),
        auc.most(TWO_SIDED_95),
        pairs.len(),
        median(&[left, right].concat()).as_millis()
    );
    let claim = format!("the time of an answer tells one dataset from another at AUC {AUC_MOST} at most");
    Line::of("timing", &claim, seen, Holds::when(auc.least(ALARM) <= AUC_MOST))
}

/// What release.md asks for.
const AUC_MOST: f64 = 0.52;

/// Standard normal quantiles: for what is printed, 95 % on two sides, since the attacker may guess either way; and for an alarm, 10⁻⁷.
const TWO_SIDED_95: f64 = 1.96;
const ALARM: f64 = 5.33;

/// A reply that was late has no size, and a slow machine is no finding; where one in ten is missing, too little was seen.
fn sizes(pairs: &[Pair]) -> Line {
    let came: Vec<[usize; 2]> =
        pairs.iter().flatten().map(|seen| seen.sizes).filter(|[reply, _]| *reply > 0).collect();
    let other = came.iter().filter(|sizes| Some(*sizes) != came.first()).count();
    let late = 2 * pairs.len() - came.len();
    let [reply, coverage] = came.first().copied().unwrap_or_default();
    let seen = format!(
        "{other} of {} differ, {late} were late; replies of {reply} bytes, coverage statements of {coverage}",
        came.len()
    );
    let claim = "answers, withheld tables and refusals to like questions are equally long";
    Line::of("sizes", claim, seen, Holds::when(other == 0 && late < came.len() / 10))
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// The area under the ROC curve: how often a time of the one side is longer than one of the other, a tie counting half (Mann and Whitney
/// 1947), with the standard error of DeLong, DeLong and Clarke-Pearson 1988.
#[derive(Clone, Copy, Debug)]
struct Auc {
    area: f64,
    error: f64,
}

impl Auc {
    fn of(one: &[Duration], other: &[Duration]) -> Self {
        let ones = shares_below(one, other);
        let others: Vec<f64> = shares_below(other, one).into_iter().map(|below| 1.0 - below).collect();
        let error = (variance(&ones) / count(&ones) + variance(&others) / count(&others)).sqrt();
        Self { area: mean(&ones), error }
    }

    /// An attacker guesses the way that serves.
    fn advantage(self) -> f64 {
        self.area.max(1.0 - self.area)
    }

    fn most(self, quantile: f64) -> f64 {
        (self.advantage() + quantile * self.error).min(1.0)
    }

    fn least(self, quantile: f64) -> f64 {
        (self.advantage() - quantile * self.error).max(0.5)
    }
}

/// For each of the times, the share of the others that are shorter, an equal one counting half.
fn shares_below(of: &[Duration], against: &[Duration]) -> Vec<f64> {
    let mut sorted = against.to_vec();
    sorted.sort_unstable();
    let all = whole(sorted.len().max(1));
    let share = |time: &Duration| {
        let shorter = sorted.partition_point(|t| t < time);
        let no_longer = sorted.partition_point(|t| t <= time);
        f64::midpoint(whole(shorter), whole(no_longer)) / all
    };
    of.iter().map(share).collect()
}

fn whole(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

fn count(of: &[f64]) -> f64 {
    whole(of.len().max(1))
}

fn mean(of: &[f64]) -> f64 {
    of.iter().sum::<f64>() / count(of)
}

fn variance(of: &[f64]) -> f64 {
    let middle = mean(of);
    let squares: f64 = of.iter().map(|x| (x - middle).powi(2)).sum();
    squares / (count(of) - 1.0).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::attack::stage::question;

    fn ms(times: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        times.into_iter().map(Duration::from_millis).collect()
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-3, "{a} is not {b}");
    }

    /// By hand: of 3 × 2 pairs (1, 2, 3 against 2, 4) the first is longer in one, and equal in one.
    #[test]
    fn the_area_is_the_share_of_pairs_and_a_tie_is_half() {
        let auc = Auc::of(&ms([1, 2, 3]), &ms([2, 4]));
        near(auc.area, 1.5 / 6.0);
        near(auc.advantage(), 0.75);
        // V10 = (0, .25, .5), V01 = (.5, 0): variances 1/16 and 1/8.
        near(auc.error, (1.0_f64 / 48.0 + 1.0 / 16.0).sqrt());
        near(Auc::of(&ms([5; 9]), &ms([5; 9])).most(TWO_SIDED_95), 0.5);
    }

    #[test]
    fn a_count_that_shows_in_the_time_raises_the_alarm_and_an_equal_pace_does_not() {
        let alike = Auc::of(&ms((0..256).map(|n| n % 16)), &ms((0..256).map(|n| n * 7 % 16)));
        assert!(alike.least(ALARM) <= AUC_MOST && alike.most(TWO_SIDED_95) < 0.56, "{alike:?}");
        let slower = Auc::of(&ms((0..256).map(|n| n % 16 + 4)), &ms((0..256).map(|n| n % 16)));
        assert!(slower.least(ALARM) > AUC_MOST, "{slower:?}");
    }

    /// Two samples of the same law, this many each, `times` times over: how often the upper bound comes to .52 at most.
    fn bounded(each: usize, times: u32) -> u32 {
        let mut state = 11_u64;
        let mut draw = || {
            // Knuth's MMIX generator; the upper bits are good. Slots of 250 ms, and a little time beyond the slot.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Duration::from_micros((state >> 62) * 250_000 + (state >> 40) % 4_096)
        };
        let mut sample = || std::iter::repeat_with(&mut draw).take(each).collect::<Vec<_>>();
        let enough = |_| u32::from(Auc::of(&sample(), &sample()).most(TWO_SIDED_95) <= AUC_MOST);
        (0..times).map(enough).sum()
    }

    /// The docs' figures: 6,400 questions a side show .52 in 19 runs of 20, 256 or 1,800 hardly ever.
    #[test]
    fn the_larger_run_shows_two_in_a_hundred() {
        let enough = bounded(6_400, 200);
        assert!((180..=199).contains(&enough), "{enough}");
        assert_eq!(bounded(256, 50), 0);
        let few = bounded(1_800, 50);
        assert!(few <= 20, "{few}");
    }

    #[test]
    fn analysts_are_enough_and_share_the_questions_evenly() {
        for timed in [8, 256, 1_800, 1_801, 3_600, 6_400, usize::from(TIMED_MOST)] {
            let analysts = analysts(timed);
            assert!(
                AT_ONCE.is_multiple_of(analysts) && timed.div_ceil(analysts) <= OF_ONE_ANALYST,
                "{timed}"
            );
        }
        assert_eq!((analysts(256), analysts(6_400)), (1, 4));
    }

    #[test]
    fn no_two_questions_are_equal_and_there_are_enough_of_them() {
        let most = usize::from(TIMED_MOST);
        let all = questions(most);
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
        assert_eq!(all.len(), most);
        assert!(all.iter().all(|text| question(READER, text).is_ok()));
    }
}
