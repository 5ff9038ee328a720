//! What the values of the files mean together: every rule that a policy must keep to load, and the warnings that its
//! approval note must name.

mod datasets;
mod framework;
mod head;
mod held;
mod links;
mod notes;
mod offers;
mod once;
mod records;
mod releases;
mod secure;
mod shares;
pub(crate) mod space;
mod together;

pub(crate) use notes::notes;

use std::collections::BTreeMap;
use std::ops::Range;

use cairn_question::Schema;
use cairn_question::form::nearest;

use crate::document::{BrakeDoc, FrameworkDoc, PolicyDoc, read_brake, read_framework, read_policy};
use crate::finding::{Faults, File, Finding, Severity, Sources};
use crate::indicators::{self, Definitions};
use crate::letters;

/// The outcome of reading and checking every file.
pub(crate) struct Checked {
    pub(crate) findings: Vec<Finding>,
    pub(crate) policy: Option<PolicyDoc>,
    pub(crate) framework: Option<FrameworkDoc>,
    pub(crate) brake: BrakeDoc,
}

/// Everything that a check of the policy file looks at.
pub(crate) struct Ground<'a> {
    pub(crate) schema: &'static Schema,
    pub(crate) policy: &'a PolicyDoc,
    pub(crate) framework: &'a FrameworkDoc,
    pub(crate) faults: &'a Faults<'a>,
}

/// A framework that was read and checked, for all the policies that stand under it.
pub(crate) struct Framework {
    doc: Option<FrameworkDoc>,
    findings: Vec<Finding>,
    /// What its indicators ask, by their ids.
    pub(crate) indicators: BTreeMap<String, Definitions>,
}

impl Framework {
    pub(crate) fn read(schema: &Schema, file: &File) -> Self {
        let faults = Faults::new(file);
        letters::check(file, &faults);
        let doc = read_framework(&faults);
        if let Some(doc) = &doc {
            framework::check(doc, schema, &faults);
            indicators::check(doc, schema, &faults);
            crate::shipped::check(doc, &faults);
        }
        let indicators = doc.as_ref().map(|doc| indicators::known(doc, schema)).unwrap_or_default();
        Self { doc, findings: faults.into_found(), indicators }
    }

    /// The document, where nothing is wrong with it.
    pub(crate) fn into_doc(self) -> Result<FrameworkDoc, Vec<Finding>> {
        match self.doc {
            Some(doc) if self.findings.iter().all(|f| f.severity != Severity::Error) => Ok(doc),
            _ => Err(self.findings),
        }
    }
}

/// Checks the policy and the brake under a framework; its findings come first.
pub(crate) fn check(schema: &'static Schema, framework: &Framework, sources: &Sources) -> Checked {
    let policy_faults = Faults::new(&sources.policy);
    letters::check(&sources.policy, &policy_faults);
    let policy = read_policy(&policy_faults);
    if let (Some(policy), Some(framework)) = (&policy, &framework.doc) {
        let ground = Ground { schema, policy, framework, faults: &policy_faults };
        head::check(&ground);
        datasets::check(&ground);
        links::check(&ground);
        releases::check(&ground);
        shares::check(&ground);
        together::pairs(&ground);
        together::unused(&ground);
        offers::together(&ground);
        once::check(&ground);
        records::check(&ground);
        indicators::shares(&ground);
    }
    let mut findings = framework.findings.clone();
    findings.extend(policy_faults.into_found());
    let mut doc = BrakeDoc::default();
    if let Some(file) = &sources.brake {
        let faults = Faults::new(file);
        letters::check(file, &faults);
        doc = read_brake(&faults);
        brake(&doc, policy.as_ref(), &faults);
        findings.extend(faults.into_found());
    }
    Checked { findings, policy, framework: framework.doc.clone(), brake: doc }
}

/// A brake that names a share which does not exist stops nothing: better said than believed.
pub(crate) fn brake(doc: &BrakeDoc, policy: Option<&PolicyDoc>, faults: &Faults<'_>) {
    let Some(policy) = policy else { return };
    for paused in &doc.paused_shares {
        let ids = || policy.shares.iter().map(|s| s.id.value.to_string());
        if !ids().any(|id| id == paused.value) {
            faults.unknown("CP601", "share", &paused.value, &paused.span, "paused_shares", ids());
        }
    }
}

impl Faults<'_> {
    /// An unknown word, with the nearest known one.
    pub(crate) fn unknown(
        &self,
        code: &'static str,
        what: &str,
        word: &str,
        span: &Range<usize>,
        rule: impl Into<String>,
        known: impl Iterator<Item = String>,
    ) {
        let word = crate::read::shown(word);
        let known: Vec<String> = known.collect();
        let fix = match nearest(&word, known.iter().cloned()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "there is none".to_owned(),
            None => {
                format!("known: {}", known.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", "))
            }
        };
        self.add(code, Severity::Error, span, rule, format!("unknown {what} `{word}`"), Some(fix));
    }
}

#[cfg(test)]
mod tests;
