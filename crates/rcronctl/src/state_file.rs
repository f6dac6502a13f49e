//! A state file that is about to be written by hand: where it really is, and whether we may write it.

use crate::daemon;
use crate::failure::Failure;
use crate::when;
use inputs::observe::{self, Observation};
use policy::config::Config;
use policy::display::escaped;
use policy::state::{Lease, State};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use sys::replace::{self, Refused};

/// A state file that may be written.
pub(crate) struct StateFile {
    /// The path behind all links.
    pub(crate) path: PathBuf,
    /// What was read before writing.
    pub(crate) before: Observation,
}

impl StateFile {
    /// Finds the file. Without `force`, two files are refused: one behind a link that another user could have created, and one
    /// that a running daemon maintains; rcrond is asked on its socket.
    pub(crate) fn find(config: &Config, socket: &Path, force: bool) -> Result<Self, Failure> {
        let named = Path::new(OsStr::from_bytes(&config.state_file));
        let path = match replace::target(named) {
            Ok(path) => path,
            Err(Refused::ForeignLink(link)) if force => {
                real(named).map_err(|error| Failure::cannot(format!("follow the link {}", link.display()), &error))?
            }
            Err(refused @ Refused::ForeignLink(_)) => {
                let message = format!("{refused}; remove the link, or use --force to follow it");
                return Err(Failure::new(message));
            }
            Err(Refused::NotRegular(_)) => {
                let message = format!("{} is not a regular file: name another state_file", named.display());
                return Err(Failure::new(message));
            }
            Err(Refused::System(error)) => {
                return Err(Failure::cannot(format!("find {}", named.display()), &error));
            }
        };
        let before = observe::observe(config);
        if let Some(owner) = find_owner(config, &before, socket).filter(|_| !force) {
            let path = path.display();
            return Err(Failure::new(format!("{path} is maintained by {owner}")));
        }
        Ok(Self { path, before })
    }

    /// What the file says, if it contains a state.
    pub(crate) fn state(&self) -> Option<&State> {
        self.before.state()
    }
}

/// The path behind all links, of a file that need not exist.
fn real(path: &Path) -> std::io::Result<PathBuf> {
    path.canonicalize().or_else(|_| {
        let (parent, name) = (
            path.parent().unwrap_or(Path::new("/")),
            path.file_name().unwrap_or_default(),
        );
        Ok(parent.canonicalize()?.join(name))
    })
}

/// The daemon that maintains the file, and what to do instead of writing it.
fn find_owner(config: &Config, before: &Observation, socket: &Path) -> Option<String> {
    // No word of --force: rcrond writes the file again at once.
    let by_hand = "use rcronctl drain and undrain to switch servers";
    // A lease in the file that has not ended shows that a daemon is running and renews it. rcrond writes an epoch or a session, too.
    if let Some((name, state)) = running_owner(before) {
        let instead = if state.epoch.is_some() || state.shared.is_some() {
            by_hand
        } else {
            "switch servers with that program (to drain this server of keepalived: systemctl stop keepalived), or use --force"
        };
        return Some(format!("{name}, which would overwrite it within seconds: {instead}"));
    }
    let report = daemon::fetch_report(socket, false).ok()?;
    daemon::writes(&report, &config.state_file)
        .then(|| format!("rcrond, which would overwrite it within a second: {by_hand}"))
}

/// The name of the daemon whose lease is in the file.
fn running_owner(observation: &Observation) -> Option<(String, &State)> {
    let state = observation.state()?;
    let Lease::Until { end, boot } = &state.lease else {
        return None;
    };
    let moment = &observation.moment;
    if moment.boot_id.as_ref() != Some(boot) || *end <= moment.boot {
        return None;
    }
    let name = state.by.as_ref().map_or("a daemon".into(), |by| escaped(by));
    let left = when::duration(end.since(moment.boot));
    Some((format!("{name} (its lease holds for another {left})"), state))
}
