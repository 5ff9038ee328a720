//! The made-up partners: who they are, whom they know, how well they record.

use cairn_question::form::nearest;

use crate::calibration::Calibration;
use crate::error::GenerateError;
use crate::person::Person;
use crate::shape::{self, Shape};

/// The ten partners of the demo.
pub const DEMO_PARTNERS: [&str; 10] = [
    "dundee-city",
    "angus",
    "perth-and-kinross",
    "fife",
    "orkney-islands",
    "charity-northern-steps",
    "charity-lone-parents",
    "college-east",
    "health-board-tayside",
    "national-provider",
];

/// Partners beside the councils that are only in the full-scale data.
const MORE_PARTNERS: [&str; 4] =
    ["charity-west-works", "college-west", "health-board-lothian", "health-board-clyde"];

/// The names of all partners: 32 councils and nine others.
#[must_use]
pub fn partners_of_full_scale() -> Vec<String> {
    let councils = Calibration::embedded().map(|c| c.council.into_iter().map(|c| c.partner).collect());
    let mut names: Vec<String> = councils.unwrap_or_default();
    let others = DEMO_PARTNERS.iter().filter(|p| !names.iter().any(|n| n == *p)).chain(&MORE_PARTNERS);
    let others: Vec<String> = others.map(|p| (*p).to_owned()).collect();
    names.extend(others);
    names
}

/// One made-up partner.
#[derive(Clone, Debug)]
pub(crate) struct Partner {
    pub(crate) id: String,
    /// Its place among the chosen partners.
    pub(crate) place: usize,
    pub(crate) kind: Kind,
    /// Codes of the councils whose residents it knows.
    pub(crate) areas: Vec<String>,
    /// Optional cells left blank, in 1,000.
    pub(crate) blank_per_1000: u32,
    /// Outcomes that it never hears of, in 1,000.
    pub(crate) unseen_per_1000: u32,
    /// People who object to statistics, in 1,000.
    pub(crate) objections_per_1000: u32,
    pub(crate) shape: Shape,
}

/// What a partner is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Council,
    Charity,
    LoneParents,
    College,
    HealthBoard,
    National,
}

/// The chosen partners, in the order asked; those of the demo where none is named.
pub(crate) fn chosen(names: &[String], figures: &Calibration) -> Result<Vec<Partner>, GenerateError> {
    let demo: Vec<String> = DEMO_PARTNERS.iter().map(|p| (*p).to_owned()).collect();
    let names = if names.is_empty() { &demo } else { names };
    let mut partners: Vec<Partner> = Vec::new();
    for name in names {
        let partner = named(name, figures).ok_or_else(|| unknown(name, figures))?;
        if !partners.iter().any(|p| p.id == partner.id) {
            partners.push(Partner { place: partners.len(), ..partner });
        }
    }
    Ok(partners)
}

fn unknown(name: &str, figures: &Calibration) -> GenerateError {
    let all = figures
        .council
        .iter()
        .map(|c| c.partner.clone())
        .chain(DEMO_PARTNERS.iter().map(|p| (*p).to_owned()));
    let mut has = DEMO_PARTNERS.join(", ");
    if let Some(near) = nearest(name, all) {
        has.push_str(&format!("; did you mean `{near}`?"));
    }
    GenerateError::NoPartner { name: name.chars().take(80).collect(), has }
}

fn named(name: &str, figures: &Calibration) -> Option<Partner> {
    let of = |kind, areas: &[&str], (blank, unseen, objections): (u32, u32, u32)| {
        let areas: Vec<String> = match areas {
            [] => figures.council.iter().map(|c| c.code.clone()).collect(),
            some => some.iter().map(|a| (*a).to_owned()).collect(),
        };
        Some(Partner {
            id: name.to_owned(),
            place: 0,
            kind,
            areas,
            blank_per_1000: blank,
            unseen_per_1000: unseen,
            objections_per_1000: objections,
            shape: shape::of(name, kind),
        })
    };
    const TAYSIDE: [&str; 3] = ["S12000042", "S12000041", "S12000048"];
    const EAST: [&str; 4] = ["S12000042", "S12000041", "S12000048", "S12000047"];
    const WEST: [&str; 5] = ["S12000049", "S12000050", "S12000029", "S12000038", "S12000039"];
    const LOTHIAN: [&str; 4] = ["S12000036", "S12000010", "S12000019", "S12000040"];
    if let Some(council) = figures.council.iter().find(|c| c.partner == name) {
        // Councils record unevenly: a fixed figure for each, from its code.
        let uneven = council.code.bytes().map(u32::from).sum::<u32>() * 37 % 60;
        return of(Kind::Council, &[&council.code], (20 + uneven, 0, 4));
    }
    match name {
        "charity-northern-steps" => of(Kind::Charity, &EAST, (60, 300, 8)),
        "charity-lone-parents" => of(Kind::LoneParents, &EAST, (40, 300, 10)),
        "college-east" => of(Kind::College, &EAST, (90, 300, 3)),
        "health-board-tayside" => of(Kind::HealthBoard, &TAYSIDE, (70, 300, 12)),
        "national-provider" => of(Kind::National, &[], (50, 300, 5)),
        "charity-west-works" => of(Kind::Charity, &WEST, (80, 300, 8)),
        "college-west" => of(Kind::College, &WEST, (90, 300, 3)),
        "health-board-lothian" => of(Kind::HealthBoard, &LOTHIAN, (60, 300, 12)),
        "health-board-clyde" => of(Kind::HealthBoard, &WEST, (80, 300, 12)),
        _ => None,
    }
}

impl Partner {
    /// How likely it knows a person who lives in its areas, in 1,000.
    ///
    /// Our own figures, chosen so that two to three people in ten are known to more than one partner, as linked records of
    /// comparable programmes suggest.
    pub(crate) fn knows_per_1000(&self, person: &Person) -> u32 {
        if !self.areas.contains(&person.council) {
            return 0;
        }
        match self.kind {
            Kind::Council => 860,
            Kind::Charity => 120,
            Kind::LoneParents if person.parental == "lone_parent" => 250,
            Kind::College if person.age_at_first_start() < 25 => 160,
            Kind::College => 45,
            Kind::HealthBoard if person.disabled() == "yes" => 180,
            Kind::HealthBoard if person.disabled() == "unknown" => 40,
            Kind::National => 130,
            Kind::LoneParents | Kind::HealthBoard => 5,
        }
    }
}
