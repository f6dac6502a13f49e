//! Which interrupted runs were logged, and which were seen: a small file in the directory of each journal.

use crate::failure::Failure;
use crate::output::warn;
use journal::marks::{self, LARGEST, VERSION};
pub(crate) use journal::marks::{Mark, RunKey};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use sys::file::{self, Links, Unreadable};
use sys::output::error_text;
use sys::{environment, replace};

/// How many runs of one user, and of all users, are marked. Every user can make any number of records.
const MOST_OF_USER: usize = 10_000;
const MOST: usize = 100_000;

/// The marks of this user. Each file has those of all journals.
pub(crate) struct Marks {
    files: Vec<PathBuf>,
    by_run: BTreeMap<RunKey, Mark>,
    by_user: BTreeMap<u32, usize>,
}

impl Marks {
    /// Reads the files of these directories.
    pub(crate) fn read_all(directories: &[PathBuf]) -> Result<Self, Failure> {
        let mut marks = Self::empty(Vec::new());
        for directory in directories {
            marks.read(directory)?;
        }
        Ok(marks)
    }

    /// Marks for the same files, without any.
    pub(crate) fn fresh(&self) -> Self {
        Self::empty(self.files.clone())
    }

    fn empty(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            by_run: BTreeMap::new(),
            by_user: BTreeMap::new(),
        }
    }

    fn read(&mut self, directory: &Path) -> Result<(), Failure> {
        let user = environment::effective_user();
        let path = marks::path(directory, user);
        let refuse = |reason: &dyn std::fmt::Display| Failure::new(format!("cannot read {}: {reason}", path.display()));
        let text = match file::open_regular(&path, Links::Refused) {
            Err(Unreadable::Missing) => String::new(),
            Err(Unreadable::System(error)) => return Err(refuse(&error_text(&error))),
            Ok((file, metadata)) if metadata.uid() == user && metadata.len() <= LARGEST => {
                std::io::read_to_string(file).map_err(|error| refuse(&error))?
            }
            // Every user can create files in the directory. One who takes this name must not keep the runs from being reported.
            Ok(_) | Err(Unreadable::NotRegular(_)) => match journal::append::set_aside(directory, &path) {
                Ok(None) => String::new(),
                Ok(Some(aside)) => {
                    warn(format_args!(
                        "{} did not belong to this user or was not a regular file; it was renamed to {}",
                        path.display(),
                        aside.display()
                    ));
                    String::new()
                }
                Err(_) => {
                    warn(format_args!(
                        "{} does not belong to this user or is not a regular file, so no mark is stored in it: remove it",
                        path.display()
                    ));
                    return Ok(());
                }
            },
        };
        self.files.push(path.clone());
        let mut lines = text.lines();
        match lines.next() {
            None | Some(VERSION) => {}
            Some(first) if first.starts_with("rcron-marks ") => {
                return Err(refuse(&"a later version of rcronctl wrote it"));
            }
            // Marks of before version 1 do not say whose run they are of.
            Some(_) => return Ok(()),
        }
        for (key, mark) in lines.filter_map(marks::parse) {
            self.add(key, mark);
        }
        Ok(())
    }

    pub(crate) fn of_run(&self, key: RunKey) -> Option<Mark> {
        self.by_run.get(&key).copied()
    }

    /// Marks a run, unless it has a later mark. Returns whether there was room for the mark.
    pub(crate) fn add(&mut self, key: RunKey, mark: Mark) -> bool {
        if let Some(known) = self.by_run.get_mut(&key) {
            *known = mark.max(*known);
            return true;
        }
        let of_user = self.by_user.entry(key.0).or_default();
        let has_room = *of_user < MOST_OF_USER && self.by_run.len() < MOST;
        if has_room {
            *of_user += 1;
            self.by_run.insert(key, mark);
        }
        has_room
    }

    /// Takes over what the other has and this one does not.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (key, mark) in &other.by_run {
            self.add(*key, *mark);
        }
    }

    /// Writes the files. A missing directory is not created: other users could not write their journals into it.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let mut text = format!("{VERSION}\n");
        for ((user, run), mark) in &self.by_run {
            let _ = writeln!(text, "{user} {run:032x} {}", mark.word());
        }
        for file in self.files.iter().filter(|file| file.parent().is_some_and(Path::is_dir)) {
            replace::replace(file, text.as_bytes(), 0o600)
                .map_err(|error| Failure::cannot(format!("write {}", file.display()), &error))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(directory: &Path) -> Marks {
        Marks::read_all(&[directory.to_owned()]).expect("marks")
    }

    #[test]
    fn are_read_as_they_were_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut marks = read(directory.path());
        assert!(marks.add((7, 1), Mark::Logged) && marks.add((8, 1), Mark::Seen));
        assert!(marks.add((7, 1), Mark::Seen) && marks.add((7, u128::MAX), Mark::Logged));
        marks.write().expect("written");
        let again = read(directory.path());
        assert_eq!(again.by_run, marks.by_run);
        assert_eq!(again.of_run((7, 1)), Some(Mark::Seen));
        assert_eq!(again.of_run((9, 1)), None, "the same id in the file of another user");
    }

    #[test]
    fn of_one_user_leave_room_to_others() {
        let mut marks = Marks::empty(Vec::new());
        let accepted = (0..20_000).filter(|run| marks.add((1000, *run), Mark::Logged)).count();
        assert_eq!(accepted, MOST_OF_USER);
        assert!(marks.add((1001, 0), Mark::Logged));
    }

    #[test]
    fn of_another_version_are_not_misread() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory
            .path()
            .join(format!("{}-marks", environment::effective_user()));
        fs::write(&file, "019ab000-0000-7000-8000-000000000001 seen\n").expect("written");
        assert!(read(directory.path()).by_run.is_empty());
        fs::write(&file, "rcron-marks 2\nx\n").expect("written");
        assert!(Marks::read_all(&[directory.path().to_owned()]).is_err());
    }
}
