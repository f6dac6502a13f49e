//! Looks up the addresses of a name. A look-up cannot be ended, and with a name server that hangs it takes many seconds. So each
//! name has at most one at a time, in a thread of its own, and everyone who needs the name waits for that one.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Mutex, PoisonError};
use std::thread;
use tokio::sync::watch::{self, Receiver};

type Found = Result<Vec<SocketAddr>, Failed>;

/// An [`io::Error`] that can be copied for everyone who waits.
#[derive(Clone, Debug)]
struct Failed(io::ErrorKind, String);

/// The look-ups that are in progress, by name.
#[derive(Debug, Default)]
struct Lookups(Mutex<BTreeMap<String, Receiver<Option<Found>>>>);

static LOOKUPS: Lookups = Lookups(Mutex::new(BTreeMap::new()));

/// The addresses of a host, each with this port.
///
/// # Errors
/// The system's.
pub(super) async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let mut found = LOOKUPS.join(host, |host| (host, 0).to_socket_addrs().map(Iterator::collect))?;
    let found = found.wait_for(Option::is_some).await;
    // The thread sends its result, unless it panics.
    let found = found.map_err(io::Error::other)?.clone();
    match found {
        Some(Ok(addresses)) => Ok(addresses
            .into_iter()
            .map(|address| SocketAddr::new(address.ip(), port))
            .collect()),
        Some(Err(Failed(kind, text))) => Err(io::Error::new(kind, text)),
        None => Err(io::ErrorKind::NotFound.into()),
    }
}

impl Lookups {
    /// The look-up of this name that is in progress; otherwise a new one.
    fn join(
        &'static self,
        host: &str,
        look_up: impl FnOnce(&str) -> io::Result<Vec<SocketAddr>> + Send + 'static,
    ) -> io::Result<Receiver<Option<Found>>> {
        let mut in_progress = self.lock();
        if let Some(found) = in_progress.get(host) {
            return Ok(found.clone());
        }
        let (sender, receiver) = watch::channel(None);
        let name = host.to_owned();
        thread::Builder::new().name("look-up".to_owned()).spawn(move || {
            let found = look_up(&name).map_err(|error| Failed(error.kind(), error.to_string()));
            // Whoever asks from now on starts a new one.
            self.lock().remove(&name);
            sender.send_replace(Some(found));
        })?;
        in_progress.insert(host.to_owned(), receiver.clone());
        Ok(receiver)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Receiver<Option<Found>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver as Hang, Sender, channel};

    fn hanging() -> (
        Sender<()>,
        impl FnOnce(&str) -> io::Result<Vec<SocketAddr>> + Send + 'static,
    ) {
        let (release, hang): (Sender<()>, Hang<()>) = channel();
        let look_up = move |_: &str| {
            hang.recv().map_err(io::Error::other)?;
            Ok(vec![SocketAddr::from(([192, 0, 2, 1], 0))])
        };
        (release, look_up)
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_name_has_one_look_up_at_a_time() {
        static OWN: Lookups = Lookups(Mutex::new(BTreeMap::new()));
        let (release, look_up) = hanging();
        let mut first = OWN.join("a", look_up).expect("a thread");
        let mut second = OWN.join("a", |_| panic!("a second look-up")).expect("the first");
        let mut other = OWN.join("b", |_| Ok(Vec::new())).expect("a thread");
        let found = other.wait_for(Option::is_some).await.expect("a result").clone();
        assert!(found.is_some_and(|found| found.is_ok_and(|found| found.is_empty())));
        release.send(()).expect("it hangs");
        for waiting in [&mut first, &mut second] {
            let found = waiting.wait_for(Option::is_some).await.expect("a result").clone();
            assert!(found.is_some_and(|found| found.is_ok_and(|found| found.len() == 1)));
        }
        // The next one is new.
        let refused = |_: &str| Err(io::ErrorKind::NotFound.into());
        let mut next = OWN.join("a", refused).expect("a thread");
        let found = next.wait_for(Option::is_some).await.expect("a result").clone();
        assert!(found.is_some_and(|found| found.is_err()));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn numbers_and_local_names_are_found() {
        let numbers = look_up("192.0.2.7", 5).await.expect("an address");
        assert_eq!(numbers, [SocketAddr::from(([192, 0, 2, 7], 5))]);
        let local = look_up("localhost", 5).await.expect("an address");
        assert!(
            local
                .iter()
                .all(|address| address.port() == 5 && address.ip().is_loopback())
        );
        assert!(look_up("name.invalid", 5).await.is_err());
    }
}
