//! The state file itself: its content, who can read it and who can write to it.

use super::Server;
use super::access::Access;
use super::configuration::Cluster;
use super::finding::{Finding, Place, Severity};
use super::kind::{Group, Kind};
use super::report::Report;
use inputs::observe::{self, Observation};
use inputs::state_file::{self, READ_BYTES};
use inputs::words;
use jobs::root::{Located, Root};
use policy::decide::Reading;
use policy::display::escaped;
use policy::state::{Reason, State as Content};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The state file of a cluster as it is now, with rcron's decision.
pub(crate) struct State<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) located: Located,
    pub(crate) observation: Observation,
}

impl<'a> State<'a> {
    /// `None` if the configuration does not name one certain file.
    pub(crate) fn read(root: &Root, cluster: &'a Cluster, report: &mut Report) -> Option<Self> {
        let path = Path::new(OsStr::from_bytes(&cluster.config.state_file));
        if !path.is_absolute() {
            let name = escaped(&cluster.config.state_file);
            let what = format!("state_file = {name} is relative to the working directory of each job");
            let remedy = "write an absolute path; `~` and `$` are not expanded";
            report.add(Finding::doubtful(Kind::StateRelative, &cluster.place(), what, remedy));
            return None;
        }
        let located = match root.locate(path) {
            Ok(located) => located,
            Err(error) => {
                let place = Place::file(&root.outside(path));
                let what = format!("the state file cannot be read: {error}");
                report.add(Finding::wrong(
                    Kind::StateUnreadable,
                    &place,
                    what,
                    "put a regular file there",
                ));
                return None;
            }
        };
        let read = located.read(READ_BYTES).map(state_file::Content::from);
        let observation = observe::observation(read, &cluster.config);
        Some(Self {
            cluster,
            located,
            observation,
        })
    }

    pub(crate) fn place(&self) -> Place {
        Place::file(&self.located.outside)
    }

    /// `None` if the file has no valid state.
    pub(crate) fn content(&self) -> Option<&Content> {
        self.observation.state()
    }

    fn decision(&self) -> String {
        words::decision(&self.observation, &self.cluster.config)
    }
}

pub(crate) fn check(server: &Server, state: &State, report: &mut Report) {
    check_content(state, report);
    let Ok(metadata) = state.located.metadata() else {
        return;
    };
    if !metadata.is_file() {
        return;
    }
    let access = Access::from(&metadata);
    check_writers(server.root, state, access, report);
    check_readers(server, state, access, report);
    if server.mounts.is_point(&state.located.inside) || metadata.nlink() == 0 {
        let what = "the state file itself is a mount point (a bind mount)";
        let remedy = "mount the directory that holds it instead";
        let finding = Finding::wrong(Kind::StateMount, &state.place(), what, remedy);
        report.add(finding.because("a writer that renames a new file over it does not change what is read here"));
    }
}

/// A state that cannot be read is reported with rcron's decision.
fn check_content(state: &State, report: &mut Report) {
    let place = state.place();
    let obstacle = state.observation.obstacle.as_ref().map(ToString::to_string);
    let obstacle = obstacle.unwrap_or_default();
    let (kind, what, remedy) = match &state.observation.reading {
        Reading::File { content: Ok(said), .. } => {
            let line = words::state_line(said, &state.observation.moment);
            let text = format!("{place}: {line}; {}", state.decision());
            report.saw(Group::State, text);
            check_keepalived(said.reason, &place, report);
            return;
        }
        Reading::File { .. } => (
            Kind::StateJunk,
            obstacle,
            "write `active` or `passive` as its first word",
        ),
        Reading::Removed => return, // `check` reports the mount
        Reading::Missing => (
            Kind::StateMissing,
            format!("cluster {} has no state file", state.cluster.name()),
            if state.cluster.config.require_lease {
                "start the program that writes it: rcrond(8) or rcron-keepalived(8); `rcronctl set active` writes no lease"
            } else {
                "start the program that writes it, or run `rcronctl set active` on the one server that should run the jobs, \
                 and `rcronctl set passive` on the others"
            },
        ),
        Reading::Unreadable => (
            Kind::StateUnreadable,
            format!("the state file cannot be read: {obstacle}"),
            "put a regular file there that every user can read",
        ),
    };
    let why = format!("now: {}", state.decision());
    report.add(Finding::wrong(kind, &place, what, remedy).because(why));
}

/// rcron-keepalived writes why a state is passive although keepalived has not said so. A keepalived that does not run is not a
/// finding: to stop it is how a server is drained.
fn check_keepalived(reason: Option<Reason>, place: &Place, report: &mut Report) {
    let Some(reason @ (Reason::NotReported | Reason::EventsLost)) = reason else {
        return;
    };
    let remedy = "restart keepalived (systemctl restart keepalived): it reports the state of each vrrp_instance when it starts; \
                  the instance must have the cluster's name";
    let finding = Finding::wrong(Kind::KeepalivedSilent, place, reason.explanation(), remedy);
    report.add(finding.because("the state is passive until keepalived reports a change"));
}

fn check_writers(root: &Root, state: &State, access: Access, report: &mut Report) {
    let place = state.place();
    if let Some((severity, who)) = access.writers(root) {
        let finding = Finding::new(
            severity,
            Kind::StateWritable,
            &place,
            who,
            format!("chmod go-w {place}"),
        );
        report.add(finding.because("whoever can write to the state file decides which server runs the jobs"));
    }
    if !access.is_roots(root) && access.owner != sys::environment::effective_user() {
        let what = format!("it belongs to user {}, not to root", access.owner);
        let remedy = format!("chown root {place}, unless its writer runs as that user");
        report.add(Finding::doubtful(Kind::StateOwner, &place, what, remedy));
    }
}

/// Jobs run as their users, and rcron reads the state file as the same user.
fn check_readers(server: &Server, state: &State, access: Access, report: &mut Report) {
    let is_closed = |directory: &&Path| {
        let metadata = server.root.locate(directory).and_then(|located| located.metadata());
        !metadata.is_ok_and(|metadata| Access::from(&metadata).everybody_may_search())
    };
    let (place, what, command) = if !access.everybody_may_read() {
        (state.place(), "not every user can read the state file", "chmod a+r")
    } else if let Some(directory) = directories(state).find(is_closed) {
        let what = "not every user can reach the state file through this directory";
        (Place::file(&server.root.outside(directory)), what, "chmod a+x")
    } else {
        return;
    };
    let severity = if server.has_ordinary_users {
        Severity::Wrong
    } else {
        Severity::Doubtful
    };
    let finding = Finding::new(severity, Kind::StateHidden, &place, what, format!("{command} {place}"));
    report
        .add(finding.because("the jobs of other users than root do not see the state: default_state applies to them"));
}

/// The directories of the examined system that lead to the file, from the file upwards.
fn directories<'a>(state: &'a State) -> impl Iterator<Item = &'a Path> {
    state.located.inside.ancestors().skip(1)
}
