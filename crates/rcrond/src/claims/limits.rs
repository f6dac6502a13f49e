//! How many connections of rcron there may be at once, and how fast a user may make them. Each costs a descriptor and some memory,
//! and each claim costs time of the loop.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Of all users together. Each waiting rcron has one.
pub(super) const MOST_CONNECTIONS: usize = 2600;
/// Of these, so many are reserved for root and the daemon's own user.
const RESERVED: usize = 300;
/// Of a user without these rights.
const MOST_OF_A_USER: usize = 400;
/// A user without these rights may make so many at once, and [`PER_SECOND`] in the long run.
const BURST: u32 = 400;
const PER_SECOND: u32 = 100;

/// Counts the connections.
#[derive(Debug)]
pub(super) struct ConnectionLimits {
    most: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    /// Connections of users without special rights.
    others: usize,
    users: HashMap<u32, User>,
}

#[derive(Debug)]
struct User {
    connections: usize,
    /// When the connections that were made are paid for, each with 1 / [`PER_SECOND`].
    paid_at: Instant,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    limits: Arc<ConnectionLimits>,
    /// `None` for root and the daemon's own user.
    user: Option<u32>,
    /// How long its claim must wait, because the user makes too many.
    pub(super) delay: Duration,
}

impl ConnectionLimits {
    /// At most [`MOST_CONNECTIONS`] at once, or as many as the process has descriptors for.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.min(MOST_CONNECTIONS),
            counts: Mutex::default(),
        }
    }

    /// Counts a connection of this user; `None` if there are too many.
    pub(super) fn reserve(self: &Arc<Self>, uid: u32, is_privileged: bool, now: Instant) -> Option<Reservation> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= self.most {
            return None;
        }
        let delay = if is_privileged {
            Duration::ZERO
        } else {
            if counts.others >= self.most.saturating_sub(RESERVED).max(1) {
                return None;
            }
            let user = counts.users.entry(uid).or_insert(User {
                connections: 0,
                paid_at: now,
            });
            if user.connections >= MOST_OF_A_USER {
                return None;
            }
            user.connections += 1;
            user.paid_at = user.paid_at.max(now) + Duration::from_secs(1) / PER_SECOND;
            let ahead = user.paid_at - now;
            counts.others += 1;
            ahead.saturating_sub(Duration::from_secs(1) / PER_SECOND * BURST)
        };
        counts.all += 1;
        drop(counts);
        let user = (!is_privileged).then_some(uid);
        Some(Reservation {
            limits: Arc::clone(self),
            user,
            delay,
        })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut counts = self.limits.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= 1;
        let Some(uid) = self.user else { return };
        counts.others -= 1;
        if let Some(user) = counts.users.get_mut(&uid) {
            user.connections -= 1;
        }
        // A user who has paid is like one who was never here.
        let now = Instant::now();
        counts
            .users
            .retain(|_, user| user.connections > 0 || user.paid_at > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserve_all(limits: &Arc<ConnectionLimits>, uid: u32, is_privileged: bool) -> Vec<Reservation> {
        std::iter::from_fn(|| limits.reserve(uid, is_privileged, Instant::now())).collect()
    }

    #[test]
    fn users_leave_connections_for_each_other_and_for_root() {
        let limits = Arc::new(ConnectionLimits::new(usize::MAX));
        let one = reserve_all(&limits, 1000, false);
        assert_eq!(one.len(), MOST_OF_A_USER);
        let others: Vec<_> = (1001..1010).flat_map(|uid| reserve_all(&limits, uid, false)).collect();
        assert_eq!(one.len() + others.len(), MOST_CONNECTIONS - RESERVED);
        let root = reserve_all(&limits, 0, true);
        assert_eq!(root.len(), RESERVED);
        drop(one);
        assert!(limits.reserve(1000, false, Instant::now()).is_some());
        drop((others, root));
        assert_eq!(reserve_all(&limits, 0, true).len(), MOST_CONNECTIONS);
    }

    #[test]
    fn a_user_who_connects_in_a_loop_waits() {
        let limits = Arc::new(ConnectionLimits::new(usize::MAX));
        let now = Instant::now();
        let connect = |uid, is_privileged| limits.reserve(uid, is_privileged, now).expect("one").delay;
        for _ in 0..BURST {
            assert_eq!(connect(1000, false), Duration::ZERO);
        }
        // The connections are over, and not yet paid for.
        let delays: Vec<_> = (0..10).map(|_| connect(1000, false)).collect();
        assert!(delays.is_sorted() && delays[9] > Duration::ZERO, "{delays:?}");
        assert_eq!(connect(1001, false), Duration::ZERO);
        assert_eq!(connect(0, true), Duration::ZERO);
    }
}
