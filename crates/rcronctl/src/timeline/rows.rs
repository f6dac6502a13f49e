//! The rows of the timeline: one for each job.

use super::period::{self, Start};
use super::run_span::{RunSpan, Window};
use journal::run::Run;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// One job: the runs of one user's job in one cluster.
pub(super) struct Row<'a> {
    pub(super) cluster: &'a str,
    pub(super) name: &'a str,
    /// The user's name, or the number if no name is known. Servers may give one user different numbers.
    pub(super) user: Cow<'a, str>,
    /// The name, with the user if another user's job has the same name.
    pub(super) label: Cow<'a, str>,
    /// In order of their start.
    pub(super) spans: Vec<RunSpan<'a>>,
    /// How often the job runs, in milliseconds, if that is clear.
    pub(super) period: Option<i64>,
}

impl<'a> Row<'a> {
    /// A job of which only ticks are known.
    pub(super) fn without_runs(cluster: &'a str, name: &'a str, user: &'a str) -> Self {
        Self {
            cluster,
            name,
            user: user.into(),
            label: name.into(),
            spans: Vec::new(),
            period: None,
        }
    }

    pub(super) fn starts(&self) -> Vec<Start> {
        starts(&self.spans)
    }
}

/// The rows in order of cluster, name and user. `servers` is sorted.
pub(super) fn build_rows<'a>(runs: &'a [Run], servers: &[&str], window: Window) -> Vec<Row<'a>> {
    let mut jobs: BTreeMap<(&'a str, &'a str, Cow<'a, str>), Vec<RunSpan<'a>>> = BTreeMap::new();
    for span in runs.iter().filter_map(|run| span(run, servers, window)) {
        let run = span.run;
        let user = run
            .user
            .as_deref()
            .map_or_else(|| run.uid.to_string().into(), Cow::from);
        jobs.entry((&run.cluster, run.name(), user)).or_default().push(span);
    }
    let row = |((cluster, name, user), mut spans): ((&'a str, &'a str, Cow<'a, str>), Vec<RunSpan<'a>>)| {
        spans.sort_by_key(|span| (span.run.started, span.server));
        Row {
            cluster,
            name,
            label: name.into(),
            user,
            period: period::guess_period(&starts(&spans)),
            spans,
        }
    };
    let mut rows: Vec<Row> = jobs.into_iter().map(row).collect();
    label_rows(&mut rows);
    rows
}

/// Adds the user to the label of each job whose name another user's job has too.
pub(super) fn label_rows(rows: &mut [Row]) {
    let names: Vec<(&str, &str)> = rows.iter().map(|row| (row.cluster, row.name)).collect();
    for (index, row) in rows.iter_mut().enumerate() {
        let neighbours = [index.checked_sub(1), Some(index + 1)].into_iter().flatten();
        let is_ambiguous = neighbours
            .into_iter()
            .any(|other| names.get(other) == Some(&(row.cluster, row.name)));
        row.label = if is_ambiguous {
            format!("{} ({})", row.name, row.user).into()
        } else {
            row.name.into()
        };
    }
}

fn span<'a>(run: &'a Run, servers: &[&str], window: Window) -> Option<RunSpan<'a>> {
    let server = servers.binary_search(&run.server()).ok()?;
    Some(RunSpan::new(run, server, window.now)).filter(|span| window.contains(span))
}

fn starts(spans: &[RunSpan]) -> Vec<Start> {
    spans.iter().map(|span| (span.start(), span.server)).collect()
}
