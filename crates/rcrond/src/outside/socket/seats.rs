//! How many may ask at once. A connection costs a descriptor and some memory; none must be left without for a user's loop.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// All connections.
const ALL: usize = 32;
/// Those of users who may only look: the others are kept for those who may drain.
const LOOKERS: usize = 24;
/// Those of one such user, so that he leaves some for the next.
const EACH: usize = 6;

/// Who has a seat now.
#[derive(Debug, Default)]
pub(super) struct Seats(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    drainers: usize,
    lookers: HashMap<u32, usize>,
}

/// A seat, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    uid: u32,
    may_drain: bool,
}

impl Seats {
    /// A seat for this user, if there is one.
    pub(super) fn take(self: &Arc<Self>, uid: u32, may_drain: bool) -> Option<Seat> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lookers: usize = taken.lookers.values().sum();
        if may_drain {
            if taken.drainers + lookers >= ALL {
                return None;
            }
            taken.drainers += 1;
        } else {
            let own = taken.lookers.get(&uid).copied().unwrap_or_default();
            if lookers >= LOOKERS || own >= EACH || taken.drainers + lookers >= ALL {
                return None;
            }
            taken.lookers.insert(uid, own + 1);
        }
        drop(taken);
        let seats = Arc::clone(self);
        Some(Seat { seats, uid, may_drain })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if self.may_drain {
            taken.drainers -= 1;
        } else if let Some(count) = taken.lookers.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                taken.lookers.remove(&self.uid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(seats: &Arc<Seats>, uid: u32, may_drain: bool) -> Vec<Seat> {
        std::iter::from_fn(|| seats.take(uid, may_drain)).collect()
    }

    #[test]
    fn users_leave_seats_for_each_other_and_for_root() {
        let seats = Arc::new(Seats::default());
        let mut taken: Vec<Vec<Seat>> = (1..=9).map(|uid| fill(&seats, uid, false)).collect();
        let counts: Vec<usize> = taken.iter().map(Vec::len).collect();
        assert_eq!(counts, [6, 6, 6, 6, 0, 0, 0, 0, 0]);
        let roots = fill(&seats, 0, true);
        assert_eq!(roots.len(), ALL - LOOKERS);
        taken.remove(0).pop();
        assert_eq!(fill(&seats, 9, false).len(), 6);
    }

    #[test]
    fn a_seat_that_was_left_is_free_and_forgotten() {
        let seats = Arc::new(Seats::default());
        drop((fill(&seats, 7, false), fill(&seats, 0, true)));
        let taken = seats.0.lock().expect("not poisoned");
        assert!(taken.drainers == 0 && taken.lookers.is_empty(), "{taken:?}");
    }
}
