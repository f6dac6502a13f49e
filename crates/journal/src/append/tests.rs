use super::*;
use std::os::unix::fs::symlink;
use tempfile::TempDir;

fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn ours(directory: &TempDir, number: u32) -> PathBuf {
    names::path(directory.path(), effective_user(), number)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("readable")
}

/// A file of the largest size that says which one it is.
fn full(path: &Path, mark: &str) {
    let mut content = vec![b'x'; usize::try_from(LARGEST).expect("fits")];
    content[..mark.len()].copy_from_slice(mark.as_bytes());
    fs::write(path, content).expect("written");
}

fn mark(path: &Path) -> String {
    text(path)[..1].to_owned()
}

#[test]
fn records_follow_each_other() {
    let directory = directory();
    for record in ["{1}\n", "{2}\n"] {
        assert!(
            append(directory.path(), record.as_bytes())
                .expect("appended")
                .taken
                .is_none()
        );
    }
    assert_eq!(text(&ours(&directory, 0)), "{1}\n{2}\n");
    let metadata = fs::metadata(ours(&directory, 0)).expect("there");
    assert_eq!(metadata.mode() & 0o7777, 0o600);
}

#[test]
fn a_torn_record_costs_only_itself() {
    let directory = directory();
    fs::write(ours(&directory, 0), "{1}\n{2").expect("written");
    append(directory.path(), b"{3}\n").expect("appended");
    assert_eq!(text(&ours(&directory, 0)), "{1}\n{2\n{3}\n");
}

#[test]
fn a_name_that_is_not_ours_is_skipped_and_left_alone() {
    let directory = directory();
    let elsewhere = directory.path().join("elsewhere");
    fs::write(&elsewhere, "precious").expect("written");
    symlink(&elsewhere, ours(&directory, 0)).expect("linked");
    fs::hard_link(&elsewhere, ours(&directory, 1)).expect("linked");
    fs::create_dir(ours(&directory, 2)).expect("made");
    let appended = append(directory.path(), b"{1}\n").expect("appended");
    assert!(matches!(appended.taken, Some(Taken::Skipped(skipped, _)) if skipped == ours(&directory, 0)));
    assert_eq!(text(&ours(&directory, 3)), "{1}\n");
    assert_eq!(text(&elsewhere), "precious");
}

#[test]
fn where_every_name_is_taken_nothing_is_written() {
    let directory = directory();
    for number in 0..=LAST_NUMBER {
        fs::create_dir(ours(&directory, number)).expect("made");
    }
    assert!(append(directory.path(), b"{1}\n").is_err());
}

