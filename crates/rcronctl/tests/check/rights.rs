//! What root's check shows of the files that other users' crontabs and configurations name: only what these users can see.
//! As an ordinary user nothing can be shown that he could not read himself.

use crate::tree::Tree;
use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::process::{Command, Stdio};

const ALICE: u32 = 61_001;
const CRONTAB: &str = "/var/spool/cron/crontabs/me";
const SECRET: &str = "xyzzy-of-root";

/// A system where `me` has a home and root has a secret, which looks like a configuration and like a state.
fn tree() -> Tree {
    let tree = Tree::clean();
    tree.write("/etc/secret", &format!("{SECRET} = 1\n"));
    tree.mode("/etc/secret", 0o600);
    tree.write("/root/state", &format!("active by={SECRET}\n"));
    tree.write("/root/conf", &format!("cluster_name = {SECRET}\n"));
    tree.mode("/root", 0o700);
    tree.directory("/home/me");
    chown(tree.path("/home/me"), Some(ALICE), Some(ALICE)).expect("chown");
    tree
}

fn write(tree: &Tree, file: &str, text: &str) {
    tree.write(file, text);
    chown(tree.path(file), Some(ALICE), Some(ALICE)).expect("chown");
}

/// The whole report, in both forms.
#[track_caller]
fn report(tree: &Tree) -> String {
    let report = tree.text(&[]) + &tree.text(&["--json"]);
    assert!(!report.contains(SECRET), "{report}");
    report
}

/// Writes a crontab of `me`.
fn job(tree: &Tree, command: &str) {
    write(tree, CRONTAB, &format!("@daily {command}\n"));
    tree.mode(CRONTAB, 0o600);
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn configuration_that_a_user_cannot_read_is_not_shown() {
    let tree = tree();
    symlink("/etc/secret", tree.path("/home/me/link")).expect("linked");
    for path in ["/etc/secret", "/root/conf", "/home/me/link", "/root", "/root/none"] {
        job(&tree, &format!("rcron --conf {path} backup"));
        report(&tree);
        tree.finds_only("wrong", "conf-unreadable", &format!("{CRONTAB}:1:21"));
    }
    tree.program("/usr/bin/backup");
    nix::unistd::mkfifo(&tree.path("/home/me/fifo"), nix::sys::stat::Mode::all()).expect("a FIFO");
    job(&tree, "rcron --conf /home/me/fifo backup");
    assert!(report(&tree).contains("it is a FIFO, not a regular file"));
}

/// After the user's line, root's rights count again.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn group_of_a_user_counts() {
    let tree = tree();
    let conf = "/etc/team.conf";
    tree.write(
        conf,
        "cluster_name = team\ndefault_state = passive\nstate_file = /run/rcron/team\n",
    );
    tree.write("/run/rcron/team", "passive\n");
    tree.mode(conf, 0o640);
    chown(tree.path(conf), None, Some(61_050)).expect("chown");
    job(&tree, &format!("rcron --conf {conf} backup"));
    tree.write(
        "/var/spool/cron/crontabs/root",
        "@daily rcron --conf /root/own backup\n",
    );
    tree.mode("/var/spool/cron/crontabs/root", 0o600);
    tree.write(
        "/root/own",
        "cluster_name = own\ndefault_state = passive\nstate_file = /run/rcron/own\n",
    );
    tree.write("/run/rcron/own", "passive\n");
    tree.finds_only("wrong", "conf-unreadable", &format!("{CRONTAB}:1:21"));
    tree.write("/etc/group", "other:x:61049:www\nteam:x:61050:www,me\n");
    tree.finds_nothing();
}

