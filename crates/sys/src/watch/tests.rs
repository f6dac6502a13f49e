use super::*;
use crate::poll;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A watched path in a directory of its own.
struct Scene {
    root: TempDir,
    watch: Watch,
}

impl Scene {
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
    let mut scene = Scene::new("state", |root| write(root.join("state")));
    assert!(scene.is_quiet());
    write(scene.path("state"));
    assert!(scene.notices());
    write(scene.path("new"));
    assert!(scene.is_quiet(), "another file of the directory is of no concern");
    fs::rename(scene.path("new"), scene.path("state")).expect("renamed");
    assert!(scene.notices());
    let file = File::options().write(true).open(scene.path("state")).expect("opened");
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("touched");
    assert!(scene.notices());
    fs::remove_file(scene.path("state")).expect("removed");
    assert!(scene.notices());
    write(scene.path("state"));
    assert!(scene.notices());
    assert!(scene.is_quiet());
}

#[test]
fn a_directory_that_comes_goes_and_comes_again_is_watched() {
    let mut scene = Scene::new("a/b/state", |_| ());
    fs::create_dir(scene.path("a")).expect("made");
    assert!(scene.notices());
    fs::create_dir(scene.path("a/b")).expect("made");
    assert!(scene.notices());
    write(scene.path("a/b/state"));
    assert!(scene.notices());
    fs::remove_dir_all(scene.path("a")).expect("removed");
    assert!(scene.notices());
    fs::create_dir_all(scene.path("a/b")).expect("made");
    assert!(scene.notices());
    write(scene.path("a/b/state"));
    assert!(scene.notices());
}

#[test]
fn a_parent_that_is_moved_away_is_noticed() {
    let mut scene = Scene::new("a/b/state", |root| {
        fs::create_dir_all(root.join("a/b")).expect("made");
        write(root.join("a/b/state"));
    });
    fs::rename(scene.path("a"), scene.path("old")).expect("renamed");
    assert!(scene.notices());
    write(scene.path("old/b/state"));
    assert!(scene.is_quiet(), "what lies elsewhere now is of no concern");
    fs::create_dir_all(scene.path("a/b")).expect("made");
    assert!(scene.notices());
    write(scene.path("a/b/state"));
    assert!(scene.notices());
}

#[test]
fn links_are_followed_and_their_change_is_noticed() {
    let mut scene = Scene::new("run/state", |root| {
        fs::create_dir(root.join("real")).expect("made");
        fs::create_dir(root.join("other")).expect("made");
        symlink("real", root.join("run")).expect("linked");
        symlink(root.join("real/target"), root.join("real/state")).expect("linked");
        write(root.join("real/target"));
    });
    write(scene.path("real/target"));
    assert!(scene.notices(), "the target's content");
    write(scene.path("new"));
    fs::rename(scene.path("new"), scene.path("real/target")).expect("renamed");
    assert!(scene.notices(), "the target replaced");
    symlink("other", scene.path("link")).expect("linked");
    assert!(scene.is_quiet());
    fs::rename(scene.path("link"), scene.path("run")).expect("renamed");
    assert!(scene.notices(), "the directory's link replaced");
    write(scene.path("other/state"));
    assert!(scene.notices(), "the file where the link leads now");
    write(scene.path("real/target"));
    assert!(scene.is_quiet(), "the file where it led before");
}

#[test]
fn a_loop_of_links_is_no_loop_of_ours() {
    let mut scene = Scene::new("a", |root| {
        symlink("b", root.join("a")).expect("linked");
        symlink("a", root.join("b")).expect("linked");
    });
    fs::remove_file(scene.path("b")).expect("removed");
    assert!(scene.notices());
}
