//! Jitter and identities from a seed.

use super::name::SessionId;
use core::time::Duration;

/// Sebastiano Vigna's splitmix64, twice: one stream for each half of an identity.
#[derive(Clone, Debug)]
pub(super) struct Random([u64; 2]);

impl Random {
    pub(super) const fn new(seed: [u64; 2]) -> Self {
        Self(seed)
    }

    fn next(&mut self, stream: usize) -> u64 {
        self.0[stream] = self.0[stream].wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0[stream];
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn session_id(&mut self) -> SessionId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.next(0).to_be_bytes());
        id[8..].copy_from_slice(&self.next(1).to_be_bytes());
        SessionId(id)
    }

    /// Between half of `longest` and all of it.
    pub(super) fn jitter(&mut self, longest: Duration) -> Duration {
        let share = u32::try_from(self.next(0) >> 54).unwrap_or(0); // 10 bits
        longest / 2 + longest / 2048 * share
    }
}
