//! Lines on their way to the thread that writes them.

use jiff::Timestamp;
use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, Record};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

/// How many lines may wait.
const ROOM: usize = 512;

/// How long the end of the process waits for the log.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// For reading a time zone's file. Small enough that the kernel makes no huge page of it.
const STACK: usize = 512 * 1024;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// When it was said.
    pub(super) time: Timestamp,
    pub(super) level: Level,
    /// The module that said it.
    pub(super) target: String,
    pub(super) text: String,
    /// For journald.
    pub(super) fields: Vec<(String, String)>,
}

impl Line {
    pub(super) fn new(record: &Record, node: Option<&String>) -> Self {
        let mut fields = Fields(Vec::new());
        // The visitor itself does not fail.
        let _ = record.key_values().visit(&mut fields);
        fields.0.extend(node.map(|node| ("NODE".to_owned(), node.clone())));
        Self {
            time: Timestamp::now(),
            level: record.level(),
            target: record.target().to_owned(),
            text: record.args().to_string(),
            fields: fields.0,
        }
    }

    fn of_the_lost(count: u64) -> Self {
        let text = format!("{count} lines of this log were lost: they could not be written in time");
        let arguments = Record::builder().level(Level::Warn).target(module_path!()).build();
        Self {
            text,
            ..Self::new(&arguments, None)
        }
    }
}

struct Fields(Vec<(String, String)>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        self.0.push((key.as_str().to_owned(), value.to_string()));
        Ok(())
    }
}

enum Parcel {
    Line(Line),
    /// All before this is written.
    Mark(SyncSender<()>),
}

/// A queue with a thread that empties it. Nobody who puts something in waits.
pub(super) struct Queue {
    sender: SyncSender<Parcel>,
    lost: Arc<AtomicU64>,
    /// The process's end is not kept waiting twice.
    gave_up: OnceLock<()>,
}

impl Queue {
    /// Starts the thread; `write` may take any time.
    pub(super) fn start(write: impl FnMut(&Line) + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(ROOM);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = lost.clone();
        thread::Builder::new()
            .name("log".to_owned())
            .stack_size(STACK)
            .spawn(move || empty(&receiver, &counted, write))?;
        Ok(Self {
            sender,
            lost,
            gave_up: OnceLock::new(),
        })
    }

    /// Puts a line in, or counts it as lost.
    pub(super) fn put(&self, line: Line) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Parcel::Line(line)) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all that is in it now is written, but not for ever.
    pub(super) fn flush(&self) {
        let (sender, receiver) = sync_channel(1);
        if self.gave_up.get().is_some() || self.sender.try_send(Parcel::Mark(sender)).is_err() {
            return;
        }
        if receiver.recv_timeout(LAST_WAIT).is_err() {
            let _ = self.gave_up.set(());
        }
    }
}

fn empty(receiver: &Receiver<Parcel>, lost: &AtomicU64, mut write: impl FnMut(&Line)) {
    while let Ok(parcel) = receiver.recv() {
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            write(&Line::of_the_lost(count));
        }
        match parcel {
            Parcel::Line(line) => write(&line),
            Parcel::Mark(waiting) => drop(waiting.try_send(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc;

    fn line(number: usize) -> Line {
        Line {
            text: number.to_string(),
            ..Line::of_the_lost(0)
        }
    }

    #[test]
    fn lines_are_written_in_their_order_before_a_flush_returns() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let into = written.clone();
        let queue = Queue::start(move |line| into.lock().expect("lines").push(line.text.clone())).expect("a thread");
        for number in 0..100 {
            queue.put(line(number));
        }
        queue.flush();
        let expected: Vec<_> = (0..100).map(|number| number.to_string()).collect();
        assert_eq!(*written.lock().expect("lines"), expected);
    }

    #[test]
    fn a_log_that_nobody_reads_holds_nothing_up_and_the_loss_is_told() {
        let (stuck, free) = mpsc::channel::<()>();
        let (seen, texts) = mpsc::channel();
        let write = move |line: &Line| {
            let _ = free.recv(); // until the other end is dropped
            let _ = seen.send(line.text.clone());
        };
        let queue = Queue::start(write).expect("a thread");
        // The thread takes one or none: then the queue is full.
        for number in 0..ROOM + 11 {
            queue.put(line(number));
        }
        queue.flush();
        drop(stuck);
        let lost = testing::until("the loss", || {
            queue.put(line(0));
            texts.try_iter().find(|text| text.contains("were lost"))
        });
        let count: u64 = lost.split(' ').next().expect("a number").parse().expect("a number");
        assert!(count >= 10, "{lost}");
    }

    #[test]
    fn fields_and_the_node_go_with_the_line() {
        let fields = [("CLUSTER", "web\n1"), ("EPOCH", "42")];
        let record = Record::builder().level(Level::Info).key_values(&fields).build();
        let line = Line::new(&record, Some(&"server1".to_owned()));
        let field = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let expected = [
            field("CLUSTER", "web\n1"),
            field("EPOCH", "42"),
            field("NODE", "server1"),
        ];
        assert_eq!(line.fields, expected);
    }
}
