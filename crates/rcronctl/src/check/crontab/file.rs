//! Whether cron reads the file at all. Only of files with wrapped jobs: the others are no concern of rcron's.

use super::files::{Crontab, is_drop_in, is_read_by_debian};
use super::text::Kind;
use crate::check::finding::{Finding, Kind as Found, Place, Report};
use crate::check::root::Root;
use std::path::Path;

pub(crate) fn check(root: &Root, crontab: &Crontab, report: &mut Report) {
    let place = Place::file(&crontab.file);
    if let Some((what, remedy)) = ignored(root, crontab) {
        let finding = Finding::wrong(Found::CrontabIgnored, place.clone(), what, remedy);
        report.add(finding.because("its jobs run nowhere on this server"));
    }
    if !crontab.text.ends_with(b"\n") {
        let what = "there is no newline at its end: cron ignores the last line, and Debian's cron the whole file";
        let finding = Finding::wrong(Found::CrontabNoNewline, place, what, "end the last line with a newline");
        report.add(finding);
    }
}

/// Why cron ignores a system crontab: the rules that Debian's cron and cronie share, and Debian's names.
fn ignored(root: &Root, crontab: &Crontab) -> Option<(String, String)> {
    if crontab.kind != Kind::System {
        return None;
    }
    let access = crontab.access;
    if access.mode & 0o022 != 0 && !crontab.file.is_symlink() {
        let what = format!(
            "cron ignores it: others than its owner may write it (mode {:04o})",
            access.mode
        );
        return Some((what, format!("chmod go-w {}", Place::file(&crontab.file))));
    }
    if !access.is_roots(root) {
        let what = format!("cron ignores it: it belongs to user {}, not to root", access.owner);
        return Some((what, format!("chown root {}", Place::file(&crontab.file))));
    }
    let name = crontab.file.file_name().unwrap_or_default().as_encoded_bytes();
    let is_debian = root.outside(Path::new("/etc/debian_version")).exists();
    if is_debian && is_drop_in(root, &crontab.file) && !is_read_by_debian(name) {
        let what = "cron ignores it: a name in this directory has only letters, digits, `_` and `-`".to_owned();
        return Some((what, "rename it, without a dot".to_owned()));
    }
    None
}
