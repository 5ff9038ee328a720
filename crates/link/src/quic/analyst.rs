//! An analyst's end.

use cairn_question::{PartnerId, QuestionId};
use std::collections::HashMap;
use std::fmt;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::dial::dial;
use super::drive::{Around, End, drive};
use super::endpoint::lost;
use super::wire::Wire;
use crate::address::Address;
use crate::clock::Clock;
use crate::close::Close;
use crate::error::LinkError;
use crate::frame::{Closing, Progress};
use crate::identity::AnalystIdentity;
use crate::session::{AnalystEvent, AnalystSession, Now, Stream};

/// An analyst's connection to the coordinator. Several requests may be under way at a time.
pub struct AnalystClient {
    commands: mpsc::UnboundedSender<Command>,
    endpoint: quinn::Endpoint,
    task: JoinHandle<()>,
}

/// What came back: nothing in it is verified yet.
#[derive(Clone)]
pub struct RoundResult {
    /// The partners' signed replies, each partner once, in the order in which they came.
    pub replies: Vec<(PartnerId, Vec<u8>)>,
    /// The signed coverage statement.
    pub coverage: Vec<u8>,
}

impl AnalystClient {
    /// Dials the coordinator and waits to be welcomed.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn connect(
        identity: &AnalystIdentity,
        coordinator: &Address,
        clock: &Clock,
    ) -> Result<Self, LinkError> {
        let dialled = dial(identity.transport(), coordinator, clock).await?;
        let (commands, mut obeyed) = mpsc::unbounded_channel();
        let (welcome, welcomed) = oneshot::channel();
        let (connection, clock) = (dialled.connection, clock.clone());
        let task = tokio::spawn(async move {
            let mut around = AroundAnalyst { welcome: Some(welcome), waiting: HashMap::new() };
            let begin = AnalystSession::dial;
            let why = drive(connection, End::Dialled, &clock, begin, &mut around, &mut obeyed).await;
            around.over(&lost(&why));
        });
        let client = Self { commands, endpoint: dialled.endpoint, task };
        welcomed.await.unwrap_or_else(|_| Err(gone()))?;
        Ok(client)
    }

    /// Sends a signed question and waits for the round's result; `on_progress` hears how it stands.
    ///
    /// # Errors
    /// [`LinkError::Declined`] with the coordinator's own code; [`LinkError::Lost`], after which [`Self::fetch`] gets the result
    /// of a question that was accepted.
    pub async fn ask(
        &self,
        ask: Vec<u8>,
        on_progress: impl FnMut(Progress) + Send,
    ) -> Result<RoundResult, LinkError> {
        self.result(Request::Ask(ask), on_progress).await
    }

    /// The result of an earlier question of the same analyst; waits if its round is still open.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn fetch(
        &self,
        question: QuestionId,
        on_progress: impl FnMut(Progress) + Send,
    ) -> Result<RoundResult, LinkError> {
        self.result(Request::Fetch(question), on_progress).await
    }

    /// The federation's signed register. The caller checks its signature.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn register(&self) -> Result<Vec<u8>, LinkError> {
        match self.request(Request::Register, |_| {}).await? {
            Answer::Register(register) => Ok(register),
            _ => Err(LinkError::Closed(Close::Unexpected)),
        }
    }

    /// Ends the connection and waits until the other end has been told.
    pub async fn close(self) {
        let _ = self.commands.send(Command::End);
        self.endpoint.wait_idle().await;
    }

    async fn result(
        &self,
        request: Request,
        on_progress: impl FnMut(Progress) + Send,
    ) -> Result<RoundResult, LinkError> {
        match self.request(request, on_progress).await? {
            Answer::Result(result) => Ok(result),
            _ => Err(LinkError::Closed(Close::Unexpected)),
        }
    }

    async fn request(
        &self,
        request: Request,
        mut on_progress: impl FnMut(Progress) + Send,
    ) -> Result<Answer, LinkError> {
        let (to, mut answers) = mpsc::unbounded_channel();
        self.commands.send(Command::Request(request, to)).map_err(|_| gone())?;
        loop {
            match answers.recv().await {
                Some(Answer::Progress(progress)) => on_progress(progress),
                Some(Answer::Declined(closing)) => return Err(declined(closing)),
                Some(Answer::Failed(why)) => return Err(why),
                Some(answer) => return Ok(answer),
                None => return Err(gone()),
            }
        }
    }
}

