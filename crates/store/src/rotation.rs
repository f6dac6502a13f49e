//! Which of several servers to try first.

use crate::Error;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Starts with the server that was last [marked good](Self::mark_good). A server that was tried and not marked good since is
/// not the first one of the next attempt: it may accept connections and never answer, and a caller whose time limit ends
/// cannot report that.
#[derive(Debug, Default)]
pub(crate) struct Rotation {
    next: AtomicUsize,
}

impl Rotation {
    /// Tries `count` servers, by their number, until one succeeds.
    ///
    /// # Errors
    /// The errors of all, if none succeeds.
    pub(crate) async fn first<T, F>(&self, count: usize, mut attempt: impl FnMut(usize) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut errors = Vec::new();
        for server in self.order(count) {
            match attempt(server).await {
                Ok(found) => return Ok(found),
                Err(error) => errors.push(error),
            }
        }
        Err(Error::of_all(errors))
    }

    fn order(&self, count: usize) -> impl Iterator<Item = usize> + use<> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        (0..count).map(move |step| first.wrapping_add(step) % count)
    }

    /// Starts with the next server the next time: the current one stopped answering in the middle of a connection.
    pub(crate) fn skip_current(&self) {
        self.next.fetch_add(1, Ordering::Relaxed);
    }

    /// Starts with this server the next time: it has answered.
    pub(crate) fn mark_good(&self, server: usize) {
        self.next.store(server, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_server_stays_first_and_one_that_hangs_does_not() {
        let rotation = Rotation::default();
        assert_eq!(rotation.order(3).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(rotation.order(3).collect::<Vec<_>>(), [1, 2, 0]);
        rotation.mark_good(1);
        assert_eq!(rotation.order(3).next(), Some(1));
        rotation.mark_good(1);
        assert_eq!(rotation.order(3).next(), Some(1));
        assert_eq!(rotation.order(3).next(), Some(2));
        rotation.mark_good(1);
        rotation.skip_current();
        assert_eq!(rotation.order(3).next(), Some(2));
    }
}
