//! Checks whether rcrond can write a cluster's state file.

use super::directory::{self, Found, REMEDY};
use super::report::Report;
use inputs::diagnostic::shown;
use std::path::Path;
use sys::replace::{self, Refused};

pub(super) fn check(path: &Path, report: &mut Report) {
    let named = shown(path.as_os_str());
    let file = match replace::target(path) {
        Ok(file) => file,
        Err(refused @ Refused::ForeignLink(_)) => {
            let remedy = "configure the path of the file itself, in a directory that only rcrond may write";
            report.wrong(&format!("state file {named}: {refused}"), remedy);
            return;
        }
        Err(Refused::NotRegular(_)) => {
            let what = format!("state file {named} is not a regular file");
            report.wrong(&what, "configure another state_file");
            return;
        }
        Err(refused @ Refused::System(_)) => {
            report.wrong(
                &format!("state file {named} cannot be found: {refused}"),
                "correct the path",
            );
            return;
        }
    };
    let directory = file.parent().unwrap_or(Path::new("/"));
    match directory::find(directory) {
        Ok(Found::Usable) if directory::is_immutable(&file) => {
            report.wrong(&format!("state file {named} is immutable"), "run chattr -i on it");
        }
        Ok(Found::Usable) => match directory::room(directory) {
            Ok(()) => report.fine(&format!("state file {named} can be written")),
            Err(full) => report.wrong(
                &format!("state file {named} cannot be written: its directory: {full}"),
                directory::MAKE_ROOM,
            ),
        },
        Ok(Found::Missing) => report.fine(&format!(
            "state file {named} can be written; its directory does not exist yet"
        )),
        Err(obstacle) => {
            let what = format!("state file {named} cannot be written: its directory: {obstacle}");
            report.wrong(&what, REMEDY);
        }
    }
}
