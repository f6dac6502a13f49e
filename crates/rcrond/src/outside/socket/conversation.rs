//! One connection: a line comes in, answers go out, all within time limits.

use super::{Ask, Desk};
use control::{Request, Response};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// No request is longer, in bytes: 64 KiB.
const LONGEST: usize = 1 << 16;
/// For a client to send its request, and for it to take each answer.
const CLIENT: Duration = Duration::from_secs(5);
/// For the loop to give clusters away, beside the time that it waits for jobs. It goes on when that is over; the seat is free again.
const LOOP: Duration = Duration::from_secs(12);
/// For the loop to say how things are.
const LOOK: Duration = Duration::from_secs(8);
/// Between two such questions of users who may only look.
const BREATH: Duration = Duration::from_millis(20);
/// Answers that wait for a client to take them.
const AHEAD: usize = 16;

/// Takes one request and answers it. A client that does not keep to its times is dropped.
pub(super) async fn hold(stream: UnixStream, uid: u32, desk: &Desk) {
    let (reader, mut writer) = stream.into_split();
    let Ok(read) = timeout(CLIENT, request(reader)).await else {
        return;
    };
    // Nobody learns of a client that has gone.
    let _ = match read {
        Ok(None) => return,
        Ok(Some(request)) if !is_looking(&request) && !desk.owner.may_drain(uid) => {
            let message = "only root may drain and undrain".to_owned();
            tell(&mut writer, &Response::Refused { message }).await
        }
        Ok(Some(request)) if is_looking(&request) => tell(&mut writer, &look(request, uid, desk).await).await,
        Ok(Some(request)) => relay(request, desk, &mut writer).await,
        Err(message) => tell(&mut writer, &Response::Error { message }).await,
    };
}

const fn is_looking(request: &Request) -> bool {
    matches!(request, Request::Status { .. })
}

/// `None` from a client that came only to see whether somebody listens.
async fn request(reader: OwnedReadHalf) -> Result<Option<Request>, String> {
    let mut line = Vec::new();
    let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    let read = BufReader::new(reader.take(limit)).read_until(b'\n', &mut line).await;
    read.map_err(|error| format!("the request cannot be read: {error}"))?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.len() == LONGEST && !line.ends_with(b"\n") {
        return Err(format!("the request is longer than {LONGEST} bytes"));
    }
    let request = serde_json::from_slice(&line);
    request
        .map(Some)
        .map_err(|error| format!("not a request, or one of a later version of rcronctl: {error}"))
}

/// A report. Users' questions come to the loop one after the other, with a pause: each costs it, and those for nodes the store.
async fn look(request: Request, uid: u32, desk: &Desk) -> Response {
    let deadline = Instant::now() + LOOK;
    let asked = async {
        if desk.owner.may_drain(uid) {
            return first_answer(request, desk).await;
        }
        let turn = match request {
            Request::Status { nodes: true } => &desk.turns.nodes,
            _ => &desk.turns.own,
        };
        let _turn = turn.lock().await;
        let answer = first_answer(request, desk).await;
        tokio::time::sleep(BREATH).await;
        answer
    };
    let answer = timeout_at(deadline, asked).await;
    answer.unwrap_or_else(|_| error("rcrond is too busy to say how things are: ask again"))
}

async fn first_answer(request: Request, desk: &Desk) -> Response {
    let (replies, mut answers) = mpsc::channel(1);
    if desk.asks.send(Ask { request, replies }).await.is_err() {
        return error("rcrond is about to end");
    }
    answers
        .recv()
        .await
        .unwrap_or_else(|| error("rcrond has dropped the question"))
}

/// Passes answers on as they come, to the last.
async fn relay(request: Request, desk: &Desk, writer: &mut OwnedWriteHalf) -> io::Result<()> {
    let wait = match &request {
        Request::Drain { wait_ms, .. } => Duration::from_millis(wait_ms.unwrap_or_default()),
        _ => Duration::ZERO,
    };
    let (replies, mut answers) = mpsc::channel(AHEAD);
    match timeout(CLIENT, desk.asks.send(Ask { request, replies })).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) => return tell(writer, &error("rcrond is about to end")).await,
        Err(_) => return tell(writer, &error("rcrond is too busy, nothing was done: ask again")).await,
    }
    let limit = wait.saturating_add(LOOP);
    let relayed = timeout(limit, async {
        while let Some(answer) = answers.recv().await {
            tell(writer, &answer).await?;
            if answer.is_last() {
                return Ok(true);
            }
        }
        Ok(false)
    });
    match relayed.await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => tell(writer, &error("rcrond has dropped the question")).await,
        Ok(Err(gone)) => Err(gone),
        Err(_) => tell(writer, &error("not done in time; rcrond goes on with it")).await,
    }
}

async fn tell(writer: &mut OwnedWriteHalf, answer: &Response) -> io::Result<()> {
    timeout(CLIENT, writer.write_all(&line(answer))).await?
}

fn error(message: &str) -> Response {
    let message = message.to_owned();
    Response::Error { message }
}

/// An answer as it is sent.
pub(super) fn line(answer: &Response) -> Vec<u8> {
    // What has no maps and no numbers but integers is always written.
    let mut line = serde_json::to_vec(answer).unwrap_or_default();
    line.push(b'\n');
    line
}
