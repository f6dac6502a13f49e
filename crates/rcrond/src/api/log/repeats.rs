//! Suppresses repeated messages: the machine reports a lasting fault at each attempt.

use super::message::Message;
use policy::moment::BootTime;
use std::collections::HashMap;
use std::time::Duration;

/// Between two messages about the same fault.
const PAUSE: Duration = Duration::from_secs(300);

/// How many faults are remembered. With more, those that were logged long ago are forgotten.
const MOST: usize = 1000;

/// For each kind of message, cluster, job and key: when it was last logged, and how often it was suppressed since.
#[derive(Debug, Default)]
pub(super) struct Repeats(HashMap<(&'static str, Vec<String>), (BootTime, u64)>);

impl Repeats {
    /// Whether to log the message now. If so: how often it was suppressed before.
    pub(super) fn admit(&mut self, message: &Message, now: BootTime) -> Option<u64> {
        if !message.repeats {
            return Some(0);
        }
        let subject = ["CLUSTER", "USER", "JOB", "KEY"]
            .iter()
            .filter_map(|name| message.field(name));
        let key = (message.id, subject.map(str::to_owned).collect());
        if self.0.len() >= MOST {
            self.0.retain(|_, (logged, _)| now.since(*logged) < PAUSE);
        }
        let Some((logged, suppressed)) = self.0.get_mut(&key) else {
            self.0.insert(key, (now, 0));
            return Some(0);
        };
        if now.since(*logged) < PAUSE {
            *suppressed += 1;
            return None;
        }
        *logged = now;
        Some(std::mem::take(suppressed))
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
    fn a_lasting_fault_is_logged_every_five_minutes() {
        let mut repeats = Repeats::default();
        let unwritable = |name| Message::new(&Notice::Unwritable(ClusterName::new(name)), None, &str::to_owned);
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
    fn a_lost_cluster_is_logged_each_time() {
        let mut repeats = Repeats::default();
        let lost = Message::new(&Notice::Lost(ClusterName::new("web")), None, &str::to_owned);
        assert_eq!(repeats.admit(&lost, at(100)), Some(0));
        assert_eq!(repeats.admit(&lost, at(100)), Some(0));
    }
}
