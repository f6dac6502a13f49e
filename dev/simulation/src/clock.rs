//! A node's boot clock: its own offset, and its own rate.

use crate::Micros;
use policy::moment::BootTime;
use std::time::Duration;

/// Parts in a million.
const WHOLE: u64 = 1_000_000;

/// Local time is `offset` at the boot, and goes on at `rate` millionths of true time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// When the machine booted, in true time.
    pub booted: Micros,
    /// What the clock said then.
    pub offset: Micros,
    /// 1,010,000: one percent too fast.
    pub rate: u64,
}

impl Clock {
    /// What the clock says.
    #[must_use]
    pub fn at(&self, now: Micros) -> BootTime {
        let local = self.offset + (now - self.booted) * self.rate / WHOLE;
        BootTime(Duration::from_micros(local))
    }

    /// The first true instant at which the clock says that, or later.
    #[must_use]
    pub fn when(&self, local: BootTime) -> Micros {
        let nanos = u64::from(local.0.subsec_nanos());
        let micros = local.0.as_secs() * 1_000_000 + nanos.div_ceil(1000);
        let elapsed = micros.saturating_sub(self.offset).min(1 << 43);
        self.booted + (elapsed * WHOLE).div_ceil(self.rate)
    }
}
