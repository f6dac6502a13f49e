//! The claims machine's notices as messages for the log.

use super::message::Message;
use crate::store_tasks::claims_codec;
use claims::{Gap, JobKey, Notice, Outcome};
use lease::ClusterName;
use log::Level;
use policy::tick::TickTime;

// The kinds of messages: `journalctl MESSAGE_ID=…` finds them, and packaging/catalog explains them.
const TICK_GRANTED: &str = "71aa2f54cc1d4f53b2c2e6f44d11de48";
const TICKS_MISSED: &str = "fce344624d7f473cbf369dc7e6de447b";
const TICK_SETTLED: &str = "0ee282c9643a40d0ad94b89b8ff9267c";
const FLOOR_SET: &str = "1d11aefe7fdc4e77b0d7c47837fc2fe3";
const JOB_UNREADABLE: &str = "7624b40845a1476ca4ffa11eb31f9fd2";
const JOB_READABLE: &str = "f8f8fe2e8f1a438e84cbbf98d74e97c0";
const TOO_MANY_JOBS: &str = "91ac0592bbe84f48a6cf76e400b7a930";

impl Message {
    /// `full_key` gives a record's key as the store's own tools show it.
    pub(super) fn about_ticks(notice: &Notice, full_key: &dyn Fn(&str) -> String) -> Self {
        match notice {
            Notice::Granted { job, tick, attempt } => {
                let text = format!("tick {} granted, attempt {attempt}", tick.rfc3339());
                about_job(TICK_GRANTED, Level::Debug, job, &text)
                    .with("TICK", &tick.rfc3339())
                    .with("ATTEMPT", &attempt.to_string())
            }
            Notice::Missed { job, gap, reason } => {
                let text = format!("{} missed: {}", ticks(*gap), reason.explanation());
                about_job(TICKS_MISSED, Level::Warn, job, &text)
                    .with("TICK", &gap.last.rfc3339())
                    .with("COUNT", &gap.count.to_string())
                    .with("REASON", reason.as_str())
            }
            Notice::Settled {
                job,
                tick,
                node,
                outcome,
            } => settled(job, *tick, node.as_str(), *outcome),
            Notice::FloorSet {
                cluster,
                floor,
                was_lost,
            } => floor_set(cluster, *floor, *was_lost),
            Notice::Unreadable(key) => {
                let key = full_key(&claims_codec::key(key));
                let text = format!(
                    "the record {key} was written by another version of rcron or another program: the ticks that need it are not \
                     started; install the same version of rcron on all servers, or delete the record if no other program should write it"
                );
                Self::about_node(JOB_UNREADABLE, Level::Error, text)
                    .with("KEY", &key)
                    .repeated()
            }
            Notice::ReadableAgain(key) => {
                let key = full_key(&claims_codec::key(key));
                Self::about_node(JOB_READABLE, Level::Info, format!("the record {key} can be read again"))
                    .with("KEY", &key)
            }
            Notice::TooManyJobs(job) => {
                let text = "this job is new and is not started, because the store has records of too many jobs of this user or cluster: \
                            use fewer names with once_per_tick";
                about_job(TOO_MANY_JOBS, Level::Error, job, text).repeated()
            }
        }
    }
}

fn settled(job: &JobKey, tick: TickTime, node: &str, outcome: Outcome) -> Message {
    let (word, what) = match outcome {
        Outcome::Skipped => ("skipped", "skipped: an earlier tick is still running".to_owned()),
        Outcome::Lost => ("lost", format!("its end on {node} is not known: rcron is gone")),
        _ => ("interrupted", format!("interrupted: {node} was lost while the job ran")),
    };
    let text = format!("tick {} {what}", tick.rfc3339());
    about_job(TICK_SETTLED, Level::Warn, job, &text)
        .with("TICK", &tick.rfc3339())
        .with("BY", node)
        .with("RESULT", word)
}

fn floor_set(cluster: &ClusterName, floor: TickTime, was_lost: bool) -> Message {
    let floor = floor.rfc3339();
    let (level, why) = if was_lost {
        (Level::Warn, ", because the store has other data than before")
    } else {
        (Level::Info, ", because this is the first use of once_per_tick")
    };
    let text = format!("ticks up to {floor} are not started with once_per_tick{why}");
    Message::about_cluster(FLOOR_SET, level, cluster, &text).with("FLOOR", &floor)
}

fn about_job(id: &'static str, level: Level, job: &JobKey, text: &str) -> Message {
    let name = &job.job;
    let text = format!("job {name} of {}: {text}", job.user);
    Message::about_cluster(id, level, &job.cluster, &text)
        .with("JOB", name)
        .with("USER", &job.user)
}

fn ticks(gap: Gap) -> String {
    let (first, last) = (gap.first.rfc3339(), gap.last.rfc3339());
    match gap.count {
        1 => format!("tick {last}"),
        u32::MAX => format!("all ticks from {first} to {last}"),
        count => format!("{count} ticks from {first} to {last}"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use claims::{Key, MissReason};
    use lease::NodeName;

    pub(in crate::api::log) fn all_notices() -> Vec<Notice> {
        let job = JobKey::new(ClusterName::new("web"), "root", "backup");
        let tick = TickTime(951_782_400);
        let gap = Gap {
            first: TickTime(951_782_340),
            last: tick,
            count: 2,
        };
        let cluster = job.cluster.clone();
        let settled = [Outcome::Interrupted, Outcome::Lost, Outcome::Skipped].map(|outcome| Notice::Settled {
            job: job.clone(),
            tick,
            node: NodeName::new("server2").expect("a name"),
            outcome,
        });
        let floors = [false, true].map(|was_lost| Notice::FloorSet {
            cluster: cluster.clone(),
            floor: tick,
            was_lost,
        });
        let mut all = vec![
            Notice::Granted {
                job: job.clone(),
                tick,
                attempt: 1,
            },
            Notice::Missed {
                job: job.clone(),
                gap,
                reason: MissReason::NotAsked,
            },
            Notice::Unreadable(Key::Job(job.clone())),
            Notice::ReadableAgain(Key::Job(job.clone())),
            Notice::TooManyJobs(job),
        ];
        all.extend(settled);
        all.extend(floors);
        all
    }

    fn text(notice: &Notice) -> String {
        Message::about_ticks(notice, &|key| format!("rcron:{key}")).text
    }

    #[test]
    fn messages_name_the_job_and_the_ticks() {
        let texts: Vec<_> = all_notices().iter().map(text).collect();
        for expected in [
            "cluster web: job backup of root: 2 ticks from 2000-02-28T23:59:00Z to 2000-02-29T00:00:00Z missed: no active server asked \
             for it in time",
            "cluster web: job backup of root: tick 2000-02-29T00:00:00Z interrupted: server2 was lost while the job ran",
            "cluster web: ticks up to 2000-02-29T00:00:00Z are not started with once_per_tick, because the store has other data than \
             before",
            "the record rcron:job/web/root/backup can be read again",
        ] {
            assert!(texts.iter().any(|text| text == expected), "{texts:#?}");
        }
    }
}
