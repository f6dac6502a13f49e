//! Writes the states to the files of all targets, and reports them to systemd.

use crate::desired::Known;
use crate::instances::Instances;
use crate::log::Log;
use crate::notify::Notify;
use crate::pauses::Pauses;
use crate::state_files::{self, StateFiles, WriteReport};
use crate::targets::Target;
use inputs::clock;
use inputs::diagnostic::shown;
use policy::moment::BootTime;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

pub(crate) struct Publisher {
    /// Which files to write.
    targets: Vec<Target>,
    files: StateFiles,
    /// When this process started, for the attribute `since` of instances without an event.
    started: String,
    /// When the files were last written.
    written: BootTime,
    /// After this time their leases are renewed: a third of the lease.
    renewal_interval: Duration,
    notify: Notify,
}

impl Publisher {
    pub(crate) fn new(targets: Vec<Target>, lease: Duration, boot: Vec<u8>) -> Self {
        Self {
            targets,
            files: StateFiles::new(lease, boot),
            started: clock::wall_time().rfc3339_seconds(),
            written: clock::boot_time(),
            renewal_interval: lease / 3,
            notify: Notify::new(),
        }
    }

    pub(crate) fn next_renewal(&self) -> BootTime {
        self.written.after(self.renewal_interval)
    }

    pub(crate) fn has_target(&self, instance: &[u8]) -> bool {
        self.targets.iter().any(|target| target.instance == instance)
    }

    /// To systemd.
    pub(crate) fn report(&self, text: &str) {
        self.notify.send(text);
    }

    /// Writes every file, in the order of the events.
    pub(crate) fn publish(&mut self, instances: &Instances, pauses: &Pauses, log: &mut Log) {
        let known = Known {
            targets: &self.targets,
            instances,
            hold_since: pauses.hold_since(),
            started: &self.started,
        };
        let desired = known.desired(state_files::is_by_hand);
        let mut status = Vec::new();
        for state in &desired {
            log_report(self.files.write(state, pauses.checked()), log);
            let name = shown(OsStr::from_bytes(&state.target.instance));
            status.push(format!("{name} {}", state.word.as_str()));
        }
        self.written = clock::boot_time();
        self.notify.send(&format!("STATUS={}", status.join(", ")));
    }

    /// Files that are not renewed from now on become passive.
    pub(crate) fn replace_targets(&mut self, targets: Vec<Target>, checked: BootTime, log: &mut Log) {
        let now = clock::wall_time().rfc3339_seconds();
        for old in std::mem::replace(&mut self.targets, targets) {
            if !self.targets.iter().any(|target| target.file == old.file) {
                log_report(self.files.give_up(&old, &now, checked), log);
            }
        }
    }
}

fn log_report(report: Option<WriteReport>, log: &mut Log) {
    match report {
        None => {}
        Some(report @ WriteReport::Fails { .. }) => log.error(&report.to_string()),
        Some(report @ WriteReport::Recovered(_)) => log.info(&report.to_string()),
    }
}
