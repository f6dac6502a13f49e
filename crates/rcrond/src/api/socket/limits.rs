//! How many connections there may be at once. Each costs a descriptor and some memory. A user who connects in a loop must not
//! keep other users out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Of all users together.
const MAX_CONNECTIONS: usize = 32;
/// Of all users who may not drain. The rest is reserved for those who may.
const MAX_QUERIES: usize = 24;
/// Of one user who may not drain.
const MAX_QUERIES_PER_USER: usize = 6;

/// Counts the connections.
#[derive(Debug, Default)]
pub(super) struct ConnectionLimits(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Connections of users who may drain.
    privileged: usize,
    /// Connections of other users, by user ID.
    queries: HashMap<u32, usize>,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    limits: Arc<ConnectionLimits>,
    uid: u32,
    may_drain: bool,
}

impl ConnectionLimits {
    /// Counts a connection of this user; `None` if there are too many.
    pub(super) fn reserve(self: &Arc<Self>, uid: u32, may_drain: bool) -> Option<Reservation> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let queries: usize = counts.queries.values().sum();
        if counts.privileged + queries >= MAX_CONNECTIONS {
            return None;
        }
        if may_drain {
            counts.privileged += 1;
        } else {
            let own = counts.queries.get(&uid).copied().unwrap_or_default();
            if queries >= MAX_QUERIES || own >= MAX_QUERIES_PER_USER {
                return None;
            }
            counts.queries.insert(uid, own + 1);
        }
        drop(counts);
        let limits = Arc::clone(self);
        Some(Reservation { limits, uid, may_drain })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut counts = self.limits.0.lock().unwrap_or_else(PoisonError::into_inner);
        if self.may_drain {
            counts.privileged -= 1;
        } else if let Some(count) = counts.queries.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                counts.queries.remove(&self.uid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserve_all(limits: &Arc<ConnectionLimits>, uid: u32, may_drain: bool) -> Vec<Reservation> {
        std::iter::from_fn(|| limits.reserve(uid, may_drain)).collect()
    }

    #[test]
    fn users_leave_connections_for_each_other_and_for_root() {
        let limits = Arc::new(ConnectionLimits::default());
        let mut reserved: Vec<Vec<Reservation>> = (1..=9).map(|uid| reserve_all(&limits, uid, false)).collect();
        let counts: Vec<usize> = reserved.iter().map(Vec::len).collect();
        assert_eq!(counts, [6, 6, 6, 6, 0, 0, 0, 0, 0]);
        let roots = reserve_all(&limits, 0, true);
        assert_eq!(roots.len(), MAX_CONNECTIONS - MAX_QUERIES);
        reserved.remove(0).pop();
        assert_eq!(reserve_all(&limits, 9, false).len(), 6);
    }

    #[test]
    fn a_connection_that_has_ended_is_not_counted() {
        let limits = Arc::new(ConnectionLimits::default());
        drop((reserve_all(&limits, 7, false), reserve_all(&limits, 0, true)));
        let counts = limits.0.lock().expect("not poisoned");
        assert!(counts.privileged == 0 && counts.queries.is_empty(), "{counts:?}");
    }
}
