//! Why a document, a frame or a transcript was not accepted: each with its stable code.

use crate::occupancy::NotCounted;

/// Why something was not accepted. It depends on what came and on the agreed terms, never on a record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// No symbols, or more bytes than one frame carries, or symbols of no width.
    #[error("a table of {symbols} symbols does not fit the layout")]
    Layout {
        /// How many symbols there are.
        symbols: usize,
    },
    /// A vector of another layout than the round's.
    #[error("the vector is of another layout than the round")]
    OtherLayout,
    /// A number that its word cannot hold.
    #[error("a value does not fit its word")]
    TooWide,
    /// The operating system gave no randomness, or the cipher failed.
    #[error("no fresh keys can be made")]
    NoRandomness,
    /// Not a node id or a set of nodes.
    #[error("not a set of nodes")]
    Members,
    /// The masks did not cancel: somebody sealed for another round.
    #[error("what opened is not a sum")]
    NotTheSum,

    /// Not a roster: its form, its length, or a day after its own end.
    #[error("the roster cannot be read")]
    Roster,
    /// Two entries of one controller, who would count as two.
    #[error("controller `{controller}` stands twice in the roster")]
    TwoOfOneController {
        /// The controller.
        controller: String,
    },
    /// Two entries with one node id, one partner or one key.
    #[error("entry `{node}` of the roster shares its id, partner or key with another")]
    SharedEntry {
        /// The second of the two.
        node: String,
    },
    /// Terms under which a total could show one partner's figure.
    #[error("the terms of secure totals do not protect a partner")]
    Terms,
    /// Not a manifest that the analyst signed.
    #[error("not a manifest that the analyst signed")]
    Manifest,
    /// A manifest of another question, or of another text under the question's number.
    #[error("the manifest is of another question")]
    OtherQuestion,
    /// A manifest under another roster than the one this party pinned.
    #[error("the manifest names another roster than the one pinned here")]
    OtherRoster,
    /// An invited node that the roster does not have, or whose entry is not valid on that day.
    #[error("an invited node is not in the roster, or not valid")]
    NotInRoster,
    /// Fewer colluding partners than the framework reckons with.
    #[error("the manifest lowers the partners that may collude below the {framework} of the framework here")]
    LowersColluding {
        /// The framework's t.
        framework: usize,
    },
    /// More colluding partners than the framework reckons with: the noise would be shared out otherwise than the framework promises.
    #[error("the manifest raises the partners that may collude above the {framework} of the framework here")]
    RaisesColluding {
        /// The framework's t.
        framework: usize,
    },
    /// Fewer answering partners than the framework asks for.
    #[error("the manifest lowers the partners that must answer")]
    LowersAnswering,
    /// Fewer invited partners than the framework asks for.
    #[error("the manifest invites too few partners")]
    LowersInvited,
    /// A larger clamp than the framework allows one partner.
    #[error("the manifest raises the clamp of a partner")]
    RaisesClamp,
    /// Two groups of partners could both answer, and differ by one honest partner.
    #[error("too few must answer: two groups could differ by one honest partner")]
    NoMajority,
    /// Those who collude would leave one partner alone.
    #[error("too few must answer: those who collude would leave one partner alone")]
    OneAlone,
    /// The sum could leave its word.
    #[error("the sum could leave its word")]
    Width,
    /// A treatment that this ring cannot carry.
    #[error("the treatment does not fit the ring")]
    Treatment,
    /// A treatment that this program has no name for: whoever made the manifest has a newer one.
    #[error("the manifest asks for a protection that this program does not know; a newer program does")]
    UnknownTreatment,
    /// Counts that are multiplied by too little for shared Gaussian noise to be what is claimed, or by another factor than the treatment's.
    #[error("counts are not scaled as the noise of the total needs")]
    Scaling,
    /// Less room in the words than the treatment's noise takes: a sum could leave its word.
    #[error("the manifest leaves less room for noise than its treatment takes: at least {least}")]
    NoiseTail {
        /// The least that it must say.
        least: u64,
    },
    /// More bytes than a coordinator holds for one round.
    #[error("the round is too large")]
    RoundTooLarge,
    /// The deadline has passed or is too far off, or a flight's time is out of range.
    #[error("the round's deadline has passed or is out of range")]
    Deadline,
    /// This node is not among those invited.
    #[error("this node is not invited")]
    NotInvited,

    /// Not a frame of this protocol, or longer than the round's largest.
    #[error("not a frame of a secure sum")]
    Frame,
    /// A frame of another round.
    #[error("the frame is of another round")]
    OtherRound,
    /// A frame that this state does not expect.
    #[error("the frame comes out of turn")]
    OutOfTurn,
    /// R1: an attempt that does not rise, or the sixth.
    #[error("the attempt does not rise, or is one too many")]
    Attempt,
    /// R1: a set with somebody who was not invited.
    #[error("the set has a node that was not invited")]
    NotWithinInvited,
    /// R1: a set smaller than the manifest demands.
    #[error("the set has too few nodes")]
    TooFew,
    /// R1: a set without this node.
    #[error("the set does not have this node")]
    WithoutUs,
    /// R1: a final set that is not within the one announced for this attempt.
    #[error("the final set is not within the announced one")]
    SetGrew,
    /// R1: a key that is missing, or that the roster's key did not sign for this node and attempt.
    #[error("a partner's key is missing or not signed for us")]
    KeySignature,
    /// Partners hold linkage secrets of their own of one roster: a person that two of them know would count twice.
    #[error(
        "{differ} of the {others} other partners hold another linkage secret of this roster than this partner: people that both know would count twice. Name the keeper again (`cairn authority keeper`), and every partner has one new secret"
    )]
    OtherLinkage {
        /// How many others hold another one.
        differ: usize,
        /// How many others there are.
        others: usize,
    },
    /// A round of people counted once without a linkage secret's mark.
    #[error("people are counted once under a linkage secret, and there is no mark of one here")]
    NoLinkage,
    /// R1: a key of small order.
    #[error("a partner's key agrees on nothing secret")]
    WeakKey,
    /// The coordinator dealt out other keys of this node than those it made, as after a restart.
    #[error("the keys dealt out for this node are not its own")]
    OtherKeys,
    /// R3: a member's signature over its sealed vector is missing or does not hold for this set.
    #[error("a partner did not seal for this set")]
    SealedSignature,
    /// R3: this node's own line was altered.
    #[error("our own sealed line was altered")]
    OwnLine,
    /// R2: this question was opened by this node already.
    #[error("this question was opened already")]
    AlreadyOpened,
    /// R6: other partners than in an earlier opening on the dataset and snapshot.
    #[error("an exact total was opened here with other partners")]
    OtherPartners,
    /// R6: the ledger was put back from a backup, so that nobody knows of whom exact totals of these records were.
    #[error(
        "our ledger was put back from a backup, and of whom exact totals of these records were is not known"
    )]
    Forgotten,
    /// R4: a vector that was drawn for another attempt.
    #[error("the vector was drawn for another attempt")]
    StaleNoise,
    /// R2: a confirmation of another record than the one to be kept, or a record that cannot be read.
    #[error("not the record of this opening")]
    Record,
    /// R5: the round is over for this node.
    #[error("the round is over")]
    Over,
    /// A receipt that this federation's coordinator did not sign, or that cannot be read.
    #[error("the coordinator did not sign the receipt")]
    ReceiptSignature,
    /// A receipt of another opening.
    #[error("the receipt is of another opening")]
    OtherReceipt,
    /// A receipt for another table than the first one, or than the one at hand.
    #[error("the receipt is of another table")]
    OtherTable,

    /// A frame from somebody who was not invited.
    #[error("the sender was not invited")]
    Stranger,
    /// A partner's signature does not hold.
    #[error("a partner's signature does not hold")]
    PartnerSignature,
    /// A second, different frame of a flight that has one.
    #[error("a partner sent two different frames in one flight")]
    TwoFrames,
    /// An opening that is not of the commitment.
    #[error("an opening is not of its commitment")]
    Commitment,
    /// Too few partners were ready in time.
    #[error("too few partners were ready in time")]
    TooFewReady,
    /// Every attempt lost a partner.
    #[error("every attempt lost a partner")]
    AttemptsSpent,
    /// A partner did not open in time: nothing was learnt.
    #[error("a partner did not open in time")]
    NotOpened,

    /// What opened is no count of people.
    #[error("people are not counted: {0}")]
    NotCounted(#[from] NotCounted),

    /// Not a transcript, or one too long.
    #[error("the transcript cannot be read")]
    Transcript,
}

