//! Listens to the store: each change of the records that the last read was about makes the machine look again.

use super::asker::within;
use crate::news::Newsroom;
use lease::Input;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Error, Store, Watch};
use tokio::sync::watch::Receiver;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Between attempts. Until one succeeds the machine looks by itself, so there is no hurry.
const RETRY: Duration = Duration::from_millis(250);
/// A watch that ends sooner than this is not one that works.
const LASTING: Duration = Duration::from_secs(10);
const LONGEST_RETRY: Duration = Duration::from_secs(4);

/// What to listen to.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keys: Vec<String>,
}

/// The task: until nobody wants to know any more.
pub(crate) async fn run(mut subject: Receiver<Subject>, newsroom: Newsroom) {
    let mut pause = RETRY;
    loop {
        let wanted = subject.borrow_and_update().clone();
        if wanted.keys.is_empty() {
            if subject.changed().await.is_err() {
                return;
            }
            continue;
        }
        match within(CONNECT_LIMIT, wanted.store.watch(wanted.keys)).await {
            Ok(watch) => {
                let began = Instant::now();
                // It also hints: what was changed before has been missed.
                newsroom.input(Input::Watching(true));
                let news = listen(watch, &mut subject, &newsroom).await;
                if news == Heard::NobodyAsks {
                    return;
                }
                if news == Heard::OtherKeys {
                    continue;
                }
                newsroom.input(Input::Watching(false));
                let lasted = began.elapsed() >= LASTING;
                pause = if lasted { RETRY } else { (pause * 2).min(LONGEST_RETRY) };
            }
            Err(_) => {
                newsroom.input(Input::Watching(false));
                pause = (pause * 2).min(LONGEST_RETRY);
            }
        }
        tokio::time::sleep(jittered(pause)).await;
        if subject.has_changed().is_err() {
            return;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    NobodyAsks,
    OtherKeys,
    Nothing,
}

async fn listen(mut watch: Box<dyn Watch>, subject: &mut Receiver<Subject>, newsroom: &Newsroom) -> Heard {
    loop {
        let changed: Result<(), Error> = tokio::select! {
            changed = watch.changed() => changed,
            other = subject.changed() => {
                return if other.is_ok() { Heard::OtherKeys } else { Heard::NobodyAsks };
            }
        };
        match changed {
            Ok(()) => newsroom.input(Input::Hint),
            Err(_) => return Heard::Nothing,
        }
    }
}

/// Between half of it and all of it: many daemons lose one store at once.
fn jittered(span: Duration) -> Duration {
    let random = u32::from(sys::random::ten_bytes()[0]);
    span / 2 + span / 512 * random
}
