//! A cluster's state file: whether rcrond can write it.

use super::folder::{self, Found, REMEDY};
use super::report::Report;
use inputs::complaint::shown;
use sys::replace::{self, Refused};
use std::path::Path;

pub(super) fn check(path: &Path, report: &mut Report) {
    let named = shown(path.as_os_str());
    let file = match replace::target(path) {
        Ok(file) => file,
        Err(refused @ Refused::ForeignLink(_)) => {
            let remedy = "name the file itself, in a folder that only rcrond may write";
            report.wrong(&format!("state file {named}: {refused}"), remedy);
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
    if file.exists() && !file.is_file() {
        let what = format!("state file {named} is not a regular file");
        report.wrong(&what, "name another state_file");
        return;
    }
    let folder = file.parent().unwrap_or(Path::new("/"));
    match folder::obstacle(folder) {
        Ok(Found::Usable) => report.fine(&format!("state file {named} can be written")),
        Ok(Found::Missing) => report.fine(&format!(
            "state file {named} can be written; its folder does not exist yet"
        )),
        Err(why) => {
            let what = format!("state file {named} cannot be written: its folder: {why}");
            report.wrong(&what, REMEDY);
        }
    }
}
