//! A log daemon for one test.

use super::until;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Receives datagrams and keeps them.
pub(crate) struct LogDaemon {
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    sender: UnixDatagram,
    marks: AtomicUsize,
}

/// A received message, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) priority: u8,
    pub(crate) time: String,
    pub(crate) ident: String,
    pub(crate) pid: u32,
    pub(crate) text: String,
}

impl LogDaemon {
    pub(crate) fn start(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).expect("a log socket");
        let sender = UnixDatagram::unbound().expect("a socket");
        sender.connect(path).expect("connected");
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 18];
            while let Ok(length) = socket.recv(&mut buffer) {
                if &buffer[..length] == b"end" {
                    return;
                }
                kept.lock().expect("a lock").push(buffer[..length].to_vec());
            }
        });
        Self {
            received,
            sender,
            marks: AtomicUsize::new(0),
        }
    }

    /// Every datagram that was sent before this call.
    pub(crate) fn datagrams(&self) -> Vec<Vec<u8>> {
        let mark = format!("mark {}", self.marks.fetch_add(1, Ordering::Relaxed)).into_bytes();
        self.sender.send(&mark).expect("sent");
        until("the mark in the log", || self.now().contains(&mark).then_some(()));
        self.now()
            .into_iter()
            .take_while(|datagram| *datagram != mark)
            .filter(|one| !one.starts_with(b"mark "))
            .collect()
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.datagrams()
            .iter()
            .map(|datagram| Message::parse(datagram))
            .collect()
    }

    /// The texts without their headers.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.messages().into_iter().map(|message| message.text).collect()
    }

    /// The texts received so far.
    pub(crate) fn now_texts(&self) -> Vec<String> {
        self.now().iter().map(|line| Message::parse(line).text).collect()
    }

    /// Waits for a line that contains `part`.
    pub(crate) fn wait_for(&self, part: &str) -> String {
        let has_part = |datagram: &Vec<u8>| String::from_utf8_lossy(datagram).contains(part);
        let line = until(part, || self.now().into_iter().find(has_part));
        Message::parse(&line).text
    }

    fn now(&self) -> Vec<Vec<u8>> {
        self.received.lock().expect("a lock").clone()
    }
}

impl Drop for LogDaemon {
    fn drop(&mut self) {
        let _ = self.sender.send(b"end");
    }
}

impl Message {
    /// `<PRI>Mmm dd hh:mm:ss ident[PID]: text`
    fn parse(datagram: &[u8]) -> Self {
        let line = String::from_utf8(datagram.to_vec()).expect("a log line is UTF-8");
        let (priority, rest) = line
            .strip_prefix('<')
            .and_then(|rest| rest.split_once('>'))
            .expect("a priority");
        let (time, rest) = rest.split_at(15);
        let (tag, text) = rest.split_once(": ").expect("a tag");
        let (ident, pid) = tag
            .trim_start()
            .strip_suffix(']')
            .and_then(|tag| tag.rsplit_once('['))
            .expect("ident[PID]");
        Self {
            priority: priority.parse().expect("a number"),
            time: time.to_owned(),
            ident: ident.to_owned(),
            pid: pid.parse().expect("a pid"),
            text: text.to_owned(),
        }
    }
}

/// The value of a field of a log line; everything after `cmd=` is the command.
pub(crate) fn field(line: &str, name: &str) -> Option<String> {
    let (fields, command) = line.split_once(" cmd=")?;
    if name == "cmd" {
        return Some(command.to_owned());
    }
    let of_name = |word: &str| word.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
    fields.split(' ').find_map(of_name)
}
