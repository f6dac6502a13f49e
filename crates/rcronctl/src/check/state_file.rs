//! The state file itself: what it is, who may read it and who may write it.

use super::access::Access;
use super::configuration::Cluster;
use super::finding::{Finding, Group, Kind, Place, Report, Severity};
use super::mounts::Mounts;
use super::root::{Located, Root};
use inputs::observe::{self, Observation};
use inputs::words;
use policy::config::Config;
use policy::decide::Reading;
use policy::state::State as Content;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A cluster's state file as it is found, and what rcron would decide on it.
pub(crate) struct State<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) located: Located,
    pub(crate) observation: Observation,
}

impl<'a> State<'a> {
    /// `None` if the configuration does not name one place.
    pub(crate) fn read(root: &Root, cluster: &'a Cluster, report: &mut Report) -> Option<Self> {
        let path = Path::new(OsStr::from_bytes(&cluster.config.state_file));
        if !path.is_absolute() {
            let what = format!(
                "state_file = {} counts from the working directory of each job",
                path.display()
            );
            let remedy = "name it from the root; `~` and `$` are not expanded";
            report.add(Finding::doubtful(Kind::StateRelative, cluster.place(), what, remedy));
            return None;
        }
        let located = match root.locate(path) {
            Ok(located) => located,
            Err(error) => {
                let what = format!("cannot be read: {error}");
                let place = Place::file(&root.outside(path));
                report.add(Finding::wrong(
                    Kind::StateUnreadable,
                    place,
                    what,
                    "put a regular file there",
                ));
                return None;
            }
        };
        let config = Config {
            state_file: located.outside.as_os_str().as_bytes().to_vec(),
            ..cluster.config.clone()
        };
        let observation = observe::observe(&config);
        Some(Self {
            cluster,
            located,
            observation,
        })
    }

    pub(crate) fn place(&self) -> Place {
        Place::file(&self.located.outside)
    }

    /// What it says, if it says anything.
    pub(crate) fn content(&self) -> Option<&Content> {
        self.observation.state()
    }

    pub(crate) fn decision(&self) -> String {
        words::decision(&self.observation, &self.cluster.config)
    }
}

pub(crate) fn check(root: &Root, mounts: &Mounts, state: &State, has_ordinary_users: bool, report: &mut Report) {
    content(state, report);
    let Ok(metadata) = fs::metadata(&state.located.outside) else {
        return;
    };
    if !metadata.is_file() {
        return;
    }
    let access = Access::from(&metadata);
    writers(root, state, access, report);
    readers(state, access, has_ordinary_users, report);
    if mounts.is_point(&state.located.inside) || metadata.nlink() == 0 {
        let what = "the file is a mount of its own (a bind mount)";
        let remedy = "mount the directory that holds it instead";
        let finding = Finding::wrong(Kind::StateMount, state.place(), what, remedy);
        report.add(finding.because("a writer that renames a new file into its place never reaches the readers here"));
    }
}

/// What cannot be read is told with what follows from it.
fn content(state: &State, report: &mut Report) {
    let consequence = format!("now: {}", state.decision());
    let obstacle = state
        .observation
        .obstacle
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let finding = match &state.observation.reading {
        Reading::File { content: Ok(said), .. } => {
            let line = words::state_line(said, &state.observation.moment);
            let text = format!("{}: {line}; {}", state.place(), state.decision());
            report.saw(Group::State, text);
            return;
        }
        Reading::File { .. } => {
            let remedy = "write `active` or `passive` as its first word";
            Finding::wrong(Kind::StateJunk, state.place(), obstacle, remedy)
        }
        Reading::Missing => {
            let remedy = "start what writes it, or say it: rcronctl set active on the one server that is to run the jobs, set passive on others";
            let what = format!("cluster {} has no state file", state.cluster.name());
            Finding::wrong(Kind::StateMissing, state.place(), what, remedy)
        }
        Reading::Unreadable => {
            let remedy = "put a regular file there that every user may read";
            let what = format!("cannot be read: {obstacle}");
            Finding::wrong(Kind::StateUnreadable, state.place(), what, remedy)
        }
    };
    report.add(finding.because(consequence));
}

fn writers(root: &Root, state: &State, access: Access, report: &mut Report) {
    if let Some((severity, who)) = access.writers(root) {
        let remedy = format!("chmod go-w {}", state.place());
        let finding = Finding::new(severity, Kind::StateWritable, state.place(), who, remedy);
        report.add(finding.because("who may write the state decides which server runs the jobs"));
    }
    if !access.is_roots(root) {
        let what = format!("it belongs to user {}, not to root", access.owner);
        let remedy = format!("chown root {}, unless its writer runs as that user", state.place());
        report.add(Finding::doubtful(Kind::StateOwner, state.place(), what, remedy));
    }
}

/// Jobs run as their users, and so does rcron.
fn readers(state: &State, access: Access, has_ordinary_users: bool, report: &mut Report) {
    let may_search = |directory: &&Path| {
        let metadata = fs::metadata(directory);
        metadata.is_ok_and(|metadata| Access::from(&metadata).everybody_may_search())
    };
    let closed = directories(state).into_iter().find(|directory| !may_search(directory));
    let (place, what, remedy) = match closed {
        _ if !access.everybody_may_read() => (state.place(), "not every user may read it", "chmod a+r"),
        Some(directory) => (
            Place::file(directory),
            "not every user may pass this directory to the state file",
            "chmod a+x",
        ),
        None => return,
    };
    let severity = if has_ordinary_users {
        Severity::Wrong
    } else {
        Severity::Doubtful
    };
    let remedy = format!("{remedy} {place}");
    let finding = Finding::new(severity, Kind::StateHidden, place, what, remedy);
    report.add(finding.because("for jobs of other users than root there is no state then, and default_state counts"));
}

/// Those of that system which lead to the file.
fn directories<'a>(state: &'a State) -> Vec<&'a Path> {
    let depth = state.located.inside.components().count() - 1;
    state.located.outside.ancestors().skip(1).take(depth).collect()
}
