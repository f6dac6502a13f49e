//! A cluster as rcron on this server sees it.

use super::jobs::RunningJobs;
use crate::screen::Screen;
use crate::table::{Cell, Column, Tone, format_table};
use crate::when;
use inputs::diagnostic::Diagnostic;
use inputs::observe::Observation;
use inputs::settings::Settings;
use inputs::words;
use jiff::Timestamp;
use policy::config::Config;
use policy::decide::{Decision, Reading, Skip};
use policy::display::escaped;
use policy::moment::WallTime;
use policy::state::{Lease, State, Word};
use std::path::PathBuf;

/// What a reader needs at once stays in the row.
const COLUMNS: [Column; 8] = [
    Column::whole("CLUSTER"),
    Column::whole("STATE"),
    Column::below("WHY", 1),
    Column::wrap("SINCE", 3, "2026-11-24 03:12:00".len()),
    Column::below("WRITTEN BY", 0),
    Column::wrap("FRESHNESS", 4, "lease holds for 8.2 s".len()),
    Column::below("IF UNREADABLE", 2),
    Column::below("RUNNING", 5),
];

/// The state of a server that shares the cluster's jobs with the others.
const SHARED: &str = "shared";

/// A configuration that rcron rejects, and its message.
pub(super) type Rejected = (PathBuf, Diagnostic);

/// A cluster whose configuration rcron accepts, and what was read of its state.
pub(super) struct ClusterState {
    pub(super) settings: Settings,
    pub(super) observation: Observation,
}

/// One line for each cluster; nothing if there are none.
pub(super) fn format_clusters(clusters: &[ClusterState], running: &RunningJobs, screen: Screen) -> String {
    if clusters.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<Cell>> = clusters.iter().map(|cluster| cluster.row(running)).collect();
    format_table(&COLUMNS, &rows, screen)
}

impl ClusterState {
    pub(super) const fn config(&self) -> &Config {
        &self.settings.config
    }

    pub(super) fn name(&self) -> String {
        escaped(&self.config().cluster_name).into_owned()
    }

    /// `active` or `passive`: whether rcron would run a job now; `shared` if it needs a grant.
    pub(super) fn word(&self) -> &'static str {
        match self.observation.decision {
            _ if self.is_shared() => SHARED,
            Decision::Run(_) => Word::Active.as_str(),
            Decision::Skip(_) => Word::Passive.as_str(),
        }
    }

    fn is_shared(&self) -> bool {
        self.observation.is_shared(self.config())
    }

    /// What the state file says, if it contains a state.
    pub(super) fn state(&self) -> Option<&State> {
        self.observation.state()
    }

    pub(super) fn modified(&self) -> Option<Timestamp> {
        let seconds = self.modified_wall_time()?.0.as_secs();
        Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
    }

    fn modified_wall_time(&self) -> Option<WallTime> {
        match &self.observation.reading {
            Reading::File { modified, .. } => Some(*modified),
            _ => None,
        }
    }

    /// The state that applies if the file cannot be read, and the key that sets it.
    pub(super) const fn default(&self) -> (Word, &'static str) {
        let config = self.config();
        if config.require_lease {
            (Word::Passive, "require_lease")
        } else if config.state_max_age.is_some() {
            (Word::Passive, "state_max_age")
        } else {
            (config.default_state, "default_state")
        }
    }

    fn row(&self, running: &RunningJobs) -> Vec<Cell> {
        let tone = match self.observation.decision {
            Decision::Run(_) => Tone::Good,
            Decision::Skip(_) if self.is_shared() => Tone::Good,
            Decision::Skip(_) => Tone::Plain,
        };
        let by = self.state().and_then(|state| state.by.as_deref()).map(escaped);
        let (default, key) = self.default();
        let name = self.name();
        let running = match running.count(&name) {
            None => Cell::new("?", Tone::Bad),
            Some(0) => Cell::new("-", Tone::Dim),
            Some(count) => Cell::new(count.to_string(), Tone::Busy),
        };
        vec![
            name.into(),
            Cell::new(self.word(), tone),
            self.why().into(),
            self.since().into(),
            by.unwrap_or_default().into(),
            self.freshness().into(),
            format!("{} ({key})", default.as_str()).into(),
            running,
        ]
    }

    fn why(&self) -> String {
        // The usual case needs no explanation: the first word of the file decides.
        let is_plain = matches!(
            (self.state().map(|state| state.word), self.observation.decision),
            (Some(Word::Active), Decision::Run(_)) | (Some(Word::Passive), Decision::Skip(Skip::Passive))
        );
        let has_reason = self.state().is_some_and(|state| state.reason.is_some());
        if is_plain && !has_reason && !self.is_shared() {
            return "the state file says so".to_owned();
        }
        let why = words::why(&self.observation, self.config());
        match &self.observation.obstacle {
            Some(obstacle) => format!("{why}: {obstacle}"),
            None => why,
        }
    }

    /// The attribute `since`, otherwise the time of the last modification.
    fn since(&self) -> String {
        let attribute = self.state().and_then(|state| state.since.as_deref());
        let attribute = attribute.and_then(|since| std::str::from_utf8(since).ok()?.parse::<Timestamp>().ok());
        attribute.or_else(|| self.modified()).map_or(String::new(), |since| {
            format!("{} ({})", when::local(since), when::age(since, Timestamp::now()))
        })
    }

    fn freshness(&self) -> String {
        let moment = &self.observation.moment;
        if let Some(Lease::Until { end, .. }) = self.state().map(|state| &state.lease) {
            return if *end > moment.boot {
                format!("lease holds for {}", when::duration(end.since(moment.boot)))
            } else {
                format!("lease ended {} ago", when::duration(moment.boot.since(*end)))
            };
        }
        match (self.modified_wall_time(), self.config().state_max_age) {
            (Some(modified), Some(limit)) => {
                let distance = when::duration(modified.distance(moment.wall));
                let written = if modified <= moment.wall {
                    format!("written {distance} ago")
                } else {
                    format!("dated {distance} in the future")
                };
                format!("{written}, stale after {}", when::duration(limit))
            }
            // What contains no state does not hold.
            (Some(_), None) if self.state().is_none() => String::new(),
            (Some(_), None) => "holds until it is changed".to_owned(),
            (None, _) => String::new(),
        }
    }
}
