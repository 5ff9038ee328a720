//! One question's round as a pure state machine: events and the time in, partners to ask and at last a coverage
//! statement out. It knows no socket, clock or disk, so every order of events can be tried in a test.

use std::collections::{BTreeMap, VecDeque};

use cairn_question::answer::Expected;
use cairn_question::combine::{
    CombinedV1, CoverageV1, PartnerLine, PolicyLine, Standing, combine, standing_of,
};
use cairn_question::limits::{CELL_BYTES_MAX, COVERAGE_BYTES_MAX, FRAME_BYTES_MAX};
use cairn_question::{
    Grid, Hash, Moment, Name, OutcomeV1, PartnerId, PolicyCard, QuestionId, ReplyV1, SealedV1, TotalV1,
    VerifyingKey,
};

use crate::total::{OpenedTotal, TotalTerms};

/// Most times that one partner is asked in one round. A partner is asked again when it comes back after its connection
/// was lost; one whose connection never holds counts as offline after this many.
pub const ASKS_MAX: u8 = 16;

/// Bytes of a reply apart from its cells and the codes of its axes: names, hashes, notes, the rules of a refusal.
const REPLY_OVERHEAD_BYTES: usize = 64 * 1024;

/// Most bytes of a partner's reply to a question with this grid, base64 in its envelope. A longer one is not a reply.
#[must_use]
pub fn reply_bytes_max(grid: &Grid) -> usize {
    let codes = grid.dimensions().iter().flat_map(|d| &d.codes).map(|code| code.len() + QUOTES_BYTES);
    let body = codes.sum::<usize>() + grid.cells().saturating_mul(CELL_BYTES_MAX);
    (REPLY_OVERHEAD_BYTES + body.saturating_mul(4) / 3).min(FRAME_BYTES_MAX)
}

/// Bytes around a code in a list: two quotes and a comma.
const QUOTES_BYTES: usize = 3;

/// What a round is about. Fixed when the question is accepted.
#[derive(Clone, Debug)]
pub struct RoundTerms {
    /// The question.
    pub question_id: QuestionId,
    /// SHA-256 of the bytes that the analyst signed.
    pub question_hash: Hash,
    /// The federation.
    pub federation: Name,
    /// The version of the register that `partners` was read from.
    pub register_version: u32,
    /// The full grid of the question.
    pub grid: Grid,
    /// The partners that are asked, in the register's order, with the keys that sign their replies.
    pub partners: Vec<(PartnerId, VerifyingKey)>,
    /// At this moment the round closes with whoever has replied.
    pub deadline: Moment,
    /// How long an absent partner is waited for.
    pub patience: Patience,
    /// Where the question was put as a secure total.
    pub total: Option<TotalTerms>,
}

/// How long a round waits for a partner that is not connected. A partner that is connected is waited for until the deadline.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Patience {
    /// This many seconds since it was last seen in this round: time for a node that lost its connection to dial again.
    Seconds(u64),
    /// Until the deadline: for a round that is resumed, since after a restart nobody has dialled in yet.
    UntilDeadline,
}

/// One round.
pub struct Round {
    terms: RoundTerms,
    lines: Vec<Line>,
    asks: VecDeque<Ask>,
}

/// A partner that is to be sent the question now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ask {
    /// The partner.
    pub partner: PartnerId,
    /// Which time it is asked, from 1. Handed back in [`Event::Gone`].
    pub attempt: u8,
}

/// What can happen in a round. Any event may come twice, out of order or never.
#[derive(Clone, Debug)]
pub enum Event {
    /// A partner has a connection, perhaps a new one.
    Connected(PartnerId),
    /// Bytes came back from a partner. Nothing about them is trusted yet.
    Replied(PartnerId, Vec<u8>),
    /// The connection on which a partner was asked is gone without a reply; the partner may come back.
    Gone(Ask),
    /// The partner ended the asking without a reply, its connection still up: it will not reply in time.
    Silent(Ask),
}

/// How far a partner has come, for those who watch a round.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Not connected; it is asked if it comes back in time.
    Away,
    /// Asked, and expected to reply.
    Asked,
    /// Its standing is final.
    Settled,
}

/// What a closed round leaves.
#[derive(Clone, Debug)]
pub struct Closed {
    /// One line for each partner that was asked, and the sum.
    pub coverage: CoverageV1,
    /// The verified replies, exactly as the partners signed them.
    pub replies: Vec<(PartnerId, Vec<u8>)>,
}

struct Line {
    partner: PartnerId,
    key: VerifyingKey,
    asked: u8,
    state: State,
}

enum State {
    Away { since: Moment },
    Asked,
    Settled(Standing, Option<Box<Verified>>),
}

struct Verified {
    bytes: Vec<u8>,
    reply: ReplyV1,
}

impl Round {
    /// Opens the round. Partners are away until [`Event::Connected`] says otherwise.
    #[must_use]
    pub fn open(terms: RoundTerms, now: Moment) -> Self {
        let line = |(partner, key): &(PartnerId, VerifyingKey)| Line {
            partner: partner.clone(),
            key: *key,
            asked: 0,
            state: State::Away { since: now },
        };
        let lines = terms.partners.iter().map(line).collect();
        Self { terms, lines, asks: VecDeque::new() }
    }

