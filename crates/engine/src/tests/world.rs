//! Made-up persons, their snapshot, and questions about them.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int8Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::DataType;
use cairn_question::schema::{CODE_GRAIN, Kind, UNKNOWN};
use cairn_question::{Day, Grid, Measure, Moment, PartnerId, QuestionId, Schema};
use cairn_records::snapshot::{
    ENGAGEMENT_NO, Head, Objections, PERSON_NO, arrow_schema, code_array, code_values,
};
use cairn_records::{Snapshot, Store};
use cairn_release::{Axis, AxisCodes, Bounds, Clamped, Cohort, ColumnPath, CountPlan, Keep, Predicate};
use proptest::prelude::*;
use tempfile::TempDir;

use super::model::Expected;
use crate::{Engine, EngineFault, Limits};

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) persons: Vec<Person>,
}

#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// Without a row in `participants` everything about them is unknown.
    pub(crate) known: bool,
    pub(crate) sex: Option<u8>,
    pub(crate) simd: Option<u8>,
    pub(crate) starts: Vec<Start>,
}

#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) day: i32,
    /// The day on which it was closed; `None` while it is open.
    pub(crate) end: Option<i32>,
    pub(crate) lep: u8,
    pub(crate) referral: Option<u8>,
    pub(crate) rejoin: bool,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) activities: Vec<Activity>,
}

#[derive(Clone, Debug)]
pub(crate) struct Activity {
    pub(crate) kind: u8,
    /// Some below the dictionary's bounds and some above them, as a damaged file may hold.
    pub(crate) quarter_hours: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) day: i32,
    pub(crate) kind: u8,
}

/// 2024-01-01.
pub(crate) const DAY_0: i32 = 19_723;

pub(crate) fn world() -> impl Strategy<Value = World> {
    let outcome = (0..600_i32, 0..3_u8).prop_map(|(day, kind)| Outcome { day: DAY_0 + day, kind });
    let some = |most: u8| prop::option::weighted(0.8, 0..most);
    let end = prop::option::weighted(0.7, 0..600_i32);
    let hours = prop::option::weighted(0.8, prop_oneof![0..130_i64, Just(i64::MIN), Just(i64::MAX)]);
    let activity = (0..3_u8, hours).prop_map(|(kind, quarter_hours)| Activity { kind, quarter_hours });
    let below = (prop::collection::vec(outcome, 0..3), prop::collection::vec(activity, 0..4));
    let start = (0..500_i32, end, 0..3_u8, some(3), any::<bool>(), below);
    let start = start.prop_map(|(day, end, lep, referral, rejoin, (outcomes, activities))| Start {
        day: DAY_0 + day,
        end: end.map(|end| DAY_0 + end),
        lep,
        referral,
        rejoin,
        outcomes,
        activities,
    });
    let person = (prop::bool::weighted(0.9), some(2), some(5), prop::collection::vec(start, 0..5));
    let person = person.prop_map(|(known, sex, simd, mut starts)| {
        starts.sort_by_key(|s| s.day);
        Person { known, sex, simd, starts }
    });
    prop::collection::vec(person, 0..12).prop_map(|persons| World { persons })
}

/// What is asked, in the words of the model.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) dataset: &'static str,
    pub(crate) measure: Measure,
    pub(crate) axes: Vec<Field>,
    /// A field and the positions of the codes, or the spans, that it keeps.
    pub(crate) filters: Vec<(Field, Vec<usize>)>,
    pub(crate) window: Option<(i32, i32)>,
    /// Rows that were closed before this day never count.
    pub(crate) since: Option<i32>,
    /// Only people of these sexes count, by the positions of the codes; a person whose sex is not known never does.
    pub(crate) only_if: Option<Vec<usize>>,
    pub(crate) rows_per_person: Option<u32>,
    pub(crate) groups_per_person: Option<u32>,
    /// What a row's quarter-hours are clamped to, where they are added up.
    pub(crate) clamp: (u32, u32),
}

/// A column that can be asked about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Field {
    Sex,
    Simd,
    Lep,
    Referral,
    Rejoin,
    StartDay,
    Kind,
    OutcomeDay,
    Activity,
}

/// Spans of the date axes: with a gap, and not over all days.
pub(crate) const SPANS: [(i32, i32); 3] =
    [(DAY_0 + 50, DAY_0 + 99), (DAY_0 + 100, DAY_0 + 250), (DAY_0 + 300, DAY_0 + 449)];

