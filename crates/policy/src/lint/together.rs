use std::collections::BTreeSet;

use cairn_question::answer::Zeros;
use cairn_question::privacy::Epsilon;
use cairn_question::{Day, Measure};

use crate::document::{How, MechanismWord, Share};
use crate::finding::Severity;
use crate::layers::{dominance, secondary};
use crate::lint::Ground;
use crate::read::At;
use crate::treatment::{Dominance, Secondary};

/// Faults of two shares together.
pub(super) fn pairs(ground: &Ground<'_>) {
    let shares = &ground.policy.shares;
    for (n, later) in shares.iter().enumerate() {
        let mut twice: Vec<(Twice, Vec<&str>)> = Vec::new();
        for earlier in shares.iter().take(n) {
            if earlier.id.value == later.id.value {
                let says = format!("the share {} stands twice", later.id.value);
                ground.faults.error("CP419", &later.id.span, "share", says, "give each its own id");
            }
            let answer = |a: &&At<Measure>| earlier.answers.iter().any(|b| b.value == a.value);
            let same_table =
                earlier.dataset.value == later.dataset.value && later.answers.iter().any(|a| answer(&a));
            let same_role = earlier.role.value == later.role.value;
            if same_table && same_role && earlier.purpose.value == later.purpose.value {
                let says =
                    format!("{} and {} could both match one question", earlier.id.value, later.id.value);
                let fix = "a question matches exactly one share: differ in role, purpose, dataset or answers";
                ground.faults.error("CP409", &later.span, format!("share.{}", later.id.value), says, fix);
            } else if let Some(found) = Twice::treated(earlier, later, ground).filter(|_| same_table) {
                let id = earlier.id.value.as_str();
                match twice.iter_mut().find(|(same, _)| *same == found) {
                    Some((_, ids)) => ids.push(id),
                    None => twice.push((found, vec![id])),
                }
            }
        }
        for (found, ids) in &twice {
            found.report(ids, later, ground);
        }
    }
}

/// The same table under two treatments tells more than either: an error for one role, a warning where roles differ,
/// since results travel (release.md, section 1). Two shares of a table without a column in common still have its total in
/// common, whole or filtered. One finding for all earlier shares of which the same is to be said.
#[derive(Eq, PartialEq)]
struct Twice {
    severity: Severity,
    one_role: bool,
    common: Vec<String>,
    differ: Vec<&'static str>,
}

impl Twice {
    /// `None` where there is one treatment, or where a release is missing or faulty: that is reported where it stands.
    fn treated(earlier: &Share, later: &Share, ground: &Ground<'_>) -> Option<Self> {
        let (one, other) = protection(earlier, ground).zip(protection(later, ground))?;
        let differ = one.differs_in(&other);
        if differ.is_empty() {
            return None;
        }
        let columns = |s: &Share| s.group_by.iter().map(|(c, _)| c.value.clone()).collect::<BTreeSet<_>>();
        let common = columns(earlier).intersection(&columns(later)).cloned().collect();
        let one_role = earlier.role.value == later.role.value;
        // What noise promises holds whatever else its reader knows, so a plain table beside it takes nothing from that.
        let severity = if one_role && !one.hold_beside(&other) { Severity::Error } else { Severity::Warning };
        Some(Self { severity, one_role, common, differ })
    }

    fn report(&self, earlier: &[&str], later: &Share, ground: &Ground<'_>) {
        let (id, dataset) = (&later.id.value, &later.dataset.value);
        let by = if self.common.is_empty() {
            "in total".to_owned()
        } else {
            format!("by {}", self.common.join(", "))
        };
        let (to, differ) =
            (if self.one_role { "the same role" } else { "different roles" }, self.differ.join(", "));
        let says = match earlier {
            [one] => {
                format!(
                    "{one} and {id} give {dataset} {by} to {to} under two treatments: they differ in {differ}"
                )
            }
            several => format!(
                "{} each give {dataset} {by}, as {id} does, to {to} under another treatment: it differs in {differ}",
                several.join(", ")
            ),
        };
        let fix = "use one treatment for the same columns, or name this in the approval note";
        let rule = format!("share.{id}");
        ground.faults.add("CP420", self.severity, &later.span, rule, says, Some(fix.to_owned()));
    }
}

/// What is done to a share's tables before they leave. None of it but the threshold and ε is ordered, and two tables that differ
/// in any of it can be compared: windows a day apart differ by that day's people.
struct Protection<'a> {
    method: Treated<'a>,
    /// Of this partner alone, or of several.
    in_total: bool,
    window: Option<(&'a str, Day, u32)>,
    min_cohort: Option<u32>,
}

#[derive(Eq, PartialEq)]
enum Treated<'a> {
    Dp { mechanism: MechanismWord, epsilon: Epsilon, groups_per_person: u32 },
    CountOnce(Epsilon),
    Cells(CellsTreated<'a>),
}

#[derive(Eq, PartialEq)]
struct CellsTreated<'a> {
    method: &'static str,
    profile: Option<&'a str>,
    min_people: Option<u32>,
    round_to: Option<u32>,
    zeros: Zeros,
    secondary: Secondary,
    dominance: Option<Dominance>,
}

