//! Which differences last. While an administrator changes one server after the other, the servers differ for a moment: that is no
//! news.

use control::{Difference, DifferenceKind, DriftReport};
use policy::moment::BootTime;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A difference counts after this time. Those of the first comparison count at once, because they may be old, except those of
/// [`may_be_new`].
const HOLD: Duration = Duration::from_secs(60);
/// Between two messages about one cluster.
const LOG_PAUSE: Duration = Duration::from_secs(300);

/// A difference, whatever the values are.
type Subject = (
    String,
    DifferenceKind,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Who can end a difference. A user can make as many as they like, and must not keep the administrator's alert firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// It is about the servers, their settings, or a job that runs as root.
    Root,
    /// It is about a job of another user.
    Users,
}

impl Owner {
    /// By the user whose job differs, if it is about a job.
    pub(super) fn of(user: Option<&str>) -> Self {
        match user {
            None | Some("root") => Self::Root,
            Some(_) => Self::Users,
        }
    }

    /// The label of the metric.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Users => "users",
        }
    }
}

/// How many differences there are, by cluster and owner.
pub(crate) type Counts = BTreeMap<(String, Owner), usize>;

/// What to log about a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// There are so many differences now, and there were none.
    Begun(String, usize),
    /// There are none any more.
    Ended(String),
}

/// The differences over time.
#[derive(Debug, Default)]
pub(crate) struct SteadyDrift {
    has_begun: bool,
    /// Since when each difference is there.
    since: BTreeMap<Subject, BootTime>,
    /// The clusters whose differences were logged.
    logged: BTreeSet<String>,
    /// When each cluster was last logged.
    logged_at: BTreeMap<String, BootTime>,
}

impl SteadyDrift {
    /// Takes in a comparison. Returns how many of its differences count.
    pub(crate) fn take(&mut self, report: &DriftReport, now: BootTime) -> Counts {
        let counting = report.differences.iter().filter(|difference| counts(difference.kind));
        let subjects: BTreeSet<Subject> = counting.map(subject).collect();
        self.since.retain(|subject, _| subjects.contains(subject));
        let (mut steady, mut listed) = (Counts::new(), Counts::new());
        for subject in subjects {
            let group = (subject.0.clone(), Owner::of(subject.2.as_deref()));
            let is_new = self.has_begun || may_be_new(subject.1);
            let begun = if is_new { now } else { BootTime(Duration::ZERO) };
            let since = *self.since.entry(subject).or_insert(begun);
            let is_steady = since == BootTime(Duration::ZERO) || now.since(since) >= HOLD;
            *steady.entry(group.clone()).or_default() += usize::from(is_steady);
            *listed.entry(group).or_default() += 1;
        }
        self.has_begun = true;
        let count = |(group, all): ((String, Owner), usize)| {
            let listed = listed.get(&group).copied().unwrap_or_default();
            let steady = steady.get(&group).copied().unwrap_or_default();
            (group, steady + all.saturating_sub(listed))
        };
        all_counts(report).map(count).collect()
    }

    /// What to log after [`Self::take`].
    pub(crate) fn changes(&mut self, counts: &Counts, now: BootTime) -> Vec<Change> {
        let counts = &totals(counts);
        self.logged.retain(|cluster| counts.contains_key(cluster));
        self.logged_at.retain(|cluster, _| counts.contains_key(cluster));
        let mut changes = Vec::new();
        for (cluster, count) in counts {
            let is_recent = self.logged_at.get(cluster).is_some_and(|at| now.since(*at) < LOG_PAUSE);
            if (*count > 0) == self.logged.contains(cluster) || is_recent {
                continue;
            }
            self.logged_at.insert(cluster.clone(), now);
            if *count > 0 {
                self.logged.insert(cluster.clone());
                changes.push(Change::Begun(cluster.clone(), *count));
            } else {
                self.logged.remove(cluster);
                changes.push(Change::Ended(cluster.clone()));
            }
        }
        changes
    }
}

fn all_counts(report: &DriftReport) -> impl Iterator<Item = ((String, Owner), usize)> {
    report.clusters.iter().flat_map(|cluster| {
        let of_root = cluster.count.saturating_sub(cluster.of_users);
        [(Owner::Root, of_root), (Owner::Users, cluster.of_users)]
            .map(|(owner, count)| ((cluster.name.clone(), owner), count))
    })
}

/// By cluster.
fn totals(counts: &Counts) -> BTreeMap<String, usize> {
    let mut totals = BTreeMap::new();
    for ((cluster, _), count) in counts {
        *totals.entry(cluster.clone()).or_default() += count;
    }
    totals
}

/// A server that is switched off, perhaps for good, is not a difference. Nor is what rcrond cannot read there, for example because it is
/// not root's.
pub(super) fn counts(kind: DifferenceKind) -> bool {
    !matches!(kind, DifferenceKind::NoSession | DifferenceKind::Incomplete)
}

/// What usually ends soon after a start of rcrond: at boot, cron is started after it, and an upgrade restarts it on one server
/// after the other.
fn may_be_new(kind: DifferenceKind) -> bool {
    matches!(
        kind,
        DifferenceKind::CronStopped | DifferenceKind::RcrondVersion | DifferenceKind::RcronVersion
    )
}

fn subject(difference: &Difference) -> Subject {
    (
        difference.cluster.clone(),
        difference.kind,
        difference.user.clone(),
        difference.job.clone(),
        difference.schedule.clone(),
        difference.key.clone(),
    )
}