pub(crate) fn asked() -> impl Strategy<Value = Asked> {
    use Field::{Activity, Kind, Lep, OutcomeDay, Referral, Rejoin, Sex, Simd, StartDay};
    let outcomes = vec![Sex, Simd, Lep, Referral, Rejoin, StartDay, Kind, OutcomeDay];
    let engagements = vec![Sex, Simd, Lep, Referral, Rejoin, StartDay];
    let activities = [engagements.clone(), vec![Activity]].concat();
    let of = |dataset, fields: Vec<Field>| {
        let filter = (prop::sample::select(fields.clone()), prop::collection::vec(0..3_usize, 1..3));
        let axes = prop::sample::subsequence(fields.clone(), 0..=fields.len().min(3));
        (axes, prop::collection::vec(filter, 0..3)).prop_map(move |(a, f)| (dataset, a, f))
    };
    let tables = prop_oneof![
        of("outcomes", outcomes),
        of("engagements", engagements),
        of("activities", activities),
        of("participants", vec![Sex, Simd])
    ];
    let of_hours = |measure: fn(String) -> Measure| Just(measure("quarter_hours".into()));
    let sums = prop_oneof![of_hours(Measure::Sum), of_hours(Measure::Mean)];
    let measure = (prop_oneof![Just(Measure::People), Just(Measure::Rows)], sums, any::<bool>());
    let clamp = (0..100_u32, 1..100_u32).prop_map(|(least, more)| (least, least + more));
    let window = prop::option::of((0..200_i32, 200..600_i32).prop_map(|(a, b)| (DAY_0 + a, DAY_0 + b)));
    let since = prop::option::of((0..600_i32).prop_map(|day| DAY_0 + day));
    let only_if = prop::option::of(prop::sample::subsequence(vec![0, 1], 0..=2));
    (tables, measure, window, since, only_if, prop::option::of(1..4_u32), clamp).prop_map(
        |((dataset, axes, mut filters), measure, window, since, only_if, rows_per_person, clamp)| {
            let (counts, sums, summed) = measure;
            let measure = if dataset == "activities" && summed { sums } else { counts };
            filters.dedup_by_key(|f| f.0);
            let dated = dataset != "participants";
            Asked {
                dataset,
                measure,
                axes,
                filters,
                window: window.filter(|_| dated),
                since: since.filter(|_| dated),
                only_if,
                rows_per_person,
                groups_per_person: None,
                clamp,
            }
        },
    )
}

impl Field {
    pub(crate) fn column(self) -> ColumnPath {
        let (table, column) = match self {
            Self::Sex => ("participants", "sex"),
            Self::Simd => ("participants", "simd_quintile"),
            Self::Lep => ("engagements", "lep_code"),
            Self::Referral => ("engagements", "referral_source"),
            Self::Rejoin => ("engagements", "is_rejoin"),
            Self::StartDay => ("engagements", "start_date"),
            Self::Kind => ("outcomes", "outcome_type"),
            Self::OutcomeDay => ("outcomes", "outcome_date"),
            Self::Activity => ("activities", "activity_type"),
        };
        ColumnPath { table: table.into(), column: column.into() }
    }

    pub(crate) const fn is_of_days(self) -> bool {
        matches!(self, Self::StartDay | Self::OutcomeDay)
    }

    /// The codes of its axis; for dates, the names of the spans.
    pub(crate) fn codes(self) -> Vec<String> {
        if self.is_of_days() {
            return vec!["first".into(), "second".into(), "third".into()];
        }
        let path = self.column();
        let column = Schema::smf().table(&path.table).unwrap().column(&path.column).unwrap();
        Schema::smf().codes_at(column, CODE_GRAIN).unwrap()
    }

    fn axis(self) -> Axis {
        let codes = if self.is_of_days() {
            AxisCodes::Days(SPANS.iter().map(|s| days(*s)).collect())
        } else {
            AxisCodes::Codes(self.codes().into_iter().enumerate().map(|(at, code)| (code, at)).collect())
        };
        Axis { column: self.column(), codes }
    }

    fn predicate(self, kept: &[usize]) -> Predicate {
        let keep = if self.is_of_days() {
            days_kept(SPANS[kept[0]])
        } else {
            let codes = self.codes();
            Keep::Codes(kept.iter().map(|at| kept_code(&codes, *at)).collect())
        };
        Predicate { column: self.column(), keep }
    }
}

/// The kept codes that a filter's number stands for: 0 is the missing category, so that it is filtered for often.
pub(crate) fn kept_code(codes: &[String], at: usize) -> String {
    match at {
        0 => UNKNOWN.to_owned(),
        at => codes[(at - 1) % codes.len()].clone(),
    }
}

impl Asked {
    pub(crate) fn people(dataset: &'static str, axes: &[Field]) -> Self {
        Self {
            dataset,
            measure: Measure::People,
            axes: axes.to_vec(),
            filters: Vec::new(),
            window: None,
            since: None,
            only_if: None,
            rows_per_person: None,
            groups_per_person: None,
            clamp: (0, 1),
        }
    }

