//! How many ticks of each job this node has recorded as missed.

use claims::JobKey;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Jobs of one user that are counted, and of all users but root. A user can put other jobs into his crontab again and again.
const MOST_OF_USER: usize = 500;
const MOST: usize = 5000;

/// User, cluster and job.
type Key = (Arc<str>, Arc<str>, Arc<str>);

/// The counters. Copies share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct MissedTicks(Arc<Mutex<BTreeMap<Key, u64>>>);

impl MissedTicks {
    pub(super) fn add(&self, job: &JobKey, count: u32) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (job.user.clone(), job.cluster.as_str().into(), job.job.clone());
        if let Some(counter) = counters.get_mut(&key) {
            *counter += u64::from(count);
            return;
        }
        let of_user = counters.keys().filter(|(user, ..)| *user == job.user).count();
        let of_others = counters.keys().filter(|(user, ..)| **user != *"root").count();
        if of_user < MOST_OF_USER && (*job.user == *"root" || of_others < MOST) {
            counters.insert(key, count.into());
        }
    }

    pub(super) fn count(&self, cluster: &str, user: &str, job: &str) -> u64 {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (user.into(), cluster.into(), job.into());
        counters.get(&key).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lease::ClusterName;

    fn add(missed: &MissedTicks, user: &str, job: &str) {
        missed.add(&JobKey::new(ClusterName::new("web"), user, job), 2);
    }

    #[test]
    fn are_counted_for_each_job_up_to_a_limit() {
        let missed = MissedTicks::default();
        add(&missed, "root", "a");
        add(&missed, "root", "a");
        add(&missed, "alice", "a");
        assert_eq!(missed.count("web", "root", "a"), 4);
        assert_eq!(missed.count("web", "alice", "a"), 2);
        assert_eq!(missed.count("db", "root", "a"), 0);
        for user in 0..12 {
            for job in 0..600 {
                add(&missed, &format!("user{user}"), &format!("j{job}"));
            }
        }
        let counters = missed.0.lock().expect("no panic").len();
        assert_eq!(counters, MOST + 1);
        add(&missed, "root", "b");
        assert_eq!(missed.count("web", "root", "b"), 2);
        assert_eq!(
            (
                missed.count("web", "user0", "j499"),
                missed.count("web", "user0", "j500")
            ),
            (2, 0)
        );
    }
}