#[test]
fn a_directory_that_is_missing_is_an_error() {
    let directory = directory();
    let error = append(&directory.path().join("none"), b"{1}\n").expect_err("no directory");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_full_file_moves_along_and_the_oldest_goes() {
    let directory = directory();
    let path = ours(&directory, 0);
    for (age, mark) in ["a", "b", "c", "d", "e"].iter().enumerate() {
        full(&rotated(&path, u32::try_from(age).expect("small")), mark);
    }
    append(directory.path(), b"{1}\n").expect("appended");
    assert_eq!(text(&path), "{1}\n");
    let marks: Vec<String> = (1..=4).map(|age| mark(&rotated(&path, age))).collect();
    assert_eq!(marks, ["a", "b", "c", "d"]);
}

#[test]
fn a_rotation_that_a_crash_cut_off_is_taken_up_at_its_gap() {
    let directory = directory();
    let path = ours(&directory, 0);
    for (age, mark) in [(0, "a"), (2, "b"), (3, "c"), (4, "d")] {
        full(&rotated(&path, age), mark);
    }
    append(directory.path(), b"{1}\n").expect("appended");
    let marks: Vec<String> = (1..=4).map(|age| mark(&rotated(&path, age))).collect();
    assert_eq!(marks, ["a", "b", "c", "d"]);
}

#[test]
fn where_it_cannot_be_renamed_the_next_name_is_taken() {
    let directory = directory();
    full(&ours(&directory, 0), "a");
    symlink("nowhere", rotated(&ours(&directory, 0), 1)).expect("linked");
    append(directory.path(), b"{1}\n").expect("appended");
    assert_eq!(text(&ours(&directory, 1)), "{1}\n");
    assert_eq!(mark(&ours(&directory, 0)), "a");
}

mod taken_names {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown};

    const USER: u32 = 65_534;

    /// A journal's directory, in which another user has created each kind of file under root's names.
    fn directory() -> TempDir {
        let directory = super::directory();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1733)).expect("chmod");
        directory
    }

    fn take(path: &Path, number: u32) {
        match number % 3 {
            0 => fs::write(path, "theirs").expect("written"),
            1 => fs::create_dir_all(path.join("not/empty")).expect("made"),
            _ => symlink("/etc/passwd", path).expect("linked"),
        }
        std::os::unix::fs::lchown(path, Some(USER), Some(USER)).expect("chown");
    }

    fn asides(directory: &TempDir) -> usize {
        let entries = fs::read_dir(directory.path()).expect("listed").flatten();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().contains(".taken."))
            .count()
    }

    #[test]
    #[ignore = "needs root: `make test` runs it"]
    fn are_taken_back_by_root() {
        for number in 0..3 {
            let directory = directory();
            (0..=LAST_NUMBER).for_each(|name| take(&ours(&directory, name), name + number));
            let appended = append(directory.path(), b"{1}\n").expect("appended");
            assert!(matches!(appended.taken, Some(Taken::SetAside(path, _)) if path == ours(&directory, 0)));
            assert_eq!(text(&ours(&directory, 0)), "{1}\n");
            assert_eq!(asides(&directory), 1, "only the name that is needed");
        }
    }

    #[test]
    #[ignore = "needs root: `make test` runs it"]
    fn of_rotated_files_are_taken_back_too() {
        let directory = directory();
        full(&ours(&directory, 0), "a");
        (1..=OLDEST).for_each(|age| take(&rotated(&ours(&directory, 0), age), age));
        append(directory.path(), b"{1}\n").expect("appended");
        assert_eq!(text(&ours(&directory, 0)), "{1}\n");
        assert_eq!(mark(&rotated(&ours(&directory, 0), 1)), "a");
        assert_eq!(asides(&directory), 4);
    }

    #[test]
    #[ignore = "needs root: `make test` runs it"]
    fn are_left_alone_where_the_directory_is_not_roots_or_has_no_sticky_bit() {
        for prepare in [
            (|path| chown(path, Some(USER), None).expect("chown")) as fn(&Path),
            |path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("chmod"),
        ] {
            let directory = directory();
            take(&ours(&directory, 0), 0);
            prepare(directory.path());
            let appended = append(directory.path(), b"{1}\n").expect("appended");
            assert!(matches!(appended.taken, Some(Taken::Skipped(..))));
            assert_eq!(
                (text(&ours(&directory, 0)), text(&ours(&directory, 1))),
                ("theirs".into(), "{1}\n".into())
            );
        }
    }

    /// Otherwise a user could have root's journal renamed, where the kernel lets users link files of others.
    #[test]
    #[ignore = "needs root: `make test` runs it"]
    fn of_root_itself_are_never_set_aside() {
        let directory = directory();
        fs::write(ours(&directory, 0), "{0}\n").expect("written");
        fs::hard_link(ours(&directory, 0), directory.path().join("link")).expect("linked");
        append(directory.path(), b"{1}\n").expect("appended");
        assert_eq!((text(&ours(&directory, 0)), asides(&directory)), ("{0}\n".into(), 0));
        assert_eq!(text(&ours(&directory, 1)), "{1}\n");
    }

    /// The other user creates the names again as fast as he can, while several processes of root's write.
    #[test]
    #[ignore = "needs root: `make test` runs it"]
    fn cannot_be_kept_by_being_quick() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let directory = directory();
        let path = directory.path().to_owned();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    for number in 0..=LAST_NUMBER {
                        let name = names::path(&path, 0, number);
                        if fs::create_dir(&name).is_ok() {
                            let _ = chown(&name, Some(USER), Some(USER));
                        }
                    }
                }
            });
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    let path = &path;
                    scope.spawn(move || {
                        for record in 0..50 {
                            append(path, format!("{{{writer}-{record}}}\n").as_bytes()).expect("appended");
                        }
                    })
                })
                .collect();
            for writer in writers {
                writer.join().expect("written");
            }
            is_over.store(true, Ordering::Relaxed);
        });
        let files = (0..=LAST_NUMBER)
            .map(|number| ours(&directory, number))
            .filter(|path| path.is_file());
        let mut records: Vec<String> = files
            .flat_map(|path| text(&path).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        records.sort_unstable();
        records.dedup();
        assert_eq!(records.len(), 200);
    }
}