/// Whether a file exists in a directory that is closed to the user makes no difference.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn existence_is_not_shown_where_the_user_cannot_look() {
    let tree = tree();
    tree.program("/root/program");
    for (there, missing, command) in [
        ("/root/conf", "/root/none", "rcron --conf FILE backup"),
        ("/root/program", "/root/none", "rcron FILE"),
        ("/root/rcron", "/root/none/rcron", "FILE backup"),
    ] {
        tree.program("/root/rcron");
        let [of_there, of_missing] = [there, missing].map(|file| {
            job(&tree, &command.replace("FILE", file));
            report(&tree).replace(file, "FILE")
        });
        assert_eq!(of_there, of_missing, "{command}");
    }
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn paths_in_a_users_configuration_are_examined_with_his_rights() {
    let tree = tree();
    let conf = "/home/me/conf";
    job(&tree, &format!("rcron --conf {conf} backup"));
    for key in ["state_file", "journal", "syslog_socket"] {
        let [of_there, of_missing] = ["/root/state", "/root/none"].map(|file| {
            write(
                &tree,
                conf,
                &format!("cluster_name = mine\ndefault_state = passive\n{key} = {file}\n"),
            );
            report(&tree).replace(file, "FILE")
        });
        assert_eq!(of_there, of_missing, "{key}");
    }
    write(&tree, "/home/me/state", "passive by=myself\n");
    write(
        &tree,
        conf,
        "cluster_name = mine\ndefault_state = passive\nstate_file = /home/me/state\n",
    );
    assert!(
        report(&tree).contains("/home/me/state: passive, by myself"),
        "{}",
        report(&tree)
    );
}

/// The state of such a cluster would say what root's files contain.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn users_configuration_of_a_job_of_root_is_examined_with_the_users_rights() {
    let tree = tree();
    let conf = "/home/me/conf";
    write(
        &tree,
        conf,
        "cluster_name = mine\ndefault_state = passive\nstate_file = /root/state\n",
    );
    tree.job(&format!("rcron --conf {conf} backup"));
    let text = report(&tree);
    assert!(
        text.contains("/root/state: the state file cannot be read: Permission denied"),
        "{text}"
    );
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn files_of_an_unknown_user_are_not_looked_up() {
    let tree = tree();
    let stranger = "/var/spool/cron/crontabs/stranger";
    tree.write("/etc/nsswitch.conf", "passwd: files sss\n");
    tree.write(stranger, "@daily rcron --conf /etc/secret backup\n");
    tree.mode(stranger, 0o600);
    let text = report(&tree);
    let expected = "  not seen  /var/spool/cron/crontabs/stranger: the files that jobs of stranger name, \
                    since this user is not in /etc/passwd\n";
    assert!(text.contains(expected), "{text}");
    assert_eq!(tree.findings(), []);
}

/// In a mount namespace, with a crontab of `nobody`: proc(5) shows whoever opens a file of it his own environment and files.
#[test]
#[ignore = "needs root: `make test` runs it"]
fn proc_shows_nothing_of_the_process_that_checks() {
    let directory = tempfile::tempdir().expect("a directory");
    let crontab: String = ["environ", "cmdline", "fd/0", "cwd/file", "root/etc/shadow", "status"]
        .map(|file| format!("@daily rcron --conf /proc/self/{file} true\n"))
        .concat();
    fs::write(directory.path().join("crontab"), crontab).expect("written");
    fs::write(directory.path().join("file"), format!("{SECRET} = 1\n")).expect("written");
    let script = "set -e
        mount -t tmpfs none /var/spool/cron/crontabs
        install -m 600 -o nobody crontab /var/spool/cron/crontabs/nobody
        exec \"$RCRONCTL\" check <file";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script])
        .env("RCRONCTL", testing::program::program("rcronctl"))
        .env("HIDDEN", SECRET)
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .output()
        .expect("run");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.matches("the path leads through proc(5)").count(), 6, "{text}");
    assert!(!text.contains(SECRET), "{text}");
}

#[test]
#[ignore = "needs root: `make test` runs it"]
fn absolute_links_do_not_leave_the_examined_system() {
    let tree = tree();
    let host = tempfile::tempdir().expect("a directory");
    let secret = host.path().join("jobs");
    fs::write(&secret, format!("@daily root rcron --{SECRET}\n")).expect("written");
    for link in [
        "/etc/cron.d/linked",
        "/var/spool/cron/crontabs/www",
        "/etc/rcron/linked.conf",
    ] {
        tree.directory(link.rsplit_once('/').expect("a path").0);
        symlink(&secret, tree.path(link)).expect("linked");
    }
    report(&tree);
    for name in ["cron.d", "rcron"] {
        tree.remove(&format!("/etc/{name}"));
        symlink(host.path(), tree.path(&format!("/etc/{name}"))).expect("linked");
    }
    report(&tree);
}
