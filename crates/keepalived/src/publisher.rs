//! Writes the states to the files of all targets, and reports them to systemd.

use crate::desired::{Circumstances, Desired, desired};
use crate::instances::Instances;
use crate::pauses::Pauses;
use crate::reporter::Reporter;
use crate::state_files::{self, StateFiles};
use crate::targets::Target;
use inputs::clock;
use policy::display::escaped;
use policy::moment::BootTime;
use policy::state::{Reason, Word};
use std::time::Duration;
use sys::service_manager;

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
}

impl Publisher {
    pub(crate) fn new(targets: Vec<Target>, lease: Duration, boot: Vec<u8>) -> Self {
        Self {
            targets,
            files: StateFiles::new(lease, boot),
            started: clock::wall_time().rfc3339_seconds(),
            written: clock::boot_time(),
            renewal_interval: lease / 3,
        }
    }

    pub(crate) fn next_renewal(&self) -> BootTime {
        self.written.after(self.renewal_interval)
    }

    pub(crate) fn has_target(&self, instance: &[u8]) -> bool {
        self.targets.iter().any(|target| target.instance == instance)
    }

    /// Writes every file, in the order of the events. `unreported` is why instances are passive of which no state is reported.
    pub(crate) fn publish(
        &mut self,
        instances: &Instances,
        pauses: &Pauses,
        unreported: Option<Reason>,
        reporter: &mut Reporter,
    ) {
        let circumstances = Circumstances {
            hold_since: pauses.hold_since(),
            started: &self.started,
            unreported,
        };
        let desired = desired(&self.targets, instances, &circumstances, state_files::is_foreign);
        let mut status = Vec::new();
        for state in &desired {
            let written = self.files.write(state, pauses.checked());
            reporter.written(&state.target.file, written);
            reporter.reason(&state.target.instance, state.reason);
            status.push(status_of(state));
        }
        self.written = clock::boot_time();
        notify_systemd(&format!("STATUS={}", status.join(", ")));
    }

    /// Files that are not renewed from now on become passive.
    pub(crate) fn replace_targets(&mut self, targets: Vec<Target>, checked: BootTime, reporter: &mut Reporter) {
        let now = clock::wall_time().rfc3339_seconds();
        for old in std::mem::replace(&mut self.targets, targets) {
            if !self.targets.iter().any(|target| target.file == old.file) {
                let passive = Desired {
                    target: &old,
                    word: Word::Passive,
                    since: &now,
                    reason: None,
                };
                reporter.written(&old.file, self.files.write(&passive, checked));
            }
        }
    }
}

/// Sends `READY=1`, `STATUS=…`, `STOPPING=1`. A message that cannot be sent at once is dropped: the leases must be renewed.
pub(crate) fn notify_systemd(message: &str) {
    let _ = service_manager::notify(message, Duration::ZERO);
}

/// `web active`; `web passive (events of keepalived were lost)`.
fn status_of(state: &Desired) -> String {
    let (name, word) = (escaped(&state.target.instance), state.word.as_str());
    match state.reason {
        Some(reason) => format!("{name} {word} ({})", reason.explanation()),
        None => format!("{name} {word}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;

    fn target(directory: &std::path::Path, name: &str) -> Target {
        Target {
            instance: name.as_bytes().to_vec(),
            file: directory.join(name),
        }
    }

    #[test]
    fn makes_passive_what_it_no_longer_renews() {
        let directory = tempfile::tempdir().expect("a directory");
        let [a, b] = ["A", "B"].map(|name| target(directory.path(), name));
        for target in [&a, &b] {
            std::fs::write(&target.file, "active until=99.5 boot=7c1e by=x\n").expect("written");
        }
        let mut publisher = Publisher::new(vec![a.clone(), b.clone()], Duration::from_secs(9), b"7c1e".to_vec());
        let mut reporter = Reporter::new(Log::Memory(Vec::new()));
        publisher.replace_targets(vec![b.clone()], clock::boot_time(), &mut reporter);
        let text = |target: &Target| std::fs::read_to_string(&target.file).expect("there");
        assert!(text(&a).starts_with("passive until="), "{}", text(&a));
        assert!(text(&b).starts_with("active "), "{}", text(&b));
        assert!(!publisher.has_target(b"A") && publisher.has_target(b"B"));
    }
}
