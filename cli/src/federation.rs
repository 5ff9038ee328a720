//! An analyst's session with a federation: connect, ask, verify everything that comes back, and add it up again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cairn_link::close::Close;
use cairn_link::{Address, AnalystClient, AnalystIdentity, LinkError, RoundResult};
use cairn_question::answer::Expected;
use cairn_question::combine::{CoverageV1, PartnerLine, Standing, combine, standing_of};
use cairn_question::register::Register;
use cairn_question::{
    AskV1, Grid, Hash, Moment, Name, OutcomeV1, PartnerId, Question, ReplyV1, Schema, SignedAsk,
};

use crate::context;
use crate::failure::Failure;
use crate::foreign::plain_reply;
use crate::progress::Progress;
use crate::show::Shown;

/// Seconds for which a question may be answered, where the analyst does not say: ten minutes, which a busy node can meet.
pub(crate) const EXPIRES_IN_S: u64 = 600;

/// Seconds for which a lost connection is dialled again: a coordinator that restarts needs a few, a round at most 60.
const DIAL_AGAIN_S: u64 = 120;

/// Between two attempts.
const DIAL_AGAIN_EVERY: Duration = Duration::from_secs(1);

/// An analyst's open session.
pub(crate) struct Federation {
    identity: AnalystIdentity,
    coordinator: Address,
    client: AnalystClient,
    register: Register,
}

impl Federation {
    /// Connects, and takes the register only under the federation key that the analyst's folder pins.
    pub(crate) async fn connect(folder: &Path, coordinator: &Address) -> Result<Self, Failure> {
        let clock = context::clock();
        let identity = AnalystIdentity::load(folder, clock.now())?;
        let client = AnalystClient::connect(&identity, coordinator, &clock).await?;
        let bytes = client.register().await?;
        let register = Register::open(&bytes, identity.federation_key())
            .map_err(|e| Failure::not_verified("CC201", format!("the coordinator's register: {e}")))?;
        Ok(Self { identity, coordinator: coordinator.clone(), client, register })
    }

    /// The analyst's own identity.
    pub(crate) const fn identity(&self) -> &AnalystIdentity {
        &self.identity
    }

    /// Every partner of the register.
    pub(crate) fn everyone(&self) -> Vec<PartnerId> {
        self.register.partners.iter().map(|p| p.id.clone()).collect()
    }

    /// The role to ask in: the one given, or the only one there is a credential for.
    pub(crate) fn role(&self, given: Option<&Name>) -> Result<Name, Failure> {
        let roles: Vec<&Name> = self.identity.roles().collect();
        match (given, roles.as_slice()) {
            (Some(role), _) if roles.contains(&role) => Ok(role.clone()),
            (None, [only]) => Ok((*only).clone()),
            (_, []) => Err(Failure::new(
                "CC202",
                "this folder holds no credential; an issuer gives one: cairn authority credential",
            )),
            (_, roles) => {
                let names: Vec<&str> = roles.iter().map(|r| r.as_str()).collect();
                Err(Failure::new(
                    "CC203",
                    format!("say --role: there are credentials for {}", names.join(", ")),
                ))
            }
        }
    }

    /// Asks one question of these partners and verifies what comes back.
    pub(crate) async fn ask(
        &mut self,
        question: Question,
        partners: Vec<PartnerId>,
        expires_in_s: u64,
        progress: &mut Progress,
    ) -> Result<Shown, Failure> {
        let grid = question.grid(Schema::smf()).map_err(|e| Failure::new("CC204", e.to_string()))?;
        let unknown: Vec<&str> =
            partners.iter().filter(|p| self.register.partner(p).is_none()).map(PartnerId::as_str).collect();
        if !unknown.is_empty() {
            return Err(Failure::new("CC205", format!("not in the register: {}", unknown.join(", "))));
        }
        let credential = self.identity.credential(&question.role).cloned().ok_or_else(|| {
            Failure::new("CC202", format!("this folder holds no credential for the role `{}`", question.role))
        })?;
        let asked_at = context::now();
        let ask = AskV1 {
            cairn_question: 1,
            id: context::question_id()?,
            federation: self.register.federation.clone(),
            partners,
            asked_at,
            expires_at: asked_at.plus_s(expires_in_s),
            question,
        };
        let signed = SignedAsk::sign(&ask, self.identity.signing_key(), credential);
        let hash = signed_hash(&signed)?;
        let result = self.put(&signed.to_bytes(), progress).await?;
        self.verify(&ask, hash, grid, result)
    }

    /// Sends the signed bytes and waits for the result. Where the connection is lost they are sent again: the same bytes are one
    /// question, counted and charged once however often they come, and a coordinator that crashed still has it on disk.
    async fn put(&mut self, signed: &[u8], progress: &mut Progress) -> Result<RoundResult, Failure> {
        let mut until = None;
        loop {
            match self.client.ask(signed.to_vec(), |p| progress.round(p)).await {
                Err(why) if is_lost(&why) => {
                    let until = *until.get_or_insert_with(|| context::now().plus_s(DIAL_AGAIN_S));
                    progress.say("the connection was lost; dialling again");
                    self.dial_again(why, until).await?;
                }
                done => return Ok(done?),
            }
        }
    }

