//! What a new version of a policy changes, found by trying every kind of question and laying every value side by side.

mod changes;
pub(crate) mod facts;
mod order;
mod render;
mod treat;

use cairn_question::Hash;
use cairn_question::answer::PolicyStatement;

use crate::decide::treatment;
use crate::layers::Layers;
use crate::space::field::{Field, NEW, OLD, PERSON, Wanted};
use crate::space::{Block, Example, Kinds, Pair, Party, TooWide};
use crate::treatment::Treatment;
use order::Sides;
use treat::{Against, Compared, compare};

/// What a change of policy does. Complete, not open: the quorum that a board needs depends on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Nothing differs but the version and what it supersedes.
    Same,
    /// Every kind of question was tried: none is newly answered, none is protected less, and no setting changed that is
    /// not ordered. Words may differ.
    Tightens,
    /// Anything else.
    Loosens,
}

/// Which way one changed value goes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Direction {
    /// More questions, more people, more time.
    PermitsMore,
    /// A smaller threshold, a larger ε.
    ProtectsLess,
    /// Fewer questions, fewer people, less time.
    PermitsLess,
    /// A larger threshold, a smaller ε.
    ProtectsMore,
    /// Neither: the old and the new table together can tell more than either. Counts as loosening.
    Unordered,
    /// Nothing that decides, protects or binds.
    Words,
}

/// One value that changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Where it stands: `release.published-table.round_to`; of the framework: `framework.floor.min_people`. A section
    /// that was added or taken away is one change.
    pub rule: String,
    /// The old value; `None`: it was not there.
    pub old: Option<String>,
    /// The new value; `None`: it is gone.
    pub new: Option<String>,
    /// Which way it goes.
    pub direction: Direction,
}

/// Kinds of question that a change affects alike.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Affected {
    /// How many.
    pub count: u64,
    /// The smallest: fewest columns, then by name.
    pub smallest: Option<Example>,
    /// What is different about the smallest: `min_people 10 → 5`. Empty where the kind is answered by one policy only.
    pub says: Vec<String>,
}

/// What the node's own board is told to hold against the file it signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Supersedes {
    /// The new policy names the hash of the old.
    TheOld,
    /// It names none.
    Nothing,
    /// It names another file.
    Another,
}

/// The difference of two policies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diff {
    /// What the change does.
    pub verdict: Verdict,
    /// The old policy; `None`: nothing was in force, and everything is new.
    pub old: Option<PolicyStatement>,
    /// The new policy.
    pub new: PolicyStatement,
    /// What was tried.
    pub kinds: Kinds,
    /// Kinds that only the new policy answers.
    pub newly: Affected,
    /// Kinds that only the old policy answers.
    pub no_longer: Affected,
    /// Kinds that both answer and the new one protects less.
    pub weaker: Affected,
    /// Kinds that both answer and the new one protects more.
    pub stronger: Affected,
    /// Kinds that both answer, protected neither more nor less but otherwise.
    pub otherwise: Affected,
    /// Every value that changed, of the policy and of the framework, in the order of its rule. Empty where nothing was in
    /// force.
    pub changes: Vec<Change>,
    /// What the new policy says that it replaces.
    pub supersedes: Supersedes,
}

/// Tries every kind of question against both and lays every value side by side. `old` is what is in force; `None`:
/// nothing, so that everything is new. The brake is not looked at: it only ever refuses more.
///
/// # Errors
/// [`TooWide`]: there are too many kinds to try them all.
pub fn diff(old: Option<&Layers>, new: &Layers) -> Result<Diff, TooWide> {
    let pair = Pair { old, new };
    let (fields, kinds) = pair.fields()?;
    let mut diff = Diff {
        verdict: Verdict::Same,
        old: old.map(|l| l.statement().clone()),
        new: new.statement().clone(),
        kinds,
        newly: Affected::default(),
        no_longer: Affected::default(),
        weaker: Affected::default(),
        stronger: Affected::default(),
        otherwise: Affected::default(),
        changes: old.map(|old| changed(old, new)).unwrap_or_default(),
        supersedes: supersedes(old, new),
    };
    for (block, field) in &fields {
        diff.add(block, field);
    }
    diff.verdict = diff.judged();
    Ok(diff)
}