    /// The round's terms.
    #[must_use]
    pub const fn terms(&self) -> &RoundTerms {
        &self.terms
    }

    /// Takes one event. Sends nothing: drain [`Round::poll_ask`] next.
    pub fn handle(&mut self, event: Event, now: Moment) {
        if now > self.terms.deadline {
            return; // The deadline has decided; what comes after it is late.
        }
        match event {
            Event::Connected(partner) => self.connected(&partner),
            Event::Replied(partner, bytes) => self.replied(&partner, bytes),
            Event::Gone(ask) => self.asking_ended(&ask, State::Away { since: now }),
            Event::Silent(ask) => self.asking_ended(&ask, State::Settled(Standing::Late, None)),
        }
    }

    /// Ends the round of a total that will not open: whoever has no reply yet stands as a fault of the round, under this code.
    pub fn give_up(&mut self, code: &str) {
        for line in &mut self.lines {
            if !matches!(line.state, State::Settled(..)) {
                line.state = State::Settled(Standing::Fault(code.to_owned()), None);
            }
        }
    }

    /// The partners that will not answer: refused or failed, or away for longer than they are waited for.
    pub fn declined(&self, now: Moment) -> impl Iterator<Item = &PartnerId> {
        let gone = move |line: &&Line| match &line.state {
            State::Settled(standing, _) => *standing != Standing::Answered,
            State::Away { .. } => self.given_up(line, now),
            State::Asked => false,
        };
        self.lines.iter().filter(gone).map(|line| &line.partner)
    }

    /// The next partner to ask, if any.
    pub fn poll_ask(&mut self) -> Option<Ask> {
        self.asks.pop_front()
    }

    /// Whether nothing more is waited for: close the round now.
    #[must_use]
    pub fn is_over(&self, now: Moment) -> bool {
        now >= self.terms.deadline || self.lines.iter().all(|line| self.given_up(line, now))
    }

    /// Whether each of these has its standing: once a total has opened, nobody else is waited for.
    #[must_use]
    pub fn have_settled(&self, partners: &[PartnerId]) -> bool {
        let settled = |line: &Line| matches!(line.state, State::Settled(..));
        self.lines.iter().filter(|line| partners.contains(&line.partner)).all(settled)
    }

    /// The moment at which the round may be over without another event: look at [`Round::is_over`] again then.
    #[must_use]
    pub fn wake_at(&self) -> Moment {
        let waits = self.lines.iter().map(|line| match &line.state {
            State::Away { since } => self.patience_ends(*since),
            State::Asked => self.terms.deadline,
            State::Settled(..) => Moment::from_unix_s(0),
        });
        waits.max().unwrap_or(self.terms.deadline).min(self.terms.deadline)
    }

    /// How far each partner has come, in the register's order.
    pub fn stages(&self) -> impl Iterator<Item = (&PartnerId, Stage)> {
        self.lines.iter().map(|line| {
            let stage = match line.state {
                State::Away { .. } => Stage::Away,
                State::Asked => Stage::Asked,
                State::Settled(..) => Stage::Settled,
            };
            (&line.partner, stage)
        })
    }

    /// The verified reply of one partner, as it was signed.
    #[must_use]
    pub fn reply_bytes(&self, partner: &PartnerId) -> Option<&[u8]> {
        self.lines.iter().find(|l| l.partner == *partner).and_then(|line| match &line.state {
            State::Settled(_, Some(verified)) => Some(verified.bytes.as_slice()),
            _ => None,
        })
    }

    /// Closes the round: every partner that was asked gets exactly one standing, and the answers are added up.
    ///
    /// `cards` are the partners' verified cards: a line says a policy's last day where the card is of the policy that replied.
    #[must_use]
    pub fn close(
        self,
        now: Moment,
        cards: &BTreeMap<PartnerId, PolicyCard>,
        opened: Option<&OpenedTotal>,
    ) -> Closed {
        let answers = self.lines.iter().filter_map(Line::answer);
        let published = opened.and_then(|opened| self.published(opened));
        let (combined, total) = match published {
            Some((combined, total)) => (Some(combined), Some(total)),
            None => (combine(&self.terms.grid, answers), None),
        };
        let partners = self.lines.iter().map(|line| line.statement(cards.get(&line.partner))).collect();
        let coverage = CoverageV1 {
            cairn_coverage: 1,
            question_id: self.terms.question_id,
            question_hash: self.terms.question_hash,
            federation: self.terms.federation,
            register_version: self.terms.register_version,
            closed_at: now,
            partners,
            combined,
            total,
        };
        let coverage = bounded(coverage);
        let replies = self.lines.into_iter().filter_map(Line::into_reply).collect();
        Closed { coverage, replies }
    }