fn protection<'a>(share: &'a Share, ground: &'a Ground<'_>) -> Option<Protection<'a>> {
    let release = ground.policy.releases.get(&share.release.value)?.as_ref()?;
    let window = share.window.as_ref();
    Some(Protection {
        method: treated(&release.how, ground),
        in_total: release.min_partners.as_ref().is_some_and(|least| least.value > 1),
        window: window.map(|w| (w.column.value.as_str(), w.from.value, w.lag_days.value)),
        min_cohort: share.min_cohort.as_ref().map(|m| m.value),
    })
}

fn treated<'a>(how: &'a How, ground: &Ground<'_>) -> Treated<'a> {
    match how {
        How::Dp { mechanism, epsilon, groups_per_person } => Treated::Dp {
            mechanism: mechanism.value,
            epsilon: epsilon.value,
            groups_per_person: groups_per_person.value,
        },
        How::CountOnce(count) => Treated::CountOnce(count.epsilon.value),
        How::Cells(doc) => {
            let profile = doc.profile.as_ref().map(|p| p.value.as_str());
            let known = profile.and_then(|p| ground.framework.profiles.get(p));
            Treated::Cells(CellsTreated {
                method: how.as_str(),
                profile,
                min_people: doc.min_people.as_ref().map(|m| m.value),
                round_to: doc.round_to.as_ref().map(|r| r.value),
                // As the layers resolve it.
                zeros: doc.zeros.as_ref().map(|z| z.value).or(known.map(|p| p.zeros)).unwrap_or(Zeros::Show),
                secondary: secondary(doc, known),
                dominance: dominance(doc, known),
            })
        }
    }
}

impl Protection<'_> {
    /// Whether neither takes anything from what the other promises: one of the two is noisy and the other not, or one counts people once,
    /// which is another figure on an account of its own.
    const fn hold_beside(&self, other: &Self) -> bool {
        let noisy = matches!(self.method, Treated::Dp { .. }) != matches!(other.method, Treated::Dp { .. });
        let once =
            matches!(self.method, Treated::CountOnce(_)) != matches!(other.method, Treated::CountOnce(_));
        noisy || once
    }

    fn differs_in(&self, other: &Self) -> Vec<&'static str> {
        let method = match (&self.method, &other.method) {
            (a, b) if a == b => None,
            (Treated::Dp { .. }, Treated::Dp { .. }) => Some("mechanism, epsilon or groups_per_person"),
            (Treated::Cells(a), Treated::Cells(b)) if a.method == b.method => {
                Some("profile, min_people, round_to, zeros, secondary or dominance")
            }
            _ => Some("method"),
        };
        // Own tables of all partners that are not noisy add up to bounds on the total beside them, and the other way round.
        let plain = [self, other].iter().all(|p| matches!(p.method, Treated::Cells(_)));
        let path =
            (plain && self.in_total != other.in_total).then_some("min_partners (an own table, a total)");
        let window = (self.window != other.window).then_some("window");
        let cohort = (self.min_cohort != other.min_cohort).then_some("min_cohort");
        [method, path, window, cohort].into_iter().flatten().collect()
    }
}

/// Declared and used by no share: a special-category column most of all, since declaring it asks to hold it ready.
pub(super) fn unused(ground: &Ground<'_>) {
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for share in &ground.policy.shares {
        let columns = share.group_by.iter().chain(&share.filter_by).map(|(c, _)| c);
        for found in columns.filter_map(|c| ground.schema.find(&share.dataset.value, &c.value)) {
            used.insert((found.table.name.clone(), found.column.name.clone()));
        }
    }
    for dataset in ground.policy.datasets.values() {
        for (name, rule) in &dataset.columns {
            let open = rule.usage.as_ref().is_some_and(|u| u.value.groups() || u.value.filters());
            if open && rule.special && !used.contains(&(dataset.name.value.clone(), name.clone())) {
                let says = format!("special-category column `{name}` is declared and no share uses it");
                let path = format!("dataset.{}.columns.{name}", dataset.name.value);
                ground.faults.warn(
                    "CP801",
                    &rule.key,
                    path,
                    says,
                    "write use = \"hidden\", unless a share is about to use it",
                );
            }
        }
    }
    let mentioned = |what: &str, name: &str| {
        ground.policy.shares.iter().any(|s| match what {
            "role" => s.role.value.as_str() == name,
            "purpose" => s.purpose.value.as_str() == name,
            _ => s.release.value == name,
        })
    };
    let policy = ground.policy;
    for link in &policy.links {
        let id = link.id.value.as_str();
        if !policy.shares.iter().any(|s| s.links.iter().any(|l| l.value == id)) {
            let says = format!("the link {id} is used by no share");
            let fix = "delete it, unless a share is about to use it";
            ground.faults.warn("CP804", &link.id.span, format!("link.{id}"), says, fix);
        }
    }
    let roles = policy.roles.iter().map(|(k, r)| ("role", k, r.as_ref().map(|r| &r.span)));
    let purposes = policy.purposes.iter().map(|(k, p)| ("purpose", k, p.as_ref().map(|p| &p.span)));
    let releases = policy.releases.iter().map(|(k, r)| ("release", k, r.as_ref().map(|r| &r.span)));
    for (what, name, span) in roles.chain(purposes).chain(releases) {
        // One that cannot be read is reported where it stands.
        let Some(span) = span.filter(|_| !mentioned(what, name)) else { continue };
        let says = format!("the {what} {name} is used by no share");
        let fix = "delete it, unless a share is about to use it";
        ground.faults.warn("CP804", span, format!("{what}.{name}"), says, fix);
    }
}
