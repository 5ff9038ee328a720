//! The running coordinator: a thin shell around [`crate::round`], [`crate::accept()`] and [`crate::store`].

mod checkpoints;
mod desk;
mod hub;
mod linkage;
mod members;
mod running;
mod sealing;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cairn_link::{Clock, CoordinatorIdentity, Event, LinkError, Listener};
use cairn_question::{PartnerId, PolicyCard};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::store::{Store, StoreFault};
use hub::Hub;
use members::Members;

pub use members::MembersFault;

/// How often the register and the deny list are looked at. A change is rare and a person waits for it.
const RELOAD_EVERY: Duration = Duration::from_secs(2);

/// How often closed rounds that are old are forgotten: seldom, since it looks at all of them.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// A coordinator that runs until it is stopped.
pub struct Coordinator {
    address: SocketAddr,
    hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    door: JoinHandle<()>,
}

/// Why a coordinator does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartFault {
    /// The register cannot be served.
    #[error(transparent)]
    Members(#[from] MembersFault),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The network or the identity.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl StartFault {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Members(fault) => fault.code(),
            Self::Store(fault) => fault.code(),
            Self::Link(fault) => fault.code(),
        }
    }
}

/// How a coordinator stands, for its operator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Status {
    /// The version of the register in force.
    pub register_version: u32,
    /// The partners that are connected.
    pub connected: Vec<PartnerId>,
    /// The partners of the register that are not.
    pub away: Vec<PartnerId>,
    /// How many rounds are open.
    pub open_rounds: usize,
    /// The public part of each partner's policy, as the partner signed it last since the coordinator started.
    pub policies: Vec<PolicyCard>,
}

impl Coordinator {
    /// Opens the store and the door, and takes up the rounds that were open when the coordinator last stopped.
    ///
    /// # Errors
    /// [`StartFault`]; nothing runs then.
    pub async fn start(
        config: &Config,
        identity: CoordinatorIdentity,
        clock: Clock,
    ) -> Result<Self, StartFault> {
        let mut store = Store::open(&config.store_path)?;
        let members = Members::load(&config.register_path, &identity, store.newest_register()?)?;
        store.keep_register(members.register.version, &members.signed)?;
        let listener = Listener::bind(&identity, config.listen, &clock)?;
        let address = listener.local_address();
        let hub = Arc::new(Hub::new(config.clone(), identity, clock, members, store));
        running::resume_all(&hub).await?;
        let (stop, stopped) = watch::channel(false);
        tracing::info!(%address, "the coordinator listens");
        let door = tokio::spawn(serve(listener, Arc::clone(&hub), stopped));
        Ok(Self { address, hub, stop, door })
    }

    /// The address that it listens on.
    #[must_use]
    pub const fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.hub.status()
    }

    /// Stops: takes no more questions, closes every connection and waits until what is being written is on disk. Open rounds stay
    /// open in the store and are taken up at the next start.
    pub async fn stop(self) {
        self.hub.begin_to_stop();
        // Nobody listening means that it has stopped already.
        let _ = self.stop.send(true);
        let _ = self.door.await;
        self.hub.settle().await;
    }
}

async fn serve(mut listener: Listener, hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut reload = tokio::time::interval(RELOAD_EVERY);
    let mut forget = tokio::time::interval(FORGET_EVERY);
    loop {
        tokio::select! {
            event = listener.next() => match event {
                Some(event) => handle(&hub, event),
                None => break,
            },
            _ = reload.tick() => {
                if let Some(denied) = hub.reload().await {
                    listener.deny(denied);
                }
            }
            _ = forget.tick() => hub.forget().await,
            _ = stopped.changed() => break,
        }
    }
    listener.close().await;
}

fn handle(hub: &Arc<Hub>, event: Event) {
    match event {
        Event::NodeUp { partner, node } => {
            hub.tell_held(partner.clone(), node.clone());
            hub.node_up(&partner, node);
        }
        Event::NodeDown { partner } => hub.node_down(&partner),
        Event::PolicyCard { partner, card } => hub.take_card(&partner, &card),
        Event::Checkpoint { partner, checkpoint } => hub.take_checkpoint(partner, checkpoint),
        Event::Kept(end) => hub.take_kept(end),
        Event::Linkage { from, handed } => hub.pass_on(&from, handed),
        Event::Asked { analyst, ask, responder } => {
            tokio::spawn(desk::asked(Arc::clone(hub), analyst, ask, responder));
        }
        Event::Fetched { analyst, question, responder } => {
            tokio::spawn(desk::fetched(Arc::clone(hub), analyst, question, responder));
        }
        Event::RegisterWanted { analyst, responder } => {
            tracing::debug!(%analyst, "sends the register");
            responder.send(hub.members().signed.clone());
        }
        _ => tracing::warn!("an event at the door that this program does not know"),
    }
}

#[cfg(test)]
mod tests;
