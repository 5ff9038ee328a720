//! A debit is proof of one hold, and there is one of it.
use cairn_ledger::Debited;

fn copy(debited: &Debited) -> Debited {
    Debited::clone(debited)
}

fn main() {}
