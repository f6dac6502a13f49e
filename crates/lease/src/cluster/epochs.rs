//! The fencing tokens that this node reserves.

use crate::timing::BOOT;
use core::time::Duration;
use policy::moment::BootTime;

/// The pause after an epoch could not be saved.
const RETRY: Duration = Duration::from_secs(1);

/// An epoch is reserved on disk before it is used, and before it is needed: a takeover does not wait for the disk.
#[derive(Clone, Debug)]
pub(crate) struct Epochs {
    /// The highest one on this node's disk, used or not.
    pub(crate) highest_saved: u64,
    next: NextEpoch,
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

impl Epochs {
    pub(super) const fn new(highest_saved: u64) -> Self {
        let next = NextEpoch::None { retry_at: BOOT };
        Self { highest_saved, next }
    }

    pub(crate) const fn reserved(&self) -> Option<u64> {
        match self.next {
            NextEpoch::Reserved(epoch) => Some(epoch),
            _ => None,
        }
    }

    /// Returns the epoch to save, if none is reserved: greater than each that this node has saved, and than `seen` in the store.
    pub(super) fn reserve(&mut self, now: BootTime, seen: u64) -> Option<u64> {
        match self.next {
            NextEpoch::None { retry_at } if now >= retry_at => {
                let epoch = seen.max(self.highest_saved).checked_add(1)?;
                self.next = NextEpoch::Saving;
                Some(epoch)
            }
            _ => None,
        }
    }

    pub(crate) fn saved(&mut self, epoch: u64) {
        self.highest_saved = self.highest_saved.max(epoch);
        self.next = NextEpoch::Reserved(epoch);
    }

    pub(crate) fn save_failed(&mut self, now: BootTime) {
        self.next = NextEpoch::None {
            retry_at: now.after(RETRY),
        };
    }

    /// The reserved epoch is used.
    pub(crate) fn discard(&mut self) {
        self.discard_up_to(u64::MAX);
    }

    /// An epoch that was reserved before another node used `seen` or a greater one is useless.
    pub(super) fn discard_up_to(&mut self, seen: u64) {
        if self.reserved().is_some_and(|epoch| epoch <= seen) {
            self.next = NextEpoch::None { retry_at: BOOT };
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