    pub(crate) fn plan(&self) -> CountPlan {
        let dimensions = self.axes.iter().map(|f| cairn_question::grid::Dimension {
            column: f.column().column,
            grain: CODE_GRAIN.into(),
            codes: f.codes(),
        });
        CountPlan {
            question_id: QuestionId::from_bytes([7; 32]),
            dataset: self.dataset.into(),
            measure: self.measure.clone(),
            summed: self.measure.column().map(|column| Clamped {
                column: ColumnPath { table: self.dataset.into(), column: column.into() },
                least: self.clamp.0,
                most: self.clamp.1,
            }),
            grid: Grid::new(dimensions.collect()).unwrap(),
            axes: self.axes.iter().map(|f| f.axis()).collect(),
            filters: self.filters.iter().map(|(f, kept)| f.predicate(kept)).collect(),
            always: self.always(),
            cohort: Cohort::Counted,
            bounds: Bounds {
                rows_per_person: self.rows_per_person,
                groups_per_person: self.groups_per_person,
                cap_key: [3; 32],
            },
            record_keys: None,
        }
    }
}

impl Asked {
    fn always(&self) -> Vec<Predicate> {
        let of_outcomes = self.dataset == "outcomes";
        let window = self.window.map(|w| {
            let field = if of_outcomes { Field::OutcomeDay } else { Field::StartDay };
            Predicate { column: field.column(), keep: days_kept(w) }
        });
        let since = self.since.map(|first| {
            let closed = ColumnPath { table: "engagements".into(), column: "end_date".into() };
            let column = if of_outcomes { Field::OutcomeDay.column() } else { closed };
            Predicate { column, keep: Keep::OpenOrSince(Day::from_epoch_days(first).unwrap()) }
        });
        let only_if = self.only_if.as_ref().map(|kept| {
            let codes = Field::Sex.codes();
            let kept = kept.iter().map(|at| codes[*at].clone()).collect();
            Predicate { column: Field::Sex.column(), keep: Keep::Codes(kept) }
        });
        [window, since, only_if].into_iter().flatten().collect()
    }
}

fn days((first, last): (i32, i32)) -> (Day, Day) {
    (Day::from_epoch_days(first).unwrap(), Day::from_epoch_days(last).unwrap())
}

fn days_kept(span: (i32, i32)) -> Keep {
    let (first, last) = days(span);
    Keep::Days(first, last)
}

/// A world on disk.
pub(crate) struct Made {
    pub(crate) world: World,
    pub(crate) snapshot: Snapshot,
    pub(crate) _dir: TempDir,
}

impl Made {
    pub(crate) fn of(world: World, persons_per_part: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("a store with a % in its name")).unwrap();
        let mut writer =
            store.writer(head()).unwrap().persons_per_part(NonZeroU32::new(persons_per_part).unwrap());
        for table in ["participants", "engagements", "outcomes", "activities"] {
            writer.append(table, &batch(&world, table)).unwrap();
        }
        let snapshot = writer.commit().unwrap();
        Self { world, snapshot, _dir: dir }
    }

    /// A table without persons.
    pub(crate) fn feedback(rows: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let table = "charter_feedback";
        let schema = arrow_schema(Schema::smf().table(table).unwrap());
        let columns = schema.fields().iter().map(|f| filler(table, f.name(), f.data_type(), rows)).collect();
        let mut writer = Store::open(dir.path()).unwrap().writer(head()).unwrap();
        writer.append(table, &RecordBatch::try_new(schema, columns).unwrap()).unwrap();
        let snapshot = writer.commit().unwrap();
        Self { world: World { persons: Vec::new() }, snapshot, _dir: dir }
    }
}

pub(crate) fn head() -> Head {
    Head {
        partner: PartnerId::new("angus").unwrap(),
        as_of: Day::new(2026, 1, 1).unwrap(),
        templates: vec!["smf-2022".into()],
        notes: Vec::new(),
        loaded_at: Moment::from_unix_s(1_767_300_000),
        sources: Vec::new(),
        objections: Objections::HeldElsewhere { confirmed_by: "the data protection officer".into() },
    }
}

/// One row of a table: its person, its engagement, and its values.
struct Row<'a> {
    person_no: u32,
    engagement_no: u32,
    person: &'a Person,
    start: Option<&'a Start>,
    outcome: Option<&'a Outcome>,
    activity: Option<&'a Activity>,
}

