//! One connection: reads one request, and writes the answers, all within time limits.

use super::Context;
use super::peer::Peer;
use crate::api::PendingRequest;
use crate::claims::Found;
use control::{Request, Response};
use std::fmt;
use std::io;
use std::time::Duration;
use sys::output::error_text;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// The longest request in bytes.
const MAX_REQUEST: usize = 1 << 16;
/// For a client to send its request, and to read each answer.
const CLIENT_LIMIT: Duration = Duration::from_secs(5);
/// For the loop to carry out another request than `drain`, for which it says how long it takes. When this is over, the
/// connection ends, and the loop continues.
const REQUEST_LIMIT: Duration = Duration::from_secs(12);
/// After the time that the loop has said.
const MARGIN: Duration = Duration::from_secs(2);
/// For the loop to report the status.
const STATUS_LIMIT: Duration = Duration::from_secs(4);
/// Between two requests for the status from users who may not drain.
const PAUSE: Duration = Duration::from_millis(20);
/// How many answers may wait until the client reads them.
const ANSWERS_AHEAD: usize = 16;

const DROPPED: &str = "rcrond ended the request without an answer";
const STOPPING: &str = "rcrond is stopping";

/// Why a request cannot be used.
enum RequestError {
    Read(io::Error),
    TooLong,
    Invalid(serde_json::Error),
}

impl fmt::Display for RequestError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(out, "the request cannot be read: {}", error_text(error)),
            Self::TooLong => write!(out, "the request is longer than {MAX_REQUEST} bytes"),
            Self::Invalid(error) => write!(out, "not a request, or one of a later version of rcronctl: {error}"),
        }
    }
}

/// Reads one request and answers it. The connection ends without an answer if the client is too slow.
pub(super) async fn serve(stream: UnixStream, peer: Peer, context: &Context) {
    let uid = peer.uid;
    let (reader, mut writer) = stream.into_split();
    let Ok(request) = timeout(CLIENT_LIMIT, read_request(reader)).await else {
        return;
    };
    // An error of the writer means that the client has gone.
    let _ = match request {
        Ok(None) => return,
        Ok(Some(request @ Request::Status { .. })) => {
            let answer = answer_query(request, None, uid, context).await;
            write(&mut writer, &answer).await
        }
        Ok(Some(request @ (Request::Ticks { .. } | Request::Jobs { .. }))) => {
            let answer = match visible_user(&request, uid, context).await {
                Ok(only_user) => answer_query(request, only_user, uid, context).await,
                Err(answer) => answer,
            };
            write(&mut writer, &answer).await
        }
        Ok(Some(_)) if !context.owner.may_drain(uid) => {
            let message = "only root and rcrond's own user may drain, undrain, reopen and reload".to_owned();
            write(&mut writer, &Response::Refused { message }).await
        }
        Ok(Some(request)) => {
            let asked_by = peer.description(&context.users).await;
            relay(request, asked_by, context, &mut writer).await
        }
        Err(error) => write(&mut writer, &error_response(&error.to_string())).await,
    };
}

/// `None` if the client has closed the connection without a request, as a probe for a listener does.
async fn read_request(reader: OwnedReadHalf) -> Result<Option<Request>, RequestError> {
    let mut line = Vec::new();
    let limit = u64::try_from(MAX_REQUEST).unwrap_or(u64::MAX);
    let read = BufReader::new(reader.take(limit)).read_until(b'\n', &mut line).await;
    read.map_err(RequestError::Read)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.len() == MAX_REQUEST && !line.ends_with(b"\n") {
        return Err(RequestError::TooLong);
    }
    serde_json::from_slice(&line).map(Some).map_err(RequestError::Invalid)
}

