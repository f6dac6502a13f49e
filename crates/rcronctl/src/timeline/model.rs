//! What the timeline shows: servers, rows and findings. The terminal, the page and the JSON are drawn from it.

use super::finding::Finding;
use super::findings;
use super::rows::{Row, build_rows};
use super::run_span::Window;
use journal::run::Run;

pub(super) struct TimelineModel<'a> {
    pub(super) window: Window,
    /// Sorted by name.
    pub(super) servers: Vec<&'a str>,
    pub(super) rows: Vec<Row<'a>>,
    /// In order of time.
    pub(super) findings: Vec<Finding>,
    pub(super) journals: Journals,
}

/// Which servers' journals there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Journals {
    /// So many that `--journal` named. The user is believed to have named all.
    Named(usize),
    /// Those of all servers that were named.
    All,
    /// The same, but not all could be read, or not completely.
    SomeUnread,
}

impl Journals {
    /// Whether the journals are enough to show that a tick ran nowhere.
    pub(super) fn are_all(self) -> bool {
        match self {
            Self::Named(journals) => journals > 1,
            Self::All => true,
            Self::SomeUnread => false,
        }
    }
}

impl TimelineModel<'_> {
    /// Whether the rows are of several clusters, so that a job's name alone does not identify it.
    pub(super) fn has_clusters(&self) -> bool {
        self.rows.first().map(|row| row.cluster) != self.rows.last().map(|row| row.cluster)
    }
}

/// Shows the runs that were in progress in the window.
pub(super) fn build_timeline(runs: &[Run], window: Window, journals: Journals) -> TimelineModel<'_> {
    let servers = servers(runs);
    let journals = match journals {
        Journals::Named(_) if servers.len() > 1 => Journals::All,
        journals => journals,
    };
    let rows = build_rows(runs, &servers, window);
    TimelineModel {
        findings: findings::find_all(&rows, window, journals.are_all()),
        window,
        servers,
        rows,
        journals,
    }
}

/// The letter of a server: A to Z, and `+` for all others.
pub(super) fn letter(server: usize) -> char {
    u8::try_from(server)
        .ok()
        .filter(|server| *server < 26)
        .map_or('+', |server| char::from(b'A' + server))
}

pub(super) fn servers(runs: &[Run]) -> Vec<&str> {
    let mut servers: Vec<&str> = runs.iter().map(|run| run.server()).collect();
    servers.sort_unstable();
    servers.dedup();
    servers
}

#[cfg(test)]
mod tests {
    use super::super::example::{interrupted, named, ok, running, seconds};
    use super::*;

    const WINDOW: (i64, i64) = (0, 3600);

    fn timeline(runs: &[Run]) -> TimelineModel<'_> {
        let window = Window {
            since: seconds(WINDOW.0),
            now: seconds(WINDOW.1),
        };
        build_timeline(runs, window, Journals::Named(1))
    }

    fn of(mut run: Run, cluster: &str, user: Option<&str>) -> Run {
        cluster.clone_into(&mut run.cluster);
        run.user = user.map(ToOwned::to_owned);
        run
    }

    #[test]
    fn each_job_of_a_cluster_and_a_user_has_one_row() {
        let runs = [
            ok("b", 60, 1),
            ok("a", 0, 1),
            named(ok("a", 0, 1), "clean"),
            of(ok("a", 0, 1), "db", Some("root")),
            of(ok("a", 9, 1), "web", None),
        ];
        let timeline = timeline(&runs);
        let rows: Vec<(&str, String, usize)> = timeline
            .rows
            .iter()
            .map(|row| (row.cluster, row.label.clone().into_owned(), row.spans.len()))
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
        assert_eq!(timeline.servers, ["a", "b"]);
        assert_eq!(timeline.rows[2].spans[1].run.node, "b");
    }

    #[test]
    fn runs_outside_the_window_are_not_drawn() {
        let runs = [
            ok("a", -100, 50),
            ok("a", -50, 100),
            running("a", -9999),
            interrupted("a", -1),
            interrupted("a", 1),
            ok("a", 4000, 1),
        ];
        let timeline = timeline(&runs);
        let drawn: Vec<&str> = timeline.rows[0].spans.iter().map(|span| span.run.id.as_str()).collect();
        assert_eq!(drawn, ["a--9999", "a--50", "a-1"]);
    }

    #[test]
    fn servers_have_letters() {
        assert_eq!([0, 1, 25, 26, 300].map(letter), ['A', 'B', 'Z', '+', '+']);
    }
}
