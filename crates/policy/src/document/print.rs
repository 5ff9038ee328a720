//! Writes a policy as canonical TOML: sections in a fixed order, every key quoted, every number as it was read. For the law that
//! reading what was written gives the same policy; nothing else writes one.

use std::fmt::Write as _;

use crate::decimal;
use crate::document::{
    CellsDoc, CellsKind, ColumnRule, Columns, Dataset, Head, How, Link, LinkKind, MechanismWord, Named,
    OptOutDoc, PolicyDoc, Release, Share, Usage, ZEROS,
};
use crate::read::At;
use crate::treatment::Secondary;

/// The whole file; sections that could not be read are left out.
pub(crate) fn print(doc: &PolicyDoc) -> String {
    let mut out = Out("cairn_policy = 1\n".to_owned());
    if let Some(head) = &doc.head {
        out.head(head);
    }
    if let Some(key) = &doc.unit {
        out.section("unit");
        out.text("name", "person");
        out.text("key", &key.value);
    }
    if let Some(budget) = &doc.budget {
        out.section("budget");
        out.raw("epsilon_per_year", decimal::print(budget.per_year.value));
        out.raw("epsilon_lifetime", decimal::print(budget.lifetime.value));
        out.raw("delta_lifetime", format!("{:e}", budget.delta.value));
        out.text("year_starts", &format!("{:02}-{:02}", budget.year_starts.0, budget.year_starts.1));
    }
    doc.datasets.values().for_each(|d| out.dataset(d));
    out.named("release", &doc.releases, Out::release);
    out.named("role", &doc.roles, |out, role| {
        out.text("issuer", role.issuer.value.as_str());
        out.raw("max_people", role.max_people.value);
    });
    out.named("purpose", &doc.purposes, |out, purpose| {
        out.text("text", &purpose.text);
        out.text("basis", &purpose.basis);
    });
    if let Some(records) = &doc.records {
        out.section("records");
        out.raw("audit_keep_years", records.audit_keep_years);
        out.opt("answers_cached_days", records.answers_cached_days.as_ref().map(|d| d.value));
        out.raw("conditions", list(records.conditions.iter()));
    }
    doc.links.iter().for_each(|l| out.link(l));
    doc.shares.iter().for_each(|s| out.share(s));
    out.0
}

struct Out(String);

impl Out {
    fn section(&mut self, path: &str) {
        let _ = write!(self.0, "\n[{path}]\n");
    }

    fn raw(&mut self, key: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn text(&mut self, key: &str, text: &str) {
        self.raw(key, quoted(text));
    }

    fn opt(&mut self, key: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.raw(key, value);
        }
    }

    fn named<T>(&mut self, what: &str, all: &Named<T>, one: impl Fn(&mut Self, &T)) {
        for (name, value) in all.iter().filter_map(|(n, v)| Some((n, v.as_ref()?))) {
            self.section(&format!("{what}.{}", quoted(name)));
            one(self, value);
        }
    }

    fn head(&mut self, head: &Head) {
        self.section("policy");
        self.text("id", head.id.value.as_str());
        self.raw("version", head.version.value);
        self.text("partner", head.partner.value.as_str());
        self.opt("supersedes", head.supersedes.map(|hash| quoted(&hash.to_string())));
        let (id, version) = &head.framework;
        self.raw(
            "framework",
            format!("{{ id = {}, version = {} }}", quoted(id.value.as_str()), version.value),
        );
        self.raw("effective_from", head.effective_from.value);
        self.raw("review_by", head.review_by.value);
        self.raw("expires", head.expires.value);
        let texts = [
            ("controller", &head.controller),
            ("legal_basis", &head.legal_basis),
            ("agreement", &head.agreement),
            ("dpia", &head.dpia),
            ("contact", &head.contact),
            ("notice_url", &head.notice_url),
        ];
        texts.into_iter().for_each(|(key, text)| self.text(key, text));
        self.section("policy.plan");
        head.plan.iter().for_each(|(part, text)| self.text(part, text));
    }

    fn dataset(&mut self, dataset: &Dataset) {
        let path = format!("dataset.{}", quoted(&dataset.name.value));
        self.section(&path);
        self.opt("table", dataset.table.as_ref().map(|t| quoted(&t.value)));
        self.opt("one_row_is", dataset.one_row_is.as_ref().map(|t| quoted(&t.value)));
        self.opt("snapshot", dataset.snapshot.as_ref().map(|s| quoted(s.value.as_str())));
        self.opt("opt_out", dataset.opt_out.as_ref().map(opt_out));
        self.opt("keep_years", dataset.keep_years.as_ref().map(|y| y.value));
        self.opt("max_rows_per_person", dataset.rows_per_person.as_ref().map(|r| r.value));
        self.section(&format!("{path}.columns"));
        dataset.columns.iter().for_each(|(name, rule)| self.raw(&quoted(name), column(rule)));
    }

    fn link(&mut self, link: &Link) {
        self.0.push_str("\n[[link]]\n");
        self.text("id", link.id.value.as_str());
        self.text("left", &link.left.value);
        self.text("right", &link.right.value);
        self.text("on", &link.on.value);
        let kind = match link.kind.value {
            LinkKind::OneToMany => "one-to-many",
            LinkKind::CountOnce => "count-once",
        };
        self.text("kind", kind);
    }

