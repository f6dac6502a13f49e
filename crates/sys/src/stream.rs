//! A connection to a Unix stream socket that never waits: unix(7).

use crate::syslog::address;
use crate::{check, own};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The connection.
#[derive(Debug)]
pub struct Stream(OwnedFd);

impl Stream {
    /// Connects to the socket with this path.
    ///
    /// # Errors
    /// The system's: no such socket, no process listens, no permission. `WouldBlock` if the listener's queue is full.
    pub fn connect(path: &[u8]) -> io::Result<Self> {
        let address = address(path)?;
        let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no memory is involved.
        let descriptor = own(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })?;
        let size = libc::socklen_t::try_from(size_of_val(&address)).unwrap_or_default();
        // SAFETY: the pointer is to an address of the size given, which lives through the call.
        check(unsafe { libc::connect(descriptor.as_raw_fd(), (&raw const address).cast(), size) })?;
        Ok(Self(descriptor))
    }

    /// Sends bytes. Returns whether all of them were sent: if not, the connection is broken, or its other end does not read.
    #[must_use]
    pub fn send(&self, bytes: &[u8]) -> bool {
        // Without MSG_NOSIGNAL, a closed connection would cause a SIGPIPE.
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: pointer and length are those of the slice.
        let sent = unsafe { libc::send(self.0.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) };
        usize::try_from(sent) == Ok(bytes.len())
    }

    /// Receives what has come, up to the length of the buffer. 0 if the connection is closed.
    ///
    /// # Errors
    /// The system's. `WouldBlock` if nothing has come.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let (descriptor, flags) = (self.0.as_raw_fd(), libc::MSG_DONTWAIT);
        // SAFETY: pointer and length are those of the buffer.
        let got = unsafe { libc::recv(descriptor, buffer.as_mut_ptr().cast(), buffer.len(), flags) };
        usize::try_from(got).map_err(|_| io::Error::last_os_error())
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{ErrorKind, Read, Write};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::UnixListener;

    #[test]
    fn neither_connecting_nor_sending_nor_receiving_waits() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("socket");
        let connect = || Stream::connect(path.as_os_str().as_bytes());
        assert_eq!(connect().expect_err("no socket").kind(), ErrorKind::NotFound);
        let listener = UnixListener::bind(&path).expect("bound");
        let stream = connect().expect("connected");
        let nothing = stream.receive(&mut [0; 8]).expect_err("nothing has come");
        assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
        assert!(stream.send(b"claim\n"));
        let (mut accepted, _) = listener.accept().expect("accepted");
        let mut buffer = [0; 6];
        accepted.read_exact(&mut buffer).expect("read");
        assert_eq!(&buffer, b"claim\n");
        accepted.write_all(b"noted\n").expect("written");
        assert_eq!(stream.receive(&mut [0; 8]).expect("come"), 6);
        while stream.send(&[0; 4096]) {} // until the other end's buffer is full
        drop(accepted);
        assert!(!stream.send(b"x"));
        // Connections that nobody accepts, until the queue is full.
        let mut queue = Vec::new();
        let full = loop {
            match connect() {
                Ok(stream) => queue.push(stream),
                Err(error) => break error,
            }
        };
        assert!(matches!(full.kind(), ErrorKind::WouldBlock), "{full}");
        drop(listener);
        assert_eq!(connect().expect_err("no listener").kind(), ErrorKind::ConnectionRefused);
    }
}
