use super::*;
use crate::poll;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A watched path in a directory of its own.
struct Fixture {
    root: TempDir,
    watch: Watch,
}

impl Fixture {
    fn new(path: &str, prepare: impl FnOnce(&Path)) -> Self {
        let root = tempfile::tempdir().expect("a directory");
        prepare(root.path());
        let watch = Watch::new(root.path().join(path).as_os_str()).expect("inotify");
        Self { root, watch }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The events are in the queue when the system call that caused them returns; so silence needs no waiting.
    fn is_quiet(&mut self) -> bool {
        !self.watch.changed().expect("inotify")
    }

    fn notices(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if self.watch.changed().expect("inotify") {
                return true;
            }
            poll::until_ready(&[self.watch.as_fd()], Some(Duration::from_millis(100)));
        }
        false
    }
}

fn write(path: impl AsRef<Path>) {
    fs::write(path, "active\n").expect("written");
}

#[test]
fn a_file_written_replaced_touched_and_removed_is_noticed() {
    let mut fixture = Fixture::new("state", |root| write(root.join("state")));
    assert!(fixture.is_quiet());
    write(fixture.path("state"));
    assert!(fixture.notices());
    write(fixture.path("new"));
    assert!(fixture.is_quiet(), "another file of the directory is of no concern");
    fs::rename(fixture.path("new"), fixture.path("state")).expect("renamed");
    assert!(fixture.notices());
    let file = File::options().write(true).open(fixture.path("state")).expect("opened");
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("touched");
    assert!(fixture.notices());
    fs::remove_file(fixture.path("state")).expect("removed");
    assert!(fixture.notices());
    write(fixture.path("state"));
    assert!(fixture.notices());
    assert!(fixture.is_quiet());
}

#[test]
fn a_directory_that_comes_goes_and_comes_again_is_watched() {
    let mut fixture = Fixture::new("a/b/state", |_| ());
    fs::create_dir(fixture.path("a")).expect("made");
    assert!(fixture.notices());
    fs::create_dir(fixture.path("a/b")).expect("made");
    assert!(fixture.notices());
    write(fixture.path("a/b/state"));
    assert!(fixture.notices());
    fs::remove_dir_all(fixture.path("a")).expect("removed");
    assert!(fixture.notices());
    fs::create_dir_all(fixture.path("a/b")).expect("made");
    assert!(fixture.notices());
    write(fixture.path("a/b/state"));
    assert!(fixture.notices());
}

#[test]
fn a_parent_that_is_moved_away_is_noticed() {
    let mut fixture = Fixture::new("a/b/state", |root| {
        fs::create_dir_all(root.join("a/b")).expect("made");
        write(root.join("a/b/state"));
    });
    fs::rename(fixture.path("a"), fixture.path("old")).expect("renamed");
    assert!(fixture.notices());
    write(fixture.path("old/b/state"));
    assert!(fixture.is_quiet(), "what lies elsewhere now is of no concern");
    fs::create_dir_all(fixture.path("a/b")).expect("made");
    assert!(fixture.notices());
    write(fixture.path("a/b/state"));
    assert!(fixture.notices());
}

#[test]
fn links_are_followed_and_their_change_is_noticed() {
    let mut fixture = Fixture::new("run/state", |root| {
        fs::create_dir(root.join("real")).expect("made");
        fs::create_dir(root.join("other")).expect("made");
        symlink("real", root.join("run")).expect("linked");
        symlink(root.join("real/target"), root.join("real/state")).expect("linked");
        write(root.join("real/target"));
    });
    write(fixture.path("real/target"));
    assert!(fixture.notices(), "the target's content");
    write(fixture.path("new"));
    fs::rename(fixture.path("new"), fixture.path("real/target")).expect("renamed");
    assert!(fixture.notices(), "the target replaced");
    symlink("other", fixture.path("link")).expect("linked");
    assert!(fixture.is_quiet());
    fs::rename(fixture.path("link"), fixture.path("run")).expect("renamed");
    assert!(fixture.notices(), "the directory's link replaced");
    write(fixture.path("other/state"));
    assert!(fixture.notices(), "the file where the link leads now");
    write(fixture.path("real/target"));
    assert!(fixture.is_quiet(), "the file where it led before");
}

#[test]
fn a_loop_of_links_ends() {
    let mut fixture = Fixture::new("a", |root| {
        symlink("b", root.join("a")).expect("linked");
        symlink("a", root.join("b")).expect("linked");
    });
    fs::remove_file(fixture.path("b")).expect("removed");
    assert!(fixture.notices());
}
