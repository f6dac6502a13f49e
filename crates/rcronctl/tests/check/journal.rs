//! The journal's directory.

use crate::tree::{JOURNAL, Tree};
use std::os::unix::fs::symlink;

#[test]
fn missing_directory_is_wrong_if_it_is_configured() {
    let tree = Tree::clean();
    tree.remove(JOURNAL);
    tree.finds_only("hint", "journal-missing", JOURNAL);
    tree.configure("journal = /srv/journal\n");
    tree.finds_only("wrong", "journal-missing", "/srv/journal");
    tree.write("/srv/journal", "");
    tree.finds_only("wrong", "journal-not-a-directory", "/srv/journal");
    tree.configure("journal = none\n");
    tree.finds_nothing();
}

#[test]
fn directory_must_be_writable_and_sticky() {
    let tree = Tree::clean();
    for (mode, severity) in [(0o777, "wrong"), (0o700, "wrong"), (0o1730, "wrong"), (0o1777, "hint")] {
        tree.mode(JOURNAL, mode);
        tree.finds_only(severity, "journal-mode", JOURNAL);
    }
    tree.mode(JOURNAL, 0o1733);
    if tree.give_away(JOURNAL) {
        tree.finds_only("wrong", "journal-owner", JOURNAL);
    }
}

#[test]
fn file_system_must_be_a_writable_disk() {
    let tree = Tree::clean();
    tree.write("/proc/1/mountinfo", "1 0 0:1 / / rw - tmpfs x rw\n");
    tree.finds_only("hint", "journal-volatile", JOURNAL);
    let mounts = "1 0 0:1 / / ro - ext4 x rw\n2 1 0:2 / /run rw - tmpfs x rw\n";
    tree.write("/proc/1/mountinfo", mounts);
    tree.finds_only("wrong", "journal-read-only", JOURNAL);
}

#[test]
fn taken_name_is_wrong() {
    let tree = Tree::clean();
    let me = nix::unistd::geteuid();
    let mine = format!("{JOURNAL}/{me}-0.jsonl");
    tree.write(&mine, "");
    tree.mode(&mine, 0o600);
    tree.finds_nothing();
    tree.mode(&mine, 0o644);
    tree.finds_only("hint", "journal-file-mode", &mine);
    tree.mode(&mine, 0o600);
    std::fs::hard_link(tree.path(&mine), tree.path("/second-name")).expect("linked");
    tree.finds_only("wrong", "journal-taken", &mine);
    tree.remove(&mine);
    symlink("/etc/passwd", tree.path(&mine)).expect("linked");
    tree.finds_only("wrong", "journal-taken", &mine);
    std::fs::remove_file(tree.path(&mine)).expect("removed");
    let foreign = format!("{JOURNAL}/54321-3.jsonl.2");
    tree.write(&foreign, "");
    tree.finds_only("wrong", "journal-taken", &foreign);
}

/// Every user can make any number of files here.
#[test]
fn many_taken_names_are_counted() {
    let tree = Tree::clean();
    for user in 0..150 {
        symlink("/etc/passwd", tree.path(&format!("{JOURNAL}/{user}-0.jsonl"))).expect("linked");
    }
    assert_eq!(tree.findings().len(), 100);
    let text = tree.text(&[]);
    assert!(
        text.contains("  not seen  /var/lib/rcron/journal: 50 more files with a wrong type, owner, mode or name\n"),
        "{text}"
    );
}

/// `rcronctl history` reads no file of such a name.
#[test]
fn name_that_rcron_never_gives_is_a_hint() {
    for name in [
        "4294967296-0.jsonl",
        "00-0.jsonl",
        "0-9.jsonl",
        "0-0.jsonl.5",
        "x.jsonl",
    ] {
        let tree = Tree::clean();
        let file = format!("{JOURNAL}/{name}");
        tree.write(&file, "{}\n");
        tree.mode(&file, 0o600);
        tree.finds_only("hint", "journal-name", &file);
    }
    let tree = Tree::clean();
    tree.write(&format!("{JOURNAL}/0-marks"), "");
    tree.finds_nothing();
}

#[test]
fn user_whose_names_are_all_taken_is_named() {
    let tree = Tree::clean();
    for number in 0..=8 {
        symlink("/etc/passwd", tree.path(&format!("{JOURNAL}/0-{number}.jsonl"))).expect("linked");
    }
    tree.finds("wrong", "journal-all-taken", JOURNAL);
    // 200 wrong names of others do not crowd out root's.
    for user in 1..200 {
        symlink("/etc/passwd", tree.path(&format!("{JOURNAL}/{user}-0.jsonl"))).expect("linked");
    }
    tree.finds("wrong", "journal-taken", &format!("{JOURNAL}/0-8.jsonl"));
    tree.finds("wrong", "journal-all-taken", JOURNAL);
    std::fs::remove_file(tree.path(&format!("{JOURNAL}/0-3.jsonl"))).expect("removed");
    let findings = tree.findings();
    assert!(
        findings.iter().all(|(_, kind, _)| kind != "journal-all-taken"),
        "{findings:?}"
    );
}
