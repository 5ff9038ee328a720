//! Approved named indicators: the questions that a framework writes out, each bound to its definition's hash, so that what a board
//! approved under a name stays that question and no other.

use std::collections::{BTreeMap, BTreeSet};

use cairn_question::form;
use cairn_question::{Hash, Name, Question, Schema};

use crate::document::{FrameworkDoc, IndicatorDoc, Share};
use crate::finding::Faults;
use crate::layers::{Layers, Ready};
use crate::lint::Ground;
use crate::read::{At, shown};

/// The definitions of one indicator, each with one of its questions: some period stands where any is meant.
pub(crate) type Definitions = BTreeMap<Hash, Question>;

impl Layers {
    /// The indicators of the framework that a question belongs to, whatever its period, role and purpose; none for most questions.
    pub fn indicators_of(&self, question: &Question) -> impl Iterator<Item = &str> {
        let hash = question.definition_hash(self.schema);
        self.indicators.iter().filter(move |(_, known)| known.contains_key(&hash)).map(|(id, _)| id.as_str())
    }
}

impl Ready {
    /// The definitions that the share answers, where it names its indicators; `None`: any that its lists allow.
    pub(crate) const fn approved(&self) -> Option<&BTreeSet<Hash>> {
        self.settings.approved.as_ref()
    }
}

/// The definitions that a share's indicators allow; `None` where it names none, so that only its lists limit it.
pub(crate) fn approved(share: &Share, indicators: &BTreeMap<String, Definitions>) -> Option<BTreeSet<Hash>> {
    let named = share.indicators.as_ref()?;
    let known = named.value.iter().filter_map(|id| indicators.get(&id.value));
    Some(known.flat_map(|definitions| definitions.keys().copied()).collect())
}

/// The questions of a share's indicators that it might answer: of its table, and of what it counts.
pub(crate) fn questions<'a>(
    share: &'a Share,
    indicators: &'a BTreeMap<String, Definitions>,
) -> impl Iterator<Item = &'a Question> {
    let named = share.indicators.iter().flat_map(|named| &named.value);
    let all = named.filter_map(|id| indicators.get(&id.value)).flat_map(BTreeMap::values);
    all.filter(|question| {
        question.dataset == share.dataset.value && share.answers.iter().any(|a| a.value == question.measure)
    })
}

/// Every indicator of a framework whose questions all hold, by its id.
pub(crate) fn known(framework: &FrameworkDoc, schema: &Schema) -> BTreeMap<String, Definitions> {
    let read = |(id, doc): (&String, &IndicatorDoc)| Some((id.clone(), definitions(doc, schema).ok()?));
    framework.indicators.iter().filter_map(read).collect()
}

/// The hash that a board approves: that of the hashes of all definitions, in order.
pub(crate) fn hash(definitions: &Definitions) -> Hash {
    let lines: Vec<String> = definitions.keys().map(ToString::to_string).collect();
    Hash::of(format!("cairn-indicator@v1\n{}\n", lines.join("\n")).as_bytes())
}

/// Every question of the text, with every breakdown and every length of period.
///
/// # Errors
/// The first text that is no question under the dictionary, with what is wrong.
fn definitions<'a>(doc: &'a IndicatorDoc, schema: &Schema) -> Result<Definitions, (&'a At<String>, String)> {
    let mut found = Definitions::new();
    for text in &doc.questions {
        for filled in filled(doc, &text.value) {
            let question = read(&filled, schema).map_err(|says| (text, says))?;
            found.insert(question.definition_hash(schema), question);
            if found.len() > DEFINITIONS_MAX {
                return Err((text, format!("more than {DEFINITIONS_MAX} questions under one name")));
            }
        }
    }
    Ok(found)
}