impl Refused {
    /// The stable code, with an entry in `docs/reference/codes/cm.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Layout { .. } => "CM001",
            Self::OtherLayout => "CM002",
            Self::TooWide => "CM003",
            Self::NoRandomness => "CM004",
            Self::Members => "CM005",
            Self::NotTheSum => "CM006",
            Self::Roster => "CM101",
            Self::TwoOfOneController { .. } => "CM102",
            Self::SharedEntry { .. } => "CM103",
            Self::Terms => "CM104",
            Self::Manifest => "CM111",
            Self::OtherQuestion => "CM112",
            Self::OtherRoster => "CM113",
            Self::NotInRoster => "CM114",
            Self::LowersColluding { .. } => "CM115",
            Self::LowersAnswering => "CM116",
            Self::LowersInvited => "CM117",
            Self::RaisesClamp => "CM118",
            Self::NoMajority => "CM119",
            Self::OneAlone => "CM120",
            Self::Width => "CM121",
            Self::Treatment => "CM122",
            Self::RoundTooLarge => "CM123",
            Self::Deadline => "CM124",
            Self::NotInvited => "CM125",
            Self::RaisesColluding { .. } => "CM126",
            Self::UnknownTreatment => "CM127",
            Self::NoLinkage => "CM128",
            Self::NoiseTail { .. } => "CM129",
            Self::Scaling => "CT022",
            other => other.code_of_flight(),
        }
    }

    const fn code_of_flight(&self) -> &'static str {
        match self {
            Self::OtherRound => "CM202",
            Self::OutOfTurn => "CM203",
            Self::Attempt => "CM204",
            Self::NotWithinInvited => "CM205",
            Self::TooFew => "CM206",
            Self::WithoutUs => "CM207",
            Self::SetGrew => "CM208",
            Self::KeySignature => "CM209",
            Self::WeakKey => "CM210",
            Self::OtherKeys => "CM211",
            Self::SealedSignature => "CM212",
            Self::OwnLine => "CM213",
            Self::AlreadyOpened => "CM214",
            Self::OtherPartners => "CM215",
            Self::Forgotten => "CM223",
            Self::StaleNoise => "CM216",
            Self::Record => "CM217",
            Self::Over => "CM218",
            Self::ReceiptSignature => "CM219",
            Self::OtherReceipt => "CM220",
            Self::OtherTable => "CM221",
            Self::OtherLinkage { .. } => "CM222",
            Self::Stranger => "CM301",
            Self::PartnerSignature => "CM302",
            Self::TwoFrames => "CM303",
            Self::Commitment => "CM304",
            Self::TooFewReady => "CM305",
            Self::AttemptsSpent => "CM306",
            Self::NotOpened => "CM307",
            Self::NotCounted(why) => why.code(),
            Self::Transcript => "CM401",
            // What is left, `Frame`: the documents' codes stand in `code`.
            _ => "CM201",
        }
    }
}
