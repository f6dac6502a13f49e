//! The differences between the servers of a cluster.

use super::clocks;
use super::groups::{Groups, group};
use super::jobs::{self, JobDifference, Server};
use super::keys::conf_default;
use super::record::{ClusterJobs, NodeJobs, ServerFacts, clip};
use super::steady::{Owner, counts};
use control::{ClusterDrift, Difference, DifferenceKind, DriftReport, DriftValue};
use policy::claim::LONGEST_JOB_NAME;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How many differences of one cluster are listed. The others are only counted.
const MOST: usize = 1000;
/// The same for the jobs of one user: those of another must not be crowded out.
const MOST_OF_USER: usize = 50;
/// In bytes, of a value or a name. Another server's record may contain any text.
const LONGEST_VALUE: usize = 120;
/// Clocks that differ less are not compared: a renewal takes its time.
const SMALLEST_SKEW: Duration = Duration::from_secs(1);

/// A node of the site.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// Whether it has no session, or does not renew it.
    pub(crate) is_silent: bool,
    /// How far its clock is ahead of this server's, in milliseconds; 0 if they agree, `None` if that is not known.
    pub(crate) clock_ahead: Option<i64>,
    /// The clusters in its configuration, by its `node/NODE` record.
    pub(crate) clusters: BTreeSet<String>,
    pub(crate) published: Published,
}

/// The record of a node's jobs.
#[derive(Clone, Debug)]
pub(crate) enum Published {
    /// As it was read.
    Record(Arc<NodeJobs>),
    /// Another program or another version has written it.
    Unreadable,
    /// There is none.
    Nothing,
}

/// Compares the nodes of these clusters. With `only_user`, only differences of this user's jobs are found.
pub(crate) fn compare(clusters: &[String], nodes: &[Node], max_skew: Duration, only_user: Option<&str>) -> DriftReport {
    let mut report = DriftReport {
        is_partial: only_user.is_some(),
        ..DriftReport::default()
    };
    for cluster in clusters {
        let mut comparison = Comparison {
            cluster,
            only_user,
            count: 0,
            of_users: BTreeMap::new(),
            found: Vec::new(),
            is_cut: false,
        };
        let compared = comparison.add_cluster(nodes, max_skew.max(SMALLEST_SKEW));
        report.clusters.push(ClusterDrift {
            name: cluster.clone(),
            nodes: compared,
            count: comparison.count,
            of_users: comparison.of_ordinary_users(),
        });
        report.is_cut |= comparison.is_cut;
        report.differences.append(&mut comparison.found);
    }
    report
}

struct Comparison<'a> {
    cluster: &'a str,
    only_user: Option<&'a str>,
    count: usize,
    of_users: BTreeMap<&'a str, usize>,
    found: Vec<Difference>,
    is_cut: bool,
}

impl<'a> Comparison<'a> {
    fn of_ordinary_users(&self) -> usize {
        let counts = self.of_users.iter();
        let ordinary = counts.filter(|(user, _)| Owner::of(Some(user)) == Owner::Users);
        ordinary.map(|(_, count)| count).sum()
    }

    /// Returns the nodes that were compared.
    fn add_cluster(&mut self, nodes: &'a [Node], max_skew: Duration) -> Vec<String> {
        let cluster = self.cluster;
        let members: Vec<&Node> = nodes.iter().filter(|node| node.has(cluster)).collect();
        self.add_unknown(&members);
        let live = members.iter().filter(|node| !node.is_silent);
        let servers: Vec<Server> = live.clone().filter_map(|node| node.server(cluster)).collect();
        self.add_facts(&servers);
        let clocks = live.filter_map(|node| Some((node.clock_ahead?, node.name.as_str())));
        self.add(DifferenceKind::Clock, None, clocks::group(clocks.collect(), max_skew));
        self.add_keys(&servers);
        jobs::compare(&servers, |difference| self.add_job(difference));
        servers.iter().map(|server| server.name.to_owned()).collect()
    }

    /// The nodes of which something is not known.
    fn add_unknown(&mut self, members: &[&Node]) {
        for node in members {
            let (kind, value) = match &node.published {
                _ if node.is_silent => (DifferenceKind::NoSession, "no session".to_owned()),
                Published::Unreadable => (DifferenceKind::Unreadable, "unreadable".to_owned()),
                Published::Nothing => (DifferenceKind::NotPublished, "nothing".to_owned()),
                Published::Record(record) => match incomplete(record) {
                    Some(value) => (DifferenceKind::Incomplete, value),
                    None => continue,
                },
            };
            let nodes = vec![node.name.clone()];
            let values = vec![DriftValue {
                value,
                nodes: nodes.clone(),
            }];
            self.add(kind, None, Some(Groups { values, odd: nodes }));
        }
    }