fn filled(doc: &IndicatorDoc, text: &str) -> Vec<String> {
    let breakdowns: Vec<&str> = match doc.breakdowns.as_slice() {
        [] => vec!["{breakdown}"],
        some => some.iter().map(|b| b.value.as_str()).collect(),
    };
    let grains: Vec<(&str, &str)> = match doc.grains.as_slice() {
        [] => vec![("{grain}", "{period}")],
        some => some.iter().filter_map(|g| SAMPLES.iter().find(|(w, _)| *w == g.value).copied()).collect(),
    };
    let one = |breakdown: &str, (grain, period): (&str, &str)| {
        text.replace("{breakdown}", breakdown).replace("{grain}", grain).replace("{period}", period)
    };
    breakdowns.iter().flat_map(|b| grains.iter().map(move |g| one(b, *g))).collect()
}

fn read(text: &str, schema: &Schema) -> Result<Question, String> {
    if text.contains(['{', '}']) {
        return Err("the placeholders are {period}, {grain} and {breakdown}, with `grains` and `breakdowns`"
            .to_owned());
    }
    // Role and purpose are the share's to name, and no part of the definition.
    let anybody = Name::new("any").map_err(|e| e.to_string())?;
    let question = form::parse(text, &anybody, &anybody, schema).map_err(|e| e.to_string())?;
    question.grid(schema).map_err(|e| e.to_string())?;
    Ok(question)
}

/// Each indicator's questions hold, and its hash is theirs.
pub(crate) fn check(doc: &FrameworkDoc, schema: &Schema, faults: &Faults<'_>) {
    for (id, indicator) in &doc.indicators {
        let rule = |key: &str| format!("indicator.{}.{key}", shown(id));
        let definitions = match definitions(indicator, schema) {
            Ok(definitions) => definitions,
            Err((text, says)) => {
                let fix =
                    "write it as `cairn ask` takes it; `cairn schema show` lists tables, columns and codes";
                let says: String = says.chars().take(SAYS_CHARS_MAX).map(crate::finding::plain).collect();
                faults.error("CP220", &text.span, rule("questions"), says, fix);
                continue;
            }
        };
        let right = hash(&definitions);
        if indicator.hash.as_ref().is_none_or(|h| h.value != right.to_string()) {
            let span = indicator.hash.as_ref().map_or(&indicator.span, |h| &h.span);
            let says = "the hash is not that of these questions: something was changed after it was approved, or it is missing";
            let fix =
                format!("read the questions again; if they are what is approved, write hash = \"{right}\"");
            faults.error("CP221", span, rule("hash"), says, fix);
        }
    }
}

/// A share names indicators of the framework, each with a question that the share could answer.
pub(crate) fn shares(ground: &Ground<'_>) {
    let known = known(ground.framework, ground.schema);
    for share in &ground.policy.shares {
        let rule = format!("share.{}.indicators", share.id.value);
        for named in share.indicators.iter().flat_map(|n| &n.value) {
            let Some(definitions) = known.get(&named.value) else {
                // One that is there and faulty is reported where it stands.
                if !ground.framework.indicators.contains_key(&named.value) {
                    let ids = ground.framework.indicators.keys().cloned();
                    ground.faults.unknown("CP430", "indicator", &named.value, &named.span, rule.clone(), ids);
                }
                continue;
            };
            let fits = |q: &Question| {
                q.dataset == share.dataset.value && share.answers.iter().any(|a| a.value == q.measure)
            };
            if !definitions.values().any(fits) {
                let says =
                    format!("no question of {} is one that this share could answer", shown(&named.value));
                let fix = "name it in the share of its table, or delete it here";
                ground.faults.warn("CP431", &named.span, rule.clone(), says, fix);
            }
        }
    }
}

/// The ids of a share's indicators, in words: for refusals.
pub(crate) fn named(share: &Share) -> String {
    let ids: Vec<String> =
        share.indicators.iter().flat_map(|n| &n.value).take(12).map(|id| shown(&id.value)).collect();
    ids.join(", ")
}

/// A period of each length, to make a question of a text: any other gives the same definition.
const SAMPLES: [(&str, &str); 2] = [("quarter", "2025-Q2"), ("year", "2024-25")];
/// Most definitions under one name: the widest that ships has 52.
const DEFINITIONS_MAX: usize = 500;
/// Longest line about a text that is no question.
const SAYS_CHARS_MAX: usize = 400;

#[cfg(test)]
mod tests;