fn rows<'a>(world: &'a World, table: &str) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    let mut engagement_no = 0;
    for (person_no, person) in (0..).zip(&world.persons) {
        let row = |engagement_no, start| Row {
            person_no,
            engagement_no,
            person,
            start,
            outcome: None,
            activity: None,
        };
        if table == "participants" && person.known {
            rows.push(row(0, None));
        }
        let mut outcomes = Vec::new();
        for start in &person.starts {
            if table == "engagements" {
                rows.push(row(engagement_no, Some(start)));
            }
            if table == "activities" {
                let activity = |a| Row { activity: Some(a), ..row(engagement_no, Some(start)) };
                rows.extend(start.activities.iter().map(activity));
            }
            let outcome = |o| Row { outcome: Some(o), ..row(engagement_no, Some(start)) };
            outcomes.extend(start.outcomes.iter().map(outcome));
            engagement_no += 1;
        }
        outcomes.sort_by_key(|r| r.outcome.unwrap().day);
        if table == "outcomes" {
            rows.extend(outcomes);
        }
    }
    rows
}

/// The id that a person has in every table.
pub(crate) fn person_id(number: u32) -> String {
    format!("made up {number}")
}

fn batch(world: &World, table: &str) -> RecordBatch {
    let definition = Schema::smf().table(table).unwrap();
    let schema = arrow_schema(definition);
    let rows = rows(world, table);
    let columns = schema.fields().iter().map(|f| column(table, f.name(), f.data_type(), &rows));
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

fn column(table: &str, name: &str, form: &DataType, rows: &[Row<'_>]) -> ArrayRef {
    let numbers = |of: fn(&Row<'_>) -> u32| Arc::new(UInt32Array::from_iter_values(rows.iter().map(of)));
    let coded = |of: fn(&Row<'_>) -> Option<u8>| {
        let column = Schema::smf().table(table).unwrap().column(name).unwrap();
        let keys = rows.iter().map(|r| of(r).map(u8::cast_signed));
        code_array(&code_values(Schema::smf(), column), keys).unwrap()
    };
    let days = |of: fn(&Row<'_>) -> i32| Arc::new(Date32Array::from_iter_values(rows.iter().map(of)));
    let closed = rows.iter().map(|r| r.start.and_then(|s| s.end));
    match name {
        PERSON_NO => numbers(|r| r.person_no),
        ENGAGEMENT_NO => numbers(|r| r.engagement_no),
        "local_person_id" => {
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| person_id(r.person_no))))
        }
        "sex" => coded(|r| r.person.sex),
        "lep_code" => coded(|r| r.start.map(|s| s.lep)),
        "referral_source" => coded(|r| r.start.and_then(|s| s.referral)),
        "outcome_type" => coded(|r| r.outcome.map(|o| o.kind)),
        "activity_type" => coded(|r| r.activity.map(|a| a.kind)),
        "quarter_hours" => {
            let hours = rows.iter().map(|r| r.activity.and_then(|a| a.quarter_hours));
            Arc::new(arrow::array::Int64Array::from_iter(hours))
        }
        "start_date" => days(|r| r.start.unwrap().day),
        "end_date" if table == "engagements" => Arc::new(Date32Array::from_iter(closed)),
        "outcome_date" => days(|r| r.outcome.unwrap().day),
        "simd_quintile" => {
            Arc::new(Int8Array::from_iter(rows.iter().map(|r| r.person.simd.map(|s| s.cast_signed() + 1))))
        }
        "is_rejoin" => Arc::new(BooleanArray::from_iter(rows.iter().map(|r| r.start.map(|s| s.rejoin)))),
        _ => filler(table, name, form, rows.len()),
    }
}

/// A column that no question of these tests names: if it were read, text or other types would be refused.
pub(crate) fn filler(table: &str, name: &str, form: &DataType, rows: usize) -> ArrayRef {
    let column = Schema::smf().table(table).unwrap().column(name).unwrap();
    match column.kind {
        Kind::Code => {
            let mut values = code_values(Schema::smf(), column);
            values.extend(values.is_empty().then(|| "angus".to_owned()));
            code_array(&values, vec![Some(0); rows]).unwrap()
        }
        Kind::YesNo => Arc::new(BooleanArray::from(vec![true; rows])),
        Kind::Date => Arc::new(Date32Array::from(vec![DAY_0; rows])),
        Kind::Text | Kind::Sealed => Arc::new(StringArray::from(vec!["made up"; rows])),
        Kind::NumberCode | Kind::Whole { .. } => {
            let zeros = Arc::new(Int8Array::from(vec![1; rows])) as ArrayRef;
            arrow::compute::cast(&zeros, form).unwrap()
        }
    }
}

pub(crate) fn engine(threads: usize) -> Engine {
    Engine::new(Limits { threads: NonZeroUsize::new(threads).unwrap(), ..Limits::default() }).unwrap()
}

pub(crate) fn count(snapshot: &Snapshot, plan: &CountPlan, threads: usize) -> Result<Expected, EngineFault> {
    block_on(engine(threads).numbers(snapshot, plan)).map(|n| Expected::of(plan, &n))
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
