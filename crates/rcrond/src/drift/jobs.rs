//! The jobs of several servers.

use super::groups::group;
use super::keys::yes_or_no;
use super::record::{ClusterJobs, Line, NodeJobs};
use control::DifferenceKind;
use std::collections::BTreeMap;

/// A job, as it is recognized on each server: by its name, or without one by its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Job<'a> {
    /// root's jobs come first, so that others cannot crowd them out.
    is_users: bool,
    pub(super) user: &'a str,
    name: Option<&'a str>,
    /// Of a job without a name.
    hash: Option<u16>,
}

/// What is compared of a job's lines.
type Attribute = (DifferenceKind, fn(&Line) -> String);

const ATTRIBUTES: [Attribute; 4] = [
    (DifferenceKind::Schedule, |line| line.schedule.clone()),
    (DifferenceKind::JobZone, |line| {
        line.zone.clone().unwrap_or_else(|| "cron's own".to_owned())
    }),
    (DifferenceKind::OncePerTick, |line| yes_or_no(line.once_per_tick)),
    (DifferenceKind::Command, |line| format!("{:04x}", line.hash)),
];

/// A server with the cluster.
pub(super) struct Server<'a> {
    pub(super) name: &'a str,
    pub(super) record: &'a NodeJobs,
    pub(super) cluster: &'a ClusterJobs,
}

/// A difference of a job.
pub(super) struct JobDifference<'a> {
    pub(super) kind: DifferenceKind,
    pub(super) job: Job<'a>,
    /// Of a job without a name.
    pub(super) schedule: Option<&'a str>,
    pub(super) groups: super::groups::Groups,
}

impl<'a> Job<'a> {
    fn of(user: &'a str, line: &'a Line) -> Self {
        let name = line.name.as_deref();
        let hash = name.is_none().then_some(line.hash);
        Self {
            is_users: user != "root",
            user,
            name,
            hash,
        }
    }

    pub(super) const fn name(&self) -> Option<&'a str> {
        self.name
    }
}

/// Each difference is given to `found`, in the order of the jobs.
pub(super) fn compare<'a>(servers: &[Server<'a>], mut found: impl FnMut(JobDifference<'a>)) {
    let mut jobs: BTreeMap<Job<'a>, BTreeMap<usize, Vec<&'a Line>>> = BTreeMap::new();
    for (index, server) in servers.iter().enumerate() {
        for (user, line) in server.cluster.lines() {
            let job = jobs.entry(Job::of(user, line)).or_default();
            job.entry(index).or_default().push(line);
        }
    }
    for (job, mut lines) in jobs {
        for lines in lines.values_mut() {
            lines.sort();
        }
        let first = lines.values().flatten().next();
        let schedule = first.filter(|_| job.name.is_none()).map(|line| line.schedule.as_str());
        let mut add = |kind, groups| {
            found(JobDifference {
                kind,
                job,
                schedule,
                groups,
            });
        };
        let is_known = |(index, server): &(usize, &Server)| {
            lines.contains_key(index) || !server.record.may_lack_lines_of(job.user)
        };
        let known = servers.iter().enumerate().filter(is_known);
        let presence = known.map(|(index, server)| {
            let word = if lines.contains_key(&index) {
                "present"
            } else {
                "missing"
            };
            (server.name, word.to_owned())
        });
        if let Some(groups) = group(presence) {
            add(DifferenceKind::JobMissing, groups);
        }
        let has_several = lines.values().any(|lines| lines.len() > 1);
        for (kind, value) in ATTRIBUTES {
            let values = lines
                .iter()
                .map(|(index, lines)| (servers[*index].name, joined(lines, value)));
            if let Some(groups) = group(values) {
                add(kind, groups);
                // Of several lines with one name, it is not known which belong together.
                if has_several {
                    break;
                }
            }
        }
    }
}

fn joined(lines: &[&Line], value: fn(&Line) -> String) -> String {
    match lines {
        [line] => value(line),
        lines => {
            let values: Vec<String> = lines.iter().map(|line| value(line)).collect();
            values.join(", ")
        }
    }
}
