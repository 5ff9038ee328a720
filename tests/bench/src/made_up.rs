//! A seeded snapshot of made-up people: the same for the same size on every machine.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Int8Array, Int64Array, RecordBatch, StringArray, UInt32Array,
};
use cairn_question::schema::{Column, Kind, UNKNOWN};
use cairn_question::{Day, Moment, PartnerId, Schema};
use cairn_records::snapshot::{
    ENGAGEMENT_NO, Head, Objections, PERSON_NO, arrow_schema, code_array, code_values,
};
use cairn_records::{Snapshot, Store, Writer};

use crate::Failed;

/// Some `engagements` rows, 2.5 a person, and outcomes for three in ten of them.
pub(crate) fn snapshot(dir: &Path, engagements: u32) -> Result<Snapshot, Failed> {
    let mut writer = Store::open(dir)?.writer(head()?)?;
    for table in ["participants", "engagements", "outcomes"] {
        writer.table(table)?;
    }
    let mut random = Random(20_250_401);
    let (mut person, mut engagement) = (0, 0);
    while engagement < engagements {
        let mut rows = Rows::default();
        while engagement < engagements && rows.participants.len() < PERSONS_AT_ONCE {
            engagement = rows.add_person(person, engagement, &mut random);
            person += 1;
        }
        rows.append(&mut writer, &mut random)?;
    }
    Ok(writer.commit()?)
}

/// Rows of some persons: person and engagement numbers, and the day.
#[derive(Default)]
struct Rows {
    participants: Vec<Row>,
    engagements: Vec<Row>,
    outcomes: Vec<Row>,
}

struct Row {
    person: u32,
    engagement: u32,
    day: i32,
    /// The council of this start, as a number of its list; a participant's own is that of their first.
    council: u16,
}

impl Rows {
    /// One to four starts within three years, each in the council of the one before but for one in ten; the next free engagement number.
    fn add_person(&mut self, person: u32, mut engagement: u32, random: &mut Random) -> u32 {
        let mut council = random.below(COUNCILS);
        self.participants.push(Row { person, engagement: 0, day: FIRST_DAY, council });
        let mut day = FIRST_DAY;
        for _ in 0..=random.below(4) {
            day += i32::from(random.below(250));
            self.engagements.push(Row { person, engagement, day, council });
            if random.below(10) < 3 {
                let day = day + i32::from(random.below(250));
                self.outcomes.push(Row { person, engagement, day, council });
            }
            if random.below(10) == 0 {
                council = random.below(COUNCILS);
            }
            engagement += 1;
        }
        engagement
    }

    fn append(&mut self, writer: &mut Writer, random: &mut Random) -> Result<(), Failed> {
        self.outcomes.sort_by_key(|r| (r.person, r.day));
        writer.append("participants", &batch("participants", &self.participants, random)?)?;
        writer.append("engagements", &batch("engagements", &self.engagements, random)?)?;
        writer.append("outcomes", &batch("outcomes", &self.outcomes, random)?)?;
        Ok(())
    }
}

fn batch(table: &str, rows: &[Row], random: &mut Random) -> Result<RecordBatch, Failed> {
    let definition = Schema::smf().table(table).ok_or_else(|| Failed::new("no such table"))?;
    let schema = arrow_schema(definition);
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        PERSON_NO => Ok(Arc::new(UInt32Array::from_iter_values(rows.iter().map(|r| r.person))) as ArrayRef),
        ENGAGEMENT_NO => {
            Ok(Arc::new(UInt32Array::from_iter_values(rows.iter().map(|r| r.engagement))) as ArrayRef)
        }
        name => {
            let column = definition.column(name).ok_or_else(|| Failed::new("no such column"))?;
            values(column, rows, random)
        }
    });
    let columns = columns.collect::<Result<Vec<_>, Failed>>()?;
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// Every column but the council has values as mixed as its codes allow, anew in every row, one in sixteen missing where that is allowed.
fn values(column: &Column, rows: &[Row], random: &mut Random) -> Result<ArrayRef, Failed> {
    // As the loader does: a missing value is NULL only where the list has no code for it.
    let codes = code_values(Schema::smf(), column);
    let may_miss = column.nullable && !codes.iter().any(|c| c == UNKNOWN);
    let mut known = || !(may_miss && random.below(16) == 0);
    let known: Vec<bool> = rows.iter().map(|_| known()).collect();
    let mut number = |most: u16| i8::try_from(random.below(most)).unwrap_or_default();
    Ok(match column.kind {
        Kind::Code => {
            let mut codes = codes;
            codes.extend(codes.is_empty().then(|| "made-up".to_owned()));
            let most = u16::try_from(codes.len().min(127))?;
            let council = matches!(column.name.as_str(), "lep_code" | "council_code");
            let mut code = |row: &Row| {
                if council { i8::try_from(row.council % most).unwrap_or_default() } else { number(most) }
            };
            code_array(&codes, rows.iter().zip(&known).map(|(row, known)| known.then(|| code(row))))?
        }
        Kind::NumberCode => Arc::new(Int8Array::from_iter(known.iter().map(|k| k.then(|| 1 + number(4))))),
        Kind::YesNo => Arc::new(BooleanArray::from_iter(known.iter().map(|k| k.then(|| number(2) == 1)))),
        Kind::Date => {
            Arc::new(Date32Array::from_iter(rows.iter().zip(&known).map(|(r, k)| k.then_some(r.day))))
        }
        Kind::Whole { .. } => {
            Arc::new(Int64Array::from_iter(known.iter().map(|k| k.then(|| i64::from(number(9))))))
        }
        Kind::Text | Kind::Sealed => {
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| format!("made-up-{:09}", r.person))))
        }
    })
}

fn head() -> Result<Head, Failed> {
    Ok(Head {
        partner: PartnerId::new("made-up")?,
        as_of: Day::new(2026, 4, 1).ok_or_else(|| Failed::new("no such day"))?,
        templates: vec!["smf-2022".to_owned()],
        notes: Vec::new(),
        loaded_at: Moment::from_unix_s(1_775_000_000),
        sources: Vec::new(),
        objections: Objections::HeldElsewhere { confirmed_by: "nobody: these people are made up".to_owned() },
    })
}

/// SplitMix64 (Steele, Lea and Flood 2014): small, seeded, good enough to mix columns.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u16) -> u16 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let top = (z ^ (z >> 31)) >> 32;
        u16::try_from((top * u64::from(most)) >> 32).unwrap_or_default()
    }
}

const COUNCILS: u16 = 32;

const PERSONS_AT_ONCE: usize = 100_000;

/// 2024-01-01.
const FIRST_DAY: i32 = 19_723;
