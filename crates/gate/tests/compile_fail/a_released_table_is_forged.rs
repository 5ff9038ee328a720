//! Only the release makes a table that may leave.
use cairn_ledger::Debited;
use cairn_question::answer::{TableV1, TreatmentV1};
use cairn_question::QuestionId;
use cairn_release::{AuditedTable, Released};

fn forge(
    debited: Debited,
    question_id: QuestionId,
    table: TableV1,
    treatment: TreatmentV1,
    audited: Option<AuditedTable>,
) -> Released {
    Released { debited, question_id, table, treatment, audited }
}

fn main() {}
