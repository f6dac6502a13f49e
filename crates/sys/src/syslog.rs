//! The log socket `/dev/log`: like syslog(3), but without waiting.

use crate::{check, own};
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::time::Duration;

/// A connection to the log daemon. It is opened for the first message, and again after the daemon was restarted.
#[derive(Debug)]
pub struct Syslog {
    path: OsString,
    connection: Option<Connection>,
}

/// The result of sending a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The daemon received it.
    Yes,
    /// The daemon's queue is full; a later try may succeed.
    NotNow,
    /// No process listens, or the connection broke.
    Lost,
    /// The socket does not exist: this host has no log daemon.
    NoDaemon,
}

#[derive(Debug)]
struct Connection {
    descriptor: OwnedFd,
    kind: libc::c_int,
}

impl Syslog {
    /// For the socket with this path.
    #[must_use]
    pub fn new(path: OsString) -> Self {
        Self { path, connection: None }
    }

    /// The path of the socket.
    #[must_use]
    pub fn path(&self) -> &OsStr {
        &self.path
    }

    /// Tries to send a message. Never waits.
    pub fn send(&mut self, message: &[u8]) -> Sent {
        // If the daemon was restarted since the last message, the old connection is dead.
        let had_one = self.connection.is_some();
        match self.try_send(message) {
            Sent::Lost if had_one => self.try_send(message),
            other => other,
        }
    }

    /// Sends a message, and waits for room in the daemon's queue at most for `patience`.
    ///
    /// It waits in send(2), because the kernel then wakes one sender for each free place. In poll(2) it would wake all of them.
    pub fn send_within(&mut self, message: &[u8], patience: Duration) -> Sent {
        match &self.connection {
            Some(connection) if connection.may_wait(patience) => connection.send(message, 0),
            _ => self.send(message),
        }
    }

    /// Connects without sending, to check whether a daemon listens.
    ///
    /// # Errors
    /// The system's: no such socket, no process listens, no permission. `WouldBlock` if the queue of a stream is full.
    pub fn probe(&self) -> io::Result<()> {
        self.connect().map(drop)
    }

    fn try_send(&mut self, message: &[u8]) -> Sent {
        if self.connection.is_none() {
            match self.connect() {
                Ok(connection) => self.connection = Some(connection),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Sent::NotNow,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Sent::NoDaemon,
                Err(_) => return Sent::Lost,
            }
        }
        let sent = self
            .connection
            .as_ref()
            .map_or(Sent::Lost, |connection| connection.send(message, libc::MSG_DONTWAIT));
        if sent == Sent::Lost {
            self.connection = None;
        }
        sent
    }

    /// Connects to a datagram socket, or to a stream, which some daemons offer.
    fn connect(&self) -> io::Result<Connection> {
        match Connection::open(self.path.as_bytes(), libc::SOCK_DGRAM) {
            Err(error) if error.raw_os_error() == Some(libc::EPROTOTYPE) => {
                Connection::open(self.path.as_bytes(), libc::SOCK_STREAM)
            }
            result => result,
        }
    }
}

impl Connection {
    fn open(path: &[u8], kind: libc::c_int) -> io::Result<Self> {
        // connect(2) to a datagram socket does not wait.
        let flags = match kind {
            libc::SOCK_STREAM => libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK,
            _ => libc::SOCK_CLOEXEC,
        };
        // SAFETY: no memory is involved.
        let descriptor = own(unsafe { libc::socket(libc::AF_UNIX, kind | flags, 0) })?;
        let address = address(path)?;
        let size = libc::socklen_t::try_from(size_of_val(&address)).unwrap_or_default();
        // SAFETY: the pointer is to an address of the size given, which lives through the call.
        check(unsafe { libc::connect(descriptor.as_raw_fd(), (&raw const address).cast(), size) })?;
        Ok(Self { descriptor, kind })
    }

    /// Sets how long send(2) may wait (`SO_SNDTIMEO` of socket(7), where zero means for ever). Returns whether it may wait at all.
    fn may_wait(&self, patience: Duration) -> bool {
        if self.kind != libc::SOCK_DGRAM || patience.is_zero() {
            return false;
        }
        let microseconds = patience.as_micros().clamp(1, 999_999);
        let limit = libc::timeval {
            tv_sec: 0,
            tv_usec: libc::suseconds_t::try_from(microseconds).unwrap_or(1),
        };
        let size = libc::socklen_t::try_from(size_of_val(&limit)).unwrap_or_default();
        let (descriptor, option) = (self.descriptor.as_raw_fd(), libc::SO_SNDTIMEO);
        // SAFETY: the pointer is to a value of the size given, which lives through the call.
        let set = unsafe { libc::setsockopt(descriptor, libc::SOL_SOCKET, option, (&raw const limit).cast(), size) };
        set == 0
    }

    fn send(&self, message: &[u8], flags: libc::c_int) -> Sent {
        if self.kind == libc::SOCK_DGRAM {
            return self.send_bytes(message, flags);
        }
        // On a stream a NUL ends a message.
        self.send_bytes(&[message, b"\0"].concat(), flags)
    }

    fn send_bytes(&self, bytes: &[u8], flags: libc::c_int) -> Sent {
        let flags = flags | libc::MSG_NOSIGNAL;
        // SAFETY: pointer and length are those of the slice.
        let sent = unsafe { libc::send(self.descriptor.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) };
        match usize::try_from(sent) {
            Ok(count) if count == bytes.len() => Sent::Yes,
            Ok(_) => Sent::Lost, // half of it in a stream
            Err(_) => match io::Error::last_os_error().raw_os_error() {
                Some(libc::EAGAIN | libc::ENOBUFS | libc::EINTR) => Sent::NotNow,
                _ => Sent::Lost,
            },
        }
    }
}

/// The address of a socket: unix(7).
pub(crate) fn address(path: &[u8]) -> io::Result<libc::sockaddr_un> {
    // SAFETY: zero is a valid value of each of its fields.
    let mut address: libc::sockaddr_un = unsafe { mem::zeroed() };
    address.sun_family = libc::sa_family_t::try_from(libc::AF_UNIX).unwrap_or_default();
    if path.len() >= address.sun_path.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: shorter than the field, which is zeroed, so that it ends with NUL.
    unsafe { ptr::copy_nonoverlapping(path.as_ptr(), address.sun_path.as_mut_ptr().cast(), path.len()) };
    Ok(address)
}
