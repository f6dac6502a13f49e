//! The report as a whole.

use crate::tree::{JOBS, Tree};
use std::process::Command;

#[test]
fn clean_system_is_listed() {
    let tree = Tree::clean();
    assert_eq!(tree.check(&[]).status.code(), Some(0));
    assert_eq!(
        tree.text(&[]),
        "\
configuration
  looked at /etc/rcron/rcron.conf: cluster web
state
  looked at /run/rcron/state: passive; do not run: this server is passive
crontabs
  looked at /etc/cron.d/jobs: 1 job, 1 wrapped
journal
  looked at /var/lib/rcron/journal
log
  looked at /dev/log: a log daemon listens
programs
  looked at /usr/sbin/cron: cron runs
  looked at /usr/bin/rcron
nothing is wrong
"
    );
}

#[test]
fn findings_have_an_effect_and_a_remedy() {
    let tree = Tree::clean();
    tree.job("rcron backup --all && mail-it | tee log");
    tree.write("/etc/rcron/web.conf", "nice_lvel = 3\n");
    tree.configure("nice_level = 99\n");
    assert_eq!(tree.check(&[]).status.code(), Some(1));
    let text = tree.text(&[]);
    let expected = "\
configuration
  wrong     /etc/rcron/web.conf:1:1: unknown key `nice_lvel`
              1 | nice_lvel = 3
                | ^~~~~~~~~ did you mean `nice_level`?
            no server with this file runs the jobs that use it
            -> correct the file
  hint      /etc/rcron/rcron.conf:4:14: ";
    assert!(text.starts_with(expected), "{text}");
    let expected = "\
crontabs
  wrong     /etc/cron.d/jobs:1:35: `&&` is outside rcron's command: passive servers run mail-it too
            -> quote the whole line: rcron '… && mail-it …'
  looked at /etc/cron.d/jobs: 1 job, 1 wrapped
";
    assert!(text.contains(expected), "{text}");
    assert!(text.ends_with("\n2 wrong, 1 hint\n"), "{text}");
}

#[test]
fn sentences_are_folded_on_a_terminal_only() {
    let tree = Tree::clean();
    tree.job("rcron backup --all && mail-it | tee log");
    tree.write("/etc/rcron/web.conf", "nice_lvel = 3\n");
    let text = tree.text_in_columns(48);
    for expected in [
        "
              1 | nice_lvel = 3
                | ^~~~~~~~~ did you mean `nice_level`?
            no server with this file runs the
            jobs that use it
            -> correct the file
",
        "
            -> quote the whole line: rcron
               '… && mail-it …'
",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    for line in text.lines().filter(|line| !line.contains(" | ")) {
        let is_one_word = !line[line.len().min(12)..].contains(' ');
        assert!(line.chars().count() <= 48 || is_one_word, "{line}\n{text}");
    }
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&text), words(&tree.text(&[])));
}

#[test]
fn hints_do_not_change_the_exit_status() {
    let tree = Tree::clean();
    tree.job("rcron backup | tee log");
    assert_eq!(tree.check(&[]).status.code(), Some(0));
    assert!(tree.text(&[]).ends_with("\nnothing is wrong, 1 hint\n"));
}

#[test]
fn json_has_the_documented_fields() {
    let tree = Tree::clean();
    tree.job("rcron backup; other");
    let document: serde_json::Value = serde_json::from_str(&tree.text(&["--json"])).expect("JSON");
    let finding = serde_json::json!({
        "severity": "wrong",
        "kind": "outside-runs",
        "subject": "crontabs",
        "file": JOBS,
        "line": 1,
        "column": 28,
        "what": "`;` is outside rcron's command: passive servers run other too",
        "why": null,
        "remedy": "quote the whole line: rcron '… ; other …'",
    });
    assert_eq!(document["findings"], serde_json::json!([finding]));
    assert_eq!(
        (document["wrong"].as_u64(), document["hints"].as_u64()),
        (Some(1), Some(0))
    );
    assert_eq!(document["looked_at"][0]["subject"], "crontabs");
    assert_eq!(document["not_seen"], serde_json::json!([]));
}

#[test]
fn unreadable_files_are_listed_as_not_seen() {
    let tree = Tree::clean();
    tree.remove("/proc");
    let text = tree.text(&[]);
    assert!(
        text.contains("  not seen  what is mounted where: /proc/1/mountinfo: no such file\n"),
        "{text}"
    );
    assert!(text.ends_with("; not everything could be looked at\n"), "{text}");
    if nix::unistd::geteuid().is_root() {
        return; // root can read every directory
    }
    tree.directory("/var/spool/cron/crontabs");
    tree.mode("/var/spool/cron/crontabs", 0o300);
    let text = tree.text(&[]);
    assert!(
        text.contains("  not seen  /var/spool/cron/crontabs: Permission denied\n"),
        "{text}"
    );
}

#[test]
fn root_must_be_a_directory() {
    let mut command = Command::new(testing::program::program("rcronctl"));
    let done = testing::run(command.args(["check", "--root", "/dev/null"]));
    assert_eq!(done.code(), Some(2));
    assert_eq!(done.stderr(), "rcronctl: cannot look into /dev/null: Not a directory\n");
}

#[test]
fn fifos_are_not_waited_for() {
    let tree = Tree::clean();
    for file in [
        "/etc/crontab",
        "/etc/rcron/b.conf",
        "/var/spool/cron/crontabs/me",
        "/etc/rcron/rcrond.toml",
    ] {
        tree.directory(file.rsplit_once('/').expect("a path").0);
        nix::unistd::mkfifo(&tree.path(file), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    }
    tree.remove(crate::tree::STATE);
    nix::unistd::mkfifo(&tree.path(crate::tree::STATE), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    tree.finds("wrong", "state-unreadable", crate::tree::STATE);
    tree.finds("wrong", "crontab-unreadable", "/etc/crontab");
    tree.finds("wrong", "config-refused", "/etc/rcron/b.conf");
}
