//! The jobs that must be read, in turns among the users, so that one user's jobs do not hold up another's.

use crate::job::JobKey;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    users: BTreeMap<Arc<str>, VecDeque<JobKey>>,
    queued: BTreeSet<JobKey>,
    /// The user whose job was taken last.
    last: Option<Arc<str>>,
}

impl Queue {
    pub(super) fn push(&mut self, job: JobKey) {
        if self.queued.insert(job.clone()) {
            self.users.entry(Arc::clone(&job.user)).or_default().push_back(job);
        }
    }

    pub(super) fn extend(&mut self, jobs: impl IntoIterator<Item = JobKey>) {
        for job in jobs {
            self.push(job);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queued.is_empty()
    }

    /// Takes up to `most` jobs: one of each user, as long as there are some.
    pub(super) fn take(&mut self, most: usize) -> Vec<JobKey> {
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(job) = self.next() else { break };
            self.queued.remove(&job);
            taken.push(job);
        }
        taken
    }

    fn next(&mut self) -> Option<JobKey> {
        let after = |last: &Arc<str>| self.users.keys().find(|user| *user > last).cloned();
        let user = self.last.as_ref().and_then(after);
        let user = user.or_else(|| self.users.keys().next().cloned())?;
        let jobs = self.users.get_mut(&user)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            self.users.remove(&user);
        }
        self.last = Some(user);
        job
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use lease::ClusterName;

    fn job(user: &str, number: usize) -> JobKey {
        JobKey::new(ClusterName::new("main"), user, &format!("{number}"))
    }

    #[test]
    fn a_flood_of_one_user_leaves_room_for_the_others() {
        let mut queue = Queue::default();
        queue.extend((0..1000).map(|number| job("mallory", number)));
        queue.push(job("root", 1));
        queue.push(job("root", 1));
        queue.push(job("alice", 1));
        let taken = queue.take(4);
        let users: Vec<&str> = taken.iter().map(|job| &*job.user).collect();
        assert_eq!(users, ["alice", "mallory", "root", "mallory"]);
        assert_eq!(queue.take(2000).len(), 998);
        assert!(queue.is_empty());
    }
}
