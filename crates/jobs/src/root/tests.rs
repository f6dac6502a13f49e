use super::*;
use std::os::unix::fs::symlink;
use sys::file::Unreadable;

fn tree() -> (tempfile::TempDir, Root) {
    let tree = tempfile::tempdir().expect("a directory");
    let at = |name: &str| tree.path().join(name);
    fs::create_dir_all(at("run/rcron")).expect("made");
    fs::create_dir_all(at("var")).expect("made");
    let root = Root::new(Some(tree.path())).expect("a root");
    (tree, root)
}

#[test]
fn links_are_followed_within_the_root() {
    let (tree, root) = tree();
    let at = |name: &str| tree.path().join(name);
    symlink("/run", at("var/run")).expect("linked");
    symlink("../../../etc/x", at("run/rcron/up")).expect("linked");
    symlink("loop", at("loop")).expect("linked");
    for (path, inside) in [
        ("/var/run/rcron/state", "/run/rcron/state"),
        ("/run/rcron/up", "/etc/x"),
        ("/../var/./run", "/run"),
        ("/", "/"),
    ] {
        let located = root.locate(Path::new(path)).expect("resolved");
        assert_eq!(located.inside, Path::new(inside), "{path}");
    }
    assert!(root.locate(Path::new("/loop")).is_err());
}

/// `/var/run` is a link on most systems.
#[test]
fn file_that_is_missing_in_a_linked_directory_is_missing() {
    let (tree, root) = tree();
    symlink("/run", tree.path().join("var/run")).expect("linked");
    let missing = root.locate(Path::new("/var/run/rcron/state")).expect("resolved");
    assert!(matches!(missing.read(10), Err(Unreadable::Missing)));
}

#[test]
fn absolute_links_do_not_leave_the_root() {
    let (tree, root) = tree();
    symlink("/etc/passwd", tree.path().join("run/users")).expect("linked");
    let missing = root.locate(Path::new("/run/users")).expect("resolved");
    assert!(!missing.exists());
    let error = missing.read(10).expect_err("nothing there");
    assert_eq!(error.to_string(), "it is a link to a file that does not exist");
    fs::create_dir(tree.path().join("etc")).expect("made");
    fs::write(tree.path().join("etc/passwd"), "inside").expect("written");
    let found = root.locate(Path::new("/run/users")).expect("resolved");
    assert_eq!(found.read(3).expect("read").bytes, b"ins");
}

#[test]
fn file_that_is_replaced_after_it_was_found_is_not_read() {
    let (tree, root) = tree();
    let file = tree.path().join("run/state");
    fs::write(&file, "active").expect("written");
    let located = root.locate(Path::new("/run/state")).expect("resolved");
    fs::remove_file(&file).expect("removed");
    symlink("/etc/passwd", &file).expect("linked");
    assert!(located.read(10).is_err());
    fs::remove_file(&file).expect("removed");
    fs::write(&file, "another").expect("written");
    fs::write(tree.path().join("run/keeps-the-inode-busy"), "").expect("written");
    let error = located.read(10).expect_err("another file");
    assert_eq!(error.to_string(), "it was replaced while it was examined");
}

#[test]
fn only_regular_files_are_opened() {
    let (tree, root) = tree();
    nix::unistd::mkfifo(&tree.path().join("fifo"), Mode::S_IRWXU).expect("a FIFO");
    for (path, reason) in [
        ("/fifo", "it is a FIFO, not a regular file"),
        ("/run", "it is a directory, not a regular file"),
        ("/none", "no such file"),
        ("/fifo/x", "Not a directory"),
    ] {
        let located = root.locate(Path::new(path)).expect("resolved");
        assert_eq!(located.read(10).expect_err("no file").to_string(), reason, "{path}");
    }
}

#[test]
fn nothing_is_looked_up_in_proc() {
    let root = Root::new(None).expect("a root");
    for path in ["/proc/self/environ", "/dev/fd/0", "/proc"] {
        let error = root.locate(Path::new(path)).expect_err("refused");
        assert_eq!(error.to_string(), "the path leads through proc(5)", "{path}");
    }
    let mounts = root.locate_in_proc(Path::new("/proc/self/mountinfo")).expect("allowed");
    assert!(mounts.read(100).is_ok());
}

#[test]
fn names_of_a_directory_are_limited() {
    let (tree, root) = tree();
    for name in ["a", "b", "c"] {
        fs::write(tree.path().join("var").join(name), "").expect("written");
    }
    let located = root.locate(Path::new("/var")).expect("resolved");
    assert_eq!(located.names(5).expect("listed").len(), 3);
    assert_eq!(located.names(1).expect("listed").len(), 2);
}
