//! `rcronctl status`: each cluster at a glance, its nodes where rcrond knows them, and what runs now.

mod document;
mod nodes;
mod rcrond;

use crate::cli::{self, Common};
use crate::failure::{FAILED, Failure};
use crate::history;
use crate::json::{self, RunDocument};
use crate::runs;
use crate::screen::Screen;
use crate::table::{self, Cell, Tone};
use crate::when;
use document::{ClusterDocument, DaemonDocument, Document};
use inputs::clusters::{self, Cluster};
use inputs::diagnostic::Diagnostic;
use inputs::observe::{self, Observation};
use inputs::settings::Settings;
use inputs::words;
use jiff::Timestamp;
use journal::Query;
use journal::Source;
use journal::run::{Fate, Run};
use policy::config::Config;
use policy::decide::{Decision, Reading, Skip};
use policy::moment::WallTime;
use policy::state::{Lease, State, Word};
use rcrond::Rcrond;
use std::path::PathBuf;
use std::process::ExitCode;

/// A cluster whose configuration the wrapper takes.
struct Known {
    settings: Settings,
    observation: Observation,
}

/// Prints the clusters and the jobs that run now. Exit status 2 if a configuration is refused.
pub(crate) fn run(options: &cli::Status, common: &Common) -> Result<ExitCode, Failure> {
    let (known, refused) = observed(common)?;
    let running = running(&known);
    let socket = &options.socket.socket;
    let rcrond = Rcrond::look(socket, &known);
    if common.json {
        let broken = refused.iter().map(ClusterDocument::refused);
        json::print(&Document {
            clusters: known
                .iter()
                .map(|known| known.document(&rcrond))
                .chain(broken)
                .collect(),
            running: running.iter().map(RunDocument::from).collect(),
            rcrond: DaemonDocument::new(socket, &rcrond),
        })?;
    } else {
        show(&known, &rcrond, &running)?;
        for (_, diagnostic) in &refused {
            sys::output::to_stderr(format!("rcronctl: {}\n", diagnostic.full).as_bytes());
        }
    }
    Ok(if refused.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// A configuration that rcron rejects, and its message.
type Refused = (PathBuf, Diagnostic);

/// The clusters as rcron sees them, and the configurations that it refuses.
fn observed(common: &Common) -> Result<(Vec<Known>, Vec<Refused>), Failure> {
    let mut refused = Vec::new();
    let mut known = Vec::new();
    for Cluster { file, settings } in clusters::all(&common.conf)? {
        match settings {
            Ok(settings) => known.push(Known {
                observation: observe::observe(&settings.config),
                settings,
            }),
            Err(diagnostic) => refused.push((file, diagnostic)),
        }
    }
    Ok((known, refused))
}

fn running(known: &[Known]) -> Vec<Run> {
    let directories = runs::directories(known.iter().map(Known::config));
    let sources: Vec<Source> = directories
        .into_iter()
        .filter(|directory| directory.exists())
        .map(Source::Own)
        .collect();
    let query = Query {
        unfinished: true,
        ..Query::default()
    };
    let mut found = journal::read(&sources, &query);
    runs::tell_unreadable(&found);
    let mut runs = std::mem::take(&mut found.runs);
    runs.retain(|run| matches!(run.fate, Fate::Running(_) | Fate::Unwatched(_)));
    runs
}

fn show(known: &[Known], rcrond: &Rcrond, running: &[Run]) -> Result<(), Failure> {
    let heads = [
        "CLUSTER",
        "STATE",
        "WHY",
        "SINCE",
        "WRITTEN BY",
        "FRESHNESS",
        "IF UNREADABLE",
        "RUNNING",
    ];
    let rows: Vec<Vec<Cell>> = known.iter().map(|known| known.row(running)).collect();
    let screen = Screen::of_stdout();
    if !rows.is_empty() {
        json::say(&table::lines(&heads, &rows, screen))?;
    }
    json::say(&nodes::text(rcrond, known, screen))?;
    if !running.is_empty() {
        json::say(&format!("\n{}", history::table(running)))?;
    }
    Ok(())
}

impl Known {
    fn config(&self) -> &Config {
        &self.settings.config
    }

    fn state(&self) -> Option<&State> {
        self.observation.state()
    }

    fn modified(&self) -> Option<WallTime> {
        match &self.observation.reading {
            Reading::File { modified, .. } => Some(*modified),
            _ => None,
        }
    }

    fn row(&self, running: &[Run]) -> Vec<Cell> {
        let name = words::text_of(&self.config().cluster_name);
        let state = match self.observation.decision {
            Decision::Run(_) => Cell::new("active", Tone::Good),
            Decision::Skip(_) => Cell::new("passive", Tone::Plain),
        };
        let by = self.state().and_then(|state| state.by.as_deref()).map(words::text_of);
        vec![
            name.into(),
            state,
            self.why().into(),
            self.since().into(),
            by.unwrap_or_default().into(),
            self.freshness().into(),
            self.default().into(),
            self.count(running),
        ]
    }

    /// Where the file's plain word decides, nothing more needs to be said.
    fn why(&self) -> String {
        let plain = matches!(
            (self.state().map(|state| state.word), self.observation.decision),
            (Some(Word::Active), Decision::Run(_)) | (Some(Word::Passive), Decision::Skip(Skip::Passive))
        );
        if plain {
            return "the state file says so".to_owned();
        }
        let why = words::why(&self.observation, self.config());
        match &self.observation.obstacle {
            Some(obstacle) => format!("{why}: {obstacle}"),
            None => why,
        }
    }

    /// As the file says, else when it was last written.
    fn since(&self) -> String {
        let said = self.state().and_then(|state| state.since.as_deref());
        let said = said.and_then(|since| std::str::from_utf8(since).ok()?.parse::<Timestamp>().ok());
        let since = said.or_else(|| timestamp(self.modified()?));
        since.map_or(String::new(), |since| {
            format!("{} ({})", when::local(since), when::age(since, Timestamp::now()))
        })
    }

    fn freshness(&self) -> String {
        let moment = &self.observation.moment;
        let lease = self.state().map(|state| &state.lease);
        if let Some(Lease::Until { end, .. }) = lease {
            return if *end > moment.boot {
                format!("lease holds for {}", words::seconds(end.since(moment.boot)))
            } else {
                format!("lease ended {} ago", words::seconds(moment.boot.since(*end)))
            };
        }
        match (self.modified(), self.config().state_max_age) {
            (Some(modified), Some(most)) => {
                format!(
                    "written {}, of at most {}",
                    words::age(modified, moment.wall),
                    when::span(most)
                )
            }
            (Some(_), None) => "holds until it is changed".to_owned(),
            (None, _) => String::new(),
        }
    }

    /// What is taken without a readable state, and the key that says so.
    fn fallback(&self) -> (Word, &'static str) {
        let config = self.config();
        if config.require_lease {
            (Word::Passive, "require_lease")
        } else if config.state_max_age.is_some() {
            (Word::Passive, "state_max_age")
        } else {
            (config.default_state, "default_state")
        }
    }

    fn default(&self) -> String {
        let (word, key) = self.fallback();
        format!("{} ({key})", word.as_str())
    }

    fn count(&self, running: &[Run]) -> Cell {
        let name = words::text_of(&self.config().cluster_name);
        let count = running.iter().filter(|run| run.cluster == name).count();
        match count {
            0 => Cell::new("-", Tone::Dim),
            _ => Cell::new(count.to_string(), Tone::Busy),
        }
    }
}

fn timestamp(wall: WallTime) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(wall.0.as_secs()).ok()?).ok()
}
