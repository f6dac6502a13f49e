//! The record `node-jobs/NODE`: the jobs of a server's crontabs, as it publishes them for the ranks of the others and for people.

use super::crontabs::{Crontabs, JobLine, Lines};
use claims::JobKey;
use lease::ClusterName;
use serde::{Deserialize, Serialize};
use store::LONGEST_VALUE;

/// The version of the record's format. From this one on, later versions of rcrond read the record, and ignore fields that they
/// do not know.
const FORMAT: u32 = 1;

/// The record, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeJobs {
    format: u32,
    /// Sorted by cluster, user and name.
    pub(crate) jobs: Vec<PublishedJob>,
    /// Jobs were left out, because the record would be too long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_cut: bool,
}

/// A line of a crontab. A command is never published, because it may contain a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublishedJob {
    pub(crate) cluster: String,
    pub(crate) user: String,
    pub(crate) job: String,
    /// As in the crontab.
    pub(crate) schedule: String,
    pub(crate) zone: String,
    pub(crate) once_per_tick: bool,
    /// Sixteen bits: enough to see a difference, too few to guess a command.
    pub(crate) hash: u16,
}

impl NodeJobs {
    /// The jobs of these crontabs, as far as they fit into a record.
    pub(crate) fn new(crontabs: &Crontabs) -> Self {
        let one = |(job, lines): (&JobKey, &Lines)| match lines {
            Lines::One(line) => Some(PublishedJob::new(job, line)),
            // Whoever runs such a job sees why it is not started.
            Lines::Several => None,
        };
        let mut record = Self {
            format: FORMAT,
            jobs: crontabs.jobs.iter().filter_map(one).collect(),
            is_cut: false,
        };
        let mut length = record.to_json().len();
        while length > LONGEST_VALUE {
            record.is_cut = true;
            // Each pass leaves out what is too much, or a little less.
            let kept = record.jobs.len() * LONGEST_VALUE / length;
            record.jobs.truncate(kept.min(record.jobs.len().saturating_sub(1)));
            length = record.to_json().len();
        }
        record
    }

    /// The record's text.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        // This cannot fail: there are only texts and numbers.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a record; `None` if another program or a later version with another format has written it.
    pub(crate) fn parse(record: &[u8]) -> Option<Self> {
        let jobs: Self = serde_json::from_slice(record).ok()?;
        (jobs.format <= FORMAT).then_some(jobs)
    }

    /// The jobs that are subject to `once_per_tick`.
    pub(crate) fn once_per_tick(&self) -> impl Iterator<Item = JobKey> + '_ {
        let jobs = self.jobs.iter().filter(|job| job.once_per_tick);
        jobs.map(|job| JobKey::new(ClusterName::new(&job.cluster), &job.user, &job.job))
    }
}

impl PublishedJob {
    fn new(job: &JobKey, line: &JobLine) -> Self {
        Self {
            cluster: job.cluster.as_str().to_owned(),
            user: job.user.to_string(),
            job: job.job.to_string(),
            schedule: line.text.clone(),
            zone: line.zone.clone(),
            once_per_tick: line.once_per_tick,
            hash: line.command_hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::crontabs::tests::scheduled;
    use super::*;

    fn crontabs(count: usize) -> Crontabs {
        let job = |number| {
            let key = JobKey::new(ClusterName::new("web"), "root", &format!("job{number:05}"));
            (key, Lines::One(scheduled("* * * * *")))
        };
        Crontabs {
            jobs: (0..count).map(job).collect(),
            ..Crontabs::default()
        }
    }

    #[test]
    fn what_is_published_is_read() {
        let record = NodeJobs::new(&crontabs(2));
        assert_eq!(
            String::from_utf8(NodeJobs::new(&crontabs(1)).to_json()).expect("text"),
            r#"{"format":1,"jobs":[{"cluster":"web","user":"root","job":"job00000","schedule":"* * * * *","zone":"UTC","once_per_tick":true,"hash":7}]}"#
        );
        let read = NodeJobs::parse(&record.to_json()).expect("read");
        assert_eq!(read, record);
        assert_eq!(read.once_per_tick().count(), 2);
        assert_eq!(NodeJobs::parse(br#"{"format":2,"jobs":[]}"#), None);
        assert_eq!(NodeJobs::parse(b"\xff"), None);
    }

    #[test]
    fn a_long_record_is_cut_and_says_so() {
        let record = NodeJobs::new(&crontabs(10_000));
        assert!(record.is_cut);
        let length = record.to_json().len();
        assert!((LONGEST_VALUE / 2..=LONGEST_VALUE).contains(&length), "{length}");
        assert!(!NodeJobs::new(&crontabs(100)).is_cut);
    }
}