    /// The total with the treatment that its partners signed; `None` where no word of any of them has come.
    fn published(&self, opened: &OpenedTotal) -> Option<(CombinedV1, TotalV1)> {
        let sealed = self.lines.iter().find_map(|line| {
            let own = line.sealed().filter(|sealed| sealed.opening == opened.opening)?;
            Some(own.clone())
        })?;
        let total = TotalV1 {
            treatment: sealed.treatment.clone(),
            partners: opened.partners.clone(),
            colluding_max: opened.colluding_max,
            manifest: opened.manifest,
            opening: opened.opening,
            transcript: opened.transcript,
        };
        let combined = TotalV1::combined(opened.table.clone(), &sealed, &self.terms.grid)?;
        Some((combined, total))
    }

    fn connected(&mut self, partner: &PartnerId) {
        let Some(line) = self.lines.iter_mut().find(|l| l.partner == *partner) else { return };
        if matches!(line.state, State::Settled(..)) || line.asked >= ASKS_MAX {
            return;
        }
        // Asking twice is harmless: a node gives the answer it stored, without a second charge.
        line.asked += 1;
        line.state = State::Asked;
        self.asks.push_back(Ask { partner: partner.clone(), attempt: line.asked });
    }

    fn replied(&mut self, partner: &PartnerId, bytes: Vec<u8>) {
        let Some(line) = self.lines.iter_mut().find(|l| l.partner == *partner) else { return };
        if matches!(line.state, State::Settled(..)) {
            return; // The first reply counts; a second changes nothing.
        }
        let expected = Expected {
            question_id: self.terms.question_id,
            question_hash: self.terms.question_hash,
            federation: &self.terms.federation,
            partner,
            grid: &self.terms.grid,
        };
        let reply = if bytes.len() <= reply_bytes_max(&self.terms.grid) {
            ReplyV1::open(&bytes, &line.key, &expected).ok()
        } else {
            None
        };
        line.state = match reply {
            Some(reply) => State::Settled(standing_of(&reply), Some(Box::new(Verified { bytes, reply }))),
            None => State::Settled(Standing::Unverified, None),
        };
    }

    fn asking_ended(&mut self, ask: &Ask, state: State) {
        // Only the latest asking counts: an older connection may end after a new one began.
        let current = |l: &&mut Line| l.partner == ask.partner && l.asked == ask.attempt;
        if let Some(line) = self.lines.iter_mut().find(current)
            && matches!(line.state, State::Asked)
        {
            line.state = state;
        }
    }

    fn given_up(&self, line: &Line, now: Moment) -> bool {
        match &line.state {
            State::Settled(..) => true,
            State::Asked => false,
            State::Away { since } => now >= self.patience_ends(*since),
        }
    }

    fn patience_ends(&self, since: Moment) -> Moment {
        match self.terms.patience {
            Patience::Seconds(seconds) => since.plus_s(seconds).min(self.terms.deadline),
            Patience::UntilDeadline => self.terms.deadline,
        }
    }
}

/// The statement, no longer than it may be. Partners that refuse at great length are cut to their first rule; the whole
/// refusal is in their signed reply, which travels beside the statement.
fn bounded(mut coverage: CoverageV1) -> CoverageV1 {
    let bytes = serde_json::to_vec(&coverage).map_or(0, |json| json.len());
    // In an envelope: base64, and some 300 bytes around it.
    if bytes.saturating_mul(4) / 3 + 1_024 <= COVERAGE_BYTES_MAX {
        return coverage;
    }
    for line in &mut coverage.partners {
        if let Standing::Refused(rules) = &mut line.standing {
            rules.truncate(1);
            for rule in rules {
                rule.rule = rule.rule.chars().take(64).collect();
                rule.code = rule.code.chars().take(8).collect();
                rule.says = String::from("see the signed reply");
            }
        }
    }
    coverage
}

impl Line {
    fn answer(&self) -> Option<&cairn_question::AnswerV1> {
        match &self.state {
            State::Settled(_, Some(verified)) => match &verified.reply.outcome {
                OutcomeV1::Answer(answer) => Some(answer),
                OutcomeV1::Sealed(_) | OutcomeV1::Refusal(_) | OutcomeV1::Fault { .. } => None,
            },
            _ => None,
        }
    }

    fn sealed(&self) -> Option<&SealedV1> {
        match &self.state {
            State::Settled(_, Some(verified)) => match &verified.reply.outcome {
                OutcomeV1::Sealed(sealed) => Some(sealed),
                _ => None,
            },
            _ => None,
        }
    }

    fn statement(&self, card: Option<&PolicyCard>) -> PartnerLine {
        let standing = match &self.state {
            State::Away { .. } => Standing::Offline,
            State::Asked => Standing::Late,
            State::Settled(standing, _) => standing.clone(),
        };
        let policy = match &self.state {
            State::Settled(_, Some(verified)) => Some(&verified.reply.policy),
            _ => None,
        };
        let card = card.and_then(|card| card.policy.as_ref());
        let policy = policy.and_then(|decided| {
            let until = card.filter(|public| public.statement == *decided).map(|public| public.until);
            PolicyLine::of(decided, until)
        });
        PartnerLine { partner: self.partner.clone(), standing, policy }
    }

    fn into_reply(self) -> Option<(PartnerId, Vec<u8>)> {
        match self.state {
            State::Settled(_, Some(verified)) => Some((self.partner, verified.bytes)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
