//! Whether cron accepts the file at all. Only files with jobs under rcron are examined, the others do not concern rcron.

use super::files::{CrontabFile, is_drop_in, is_read_by_debian};
use crate::check::finding::Finding;
use crate::check::kind::Kind;
use crate::check::report::Report;
use crate::check::root::Root;
use std::path::Path;

pub(super) fn check(root: &Root, file: &CrontabFile, report: &mut Report) {
    if let Some((what, remedy)) = rejection(root, file) {
        let finding = Finding::wrong(Kind::CrontabIgnored, &file.place, what, remedy);
        report.add(finding.because("none of its jobs runs on this server"));
    }
    if !file.text.ends_with(b"\n") {
        let what = "the last line has no newline";
        let finding = Finding::wrong(
            Kind::CrontabNoNewline,
            &file.place,
            what,
            "end the last line with a newline",
        );
        report.add(finding.because("cron ignores this line, and Debian's cron the whole file"));
    }
}

/// Why cron ignores a system crontab, and the remedy: the rules that Debian's cron and cronie share, and Debian's rule for names.
fn rejection(root: &Root, file: &CrontabFile) -> Option<(String, String)> {
    if file.kind() != crontab::Kind::System {
        return None;
    }
    let (access, place) = (file.access, &file.place);
    let path: &Path = &place.file;
    if access.mode & 0o022 != 0 && !file.is_link {
        let what = format!(
            "cron ignores this crontab: other users can write to it (mode {:04o})",
            access.mode
        );
        return Some((what, format!("chmod go-w {place}")));
    }
    if !access.is_roots(root) {
        let owner = access.owner;
        let what = format!("cron ignores this crontab: it belongs to user {owner}, not to root");
        return Some((what, format!("chown root {place}")));
    }
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let version = root.locate(Path::new("/etc/debian_version"));
    let is_debian = version.is_ok_and(|located| located.exists());
    if is_debian && is_drop_in(root, path) && !is_read_by_debian(name) {
        let what = "cron ignores this crontab: in this directory, names consist of letters, digits, `_` and `-`";
        return Some((what.to_owned(), "rename it, without a dot".to_owned()));
    }
    None
}
