use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ReplaceChildrenOptions, displayable};

use super::*;
use crate::shape::physical_plan;
use crate::tests::world::{Asked, Field, Made, World};

fn plan(axes: &[Field]) -> Arc<dyn ExecutionPlan> {
    let made = Made::of(World { persons: Vec::new() }, 3);
    physical_plan(&made.snapshot, &Asked::people("outcomes", axes).plan(), None, 2).unwrap()
}

/// The same plan with `put` over the node of that name.
fn with(
    plan: &Arc<dyn ExecutionPlan>,
    name: &str,
    put: &dyn Fn(Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan>,
) -> Arc<dyn ExecutionPlan> {
    use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode::Recompute;
    let children: Vec<_> = plan.children().into_iter().map(|c| with(c, name, put)).collect();
    let same = if children.is_empty() {
        Arc::clone(plan)
    } else {
        Arc::clone(plan).replace_children(children, ReplaceChildrenOptions::new(Recompute)).unwrap()
    };
    if plan.name() == name { put(same) } else { same }
}

#[test]
fn a_plan_is_what_the_reference_shows() {
    let made = plan(&[Field::Kind, Field::Lep, Field::Sex]);
    let shape = displayable(made.as_ref()).indent(false).to_string();
    let shape: Vec<&str> = shape.lines().map(|l| l.split(':').next().unwrap()).collect();
    let expected = [
        "AggregateExec",
        "  InTurnExec",
        "    AggregateExec",
        "      GatherExec",
        "        ProjectionExec",
        "          DataSourceExec",
        "        ProjectionExec",
        "          DataSourceExec",
        "        ProjectionExec",
        "          DataSourceExec",
    ];
    assert_eq!(shape, expected);
    assert_eq!(keeps_persons_together(&made), Ok(()));
}

#[test]
fn anything_between_the_records_and_the_tally_is_refused() {
    let made = plan(&[Field::Kind, Field::Sex]);
    let merge = |below| Arc::new(CoalescePartitionsExec::new(below)) as Arc<dyn ExecutionPlan>;
    let deal_out = |below| {
        let deal = RepartitionExec::try_new(below, Partitioning::RoundRobinBatch(2)).unwrap();
        Arc::new(deal) as Arc<dyn ExecutionPlan>
    };
    for name in ["DataSourceExec", "GatherExec", "InTurnExec"] {
        for put in [&merge as &dyn Fn(_) -> _, &deal_out] {
            // Where the parts of rows and of rows above no longer match, the plan cannot even be put together.
            let torn = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| with(&made, name, put)));
            if let Ok(torn) = torn {
                assert_eq!(keeps_persons_together(&torn), Err(EngineFault::PlanShape), "over {name}");
            }
        }
    }
}

#[test]
fn a_scan_that_may_split_or_trade_files_is_refused() {
    let made = plan(&[Field::Kind]);
    let changed = |change: &dyn Fn(&mut FileScanConfig)| {
        with(&made, "DataSourceExec", &|scan| {
            let scan = scan.downcast_ref::<DataSourceExec>().unwrap();
            let mut config = scan.data_source().downcast_ref::<FileScanConfig>().unwrap().clone();
            change(&mut config);
            DataSourceExec::from_data_source(config)
        })
    };
    assert_eq!(keeps_persons_together(&changed(&|_| ())), Ok(()));
    let trades = changed(&|c| c.preserve_order = false);
    assert_eq!(keeps_persons_together(&trades), Err(EngineFault::PlanShape));
    let splits = changed(&|c| {
        c.file_groups = c
            .file_groups
            .iter()
            .map(|g| {
                let half = |from, to| g.files()[0].clone().with_range(from, to);
                datafusion::datasource::physical_plan::FileGroup::new(vec![half(0, 10), half(10, 20)])
            })
            .collect();
    });
    assert_eq!(keeps_persons_together(&splits), Err(EngineFault::PlanShape));
}
