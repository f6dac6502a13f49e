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
                .skipped
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
    let (skipped, _) = appended.skipped.expect("told");
    assert_eq!(skipped, ours(&directory, 0));
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
