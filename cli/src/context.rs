//! What the program takes from the machine it runs on: the clock, randomness, the width of the screen. Nothing below `cli`
//! reads them by itself.

use std::io::IsTerminal as _;
use std::time::{SystemTime, UNIX_EPOCH};

use cairn_link::Clock;
use cairn_question::{Moment, QuestionId};
use ring::rand::SecureRandom as _;

use crate::failure::Failure;

/// The time by this machine's clock.
pub(crate) fn now() -> Moment {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the clock is read")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Moment::from_unix_s(since.map_or(0, |d| d.as_secs()))
}

/// The clock, to be handed down.
pub(crate) fn clock() -> Clock {
    Clock::new(now)
}

/// 32 random bytes from the operating system.
pub(crate) fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    let random = ring::rand::SystemRandom::new();
    random.fill(&mut bytes).map_err(|_| Failure::new("CC001", "the operating system gave no randomness"))?;
    Ok(bytes)
}

/// A question's own number.
pub(crate) fn question_id() -> Result<QuestionId, Failure> {
    random().map(QuestionId::from_bytes)
}

/// Columns of the screen; 100 where there is none.
pub(crate) fn width() -> u16 {
    #[expect(clippy::disallowed_methods, reason = "the environment is read in `cli` only")]
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    let screen = std::io::stdout().is_terminal().then(|| comfy_table::Table::new().width()).flatten();
    columns.or(screen).unwrap_or(100_u16).clamp(60, 200)
}

/// The runtime of the services and of a client: as many threads as the machine has cores.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|_| Failure::new("CC002", "the operating system gave no threads"))
}

/// Waits for an interrupt or, on Unix, for the signal with which a service manager stops a service.
#[cfg(any(feature = "coordinator", feature = "node"))]
pub(crate) async fn until_told_to_stop() -> Result<(), Failure> {
    let cannot = |_| Failure::new("CC002", "the operating system gives no signals");
    #[cfg(unix)]
    {
        let mut stop =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(cannot)?;
        tokio::select! {
            done = tokio::signal::ctrl_c() => done.map_err(cannot),
            _ = stop.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(cannot)
}
