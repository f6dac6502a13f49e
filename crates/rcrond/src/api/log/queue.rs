//! The queue between the tasks that log and the thread that writes.

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
const CAPACITY: usize = 512;

/// How long the end of the process waits until the log is written.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// In bytes: enough for reading a time zone's file, and so small that the kernel does not use a huge page for it.
const STACK: usize = 512 * 1024;

/// A line of the log; in journald's terms an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// When it was logged.
    pub(super) time: Timestamp,
    pub(super) level: Level,
    /// The module that has logged it.
    pub(super) target: String,
    pub(super) text: String,
    /// journald's fields.
    pub(super) fields: Vec<(String, String)>,
}

impl Line {
    pub(super) fn new(record: &Record, node: Option<&String>) -> Self {
        let mut fields = Fields(Vec::new());
        // This visitor never fails.
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

    fn about_lost_lines(count: u64) -> Self {
        let text = format!("{count} lines of the log were lost because they could not be written in time");
        let record = Record::builder().level(Level::Warn).target(module_path!()).build();
        Self {
            text,
            ..Self::new(&record, None)
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

enum Item {
    Line(Line),
    /// Answered when all lines before it are written.
    Flush(SyncSender<()>),
}

/// A bounded queue, and the thread that writes its lines. Adding a line never waits.
pub(super) struct Queue {
    sender: SyncSender<Item>,
    lost: Arc<AtomicU64>,
    /// Set when a flush was too slow. Further flushes do not wait, so that the end of the process is delayed only once.
    gave_up: OnceLock<()>,
}

impl Queue {
    /// Starts the thread. `write` may block.
    pub(super) fn start(write: impl FnMut(&Line) + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(CAPACITY);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = lost.clone();
        thread::Builder::new()
            .name("log".to_owned())
            .stack_size(STACK)
            .spawn(move || write_lines(&receiver, &counted, write))?;
        Ok(Self {
            sender,
            lost,
            gave_up: OnceLock::new(),
        })
    }

    /// Adds a line; if the queue is full, counts it as lost.
    pub(super) fn push(&self, line: Line) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Item::Line(line)) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits at most [`FLUSH_LIMIT`] until all lines in the queue are written.
    pub(super) fn flush(&self) {
        let (sender, receiver) = sync_channel(1);
        if self.gave_up.get().is_some() || self.sender.try_send(Item::Flush(sender)).is_err() {
            return;
        }
        if receiver.recv_timeout(FLUSH_LIMIT).is_err() {
            let _ = self.gave_up.set(());
        }
    }
}

fn write_lines(receiver: &Receiver<Item>, lost: &AtomicU64, mut write: impl FnMut(&Line)) {
    while let Ok(item) = receiver.recv() {
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            write(&Line::about_lost_lines(count));
        }
        match item {
            Item::Line(line) => write(&line),
            Item::Flush(waiting) => drop(waiting.try_send(())),
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
            ..Line::about_lost_lines(0)
        }
    }

    #[test]
    fn lines_are_written_in_their_order_before_a_flush_returns() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let into = written.clone();
        let queue = Queue::start(move |line| into.lock().expect("lines").push(line.text.clone())).expect("a thread");
        for number in 0..100 {
            queue.push(line(number));
        }
        queue.flush();
        let expected: Vec<_> = (0..100).map(|number| number.to_string()).collect();
        assert_eq!(*written.lock().expect("lines"), expected);
    }

    #[test]
    fn a_log_that_is_not_read_delays_nothing_and_the_loss_is_logged() {
        let (stuck, free) = mpsc::channel::<()>();
        let (seen, texts) = mpsc::channel();
        let write = move |line: &Line| {
            let _ = free.recv(); // returns when the other end is dropped
            let _ = seen.send(line.text.clone());
        };
        let queue = Queue::start(write).expect("a thread");
        // The thread takes at most one line out of the queue, which is then full.
        for number in 0..CAPACITY + 11 {
            queue.push(line(number));
        }
        queue.flush();
        drop(stuck);
        let lost = testing::until("the loss", || {
            queue.push(line(0));
            texts.try_iter().find(|text| text.contains("were lost"))
        });
        let count: u64 = lost.split(' ').next().expect("a number").parse().expect("a number");
        assert!(count >= 10, "{lost}");
    }

    #[test]
    fn a_line_has_the_records_fields_and_the_node() {
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