    fn release(&mut self, release: &Release) {
        self.text("method", release.how.as_str());
        self.opt("min_partners", release.min_partners.as_ref().map(|p| p.value));
        match &release.how {
            How::Cells(cells) => self.cells(cells),
            How::Dp { mechanism, epsilon, groups_per_person } => {
                let word = MechanismWord::WORDS.iter().find(|(_, known)| *known == mechanism.value);
                self.text("mechanism", word.map_or("", |(word, _)| word));
                self.raw("epsilon", decimal::print(epsilon.value.millionths()));
                self.raw("groups_per_person", groups_per_person.value);
            }
            How::CountOnce(count) => {
                self.raw("epsilon", decimal::print(count.epsilon.value.millionths()));
                self.raw("counts_per_year", count.counts_per_year.value);
                self.raw("counts_lifetime", count.counts_lifetime.value);
            }
        }
    }

    fn cells(&mut self, cells: &CellsDoc) {
        if let CellsKind::CellKey { table } = &cells.kind {
            self.text("ptable", &table.value);
        }
        self.opt("profile", cells.profile.as_ref().map(|p| quoted(&p.value)));
        self.opt("min_people", cells.min_people.as_ref().map(|m| m.value));
        self.opt("round_to", cells.round_to.as_ref().map(|r| r.value));
        let word = |z: &At<_>| ZEROS.iter().find(|(_, known)| *known == z.value).map_or("", |(w, _)| w);
        self.opt("zeros", cells.zeros.as_ref().map(|z| quoted(word(z))));
        self.opt("secondary", cells.secondary.as_ref().map(|s| s.value == Secondary::Yes));
        let dominance = cells.dominance.as_ref().map(|d| d.value);
        self.opt(
            "dominance",
            dominance.map(|d| format!("{{ largest = {}, max_percent = {} }}", d.largest, d.max_percent)),
        );
    }

    fn share(&mut self, share: &Share) {
        self.0.push_str("\n[[share]]\n");
        self.text("id", share.id.value.as_str());
        self.text("purpose", share.purpose.value.as_str());
        self.text("role", share.role.value.as_str());
        self.text("dataset", &share.dataset.value);
        self.opt("from", share.from.as_ref().map(|d| d.value));
        self.opt("until", share.until.as_ref().map(|d| d.value));
        let named = share.named_analysts.as_ref();
        self.opt("named_analysts", named.map(|n| list(n.value.iter().map(|n| n.value.to_string()))));
        self.raw("answers", list(share.answers.iter().map(|a| a.value.to_string())));
        self.raw("group_by", pairs(&share.group_by));
        self.raw("filter_by", pairs(&share.filter_by));
        self.raw("max_group_columns", share.max_group_columns.value);
        self.raw("max_filter_columns", share.max_filter_columns.value);
        self.opt("min_cohort", share.min_cohort.as_ref().map(|m| m.value));
        let apart = share.never_together.iter().map(|n| list(n.value.iter().map(|c| &c.value)));
        self.raw("never_together", format!("[{}]", apart.collect::<Vec<_>>().join(", ")));
        self.opt(
            "window",
            share.window.as_ref().map(|w| {
                let column = quoted(&w.column.value);
                format!("{{ column = {column}, from = {}, lag_days = {} }}", w.from.value, w.lag_days.value)
            }),
        );
        self.raw("links", list(share.links.iter().map(|l| &l.value)));
        self.text("release", &share.release.value);
        self.section("share.per_analyst");
        self.raw("tables_per_day", share.tables_per_day.value);
        self.opt("tables_per_year", share.tables_per_year.as_ref().map(|t| t.value));
        self.opt("epsilon_per_year", share.epsilon_per_year.as_ref().map(|e| decimal::print(e.value)));
    }
}

fn opt_out(rule: &OptOutDoc) -> String {
    match rule {
        OptOutDoc::Via(table) => format!("{{ via = {} }}", quoted(&table.value)),
        OptOutDoc::Column { column, share_only_if } => {
            let codes = list(share_only_if.value.iter().map(|c| &c.value));
            format!("{{ column = {}, share_only_if = {codes} }}", quoted(&column.value))
        }
    }
}

fn column(rule: &ColumnRule) -> String {
    let usage = rule.usage.as_ref().map(|u: &At<Usage>| format!("use = {}", quoted(u.value.as_str())));
    let grains = list(rule.grains.iter().map(|g| &g.value));
    let keys = [
        usage,
        rule.codes.as_ref().map(|c| format!("codes = {}", quoted(&c.value))),
        (!rule.grains.is_empty()).then(|| format!("grains = {grains}")),
        rule.bounds.as_ref().map(|b| format!("bounds = [{}, {}]", b.value.0, b.value.1)),
        rule.unit.as_ref().map(|u| format!("unit = {}", quoted(&u.value))),
        rule.special.then(|| "special = true".to_owned()),
    ];
    format!("{{ {} }}", keys.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn pairs(columns: &Columns) -> String {
    let pair = |(column, grain): &(At<String>, At<String>)| {
        format!("{} = {}", quoted(&column.value), quoted(&grain.value))
    };
    format!("{{ {} }}", columns.iter().map(pair).collect::<Vec<_>>().join(", "))
}

fn list(texts: impl Iterator<Item = impl AsRef<str>>) -> String {
    format!("[{}]", texts.map(|t| quoted(t.as_ref())).collect::<Vec<_>>().join(", "))
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let plain = text.replace('\\', "\\\\").replace('"', "\\\"");
    let escape = |c: char| {
        if c.is_control() { format!("\\u{:04X}", u32::from(c)) } else { c.to_string() }
    };
    format!("\"{}\"", plain.chars().map(escape).collect::<String>())
}

#[cfg(test)]
mod tests;
