//! One connection of rcron: one run, from its claim to its end. It may be silent for hours while it waits or while its job runs, and
//! costs a few hundred bytes then.

use super::messages::{Answers, Asked, ClientEvent};
use super::socket::Context;
use super::users::Found;
use claims::Client;
use policy::claim::{Answer, LONGEST_LINE, Request};
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::timeout;

/// For the first line.
const FIRST_LINE_LIMIT: Duration = Duration::from_secs(5);
/// For the client to read an answer.
const WRITE_LIMIT: Duration = Duration::from_secs(5);
/// For the loop to answer the last message of a run.
const NOTED_LIMIT: Duration = Duration::from_secs(10);
/// How much is read at once. Most lines are shorter.
const CHUNK: usize = 1 << 10;

/// Serves a client of this user until one of both ends closes the connection.
pub(super) async fn serve(stream: UnixStream, uid: u32, context: &Context) {
    let mut lines = Lines {
        stream,
        ahead: Vec::new(),
    };
    let Ok(Some(line)) = timeout(FIRST_LINE_LIMIT, lines.next()).await else {
        return;
    };
    let asked = match prepare(&line, uid, context).await {
        Ok(asked) => asked,
        Err(message) => {
            if let Some(message) = message {
                let _ = lines.write(&Answer::Refused { message }).await;
            }
            return;
        }
    };
    drop(line);
    let (client, received, asked) = asked;
    let has_grant = matches!(asked.request, Request::Held(_));
    if context.events.send(ClientEvent::Asked(asked)).await.is_err() {
        return;
    }
    // Whatever the reason is, the client is gone.
    let _ = converse(&mut lines, client, received, has_grant, context).await;
    let _ = context.events.send(ClientEvent::HungUp(client)).await;
}

type Prepared = (Client, UnboundedReceiver<Box<Answer>>, Box<Asked>);

/// Reads the first line, and finds the user's name and the cluster.
///
/// # Errors
/// What is wrong with the claim; `None` if rcron is to try again.
async fn prepare(line: &[u8], uid: u32, context: &Context) -> Result<Prepared, Option<String>> {
    let (request, state_file) = match Request::parse(line) {
        Some(Request::Claim(claim)) => {
            let file = claim.state_file.clone();
            (Request::Claim(claim), file)
        }
        Some(Request::Ask(claim)) => {
            let file = claim.state_file.clone();
            (Request::Ask(claim), file)
        }
        Some(Request::Held(held)) => {
            let file = held.state_file.clone();
            (Request::Held(held), file)
        }
        Some(Request::NotStarted { .. } | Request::Ended(_)) | None => {
            let message = "rcrond does not understand this claim: install the same version of rcron and rcrond";
            return Err(Some(message.to_owned()));
        }
    };
    let user = match context.users.find(uid).await {
        Found::Name(name) => name,
        Found::Nobody => return Err(Some(format!("this server has no user with the number {uid}"))),
        Found::NoAnswer => return Err(None),
    };
    let Some(cluster) = context.clusters.find(&state_file, uid).await? else {
        let file = inputs::diagnostic::shown(std::os::unix::ffi::OsStrExt::from_bytes(state_file.as_slice()));
        return Err(Some(format!(
            "the state file {file} belongs to no cluster of this server's rcrond, which therefore cannot grant a tick: add the \
             cluster to rcrond.toml, or omit once_per_tick"
        )));
    };
    let client = context.numbers.next();
    let (answers, received): (Answers, _) = mpsc::unbounded_channel();
    let asked = Box::new(Asked {
        client,
        user,
        cluster,
        request,
        answers,
    });
    Ok((client, received, asked))
}

/// Writes the answers as they come, and passes on what the client says after a grant. Ends after the last answer, when the
/// connection is closed, and if the client says anything else. After `not-started` the client may wait for another grant.
async fn converse(
    lines: &mut Lines,
    client: Client,
    mut answers: UnboundedReceiver<Box<Answer>>,
    mut has_grant: bool,
    context: &Context,
) -> Option<()> {
    let mut is_over = false;
    loop {
        tokio::select! {
            answer = answers.recv() => {
                let answer = answer?;
                lines.write(&answer).await.ok()?;
                match *answer {
                    Answer::Noted if is_over => return None,
                    Answer::Wait(_) | Answer::Noted => {}
                    Answer::Grant(_) => has_grant = true,
                    Answer::Over(_) | Answer::Refused { .. } | Answer::Would { .. } => return None,
                }
            }
            line = lines.next(), if !is_over => {
                let event = match Request::parse(&line?)? {
                    Request::NotStarted { .. } if has_grant => ClientEvent::NotStarted(client),
                    Request::Ended(ended) if has_grant => {
                        is_over = true;
                        ClientEvent::Ended(client, ended)
                    }
                    _ => return None,
                };
                has_grant = false;
                context.events.send(event).await.ok()?;
            }
            () = tokio::time::sleep(NOTED_LIMIT), if is_over => return None,
        }
    }
}

/// The lines of a client.
struct Lines {
    stream: UnixStream,
    /// What was read after the end of the last line.
    ahead: Vec<u8>,
}

impl Lines {
    /// The next line without its newline; `None` if the connection is closed, or the line is too long. May be dropped: no byte is
    /// lost.
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let rest = self.ahead.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.ahead, rest);
                line.truncate(end);
                return Some(line);
            }
            if self.ahead.len() > LONGEST_LINE {
                return None;
            }
            self.stream.readable().await.ok()?;
            if !self.read_some() {
                return None;
            }
        }
    }

    /// Whether the connection is still open. The buffer is not part of the task, which would have it for hours.
    fn read_some(&mut self) -> bool {
        let mut chunk = [0; CHUNK];
        match self.stream.try_read(&mut chunk) {
            Ok(0) => false,
            Ok(count) => {
                self.ahead.extend_from_slice(&chunk[..count]);
                true
            }
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    async fn write(&mut self, answer: &Answer) -> io::Result<()> {
        let mut line = answer.line();
        line.push('\n');
        timeout(WRITE_LIMIT, self.stream.write_all(line.as_bytes())).await?
    }
}
