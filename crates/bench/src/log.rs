//! A log daemon that counts.

use crate::Result;
use crate::wait::until;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

const MARK: &[u8] = b"mark";

/// What has been received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) ignored: usize,
    pub(crate) started: usize,
    pub(crate) ended: usize,
    pub(crate) demoted: usize,
    /// Lines that the received ones say were lost.
    pub(crate) lost: usize,
}

#[derive(Default)]
struct Counters {
    ignored: AtomicUsize,
    started: AtomicUsize,
    ended: AtomicUsize,
    demoted: AtomicUsize,
    lost: AtomicUsize,
    marks: AtomicUsize,
}

pub(crate) struct LogDaemon {
    counters: Arc<Counters>,
    sender: UnixDatagram,
}

impl LogDaemon {
    pub(crate) fn start(path: &Path) -> Result<Self> {
        let socket = UnixDatagram::bind(path)?;
        let sender = UnixDatagram::unbound()?;
        sender.connect(path)?;
        let counters = Arc::new(Counters::default());
        let shared = Arc::clone(&counters);
        // It lives as long as the program: when that ends, nobody sends any more.
        thread::spawn(move || {
            let mut buffer = [0; 4096]; // a longer line is cut, after all that is counted here
            while let Ok(length) = socket.recv(&mut buffer) {
                shared.take(&buffer[..length]);
            }
        });
        Ok(Self { counters, sender })
    }

    /// What has been received by now.
    pub(crate) fn now(&self) -> Count {
        Count {
            ignored: self.counters.ignored.load(SeqCst),
            started: self.counters.started.load(SeqCst),
            ended: self.counters.ended.load(SeqCst),
            demoted: self.counters.demoted.load(SeqCst),
            lost: self.counters.lost.load(SeqCst),
        }
    }

    /// With all that was sent before this call: the kernel keeps the order.
    pub(crate) fn count(&self) -> Result<Count> {
        let marks = self.counters.marks.load(SeqCst);
        self.sender.send(MARK)?;
        until("the log to be read", || {
            Ok((self.counters.marks.load(SeqCst) > marks).then(|| self.now()))
        })
    }
}

impl Count {
    /// What has come since an earlier count.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            ignored: self.ignored - before.ignored,
            started: self.started - before.started,
            ended: self.ended - before.ended,
            demoted: self.demoted - before.demoted,
            lost: self.lost - before.lost,
        }
    }
}

impl Counters {
    /// `… state=active status=start … cmd=…`
    fn take(&self, datagram: &[u8]) {
        if datagram == MARK {
            self.marks.fetch_add(1, SeqCst);
            return;
        }
        for word in datagram.split(|byte| *byte == b' ') {
            match word {
                b"status=ignore" => self.ignored.fetch_add(1, SeqCst),
                b"status=start" => self.started.fetch_add(1, SeqCst),
                b"status=ok" | b"status=fail" => self.ended.fetch_add(1, SeqCst),
                b"reason=demoted" => self.demoted.fetch_add(1, SeqCst),
                // The rest is the job's own words.
                _ if word.starts_with(b"cmd=") => return,
                _ => self.lost.fetch_add(lost(word), SeqCst),
            };
        }
    }
}

/// `lost=N`; anything else is 0.
fn lost(word: &[u8]) -> usize {
    let number = word
        .strip_prefix(b"lost=")
        .and_then(|rest| std::str::from_utf8(rest).ok());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
