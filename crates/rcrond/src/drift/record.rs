//! The record `node-jobs/NODE`: a server's rcron lines and settings, as it publishes them for the others. They compare them with
//! their own, and use the jobs with `once_per_tick` for the ranks.
//!
//! Names of fields are short, because a record has one line of JSON for each job.

use super::keys::ClusterKeys;
use claims::JobKey;
use lease::ClusterName;
use policy::claim::is_job_name;
use policy::display;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use store::LONGEST_VALUE;

/// The version of the record's format. From this one on, later versions of rcrond read the record, and ignore fields that they
/// do not know.
pub(crate) const FORMAT: u32 = 2;
/// In bytes, of a user's name, a schedule or a zone. Of a longer one, the beginning and a hash are published.
const LONGEST_TEXT: usize = 64;
/// How many users are named whose lines were left out.
const MOST_NAMED: usize = 20;
/// What the names of these users may need, in bytes.
const FOR_NAMES: usize = 4096;

/// The record, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeJobs {
    format: u32,
    #[serde(flatten)]
    pub(crate) facts: ServerFacts,
    /// How many lines or clusters were left out, because the record would be too long.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) left_out: usize,
    /// The users of these lines, if they are few.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    cut_users: BTreeSet<String>,
    /// The clusters of the server's rcrond.toml, by name.
    pub(crate) clusters: BTreeMap<String, ClusterJobs>,
}

/// What is published of the server itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServerFacts {
    /// rcrond's version.
    pub(crate) rcrond: String,
    /// The version of the installed rcron; `None` if it cannot be determined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rcron: Option<String>,
    /// Whether cron runs; `None` if it cannot be determined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cron: Option<bool>,
    /// cron's own time zone, as a rule of tzset(3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<String>,
    /// `max_skew` of rcrond.toml.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_skew: Option<String>,
    /// How many crontabs, or parts of them, rcrond could not read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) unread: usize,
    /// The users of these crontabs, if they are few, and if no other crontab is among them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) unread_users: BTreeSet<String>,
    /// Whether only crontabs of users except root are among them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) only_users_unread: bool,
}

/// A cluster's settings and lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClusterJobs {
    #[serde(flatten)]
    pub(crate) keys: ClusterKeys,
    /// The lines by their users.
    #[serde(default)]
    users: BTreeMap<String, Vec<Line>>,
}

/// A line of a crontab that runs rcron. A command is never published, because it may contain a password.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Line {
    /// The value of `--job`.
    #[serde(rename = "j", default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// As in the crontab.
    #[serde(rename = "s")]
    pub(crate) schedule: String,
    /// `CRON_TZ`; `None` for cron's own zone.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<String>,
    /// Whether the line is subject to `once_per_tick`.
    #[serde(rename = "o", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) once_per_tick: bool,
    /// Sixteen bits of a hash of the command: enough to see a difference, too few to guess a command.
    #[serde(rename = "h")]
    pub(crate) hash: u16,
}

/// A line as the crontab has it: any user may have written it.
pub(crate) struct ServerLine<'a> {
    pub(crate) cluster: &'a str,
    pub(crate) user: &'a [u8],
    pub(crate) name: Option<&'a [u8]>,
    pub(crate) schedule: &'a [u8],
    pub(crate) zone: Option<&'a [u8]>,
    pub(crate) once_per_tick: bool,
    pub(crate) hash: u16,
}

impl ServerFacts {
    /// Notes what rcrond could not read: `None` for what may have jobs of every user, otherwise the user of a crontab.
    pub(crate) fn set_unread<'a>(&mut self, unread: impl Iterator<Item = Option<&'a [u8]>>) {
        let users: Vec<Option<String>> = unread.map(|user| user.map(short)).collect();
        self.unread = users.len();
        let of_users = |user: &Option<String>| user.as_deref().is_some_and(|user| user != "root");
        self.only_users_unread = !users.is_empty() && users.iter().all(of_users);
        self.unread_users = users.into_iter().flatten().collect();
        if !self.only_users_unread || self.unread_users.len() > MOST_NAMED {
            self.unread_users.clear();
        }
    }

    fn may_lack_lines_of(&self, user: &str) -> bool {
        let is_of_users = user != "root" && (self.unread_users.is_empty() || self.unread_users.contains(user));
        self.unread > 0 && (!self.only_users_unread || is_of_users)
    }
}

