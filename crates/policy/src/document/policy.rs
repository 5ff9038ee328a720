use std::collections::BTreeMap;
use std::ops::Range;

use cairn_question::privacy::Epsilon;
use cairn_question::{Hash, Measure, PartnerId};

use crate::document::{
    Budget, CellsDoc, CellsKind, ColumnRule, CountOnceDoc, Dataset, Head, How, Link, LinkKind, MechanismWord,
    Named, OptOutDoc, PLAN, PolicyDoc, Purpose, Records, Release, Role, Share, ShareWindow, Usage, ZEROS,
};
use crate::finding::Faults;
use crate::floor;
use crate::read::{At, Section, VERSION_MAX, parse};
use crate::treatment::{Dominance, Secondary, SnapshotEvery};

/// Reads `policy.toml`.
pub(crate) fn read(faults: &Faults<'_>) -> Option<PolicyDoc> {
    let tree = parse(faults)?;
    let root = Section::root(&tree, faults);
    root.format("cairn_policy");
    let doc = PolicyDoc {
        head: root.section("policy").and_then(head),
        unit: root.section("unit").and_then(unit),
        budget: root.section("budget").and_then(budget),
        datasets: root
            .sections("dataset")
            .into_iter()
            .map(|(n, s)| (n.value.clone(), dataset(n, s)))
            .collect(),
        links: root.array("link").into_iter().filter_map(link).collect(),
        releases: named(root.sections("release"), release),
        roles: named(root.sections("role"), role),
        purposes: named(root.sections("purpose"), purpose),
        shares: shares(&root),
        records: root.section("records").and_then(records),
    };
    root.finish();
    Some(doc)
}

