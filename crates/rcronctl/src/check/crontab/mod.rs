//! Crontabs: wrapped jobs that cannot work as they are meant, and jobs that somebody forgot to wrap.

mod arguments;
mod call;
mod entry;
mod file;
mod files;
mod names;
mod outside;
mod program;
mod shell;
mod text;
mod unwrapped;

use super::finding::{Group, Place, Report};
use super::root::Root;
use std::path::PathBuf;

/// What the other checks want to know about the crontabs.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// The files that `--conf` names, from the root of that system, and where.
    pub(crate) configurations: Vec<(PathBuf, Place)>,
    /// The first wrapped job without `--conf`.
    pub(crate) without_conf: Option<Place>,
    /// Whether users other than root have wrapped jobs.
    pub(crate) has_ordinary_users: bool,
    /// Each wrapped job, for comparison with the others.
    wrapped: Vec<names::Wrapped>,
}

/// Looks at every crontab.
pub(crate) fn check(root: &Root, report: &mut Report) -> Usage {
    let crontabs = files::read_all(root, report);
    let mut usage = Usage::default();
    let mut forgotten = Vec::new();
    for crontab in &crontabs {
        let entries = text::entries(&crontab.text, &crontab.kind);
        let parsed: Vec<entry::Parsed> = entries.iter().map(entry::Parsed::new).collect();
        let wrapped = parsed.iter().filter(|parsed| parsed.is_wrapped()).count();
        if wrapped > 0 {
            file::check(root, crontab, report);
        }
        for parsed in &parsed {
            entry::check(root, crontab, parsed, &mut usage, report);
        }
        let counts = format!(
            "{}: {}, {wrapped} wrapped",
            Place::file(&crontab.file),
            jobs(entries.len())
        );
        report.saw(Group::Crontabs, counts);
        forgotten.extend(unwrapped::candidates(crontab, &parsed));
    }
    if crontabs.is_empty() {
        report.saw(Group::Crontabs, "no crontab");
    }
    names::check(&usage.wrapped, report);
    unwrapped::check(&forgotten, &usage.wrapped, report);
    usage
}

fn jobs(count: usize) -> String {
    format!("{count} job{}", if count == 1 { "" } else { "s" })
}
