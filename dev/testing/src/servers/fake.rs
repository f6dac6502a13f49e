//! A server that does whatever a test wants, on a port of this machine.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A fake server. Each connection has a thread, which ends with the connection.
pub struct Fake {
    address: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    received: Mutex<Vec<u8>>,
    sent: AtomicU64,
    ended: AtomicU64,
}

/// One connection of a client.
pub struct Client {
    stream: TcpStream,
    seen: Arc<Seen>,
}

impl Fake {
    /// Starts one. `serve` is called for each connection; then the connection is closed. Its error is that the client has closed
    /// it first.
    pub fn start(serve: impl Fn(&mut Client) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (seen, serve) = (Arc::new(Seen::default()), Arc::new(serve));
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut client = Client {
                    stream: stream.expect("a connection"),
                    seen: Arc::clone(&shared),
                };
                let serve = Arc::clone(&serve);
                thread::spawn(move || {
                    let _ = serve(&mut client);
                    client.seen.ended.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Self { address, seen }
    }

    /// `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// All bytes that clients have sent.
    #[must_use]
    pub fn received(&self) -> Vec<u8> {
        self.seen.received.lock().expect("whole").clone()
    }

    /// How many bytes were sent to clients, of which some may not have been received.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.seen.sent.load(Ordering::Relaxed)
    }

    /// How many connections have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.seen.ended.load(Ordering::Relaxed)
    }
}

impl Client {
    /// Sends these bytes.
    ///
    /// # Errors
    /// The client has closed the connection.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    /// Sends these bytes again and again.
    ///
    /// # Errors
    /// The client has closed the connection, which is the only end.
    pub fn send_endlessly(&mut self, bytes: &[u8]) -> io::Result<()> {
        let many = bytes.repeat((64 << 10) / bytes.len() + 1);
        loop {
            self.send(&many)?;
        }
    }

    /// Receives some bytes, and waits for them.
    ///
    /// # Errors
    /// The client has closed the connection.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; 64 << 10];
        match self.read(&mut bytes)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            count => Ok(bytes[..count].to_vec()),
        }
    }

    /// Receives everything that the client sends, until it closes the connection.
    ///
    /// # Errors
    /// The client has closed the connection, which is the only end.
    pub fn receive_all(&mut self) -> io::Result<()> {
        loop {
            self.receive()?;
        }
    }
}

impl Read for Client {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(into)?;
        self.seen.received.lock().expect("whole").extend(&into[..count]);
        Ok(count)
    }
}

impl Write for Client {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.stream.write(bytes)?;
        self.seen.sent.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
