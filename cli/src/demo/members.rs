//! The made-up partners of the demo: names, kinds and which shipped policy each runs under.

use crate::staged::Member;

const fn member(id: &'static str, name: &'static str, kind: &'static str, policy: &'static str) -> Member {
    Member { id, name, kind, policy }
}

/// The ten, in the order of the register. They are made up, whatever they are called.
pub(super) const MEMBERS: [Member; 10] = [
    member("dundee-city", "Dundee City Council (made-up data)", "council", "council"),
    member("angus", "Angus Council (made-up data)", "council", "council"),
    member("perth-and-kinross", "Perth and Kinross Council (made-up data)", "council", "council"),
    member("fife", "Fife Council (made-up data)", "council", "council"),
    member("orkney-islands", "Orkney Islands Council (made-up data)", "council", "council"),
    member("charity-northern-steps", "Northern Steps (made-up charity)", "charity", "small-charity"),
    member("charity-lone-parents", "Lone Parents Forward (made-up charity)", "charity", "small-charity"),
    member("college-east", "East College (made-up)", "college", "small-charity"),
    member("health-board-tayside", "Tayside Health Board (made-up data)", "health_board", "health-board"),
    member("national-provider", "National Provider (made-up)", "private_provider", "small-charity"),
];
