//! The fencing tokens that this node has seen and reserved.

use crate::mutation::Mutation;
use crate::timing::BOOT;
use core::time::Duration;
use policy::moment::BootTime;

/// The largest epoch: 2^53. Up to here jobs can keep an epoch in any kind of number, a double included. Takeovers never get this far,
/// so a record with a larger epoch is spoilt.
pub const LARGEST_EPOCH: u64 = 1 << 53;

/// The pause after an epoch could not be saved.
const RETRY: Duration = Duration::from_secs(1);

/// An epoch is reserved on disk before it is used, and before it is needed: a takeover does not wait for the disk.
#[derive(Clone, Debug)]
pub(crate) struct Epochs {
    /// The highest one on this node's disk, used or not.
    pub(crate) highest_saved: u64,
    /// The highest one in any record that this process has read. It counts even if the disk was full then and the store has lost it
    /// since. To save the next one saves this one too.
    highest_seen: u64,
    next: NextEpoch,
    used_up_reported: bool,
}

/// The epoch for the next takeover.
#[derive(Clone, Debug)]
enum NextEpoch {
    /// None is reserved, and none is asked for before `retry_at`.
    None { retry_at: BootTime },
    /// One is being saved.
    Saving,
    /// This one is on disk.
    Reserved(u64),
}

/// What is to be done so that an epoch is reserved.
pub(crate) enum Reservation {
    /// Nothing now.
    None,
    /// Save this epoch.
    Save(u64),
    /// Nothing can be done, because no epoch is greater than this one. Returned once.
    UsedUp(u64),
}

impl Epochs {
    pub(super) const fn new(highest_saved: u64) -> Self {
        Self {
            highest_saved,
            highest_seen: 0,
            next: NextEpoch::None { retry_at: BOOT },
            used_up_reported: false,
        }
    }

    pub(crate) const fn reserved(&self) -> Option<u64> {
        match self.next {
            NextEpoch::Reserved(epoch) => Some(epoch),
            _ => None,
        }
    }

    /// The highest epoch in any record that this process has read; 0 if there was none.
    pub(crate) const fn highest_seen(&self) -> u64 {
        self.highest_seen
    }

    /// Reserves an epoch if none is: one greater than each that this node has saved or seen.
    pub(super) fn reserve(&mut self, now: BootTime) -> Reservation {
        match self.next {
            NextEpoch::None { retry_at } if now >= retry_at => {
                let highest = self.highest_seen.max(self.highest_saved);
                if highest < LARGEST_EPOCH {
                    self.next = NextEpoch::Saving;
                    return Reservation::Save(highest + 1);
                }
                if core::mem::replace(&mut self.used_up_reported, true) {
                    Reservation::None
                } else {
                    Reservation::UsedUp(highest)
                }
            }
            _ => Reservation::None,
        }
    }

    pub(crate) fn saved(&mut self, epoch: u64) {
        self.highest_saved = self.highest_saved.max(epoch);
        self.next = NextEpoch::Reserved(epoch);
        self.discard_useless();
    }

    pub(crate) fn save_failed(&mut self, now: BootTime) {
        self.next = NextEpoch::None {
            retry_at: now.after(RETRY),
        };
    }

    /// The reserved epoch is used.
    pub(crate) fn discard(&mut self) {
        if self.reserved().is_some() {
            self.next = NextEpoch::None { retry_at: BOOT };
        }
    }

    /// The record has this epoch; 0 if there is none.
    pub(super) fn see(&mut self, epoch: u64, mutation: Option<Mutation>) {
        self.highest_seen = match mutation {
            Some(Mutation::EpochSeenButNotCounted) => epoch,
            _ => self.highest_seen.max(epoch),
        };
        self.discard_useless();
    }

    /// An epoch that was reserved before another node used it or a greater one is useless.
    fn discard_useless(&mut self) {
        if self.reserved().is_some_and(|epoch| epoch <= self.highest_seen) {
            self.discard();
        }
    }

    /// When to try again to reserve one.
    pub(crate) const fn retry_at(&self) -> Option<BootTime> {
        match self.next {
            NextEpoch::None { retry_at } => Some(retry_at),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_that_ends_late_does_not_make_an_epoch_usable_that_another_node_has_used() {
        let mut epochs = Epochs::new(4);
        assert!(matches!(epochs.reserve(BOOT), Reservation::Save(5)));
        epochs.see(7, None);
        // The store has lost the record by now.
        epochs.see(0, None);
        epochs.saved(5);
        assert_eq!(epochs.reserved(), None);
        assert!(matches!(epochs.reserve(BOOT), Reservation::Save(8)));
        epochs.saved(8);
        assert_eq!(epochs.reserved(), Some(8));
    }

    #[test]
    fn an_epoch_that_could_not_be_saved_still_counts() {
        let mut epochs = Epochs::new(1);
        epochs.see(2, None);
        assert!(matches!(epochs.reserve(BOOT), Reservation::Save(3)));
        epochs.save_failed(BOOT);
        epochs.see(0, None);
        let later = BOOT.after(RETRY);
        assert!(matches!(epochs.reserve(later), Reservation::Save(3)));
    }

    #[test]
    fn the_largest_epoch_is_reserved_and_none_after_it() {
        let mut epochs = Epochs::new(LARGEST_EPOCH - 1);
        assert!(matches!(epochs.reserve(BOOT), Reservation::Save(LARGEST_EPOCH)));
        epochs.saved(LARGEST_EPOCH);
        assert_eq!(epochs.reserved(), Some(LARGEST_EPOCH));
        for saved in [LARGEST_EPOCH, u64::MAX] {
            let mut epochs = Epochs::new(saved);
            assert!(matches!(epochs.reserve(BOOT), Reservation::UsedUp(highest) if highest == saved));
            assert!(matches!(epochs.reserve(BOOT), Reservation::None), "reported once");
        }
    }
}