/// The user whose ticks and jobs the client may see; `None` for all of them.
///
/// # Errors
/// The answer for a client that asks for another user's, or whose user has no name.
async fn visible_user(request: &Request, uid: u32, context: &Context) -> Result<Option<String>, Response> {
    if context.owner.may_drain(uid) {
        return Ok(None);
    }
    let own = match context.users.find(uid).await {
        Found::Name(name) => name,
        Found::Nobody => {
            let message = format!("this server has no user with the number {uid}");
            return Err(Response::Refused { message });
        }
        Found::NoAnswer => return Err(error_response("the user's name cannot be looked up: try again")),
    };
    match request {
        Request::Ticks { user: Some(user), .. } if **user != *own => {
            let message = "only root and rcrond's own user may see the ticks of other users".to_owned();
            Err(Response::Refused { message })
        }
        _ => Ok(Some(own.as_ref().to_owned())),
    }
}

/// The loop gets the requests of users who may not drain one after the other, with pauses, because each costs time of the loop
/// or a call to the store.
async fn answer_query(request: Request, only_user: Option<String>, uid: u32, context: &Context) -> Response {
    let deadline = Instant::now() + STATUS_LIMIT;
    let answer = async {
        if context.owner.may_drain(uid) {
            return ask(request, only_user, context).await;
        }
        let lock = match request {
            Request::Status { nodes: false } => &context.query_locks.daemon,
            _ => &context.query_locks.store,
        };
        let _locked = lock.lock().await;
        let answer = ask(request, only_user, context).await;
        tokio::time::sleep(PAUSE).await;
        answer
    };
    let answer = timeout_at(deadline, answer).await;
    answer.unwrap_or_else(|_| error_response("rcrond is too busy to answer: try again"))
}

async fn ask(request: Request, only_user: Option<String>, context: &Context) -> Response {
    let (replies, mut answers) = mpsc::channel(1);
    let pending = PendingRequest {
        request,
        only_user,
        asked_by: String::new(),
        replies,
    };
    if context.requests.send(pending).await.is_err() {
        return error_response(STOPPING);
    }
    answers.recv().await.unwrap_or_else(|| error_response(DROPPED))
}

/// Writes the answers as they come, up to the last.
async fn relay(request: Request, asked_by: String, context: &Context, writer: &mut OwnedWriteHalf) -> io::Result<()> {
    let (replies, mut answers) = mpsc::channel(ANSWERS_AHEAD);
    let pending = PendingRequest {
        request,
        only_user: None,
        asked_by,
        replies,
    };
    match timeout(CLIENT_LIMIT, context.requests.send(pending)).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) => return write(writer, &error_response(STOPPING)).await,
        Err(_) => {
            let message = "rcrond is too busy, and nothing was done: try again";
            return write(writer, &error_response(message)).await;
        }
    }
    let mut deadline = Instant::now() + REQUEST_LIMIT;
    loop {
        let answer = match timeout_at(deadline, answers.recv()).await {
            Ok(Some(answer)) => answer,
            Ok(None) => error_response(DROPPED),
            Err(_) => error_response("rcrond has not finished in time and is still working on it"),
        };
        if let Response::Progress {
            answer_within_ms: Some(limit),
            ..
        } = answer
        {
            deadline = later(Duration::from_millis(limit).saturating_add(MARGIN));
        }
        write(writer, &answer).await?;
        if answer.is_last() {
            return Ok(());
        }
    }
}

/// So long from now; a client may ask for more than a clock can hold.
fn later(duration: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + duration.min(YEAR)
}

async fn write(writer: &mut OwnedWriteHalf, answer: &Response) -> io::Result<()> {
    timeout(CLIENT_LIMIT, writer.write_all(&to_line(answer))).await?
}

fn error_response(message: &str) -> Response {
    let message = message.to_owned();
    Response::Error { message }
}

/// An answer as it is sent.
pub(super) fn to_line(answer: &Response) -> Vec<u8> {
    // Serializing cannot fail: an answer contains only text, integers and lists.
    let mut line = serde_json::to_vec(answer).unwrap_or_default();
    line.push(b'\n');
    line
}