fn named<'a, T>(
    sections: Vec<(At<String>, Section<'a>)>,
    read: impl Fn(Section<'a>) -> Option<T>,
) -> Named<T> {
    let one = |(name, section): (At<String>, Section<'a>)| {
        let _ = section.as_name(&section.path, &name);
        (name.value, read(section))
    };
    sections.into_iter().map(one).collect()
}

fn head(section: Section<'_>) -> Option<Head> {
    let id = section.name("id");
    let version = section.whole("version", 1..=VERSION_MAX);
    let partner = section.name("partner");
    let supersedes = section.text_opt("supersedes").and_then(|text| hash(&section, &text));
    let framework = section.section("framework").and_then(|f| {
        let pair = (f.name("id"), f.whole("version", 1..=VERSION_MAX));
        f.finish();
        Some((pair.0?, pair.1?))
    });
    let effective_from = section.day("effective_from");
    let review_by = section.day("review_by");
    let expires = section.day("expires");
    let [controller, legal_basis, agreement, dpia, contact, notice_url] =
        ["controller", "legal_basis", "agreement", "dpia", "contact", "notice_url"].map(|k| section.text(k));
    let plan = plan(&section);
    let told = [&controller, &agreement, &dpia, &contact, &notice_url];
    let names = ["controller", "agreement", "dpia", "contact", "notice_url"];
    let made_up = names.into_iter().zip(told).filter_map(|(key, text)| made_up(key, text.as_ref()?));
    let made_up = made_up.collect();
    section.finish();
    let partner = partner?;
    Some(Head {
        id: id?,
        version: version?,
        partner: At::new(PartnerId::from(partner.value), partner.span),
        supersedes,
        framework: framework?,
        effective_from: effective_from?,
        review_by: review_by?,
        expires: expires?,
        controller: controller?.value,
        legal_basis: legal_basis?.value,
        agreement: agreement?.value,
        dpia: dpia?.value,
        contact: contact?.value,
        notice_at: notice_url.as_ref()?.span.clone(),
        notice_url: notice_url?.value,
        plan,
        made_up,
    })
}

/// Whether a value is still the template's own, or an address that nobody can have (`.example`, RFC 2606).
fn made_up(key: &'static str, text: &At<String>) -> Option<(&'static str, Range<usize>)> {
    let (_, at) = text.value.rsplit_once('@').unwrap_or(("", &text.value));
    let host = at.trim_start_matches("https://").split(['/', ':', '?', '#']).next().unwrap_or_default();
    let is = match key {
        "controller" => text.value.starts_with("Any "),
        "agreement" | "dpia" => text.value.contains("-0000"),
        _ => host.trim_end_matches('.').ends_with(".example"),
    };
    is.then(|| (key, text.span.clone()))
}

fn hash(section: &Section<'_>, text: &At<String>) -> Option<Hash> {
    let hash = Hash::try_from(text.value.clone()).ok();
    if hash.is_none() {
        let says = "`supersedes` must be `sha256:` and 64 hexadecimal digits";
        section.faults().error(
            "CP005",
            &text.span,
            section.rule("supersedes"),
            says,
            "copy it from `cairn policy status`",
        );
    }
    hash
}

fn plan(head: &Section<'_>) -> Vec<(&'static str, String)> {
    let Some(section) = head.section_opt("plan") else {
        let says = format!("the nine parts of the action plan are missing: {}", PLAN.join(", "));
        head.faults().error("CP103", &head.span, "policy.plan", says, "add [policy.plan] with all nine");
        return Vec::new();
    };
    let mut plan = Vec::new();
    let mut missing = Vec::new();
    for part in PLAN {
        match section.text_opt(part) {
            Some(text) => plan.push((part, text.value)),
            None if section.has(part) => {}
            None => missing.push(part),
        }
    }
    if !missing.is_empty() {
        let says = format!("of the nine parts of the action plan these are missing: {}", missing.join(", "));
        head.faults().error("CP103", &section.span, "policy.plan", says, "add them to [policy.plan]");
    }
    section.finish();
    plan
}

fn unit(section: Section<'_>) -> Option<At<String>> {
    section.word("name", &[("person", ())]);
    let key = section.text("key");
    section.finish();
    key
}

fn budget(section: Section<'_>) -> Option<Budget> {
    if !section.has("epsilon_lifetime") {
        let says = "the budget has no lifetime cap: what is spent each year would never end";
        let fix = "add `epsilon_lifetime = …`";
        section.faults().error("CP104", &section.span, "budget.epsilon_lifetime", says, fix);
    }
    let per_year = section.millionths("epsilon_per_year");
    let lifetime = section.has("epsilon_lifetime").then(|| section.millionths("epsilon_lifetime")).flatten();
    let delta = section.delta("delta_lifetime");
    let year_starts = section.text("year_starts").and_then(|text| month_day(&section, &text));
    section.finish();
    Some(Budget { per_year: per_year?, lifetime: lifetime?, delta: delta?, year_starts: year_starts? })
}

fn month_day(section: &Section<'_>, text: &At<String>) -> Option<(u8, u8)> {
    let day: Option<cairn_question::Day> = format!("2023-{}", text.value).parse().ok();
    let pair = day.and_then(|_| text.value.split_once('-'));
    if pair.is_none() {
        let says = "`year_starts` must be a month and a day, such as \"04-01\"";
        section.faults().error("CP009", &text.span, section.rule("year_starts"), says, "write \"04-01\"");
    }
    let (month, day) = pair?;
    Some((month.parse().ok()?, day.parse().ok()?))
}

fn dataset(name: At<String>, section: Section<'_>) -> Dataset {
    let table = section.text_opt("table");
    let one_row_is = section.text("one_row_is");
    let every = [("month", SnapshotEvery::Month), ("quarter", SnapshotEvery::Quarter)];
    let snapshot = section.word_opt("snapshot", &every);
    let opt_out = section.section_opt("opt_out").and_then(opt_out);
    let keep_years = section.whole_opt("keep_years", 1..=100);
    let rows_per_person = section.whole_opt("max_rows_per_person", 1..=1_000);
    let columns = section.section("columns").map(|s| columns(&s)).unwrap_or_default();
    section.finish();
    Dataset { name, table, one_row_is, snapshot, opt_out, keep_years, rows_per_person, columns }
}

/// `{ via = "participants" }`, or a column with the codes that may be shared.
fn opt_out(section: Section<'_>) -> Option<OptOutDoc> {
    let rule = match section.text_opt("via") {
        Some(table) => Some(OptOutDoc::Via(table)),
        None => section
            .text("column")
            .zip(section.texts("share_only_if"))
            .map(|(column, share_only_if)| OptOutDoc::Column { column, share_only_if }),
    };
    section.finish();
    rule
}

fn columns(section: &Section<'_>) -> BTreeMap<String, ColumnRule> {
    let column = |(name, column): (At<String>, Section<'_>)| {
        let rule = ColumnRule {
            key: name.span,
            usage: column.word("use", Usage::WORDS),
            grains: column.texts_opt("grains").map(|l| l.value).unwrap_or_default(),
            special: column.flag("special").is_some_and(|f| f.value),
            codes: column.text_opt("codes"),
            bounds: column.bounds("bounds"),
            unit: column.text_opt("unit"),
        };
        column.finish();
        (name.value, rule)
    };
    section.each().into_iter().map(column).collect()
}

fn link(section: Section<'_>) -> Option<Link> {
    let id = section.name("id");
    let left = section.text("left");
    let right = section.text("right");
    let on = section.text("on");
    let kinds = [("one-to-many", LinkKind::OneToMany), ("count-once", LinkKind::CountOnce)];
    let kind = section.word("kind", &kinds);
    section.finish();
    Some(Link { id: id?, left: left?, right: right?, on: on?, kind: kind? })
}

#[derive(Clone, Copy)]
enum MethodWord {
    SuppressRound,
    SuppressAudit,
    CellKey,
    Dp,
    CountOnce,
}

fn release(section: Section<'_>) -> Option<Release> {
    let words = [
        ("suppress-round", MethodWord::SuppressRound),
        ("suppress-audit", MethodWord::SuppressAudit),
        ("cell-key", MethodWord::CellKey),
        ("dp", MethodWord::Dp),
        ("count-once", MethodWord::CountOnce),
    ];
    let method = section.word("method", &words);
    let min_partners = section.whole_opt("min_partners", 0..=1_000);
    let how = match method.map(|m| m.value) {
        Some(MethodWord::SuppressRound) => cells(&section, Some(CellsKind::SuppressRound)),
        Some(MethodWord::SuppressAudit) => cells(&section, Some(CellsKind::SuppressAudit)),
        Some(MethodWord::CellKey) => {
            let table = section.text("ptable");
            cells(&section, table.map(|table| CellsKind::CellKey { table }))
        }
        Some(MethodWord::Dp) => dp(&section),
        Some(MethodWord::CountOnce) => count_once(&section),
        // With the method unknown, nobody can say which keys belong.
        None => return None,
    };
    let span = section.span.clone();
    section.finish();
    Some(Release { span, min_partners, how: how? })
}

fn cells(section: &Section<'_>, kind: Option<CellsKind>) -> Option<How> {
    let profile = section.text_opt("profile");
    let own = profile.is_none();
    let number =
        |key, most| if own { section.whole(key, 0..=most) } else { section.whole_opt(key, 0..=most) };
    let (min_people, round_to) = (number("min_people", 10_000), number("round_to", 100));
    let zeros = section.word_opt("zeros", ZEROS);
    let secondary = secondary(section);
    let dominance = section.section_opt("dominance").and_then(dominance);
    let whole = !own || (min_people.is_some() && round_to.is_some());
    let kind = kind.filter(|_| whole)?;
    Some(How::Cells(CellsDoc { kind, profile, min_people, round_to, zeros, secondary, dominance }))
}

pub(super) fn secondary(section: &Section<'_>) -> Option<At<Secondary>> {
    let flag = section.flag("secondary")?;
    Some(At::new(if flag.value { Secondary::Yes } else { Secondary::No }, flag.span))
}

pub(super) fn dominance(section: Section<'_>) -> Option<At<Dominance>> {
    let (largest, max_percent) = (section.whole("largest", 1..=10), section.whole("max_percent", 1..=100));
    let span = section.span.clone();
    section.finish();
    Some(At::new(Dominance { largest: largest?.value, max_percent: max_percent?.value }, span))
}

fn dp(section: &Section<'_>) -> Option<How> {
    let mechanism = section.word("mechanism", &MechanismWord::WORDS);
    let epsilon = section.millionths("epsilon").and_then(|e| epsilon(section, &e));
    let groups_per_person = section.whole("groups_per_person", 1..=1_000);
    Some(How::Dp { mechanism: mechanism?, epsilon: epsilon?, groups_per_person: groups_per_person? })
}

fn count_once(section: &Section<'_>) -> Option<How> {
    let epsilon = section.millionths("epsilon").and_then(|e| epsilon(section, &e));
    let counts_per_year = section.whole("counts_per_year", 1..=floor::COUNTS_PER_YEAR);
    let counts_lifetime = section.whole("counts_lifetime", 1..=floor::COUNTS_LIFETIME);
    Some(How::CountOnce(CountOnceDoc {
        epsilon: epsilon?,
        counts_per_year: counts_per_year?,
        counts_lifetime: counts_lifetime?,
    }))
}

fn epsilon(section: &Section<'_>, millionths: &At<u32>) -> Option<At<Epsilon>> {
    let epsilon = Epsilon::from_millionths(millionths.value).ok();
    if epsilon.is_none() {
        let says = "one table may cost at most ε = 10: the built-in floor";
        section.faults().error("CP305", &millionths.span, section.rule("epsilon"), says, "write a smaller ε");
    }
    Some(At::new(epsilon?, millionths.span.clone()))
}

fn role(section: Section<'_>) -> Option<Role> {
    let issuer = section.name("issuer");
    let max_people = section.whole("max_people", 1..=10_000);
    let span = section.span.clone();
    section.finish();
    Some(Role { span, issuer: issuer?, max_people: max_people? })
}

fn purpose(section: Section<'_>) -> Option<Purpose> {
    let text = section.text("text");
    let basis = section.text("basis");
    let span = section.span.clone();
    section.finish();
    Some(Purpose { span, text: text?.value, basis: basis?.value })
}

/// Every share, up to [`SHARES_MAX`].
fn shares(root: &Section<'_>) -> Vec<Share> {
    let sections = root.array("share");
    if let Some(over) = sections.get(SHARES_MAX) {
        let says = format!("more than {SHARES_MAX} shares");
        let fix = "put together what goes to the same role for the same purpose: a board reads each aloud";
        root.faults().error("CP002", &over.span, "share", says, fix);
    }
    sections.into_iter().take(SHARES_MAX).filter_map(share).collect()
}

fn share(section: Section<'_>) -> Option<Share> {
    let id = section.name("id");
    let section = match &id {
        Some(id) => section.renamed(format!("share.{}", id.value)),
        None => section,
    };
    let purpose = section.name("purpose");
    let role = section.name("role");
    let dataset = section.text("dataset");
    let (from, until) = (section.day_opt("from"), section.day_opt("until"));
    let named_analysts = section.texts_opt("named_analysts").map(|list| named_analysts(&section, list));
    let indicators = section.texts_opt("indicators");
    let answers = section.texts("answers").map(|l| answers(&section, l));
    let group_by = section.pairs("group_by");
    let filter_by = section.pairs("filter_by");
    let max_group_columns = section.whole("max_group_columns", 0..=100);
    let max_filter_columns = section.whole("max_filter_columns", 0..=100);
    let min_cohort = section.whole_opt("min_cohort", 0..=1_000_000);
    let never_together = section.text_lists("never_together");
    let window = section.section_opt("window").and_then(window);
    let links = section.texts("links");
    let release = section.text("release");
    let quota = section.section("per_analyst").and_then(quota);
    let span = section.span.clone();
    section.finish();
    let quota = quota?;
    Some(Share {
        span,
        id: id?,
        purpose: purpose?,
        role: role?,
        dataset: dataset?,
        from,
        until,
        named_analysts,
        indicators,
        answers: answers?,
        group_by: group_by?.value,
        filter_by: filter_by?.value,
        max_group_columns: max_group_columns?,
        max_filter_columns: max_filter_columns?,
        min_cohort,
        never_together,
        window,
        links: links?.value,
        release: release?,
        tables_per_day: quota.tables_per_day,
        tables_per_year: quota.tables_per_year,
        epsilon_per_year: quota.epsilon_per_year,
    })
}

fn named_analysts(section: &Section<'_>, list: At<Vec<At<String>>>) -> At<Vec<At<cairn_question::Name>>> {
    let rule = section.rule("named_analysts");
    let name = |text: &At<String>| Some(At::new(section.as_name(&rule, text)?, text.span.clone()));
    At::new(list.value.iter().filter_map(name).collect(), list.span)
}

fn answers(section: &Section<'_>, list: At<Vec<At<String>>>) -> Vec<At<Measure>> {
    if list.value.is_empty() {
        let says = "the share answers nothing";
        section.faults().error("CP410", &list.span, section.rule("answers"), says, "write [\"people\"]");
    }
    let answer = |text: At<String>| {
        let measure: Option<Measure> = text.value.parse().ok();
        if measure.is_none() {
            let says = format!("`{}` is not an answer that can be given", crate::read::shown(&text.value));
            let fix = "the answers are `people`, `rows`, `sum:COLUMN` and `mean:COLUMN`";
            section.faults().error("CP410", &text.span, section.rule("answers"), says, fix);
        }
        Some(At::new(measure?, text.span))
    };
    list.value.into_iter().filter_map(answer).collect()
}

fn window(section: Section<'_>) -> Option<ShareWindow> {
    let column = section.text("column");
    let from = section.day("from");
    let lag_days = section.whole("lag_days", 0..=3_660);
    section.finish();
    Some(ShareWindow { column: column?, from: from?, lag_days: lag_days? })
}

struct QuotaDoc {
    tables_per_day: At<u32>,
    tables_per_year: Option<At<u32>>,
    epsilon_per_year: Option<At<u32>>,
}

fn quota(section: Section<'_>) -> Option<QuotaDoc> {
    let used = |tables: Option<At<u32>>, key| {
        let tables = tables?;
        if tables.value == 0 {
            let says = "a quota of 0 tables: the share could never be used";
            let fix = "give a number above 0, or delete the share";
            section.faults().error("CP414", &tables.span, section.rule(key), says, fix);
        }
        Some(tables)
    };
    let day = used(section.whole("tables_per_day", 0..=1_000_000), "tables_per_day");
    let by_loss = section.has("epsilon_per_year");
    let epsilon_per_year = if by_loss { section.millionths("epsilon_per_year") } else { None };
    let year = if by_loss {
        section.whole_opt("tables_per_year", 0..=1_000_000)
    } else {
        section.whole("tables_per_year", 0..=1_000_000)
    };
    let bounded = by_loss || year.is_some();
    let tables_per_year = used(year, "tables_per_year");
    section.finish();
    bounded.then_some(QuotaDoc { tables_per_day: day?, tables_per_year, epsilon_per_year })
}

fn records(section: Section<'_>) -> Option<Records> {
    let audit_keep_years = section.whole("audit_keep_years", 1..=100);
    let answers_cached_days = section.whole_opt("answers_cached_days", 1..=36_600);
    let conditions = section.texts("conditions");
    section.finish();
    let conditions = conditions?.value.into_iter().map(|c| c.value).collect();
    Some(Records { audit_keep_years: audit_keep_years?.value, answers_cached_days, conditions })
}

/// Most shares of a policy. Each is tried against each other one, and each is a paragraph of what a board reads: the widest that ships
/// has 8.
const SHARES_MAX: usize = 64;
