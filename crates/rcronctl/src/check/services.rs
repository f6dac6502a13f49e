//! Whether cron runs, and rcrond if it is configured: by the process table, and by systemd's links for the next boot.

use super::finding::{Finding, Place};
use super::kind::{Group, Kind};
use super::processes::Processes;
use super::report::Report;
use super::switch::Switch;
use jobs::cron::Cron;
use jobs::root::Root;
use std::ffi::OsStr;
use std::path::Path;

const UNITS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
const MOST_NAMES: usize = 10_000;

/// `has_jobs`: whether a crontab has a job under rcron. `is_answering`: whether rcrond answers.
pub(crate) fn check(
    root: &Root,
    cron: &Cron,
    switch: &Switch,
    has_jobs: bool,
    is_answering: bool,
    report: &mut Report,
) {
    let processes = match Processes::read(root) {
        Ok(processes) => processes,
        Err(error) => {
            report.missed(Group::Programs, format!("which programs run: {error}"));
            None
        }
    };
    if has_jobs {
        check_cron(root, cron, processes.as_ref(), report);
    }
    if !switch.has_rcrond {
        return;
    }
    let place = Place::file(&root.outside(Path::new("/etc/rcron/rcrond.toml")));
    if let Some(processes) = processes.filter(|_| !is_answering) {
        if processes.has("rcrond") {
            let text = format!(
                "what rcrond says: it runs, but does not answer on {}",
                switch.socket.display()
            );
            report.missed(Group::Programs, text);
        } else {
            let what = "this file configures rcrond, but rcrond does not run";
            let remedy = "systemctl enable --now rcrond; if it should not run here any more, remove the file";
            let finding = Finding::wrong(Kind::RcrondStopped, &place, what, remedy);
            report.add(finding.because("this server cannot become active"));
        }
    }
    if is_forgotten_at_boot(root) {
        let what = "this file configures rcrond, but systemd does not start rcrond at boot";
        let finding = Finding::wrong(Kind::RcrondDisabled, &place, what, "systemctl enable rcrond");
        report.add(finding.because("after a reboot this server cannot become active"));
    }
}

fn check_cron(root: &Root, cron: &Cron, processes: Option<&Processes>, report: &mut Report) {
    const EFFECT: &str = "no job runs on this server";
    let Some(program) = cron.program else {
        let place = Place::file(&root.outside(Path::new("/usr/sbin/cron")));
        let what = "no cron is installed: there is neither /usr/sbin/cron nor /usr/sbin/crond";
        let finding = Finding::wrong(Kind::CronMissing, &place, what, "install cron or cronie");
        report.add(finding.because(EFFECT));
        return;
    };
    let place = Place::file(&root.outside(Path::new(program)));
    let name = Path::new(program)
        .file_name()
        .and_then(OsStr::to_str)
        .unwrap_or_default();
    let Some(processes) = processes else { return };
    if processes.has(name) {
        report.saw(Group::Programs, format!("{place}: {name} runs"));
    } else {
        let remedy = format!("systemctl enable --now {name}");
        let finding = Finding::wrong(Kind::CronStopped, &place, format!("{name} does not run"), remedy);
        report.add(finding.because(EFFECT));
    }
}

/// systemctl enable makes a link in a directory such as `multi-user.target.wants`.
fn is_forgotten_at_boot(root: &Root) -> bool {
    let names = |path: &Path| root.locate(path).and_then(|located| located.names(MOST_NAMES));
    if names(Path::new("/run/systemd/system")).is_err() {
        return false; // another init: sd_booted(3)
    }
    let is_linked = |directory: &Path| {
        let found = names(directory).unwrap_or_default();
        found.iter().any(|found| found.name == "rcrond.service")
    };
    !UNITS.into_iter().map(Path::new).any(|unit_directory| {
        let found = names(unit_directory).unwrap_or_default().into_iter();
        let mut holders = found.filter(|found| {
            let name = found.name.as_encoded_bytes();
            name.ends_with(b".wants") || name.ends_with(b".requires")
        });
        holders.any(|holder| is_linked(&unit_directory.join(holder.name)))
    })
}
