//! A node's boot clock, with its own offset and its own rate.

use crate::Micros;
use policy::moment::BootTime;
use std::time::Duration;

/// The rate of a clock that is right.
pub const TRUE_RATE: u64 = 1_000_000;

/// The clock shows `offset` at the boot, and advances by `rate` microseconds in each true second.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The true time of the boot.
    pub booted: Micros,
    /// What the clock showed then. Real boot clocks start at 0; here the clocks of two nodes must not be comparable.
    pub offset: Micros,
    /// 1,010,000 is one percent too fast.
    pub rate: u64,
}

impl Clock {
    /// What the clock shows at a true time.
    #[must_use]
    pub fn at(&self, now: Micros) -> BootTime {
        let local = self.offset + (now - self.booted) * self.rate / TRUE_RATE;
        BootTime(Duration::from_micros(local))
    }

    /// The first true time at which the clock shows `local` or more.
    #[must_use]
    pub fn when(&self, local: BootTime) -> Micros {
        let nanos = u64::from(local.0.subsec_nanos());
        let micros = local.0.as_secs() * 1_000_000 + nanos.div_ceil(1000);
        let elapsed = micros.saturating_sub(self.offset).min(1 << 43);
        self.booted + (elapsed * TRUE_RATE).div_ceil(self.rate)
    }
}
