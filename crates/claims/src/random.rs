//! Jitter and notifications. Nothing that must be unpredictable depends on it.

use core::time::Duration;

/// xoroshiro128+ (Blackman and Vigna, 2018), seeded by the caller.
#[derive(Clone, Debug)]
pub(crate) struct Random([u64; 2]);

impl Random {
    pub(crate) const fn new(seed: [u64; 2]) -> Self {
        // A state of zeros would stay so.
        Self([seed[0], seed[1] | 1])
    }

    pub(crate) const fn next(&mut self) -> u64 {
        let [first, second] = self.0;
        let mixed = first ^ second;
        self.0 = [first.rotate_left(24) ^ mixed ^ mixed << 16, mixed.rotate_left(37)];
        first.wrapping_add(second)
    }

    /// Between half of the duration and all of it.
    pub(crate) fn jittered(&mut self, duration: Duration) -> Duration {
        let part = u32::try_from(self.next() >> 54).unwrap_or_default();
        duration / 2 + duration / 2048 * part
    }
}
