//! The claim of a run while its job runs: rcrond learns from the connection that the run lives, and at its end how it ended.
//!
//! Whatever rcrond does, the job is not affected.

use super::{Connection, Received};
use inputs::clock;
use policy::claim::{Answer, Claim, Ended, Grant, Held, Request};
use policy::config::Config;
use policy::moment::BootTime;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// The pause between two tries to connect.
const RETRY: Duration = Duration::from_secs(1);
/// How long rcron waits at its end for `noted`.
const LAST_WORD: Duration = Duration::from_millis(200);
/// rcrond has nothing to say while the job runs. A connection with more messages than this at once is given up.
const MOST_MESSAGES: usize = 16;

/// A run that has a grant.
pub(crate) struct HeldClaim<'a> {
    config: &'a Config,
    held: Held,
    connection: Option<Connection>,
    /// When to connect again, if there is no connection.
    retry_at: BootTime,
    /// When `ended` was sent.
    ended_at: Option<BootTime>,
}

impl<'a> HeldClaim<'a> {
    pub(super) fn new(config: &'a Config, claim: &Claim, grant: &Grant, connection: Option<Connection>) -> Self {
        Self {
            config,
            held: Held {
                run: claim.run,
                tick: grant.tick,
                attempt: grant.attempt,
                job: claim.job.clone(),
                state_file: claim.state_file.clone(),
            },
            connection,
            retry_at: clock::boot_time(),
            ended_at: None,
        }
    }

    pub(super) fn into_connection(self) -> Option<Connection> {
        self.connection
    }

    /// The file to poll before the next [`HeldClaim::keep`].
    pub(crate) fn waits_for(&self) -> Option<BorrowedFd<'_>> {
        self.connection.as_ref().map(AsFd::as_fd)
    }

    /// How long to wait before the next [`HeldClaim::keep`]; `None` while there is a connection.
    pub(crate) fn patience(&self) -> Option<Duration> {
        match self.connection {
            Some(_) => None,
            None => Some(self.retry_at.since(clock::boot_time())),
        }
    }

    /// Notices that the connection was closed, and connects again when it is time. Never waits.
    pub(crate) fn keep(&mut self) {
        let is_broken = self.connection.as_mut().is_some_and(|connection| !is_quiet(connection));
        if is_broken {
            self.connection = None;
            self.retry_at = clock::boot_time().after(RETRY);
        } else if self.connection.is_none() && clock::boot_time() >= self.retry_at {
            self.connect();
        }
    }

    fn connect(&mut self) {
        self.retry_at = clock::boot_time().after(RETRY);
        let held = Request::Held(self.held.clone());
        let connection = Connection::open(self.config).ok();
        self.connection = connection.filter(|connection| connection.send(&held));
    }

    /// Reports the end of the run. Never waits.
    pub(crate) fn report_end(&mut self, ended: Ended) {
        let ended = Request::Ended(ended);
        self.keep();
        if !self.send(&ended) {
            self.connect();
            self.send(&ended);
        }
        self.ended_at = Some(clock::boot_time());
    }

    /// Reports that the grant is not used, for this reason. Never waits.
    pub(crate) fn report_not_started(&self, why: &str) {
        self.send(&Request::NotStarted { why: why.to_owned() });
    }

    fn send(&self, request: &Request) -> bool {
        self.connection
            .as_ref()
            .is_some_and(|connection| connection.send(request))
    }

    /// Waits until rcrond has noted the end, not longer than 200 ms since the report.
    pub(crate) fn finish(&mut self) {
        let (Some(mut connection), Some(ended_at)) = (self.connection.take(), self.ended_at) else {
            return;
        };
        let given_up_at = ended_at.after(LAST_WORD);
        for _ in 0..MOST_MESSAGES {
            match connection.receive_within(given_up_at.since(clock::boot_time())) {
                None | Some(Answer::Noted) => return,
                Some(_) => {}
            }
        }
    }
}

/// Whether the connection stands. What comes is not for this run.
fn is_quiet(connection: &mut Connection) -> bool {
    for _ in 0..MOST_MESSAGES {
        match connection.receive() {
            Received::Nothing => return true,
            Received::Closed => return false,
            Received::Answer(_) => {}
        }
    }
    false
}