impl NodeJobs {
    /// The lines of the configured clusters, as far as they fit into a record. Lines of other clusters are not published.
    pub(crate) fn new<'a>(
        facts: ServerFacts,
        clusters: BTreeMap<String, ClusterKeys>,
        lines: impl Iterator<Item = ServerLine<'a>>,
    ) -> Self {
        let mut record = Self {
            format: FORMAT,
            facts,
            left_out: 0,
            cut_users: BTreeSet::new(),
            clusters: BTreeMap::new(),
        };
        let mut room = LONGEST_VALUE.saturating_sub(record.to_json().len() + FOR_NAMES);
        for (name, keys) in clusters {
            let users = BTreeMap::new();
            let cluster = ClusterJobs { keys, users };
            if let Some(rest) = room.checked_sub(length(&name) + length(&cluster)) {
                room = rest;
                record.clusters.insert(name, cluster);
            } else {
                record.left_out += 1;
            }
        }
        let mut groups: BTreeMap<(&str, String), Vec<Line>> = BTreeMap::new();
        for line in lines {
            let group = groups.entry((line.cluster, short(line.user))).or_default();
            group.push(Line::new(&line));
        }
        record.take_in(groups, room);
        record
    }

    /// Users with few lines come first, so that one with many cannot keep the others out.
    fn take_in(&mut self, groups: BTreeMap<(&str, String), Vec<Line>>, mut room: usize) {
        let mut groups: Vec<_> = groups
            .into_iter()
            .map(|(key, mut lines)| {
                lines.sort();
                (length(&lines) + length(&key.1), key, lines)
            })
            .collect();
        groups.sort();
        for (length, (cluster, user), lines) in groups {
            let Some(cluster) = self.clusters.get_mut(cluster) else {
                continue;
            };
            if let Some(rest) = room.checked_sub(length) {
                room = rest;
                cluster.users.insert(user, lines);
            } else {
                self.left_out += lines.len();
                // One more than are named says that there are more.
                if self.cut_users.len() <= MOST_NAMED {
                    self.cut_users.insert(user);
                }
            }
        }
        if self.cut_users.len() > MOST_NAMED {
            self.cut_users.clear();
        }
    }

    /// The record's text.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        // This cannot fail: there are only texts and numbers.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a record; `None` if another program or a version with another format has written it.
    pub(crate) fn parse(record: &[u8]) -> Option<Self> {
        let jobs: Self = serde_json::from_slice(record).ok()?;
        (jobs.format == FORMAT).then_some(jobs)
    }

    /// The jobs that are subject to `once_per_tick`. A name that several lines of a user have is not a job's.
    pub(crate) fn once_per_tick(&self) -> BTreeSet<JobKey> {
        let mut jobs = BTreeMap::new();
        for (cluster, of_cluster) in &self.clusters {
            let cluster = ClusterName::new(cluster);
            for (user, line) in of_cluster.lines() {
                if let Some(name) = line.name.as_deref().filter(|name| is_job_name(name)) {
                    let key = JobKey::new(cluster.clone(), user, name);
                    let entry = jobs.entry(key);
                    entry.and_modify(|once| *once = false).or_insert(line.once_per_tick);
                }
            }
        }
        jobs.into_iter().filter(|(_, once)| *once).map(|(job, _)| job).collect()
    }

    /// Whether lines of this user may have been left out, or not read.
    pub(crate) fn may_lack_lines_of(&self, user: &str) -> bool {
        let is_cut = self.left_out > 0 && (self.cut_users.is_empty() || self.cut_users.contains(user));
        is_cut || self.facts.may_lack_lines_of(user)
    }
}

impl ClusterJobs {
    /// With their users.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&str, &Line)> {
        let users = self.users.iter();
        users.flat_map(|(user, lines)| lines.iter().map(move |line| (user.as_str(), line)))
    }
}

impl Line {
    fn new(line: &ServerLine) -> Self {
        let name = |name: &[u8]| {
            let usable = std::str::from_utf8(name).ok().filter(|name| is_job_name(name));
            usable.map_or_else(|| short(name), str::to_owned)
        };
        Self {
            name: line.name.map(name),
            schedule: short(line.schedule),
            zone: line.zone.map(short),
            once_per_tick: line.once_per_tick,
            hash: line.hash,
        }
    }
}

/// A text as it is published.
fn short(text: &[u8]) -> String {
    clip(text, LONGEST_TEXT)
}

/// A printable text, of which not much more than `limit` bytes are left. Different texts stay different.
pub(super) fn clip(text: &[u8], limit: usize) -> String {
    let mut line = Vec::new();
    let is_whole = display::append(&mut line, text, limit);
    let mut short = String::from_utf8_lossy(&line).into_owned();
    if !is_whole {
        let _ = write!(short, "…{:04x}", ::jobs::hash::of_command(text));
    }
    short
}

/// With a comma or a colon after it.
fn length(part: &impl Serialize) -> usize {
    serde_json::to_vec(part).map_or(0, |text| text.len() + 1)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}
