//! Which of several servers to ask first.

use crate::Failure;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Begins with the one that last did well. One that was begun with and not [praised](Self::praise) is not begun with again
/// the next time: it may be one that takes connections and says nothing, and a caller who gave up cannot tell us.
#[derive(Debug, Default)]
pub struct Rotation {
    next: AtomicUsize,
}

impl Rotation {
    /// What comes of the first of `count` servers that will do.
    ///
    /// # Errors
    /// None will do: why, for each.
    pub(crate) async fn first<T, F>(&self, count: usize, mut attempt: impl FnMut(usize) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut failures = Vec::new();
        for server in self.order(count) {
            match attempt(server).await {
                Ok(found) => return Ok(found),
                Err(failure) => failures.push(failure),
            }
        }
        Err(none_of(failures))
    }

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

/// What to say when none of the servers will do: why, for each.
fn none_of(mut failures: Vec<Failure>) -> Failure {
    match failures.len() {
        0 => return Failure::new("", "no server is configured"),
        1 => return failures.remove(0),
        _ => {}
    }
    let all: Vec<_> = failures.iter().map(ToString::to_string).collect();
    Failure::new("", format_args!("no server will do: {}", all.join(" | ")))
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

    #[test]
    fn of_several_failures_all_are_told() {
        let both = none_of(vec![
            Failure::new("a:1", "no"),
            Failure::new("b:1", "neither").with_help("help"),
        ]);
        assert_eq!(both.to_string(), "no server will do: a:1: no | b:1: neither; help");
        assert_eq!(none_of(vec![Failure::new("a:1", "no")]), Failure::new("a:1", "no"));
    }
}