impl Drop for AnalystClient {
    fn drop(&mut self) {
        // Without `close` the other end is told too, if the program lives long enough to send the packet.
        let close = Close::GoingAway;
        self.endpoint.close(quinn::VarInt::from_u32(close.number()), close.to_string().as_bytes());
        self.task.abort();
    }
}

fn declined(closing: Closing) -> LinkError {
    let plain = |text: String| text.chars().filter(|c| !c.is_control()).collect();
    LinkError::Declined { code: plain(closing.code), says: plain(closing.says) }
}

fn gone() -> LinkError {
    LinkError::Lost { why: "the connection is gone".to_owned() }
}

enum Command {
    Request(Request, mpsc::UnboundedSender<Answer>),
    End,
}

enum Request {
    Ask(Vec<u8>),
    Fetch(QuestionId),
    Register,
}

enum Answer {
    Progress(Progress),
    Result(RoundResult),
    Register(Vec<u8>),
    Declined(Closing),
    Failed(LinkError),
}

struct AroundAnalyst {
    welcome: Option<oneshot::Sender<Result<(), LinkError>>>,
    waiting: HashMap<Stream, mpsc::UnboundedSender<Answer>>,
}

impl Around for AroundAnalyst {
    type Session = AnalystSession;
    type Command = Command;

    fn obey(&mut self, session: &mut AnalystSession, _wire: &Wire, command: Command, now: Now) {
        let (request, to) = match command {
            Command::End => return session.end(Close::GoingAway),
            Command::Request(request, to) => (request, to),
        };
        let sent = match request {
            Request::Ask(ask) => session.ask(ask, now),
            Request::Fetch(question) => session.fetch(question, now),
            Request::Register => session.register(now),
        };
        match sent {
            Ok(stream) => {
                self.waiting.insert(stream, to);
            }
            Err(close) => {
                let _ = to.send(Answer::Failed(LinkError::Closed(close)));
            }
        }
    }

    fn notice(&mut self, session: &mut AnalystSession, _wire: &Wire, event: AnalystEvent) {
        match event {
            AnalystEvent::Welcomed => self.greeted(Ok(())),
            AnalystEvent::WrongClock { apart_min } => self.greeted(Err(LinkError::Clock { apart_min })),
            AnalystEvent::Accepted(..) => {}
            AnalystEvent::Progress(stream, progress) => {
                let to = self.waiting.get(&stream);
                // Whoever asked has gone: nobody needs the rest.
                if to.is_none_or(|to| to.send(Answer::Progress(progress)).is_err()) {
                    self.waiting.remove(&stream);
                    session.give_up(stream);
                }
            }
            AnalystEvent::Result(stream, replies, coverage) => {
                self.answer(stream, Answer::Result(RoundResult { replies, coverage }));
            }
            AnalystEvent::Register(stream, register) => self.answer(stream, Answer::Register(register)),
            AnalystEvent::Declined(stream, closing) => self.answer(stream, Answer::Declined(closing)),
            AnalystEvent::Failed(stream, Some(close)) => {
                self.answer(stream, Answer::Failed(LinkError::Closed(close)));
            }
            // Told by `over`, which knows what the network said.
            AnalystEvent::Failed(_, None) => {}
        }
    }
}

impl AroundAnalyst {
    fn greeted(&mut self, how: Result<(), LinkError>) {
        if let Some(welcome) = self.welcome.take() {
            let _ = welcome.send(how);
        }
    }

    fn answer(&mut self, stream: Stream, answer: Answer) {
        if let Some(to) = self.waiting.remove(&stream) {
            let _ = to.send(answer);
        }
    }

    fn over(mut self, why: &LinkError) {
        self.greeted(Err(why.clone()));
        for to in self.waiting.into_values() {
            let _ = to.send(Answer::Failed(why.clone()));
        }
    }
}

impl fmt::Debug for RoundResult {
    /// How much came, never what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoundResult({} replies)", self.replies.len())
    }
}