    async fn dial_again(&mut self, mut why: LinkError, until: Moment) -> Result<(), Failure> {
        while context::now() < until {
            match AnalystClient::connect(&self.identity, &self.coordinator, &context::clock()).await {
                Ok(client) => {
                    self.client = client;
                    return Ok(());
                }
                Err(lost) if is_lost(&lost) => why = lost,
                Err(other) => return Err(other.into()),
            }
            tokio::time::sleep(DIAL_AGAIN_EVERY).await;
        }
        Err(why.into())
    }

    /// Ends the session in order.
    pub(crate) async fn close(self) {
        self.client.close().await;
    }

    fn verify(&self, ask: &AskV1, hash: Hash, grid: Grid, result: RoundResult) -> Result<Shown, Failure> {
        let coverage = self.coverage(ask, hash, &result.coverage)?;
        let replies = self.replies(ask, hash, &grid, &result)?;
        let partners =
            ask.partners.iter().map(|p| line(p, &coverage, &replies)).collect::<Result<Vec<_>, _>>()?;
        let answers: Vec<_> = replies
            .iter()
            .filter_map(|(partner, reply)| match &reply.outcome {
                OutcomeV1::Answer(answer) => Some((partner.clone(), (**answer).clone())),
                _ => None,
            })
            .collect();
        let refusals = replies.iter().filter_map(|(partner, reply)| match &reply.outcome {
            OutcomeV1::Refusal(refusal) => Some((partner.clone(), refusal.nearest.clone())),
            _ => None,
        });
        let refusals = refusals.collect();
        let combined = combine(&grid, answers.iter().map(|(_, a)| a));
        if combined != coverage.combined {
            return Err(Failure::not_verified(
                "CC206",
                "the coordinator's sum is not the sum of the signed tables; nothing is shown",
            ));
        }
        let coverage = CoverageV1 { partners, ..coverage };
        Ok(Shown { id: ask.id, question: ask.question.clone(), grid, coverage, combined, answers, refusals })
    }

    fn coverage(&self, ask: &AskV1, hash: Hash, bytes: &[u8]) -> Result<CoverageV1, Failure> {
        let wrong = |what: &str| Failure::not_verified("CC207", format!("the coverage statement {what}"));
        let entry =
            self.register.coordinator.as_ref().ok_or_else(|| wrong("has no registered coordinator"))?;
        let coverage = CoverageV1::open(bytes, &entry.signing_key)
            .ok_or_else(|| wrong("is not signed by the registered coordinator"))?;
        let ours = coverage.question_id == ask.id
            && coverage.question_hash == hash
            && coverage.federation == ask.federation;
        if ours { Ok(coverage) } else { Err(wrong("is of another question")) }
    }

    /// The replies whose signature holds. One that does not hold is left out, and its partner is then `Unverified`.
    fn replies(
        &self,
        ask: &AskV1,
        hash: Hash,
        grid: &Grid,
        result: &RoundResult,
    ) -> Result<BTreeMap<PartnerId, ReplyV1>, Failure> {
        let mut replies = BTreeMap::new();
        for (partner, bytes) in &result.replies {
            let Some(entry) = self.register.partner(partner).filter(|_| ask.partners.contains(partner))
            else {
                return Err(Failure::not_verified(
                    "CC208",
                    format!("a reply from `{partner}`, which was not asked"),
                ));
            };
            let expected = Expected {
                question_id: ask.id,
                question_hash: hash,
                federation: &ask.federation,
                partner,
                grid,
            };
            if let Ok(reply) = ReplyV1::open(bytes, &entry.signing_key, &expected) {
                replies.insert(partner.clone(), plain_reply(reply));
            }
        }
        Ok(replies)
    }
}

/// Whether the coordinator may be there again in a moment.
const fn is_lost(why: &LinkError) -> bool {
    matches!(
        why,
        LinkError::Lost { .. } | LinkError::Unreachable { .. } | LinkError::Closed(Close::GoingAway)
    )
}

/// SHA-256 of the exact bytes that were signed.
fn signed_hash(signed: &SignedAsk) -> Result<Hash, Failure> {
    let payload = signed.question.payload_unverified(cairn_question::question::ASK_TYPE);
    payload.map(|p| Hash::of(&p)).map_err(|e| Failure::new("CC209", e.to_string()))
}

/// How a partner stands: by its own signed reply, or else by the coordinator's word, which can never be "answered".
fn line(
    partner: &PartnerId,
    coverage: &CoverageV1,
    replies: &BTreeMap<PartnerId, ReplyV1>,
) -> Result<PartnerLine, Failure> {
    let said = coverage.partners.iter().find(|l| l.partner == *partner).map(|l| &l.standing);
    let standing = match (replies.get(partner), said) {
        (Some(reply), _) => standing_of(reply),
        (None, Some(word @ (Standing::Offline | Standing::Late | Standing::Unverified))) => word.clone(),
        (None, Some(_)) => {
            let says = format!(
                "the coordinator says that `{partner}` replied, and shows no reply that its registered key signed"
            );
            return Err(Failure::not_verified("CC210", says));
        }
        (None, None) => {
            return Err(Failure::not_verified(
                "CC211",
                format!("the coverage statement leaves out `{partner}`, which was asked"),
            ));
        }
    };
    Ok(PartnerLine { partner: partner.clone(), standing })
}