    fn add_facts(&mut self, servers: &[Server]) {
        let stopped = servers.iter().filter(|server| server.cluster.lines().next().is_some());
        let stopped = stopped.filter(|server| server.record.facts.cron == Some(false));
        let odd: Vec<String> = stopped.map(|server| server.name.to_owned()).collect();
        if !odd.is_empty() {
            let values = vec![DriftValue {
                value: "stopped".to_owned(),
                nodes: odd.clone(),
            }];
            self.add(DifferenceKind::CronStopped, None, Some(Groups { values, odd }));
        }
        let mut compare = |kind, key: Option<&str>, value: fn(&ServerFacts) -> Option<&String>| {
            let known = servers
                .iter()
                .filter_map(|server| Some((server.name, value(&server.record.facts)?)));
            self.add(kind, key, group(known.map(|(node, value)| (node, value.clone()))));
        };
        compare(DifferenceKind::RcrondVersion, None, |facts| Some(&facts.rcrond));
        compare(DifferenceKind::RcronVersion, None, |facts| facts.rcron.as_ref());
        compare(DifferenceKind::CronZone, None, |facts| facts.zone.as_ref());
        compare(DifferenceKind::RcrondKey, Some("max_skew"), |facts| {
            facts.max_skew.as_ref()
        });
    }

    fn add_keys(&mut self, servers: &[Server]) {
        let tables = servers.iter().map(|server| (server.name, &server.cluster.keys.toml));
        for key in names(tables.clone().map(|(_, keys)| keys)) {
            let known = tables.clone().filter_map(|(node, keys)| Some((node, keys.get(key)?)));
            let groups = group(known.map(|(node, value)| (node, value.clone())));
            self.add(DifferenceKind::RcrondKey, Some(key), groups);
        }
        let tables = servers
            .iter()
            .filter_map(|server| Some((server.name, server.cluster.keys.conf.as_ref()?)));
        for key in names(tables.clone().map(|(_, keys)| keys)) {
            let value = |keys: &BTreeMap<String, String>| match keys.get(key) {
                Some(value) => value.clone(),
                None => conf_default(key).unwrap_or_else(|| "the default".to_owned()),
            };
            let groups = group(tables.clone().map(|(node, keys)| (node, value(keys))));
            self.add(DifferenceKind::RcronKey, Some(key), groups);
        }
    }

    fn add(&mut self, kind: DifferenceKind, key: Option<&str>, groups: Option<Groups>) {
        let Some(groups) = groups.filter(|_| self.only_user.is_none()) else {
            return;
        };
        self.count += usize::from(counts(kind));
        if self.has_room() {
            self.found.push(Difference {
                key: key.map(|key| clip(key.as_bytes(), LONGEST_VALUE)),
                ..difference(self.cluster, kind, groups)
            });
        }
    }

    fn add_job(
        &mut self,
        JobDifference {
            kind,
            job,
            schedule,
            groups,
        }: JobDifference<'a>,
    ) {
        if self.only_user.is_some_and(|user| user != job.user) {
            return;
        }
        self.count += 1;
        let of_user = self.of_users.entry(job.user).or_default();
        *of_user += 1;
        if *of_user > MOST_OF_USER {
            self.is_cut = true;
        } else if self.has_room() {
            self.found.push(Difference {
                user: Some(clip(job.user.as_bytes(), LONGEST_VALUE)),
                job: job.name().map(|name| clip(name.as_bytes(), LONGEST_JOB_NAME)),
                schedule: schedule.map(|schedule| clip(schedule.as_bytes(), LONGEST_VALUE)),
                ..difference(self.cluster, kind, groups)
            });
        }
    }

    fn has_room(&mut self) -> bool {
        let has_room = self.found.len() < MOST;
        self.is_cut |= !has_room;
        has_room
    }
}

impl Node {
    fn has(&self, cluster: &str) -> bool {
        match &self.published {
            Published::Record(record) => record.clusters.contains_key(cluster),
            Published::Unreadable | Published::Nothing => self.clusters.contains(cluster),
        }
    }

    fn server(&self, cluster: &str) -> Option<Server<'_>> {
        let Published::Record(record) = &self.published else {
            return None;
        };
        let cluster: &ClusterJobs = record.clusters.get(cluster)?;
        Some(Server {
            name: &self.name,
            record,
            cluster,
        })
    }
}

/// What a record says that it does not have.
fn incomplete(record: &NodeJobs) -> Option<String> {
    match (record.left_out, record.facts.unread) {
        (0, 0) => None,
        (0, 1) => Some("1 crontab or a part of it cannot be read".to_owned()),
        (0, unread) => Some(format!("{unread} crontabs or parts of them cannot be read")),
        (left_out, 0) => Some(format!("{left_out} lines do not fit into the record")),
        (left_out, unread) => Some(format!(
            "{left_out} lines do not fit into the record, and {unread} crontabs or parts of them cannot be read"
        )),
    }
}

fn names<'a>(tables: impl Iterator<Item = &'a BTreeMap<String, String>>) -> BTreeSet<&'a str> {
    tables.flat_map(|keys| keys.keys().map(String::as_str)).collect()
}

fn difference(cluster: &str, kind: DifferenceKind, Groups { values, odd }: Groups) -> Difference {
    let clip = |value: DriftValue| DriftValue {
        value: clip(value.value.as_bytes(), LONGEST_VALUE),
        ..value
    };
    Difference {
        cluster: cluster.to_owned(),
        kind,
        user: None,
        job: None,
        schedule: None,
        key: None,
        odd,
        values: values.into_iter().map(clip).collect(),
    }
}
