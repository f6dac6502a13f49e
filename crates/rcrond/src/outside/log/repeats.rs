//! The same fault, told again and again by a machine that tries again and again.

use super::event::Event;
use policy::moment::BootTime;
use std::collections::HashMap;
use std::time::Duration;

/// How long a fault that lasts is not told again.
const PAUSE: Duration = Duration::from_secs(300);

/// When each was last told, and how often it was not since.
#[derive(Debug, Default)]
pub(super) struct Repeats(HashMap<(&'static str, Option<String>), (BootTime, u64)>);

impl Repeats {
    /// Whether to tell it now: with how many that were not told.
    pub(super) fn admit(&mut self, event: &Event, now: BootTime) -> Option<u64> {
        if !event.repeats {
            return Some(0);
        }
        let key = (event.id, event.field("CLUSTER").map(str::to_owned));
        let Some((told, untold)) = self.0.get_mut(&key) else {
            self.0.insert(key, (now, 0));
            return Some(0);
        };
        if now.since(*told) < PAUSE {
            *untold += 1;
            return None;
        }
        *told = now;
        Some(std::mem::take(untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lease::{ClusterName, Notice};

    fn at(seconds: u64) -> BootTime {
        BootTime(Duration::from_secs(seconds))
    }

    #[test]
    fn a_fault_that_lasts_is_told_every_five_minutes() {
        let mut repeats = Repeats::default();
        let unwritable = |name| Event::new(&Notice::Unwritable(ClusterName::new(name)), None);
        assert_eq!(repeats.admit(&unwritable("web"), at(100)), Some(0));
        for second in 101..400 {
            assert_eq!(repeats.admit(&unwritable("web"), at(second)), None);
        }
        assert_eq!(
            repeats.admit(&unwritable("billing"), at(399)),
            Some(0),
            "another cluster's"
        );
        assert_eq!(repeats.admit(&unwritable("web"), at(400)), Some(299));
        assert_eq!(repeats.admit(&unwritable("web"), at(401)), None);
    }

    #[test]
    fn what_changes_hands_is_told_each_time() {
        let mut repeats = Repeats::default();
        let lost = Event::new(&Notice::Lost(ClusterName::new("web")), None);
        assert_eq!(repeats.admit(&lost, at(100)), Some(0));
        assert_eq!(repeats.admit(&lost, at(100)), Some(0));
    }
}