impl Diff {
    /// Whether the verdict is [`Verdict::Loosens`] only because something changed that is neither more nor less.
    #[must_use]
    pub fn only_unordered(&self) -> bool {
        self.verdict == Verdict::Loosens && !self.more_or_less()
    }

    /// The changes that go one way.
    pub fn going(&self, direction: Direction) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |c| c.direction == direction)
    }

    fn more_or_less(&self) -> bool {
        let looser = |c: &Change| matches!(c.direction, Direction::PermitsMore | Direction::ProtectsLess);
        self.old.is_none() || self.newly.count > 0 || self.weaker.count > 0 || self.changes.iter().any(looser)
    }

    fn judged(&self) -> Verdict {
        let unordered = self.otherwise.count > 0 || self.going(Direction::Unordered).next().is_some();
        let neutral = |c: &Change| matches!(c.rule.as_str(), "policy.version" | "policy.supersedes");
        match () {
            () if self.more_or_less() || unordered => Verdict::Loosens,
            () if self.changes.iter().all(neutral) => Verdict::Same,
            () => Verdict::Tightens,
        }
    }

    /// Tries one block. Kinds that both answer fall into two: those whose axes all describe the person, and the others,
    /// since noise is made for one cell a person in the first.
    fn add(&mut self, block: &Block<'_>, field: &Field) {
        let (one, both) = (NEW, OLD | NEW);
        let mut wanted = [
            Wanted::new(both, one),
            Wanted::new(both, OLD),
            Wanted::new(both | PERSON, both | PERSON),
            Wanted::new(both | PERSON, both),
        ];
        field.scan(&mut wanted);
        let [newly, no_longer, of_person, of_rows] = &wanted;
        let answered = of_person.count + of_rows.count;
        self.kinds.answered_old += answered + no_longer.count;
        self.kinds.answered_new += answered + newly.count;
        self.newly.take(newly, field, &[]);
        self.no_longer.take(no_longer, field, &[]);
        let (Some(old), Some(new)) = (block.old, block.new) else { return };
        for (found, axes) in [(of_person, Axes::OfPerson), (of_rows, Axes::OfRows)] {
            let Compared { against, says } = compare(&treated(block, old, axes), &treated(block, new, axes));
            match against {
                Against::Same => {}
                Against::Stronger => self.stronger.take(found, field, &says),
                Against::Unordered => self.otherwise.take(found, field, &says),
                Against::Weaker => self.weaker.take(found, field, &says),
            }
        }
    }
}

/// What the axes of a kind describe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Axes {
    /// The person, all of them.
    OfPerson,
    /// Some of them one of the person's rows.
    OfRows,
}

/// How a policy answers the kinds of a block that it answers: what is asked by decides no more than this.
pub(crate) fn treated(block: &Block<'_>, party: Party<'_>, axes: Axes) -> Treatment {
    let treated = treatment(party.layers, party.ready, &block.bare());
    match axes {
        Axes::OfPerson => treated,
        Axes::OfRows => Treatment { method: party.ready.method.clone(), ..treated },
    }
}

impl Affected {
    fn take(&mut self, found: &Wanted, field: &Field, says: &[String]) {
        self.count += found.count;
        let Some(example) = found.smallest(field) else { return };
        if self.smallest.as_ref().is_none_or(|known| example.rank() < known.rank()) {
            self.smallest = Some(example);
            self.says = says.to_vec();
        }
    }
}

/// What stands for the value of a whole section.
const PRESENT: &str = "present";

fn changed(old: &Layers, new: &Layers) -> Vec<Change> {
    let mut changes = changes::every(Sides { schema: new.schema, old: old.facts(), new: new.facts() });
    if !std::ptr::eq(old.schema, new.schema) {
        changes.push(Change {
            rule: "dictionary".to_owned(),
            old: None,
            new: None,
            direction: Direction::Unordered,
        });
    }
    changes
}

fn supersedes(old: Option<&Layers>, new: &Layers) -> Supersedes {
    let named: Option<&Hash> = new.head.supersedes.as_ref();
    match (named, old) {
        (None, _) => Supersedes::Nothing,
        (Some(hash), Some(old)) if *hash == old.statement().hash => Supersedes::TheOld,
        _ => Supersedes::Another,
    }
}

#[cfg(test)]
mod tests;
