//! What the picture shows: rows, bars, servers, findings. Pure; the terminal, the page and the JSON draw it.

use super::beat;
use super::finding::{self, Finding};
use super::span::known_end;
use jiff::{SignedDuration, Timestamp};
use journal::run::{Fate, Run};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// From when to when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) since: Timestamp,
    pub(crate) now: Timestamp,
}

impl Window {
    /// So many hours up to the present.
    pub(crate) fn last_hours(hours: i64) -> Self {
        let now = Timestamp::now();
        let since = now.checked_sub(SignedDuration::from_hours(hours));
        Self {
            since: since.unwrap_or(Timestamp::MIN),
            now,
        }
    }
}

/// Everything there is to draw.
pub(super) struct Picture<'a> {
    pub(super) window: Window,
    /// In order of their names.
    pub(super) servers: Vec<&'a str>,
    pub(super) rows: Vec<Row<'a>>,
    pub(super) findings: Vec<Finding>,
    /// Whether there are enough journals to tell that a tick ran nowhere.
    pub(super) is_whole: bool,
}

/// One job: a line of one user's crontab.
pub(super) struct Row<'a> {
    pub(super) cluster: &'a str,
    pub(super) name: &'a str,
    /// The user's name, or number where no name is known.
    pub(super) user: Cow<'a, str>,
    /// Whether another user's job has the same name.
    pub(super) is_ambiguous: bool,
    /// In order of their start.
    pub(super) bars: Vec<Bar<'a>>,
    /// How often it runs, in milliseconds, where that is clear.
    pub(super) period: Option<i64>,
}

/// One run on one server.
#[derive(Clone, Copy)]
pub(super) struct Bar<'a> {
    pub(super) run: &'a Run,
    /// Which of the picture's servers.
    pub(super) server: usize,
}

impl Bar<'_> {
    pub(super) fn start(&self) -> i64 {
        self.run.started.as_millisecond()
    }
}

impl Picture<'_> {
    /// Whether a job's name alone does not tell which it is.
    pub(super) fn has_clusters(&self) -> bool {
        self.rows.first().map(|row| row.cluster) != self.rows.last().map(|row| row.cluster)
    }
}

impl Row<'_> {
    /// What stands left of it.
    pub(super) fn label(&self) -> Cow<'_, str> {
        if self.is_ambiguous {
            format!("{} ({})", self.name, self.user).into()
        } else {
            self.name.into()
        }
    }
}

/// Lays out the runs that were going on in the window. `journals` is how many were read, where that is known.
pub(super) fn lay_out(runs: &[Run], window: Window, journals: usize) -> Picture<'_> {
    let servers = servers(runs);
    let is_whole = servers.len() > 1 || journals > 1;
    let mut rows = rows(runs, &servers, window);
    mark_ambiguous(&mut rows);
    let findings = finding::all(&rows, window, is_whole);
    Picture {
        window,
        servers,
        rows,
        findings,
        is_whole,
    }
}

/// The letter that stands for a server: A to Z, then for all others `+`.
pub(super) fn letter(server: usize) -> char {
    u8::try_from(server)
        .ok()
        .filter(|server| *server < 26)
        .map_or('+', |server| char::from(b'A' + server))
}

fn servers(runs: &[Run]) -> Vec<&str> {
    let mut servers: Vec<&str> = runs.iter().map(|run| run.node.as_str()).collect();
    servers.sort_unstable();
    servers.dedup();
    servers
}

/// The runs with the index of their server, in order of their start.
pub(super) fn bars<'a>(runs: impl Iterator<Item = &'a Run>, servers: &[&str]) -> Vec<Bar<'a>> {
    let bar = |run: &'a Run| {
        let server = servers.binary_search(&run.node.as_str()).ok()?;
        Some(Bar { run, server })
    };
    let mut bars: Vec<Bar> = runs.filter_map(bar).collect();
    bars.sort_by_key(|bar| (bar.run.started, bar.server));
    bars
}

