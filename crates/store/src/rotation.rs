//! Which of several servers to ask first.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Begins with the one that last did well. One that was begun with and not [praised](Self::praise) is not begun with again
/// the next time: it may be one that takes connections and says nothing, and a caller who gave up cannot tell us.
#[derive(Debug, Default)]
pub struct Rotation {
    next: AtomicUsize,
}

impl Rotation {
    /// The order to try `count` servers in.
    pub fn order(&self, count: usize) -> impl Iterator<Item = usize> + use<> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        (0..count).map(move |step| first.wrapping_add(step) % count)
    }

    /// The server that was begun with has gone silent in the middle of a connection: begin with the next one.
    pub fn pass_over(&self) {
        self.next.fetch_add(1, Ordering::Relaxed);
    }

    /// The server has answered: begin with it the next time.
    pub fn praise(&self, server: usize) {
        self.next.store(server, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_does_well_stays_the_first_and_one_that_hangs_does_not() {
        let rotation = Rotation::default();
        assert_eq!(rotation.order(3).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(rotation.order(3).collect::<Vec<_>>(), [1, 2, 0]);
        rotation.praise(1);
        assert_eq!(rotation.order(3).next(), Some(1));
        rotation.praise(1);
        assert_eq!(rotation.order(3).next(), Some(1));
        assert_eq!(rotation.order(3).next(), Some(2));
        rotation.praise(1);
        rotation.pass_over();
        assert_eq!(rotation.order(3).next(), Some(2));
    }
}
