//! What a table says of linkage.

use cairn_question::schema::Table;

use super::Check;
use crate::linkage::Prefixes;
use crate::mapping::document::{ByDoc, LinkageDoc, NameDoc, TableDoc};
use crate::mapping::{DateForm, Linkage, LinkedBy};

impl Check<'_> {
    pub(super) fn linkage(&mut self, table: &Table, doc: &TableDoc, at: usize) -> Option<Linkage> {
        let linkage = doc.linkage.as_ref()?;
        if table.column("link_quality").is_none() {
            self.add("CL112", at, format!("`{}` has no linkage", table.name), "say it under participants");
            return None;
        }
        if (1..COMPOSITE_COLUMNS_MIN).contains(&linkage.composite.len()) {
            self.add(
                "CL108",
                at,
                "a composite linkage key needs at least three columns",
                "such as surname, date of birth and sex; without names leave `composite` out",
            );
        }
        let by = self.linked_by(linkage, at);
        Some(Linkage { nino: linkage.nino.clone(), composite: linkage.composite.clone(), by })
    }

    /// One method for the whole export: by number where there is a column of numbers, unless the mapping says by name.
    fn linked_by(&mut self, doc: &LinkageDoc, at: usize) -> Option<LinkedBy> {
        if doc.made_up_numbers && doc.nino.is_none() {
            let says = "`made_up_numbers` speaks of numbers, and no column of numbers is named";
            self.add("CL108", at, says, "name it with `nino`, or leave `made_up_numbers` out");
        }
        let number = doc.nino.clone().map(|from| {
            let prefixes = if doc.made_up_numbers { Prefixes::AndMadeUp } else { Prefixes::Issued };
            LinkedBy::Number { from, prefixes }
        });
        let name = doc.name.as_ref().and_then(|name| self.by_name(name, at));
        match doc.by {
            Some(ByDoc::Number) if number.is_none() => self.nothing_to_link_by("number", "nino", at),
            Some(ByDoc::Name) if doc.name.is_none() => self.nothing_to_link_by("name", "name", at),
            Some(ByDoc::Number) => number,
            Some(ByDoc::Name) => name,
            None => number.or(name),
        }
    }

    fn by_name(&mut self, doc: &NameDoc, at: usize) -> Option<LinkedBy> {
        let form = DateForm::new(&doc.date, false);
        if form.is_none() {
            let says = "the date of birth of `linkage` needs its form, with a day and a four-digit year";
            self.add("CL111", at, says, "such as date = \"%d/%m/%Y\" or \"%Y-%m-%d\"");
        }
        let NameDoc { family, first, born, .. } = doc.clone();
        form.map(|form| LinkedBy::Name { family, first, born, form })
    }

    fn nothing_to_link_by(&mut self, by: &str, key: &str, at: usize) -> Option<LinkedBy> {
        let says = format!("`linkage` is by {by}, and `{key}` is not there");
        self.add("CL108", at, says, "docs/reference/mapping.md has both forms");
        None
    }
}

/// Fewest columns of a composite key: fewer match too many strangers (SLK-581 has names, birth and sex).
const COMPOSITE_COLUMNS_MIN: usize = 3;