fn rows<'a>(runs: &'a [Run], servers: &[&str], window: Window) -> Vec<Row<'a>> {
    let mut jobs: BTreeMap<(&str, &str, Cow<str>), Vec<&Run>> = BTreeMap::new();
    for run in runs.iter().filter(|run| is_in(run, window)) {
        jobs.entry((&run.cluster, run.name(), user(run))).or_default().push(run);
    }
    let row = |((cluster, name, user), runs): (_, Vec<&'a Run>)| {
        let bars = bars(runs.into_iter(), servers);
        let starts: Vec<beat::Start> = bars.iter().map(|bar| (bar.start(), bar.server)).collect();
        Row {
            cluster,
            name,
            user,
            is_ambiguous: false,
            period: beat::guess(&starts),
            bars,
        }
    };
    jobs.into_iter().map(row).collect()
}

/// By name, for the numbers of one user may differ between servers.
fn user(run: &Run) -> Cow<'_, str> {
    match &run.user {
        Some(name) => name.into(),
        None => run.uid.to_string().into(),
    }
}

fn is_in(run: &Run, window: Window) -> bool {
    let may_go_on = matches!(run.fate, Fate::Unknown);
    let end = known_end(run, window.now).unwrap_or(run.started);
    run.started <= window.now && (end >= window.since || may_go_on && run.started >= window.since)
}

fn mark_ambiguous(rows: &mut [Row]) {
    let names: Vec<(&str, &str)> = rows.iter().map(|row| (row.cluster, row.name)).collect();
    for (index, row) in rows.iter_mut().enumerate() {
        let is_same = |other: Option<&(&str, &str)>| other == Some(&(row.cluster, row.name));
        row.is_ambiguous = is_same(names.get(index + 1)) || index > 0 && is_same(names.get(index - 1));
    }
}

#[cfg(test)]
pub(super) fn bars_of(runs: &[Run]) -> Vec<Bar<'_>> {
    bars(runs.iter(), &servers(runs))
}

#[cfg(test)]
mod tests {
    use super::super::example::{interrupted, named, ok, running, seconds};
    use super::*;

    const WINDOW: (i64, i64) = (0, 3600);

    fn picture(runs: &[Run]) -> Picture<'_> {
        let window = Window {
            since: seconds(WINDOW.0),
            now: seconds(WINDOW.1),
        };
        lay_out(runs, window, 1)
    }

    fn of(mut run: Run, cluster: &str, user: Option<&str>) -> Run {
        cluster.clone_into(&mut run.cluster);
        run.user = user.map(ToOwned::to_owned);
        run
    }

    #[test]
    fn there_is_one_row_for_each_job_of_a_cluster_and_a_user() {
        let runs = [
            ok("b", 60, 1),
            ok("a", 0, 1),
            named(ok("a", 0, 1), "clean"),
            of(ok("a", 0, 1), "db", Some("root")),
            of(ok("a", 9, 1), "web", None),
        ];
        let picture = picture(&runs);
        let rows: Vec<(&str, String, usize)> = picture
            .rows
            .iter()
            .map(|row| (row.cluster, row.label().into_owned(), row.bars.len()))
            .collect();
        let expected = [
            ("db", "backup", 1),
            ("web", "backup (0)", 1),
            ("web", "backup (root)", 2),
            ("web", "clean", 1),
        ];
        assert_eq!(
            rows,
            expected.map(|(cluster, name, runs)| (cluster, name.to_owned(), runs))
        );
        assert_eq!(picture.servers, ["a", "b"]);
        assert_eq!(picture.rows[2].bars[1].run.node, "b");
    }

    #[test]
    fn what_was_over_before_the_window_is_not_drawn() {
        let runs = [
            ok("a", -100, 50),
            ok("a", -50, 100),
            running("a", -9999),
            interrupted("a", -1),
            interrupted("a", 1),
            ok("a", 4000, 1),
        ];
        let picture = picture(&runs);
        let drawn: Vec<&str> = picture.rows[0].bars.iter().map(|bar| bar.run.id.as_str()).collect();
        assert_eq!(drawn, ["a--9999", "a--50", "a-1"]);
    }

    #[test]
    fn servers_have_letters() {
        assert_eq!([0, 1, 25, 26, 300].map(letter), ['A', 'B', 'Z', '+', '+']);
    }
}
