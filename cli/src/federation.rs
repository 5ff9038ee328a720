//! An analyst's session with a federation: connect, ask, verify everything that comes back, and add it up again.

use std::path::Path;
use std::time::Duration;

use cairn_link::close::Close;
use cairn_link::{Address, AnalystClient, AnalystIdentity, LinkError, RoundResult};
use cairn_question::register::Register;
use cairn_question::{AskV1, Grid, Hash, Moment, Name, PartnerId, Question, Schema, SignedAsk};

use crate::context;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::show::Shown;
use crate::total::PutAs;
use crate::verify::{Wanted, verify};

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

    /// These partners; every partner of the register where none is named.
    pub(crate) fn those(&self, named: &[PartnerId]) -> Vec<PartnerId> {
        match named {
            [] => self.register.partners.iter().map(|p| p.id.clone()).collect(),
            named => named.to_vec(),
        }
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
            (Some(role), roles) => {
                let names: Vec<&str> = roles.iter().map(|r| r.as_str()).collect();
                let says = format!(
                    "no credential for the role `{role}`; there are credentials for {}",
                    names.join(", ")
                );
                Err(Failure::new("CC202", says))
            }
            (None, roles) => {
                let names: Vec<&str> = roles.iter().map(|r| r.as_str()).collect();
                Err(Failure::new(
                    "CC203",
                    format!("say --role: there are credentials for {}", names.join(", ")),
                ))
            }
        }
    }

    /// Puts one question and verifies what comes back.
    pub(crate) async fn ask(&mut self, put: Put, progress: &mut Progress) -> Result<Shown, Failure> {
        let Signed { ask, grid, mut signed } = self.sign(put.question, put.partners, put.expires_in_s)?;
        let hash = signed_hash(&signed)?;
        let wanted = if put.put_as.is_some() { Wanted::Total } else { Wanted::OwnTables };
        if let Some(put_as) = put.put_as {
            let key = self.identity.signing_key();
            signed = signed.as_total(put_as.manifest((&ask, hash, &grid), &self.register, key)?);
        }
        let result = self.put(&signed.to_bytes(), progress).await?;
        verify(&self.register, (&ask, hash, wanted), grid, result)
    }

    /// Asks one question of one partner, and gives how long the result took to come and its bytes as they came, not verified: what a
    /// network sees.
    #[cfg(all(feature = "coordinator", feature = "node"))]
    pub(crate) async fn seen(
        &mut self,
        question: Question,
        partner: PartnerId,
        expires_in_s: u64,
        progress: &mut Progress,
    ) -> Result<(Duration, RoundResult), Failure> {
        let bytes = self.sign(question, vec![partner], expires_in_s)?.signed.to_bytes();
        let begun = tokio::time::Instant::now();
        let result = self.put(&bytes, progress).await?;
        Ok((begun.elapsed(), result))
    }

    fn sign(
        &self,
        question: Question,
        partners: Vec<PartnerId>,
        expires_in_s: u64,
    ) -> Result<Signed, Failure> {
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
        Ok(Signed { ask, grid, signed })
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
}

/// A question to a federation.
pub(crate) struct Put {
    pub(crate) question: Question,
    /// Who is asked.
    pub(crate) partners: Vec<PartnerId>,
    pub(crate) expires_in_s: u64,
    /// The secure total that it is put as; `None` for each partner's own table.
    pub(crate) put_as: Option<PutAs>,
}

/// A question as it is sent, and what a reply to it must be.
struct Signed {
    ask: AskV1,
    grid: Grid,
    signed: SignedAsk,
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
