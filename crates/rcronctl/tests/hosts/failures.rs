//! Servers that cannot be read: a line each, and the others are shown.

use crate::lab::Site;
use std::fs;
use std::net::TcpListener;
use testing::Done;

#[test]
#[ignore = "needs root, openssh-server and openssh-client: `make test` installs them and runs it"]
fn server_that_cannot_be_read_is_a_line() {
    let site = Site::new();
    let db1 = site.server("db1");
    site.run_on(&db1, "--job good true");
    // It refuses connections.
    let _db2 = site.host("db2");
    // Its packets are lost.
    let db3 = site.host("db3");
    site.lab.part(&[&site.here], &[&db3]);
    // It accepts connections and says nothing.
    let db4 = site.host("db4");
    let _silent = db4.within(|| TcpListener::bind("10.9.1.4:22").expect("bound"));
    // Its rcronctl does not end; it has none; it has an old one; it knows another key.
    let (db5, db6) = (site.server("db5"), site.server("db6"));
    db5.replace_rcronctl("exec sleep 1000");
    fs::remove_file(db6.directory.join("bin/rcronctl")).expect("there");
    let (db7, db8) = (site.server("db7"), site.server("db8"));
    db7.replace_rcronctl("echo \"error: unrecognized subcommand '$1'\" >&2; exit 2");
    fs::copy(site.path("host_key.pub"), db8.directory.join("authorized_keys")).expect("copied");

    let names = ["db1", "db2", "db3", "db4", "db5", "db6", "db7", "db8"];
    let hosts: Vec<&str> = names.iter().flat_map(|name| ["--host", name]).collect();
    let done = read_with_good_server(&site, &hosts);
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert!(
        done.stdout().lines().count() == 2 && done.stdout().contains("good"),
        "{done:?}"
    );
    let messages = done.stderr();
    let lines: Vec<&str> = messages.lines().collect();
    let expected = [
        ("db2", "Connection refused"),
        ("db3", ""),
        ("db4", ""),
        ("db5", "no answer within"),
        ("db6", "there is no rcronctl in the PATH that ssh sets there"),
        ("db7", "its rcronctl is too old: it does not know `export`"),
        ("db8", "Permission denied"),
    ];
    assert_eq!(lines.len(), expected.len(), "{messages}");
    for (line, (name, reason)) in lines.iter().zip(expected) {
        let begin = format!("rcronctl: warning: {name}: not read: ");
        assert!(line.starts_with(&begin) && line.contains(reason), "{line}");
    }

    // Without those that cost time: the same as JSON; and where nothing is found, that is not certain.
    let hosts = ["--host", "db1", "--host", "db2", "--host", "db6"];
    let json = site.json(0, &[&["history"][..], &hosts].concat());
    let read: Vec<&str> = json["hosts"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|host| host["read"].as_str())
        .collect();
    assert_eq!(read, ["all", "none", "none"]);
    assert_eq!(json["unseen"].as_array().map(Vec::len), Some(2));
    let none = site.rcronctl(&[&["history", "--job", "none"][..], &hosts].concat());
    assert_eq!((none.code(), none.stdout().as_str()), (Some(2), ""));
    assert_eq!(site.rcronctl(&[&["interrupted"][..], &hosts].concat()).code(), Some(2));
    let done = site.rcronctl(&["history", "--host", "db2", "--host", "db6"]);
    assert!(
        done.code() == Some(2) && done.stderr().ends_with("rcronctl: no journal could be read\n"),
        "{done:?}"
    );
}

#[test]
#[ignore = "needs root, openssh-server and openssh-client: `make test` installs them and runs it"]
fn what_a_server_could_not_read_and_a_wrong_clock_are_reported() {
    let site = Site::new();
    let db1 = site.server("db1");
    site.run_on(&db1, "--job good true");
    fs::create_dir(db1.directory.join("journal/0-1.jsonl")).expect("made");
    let later = "1s/\"time\":\"20/\"time\":\"21/";
    db1.change_export(later);
    let done = site.rcronctl(&["history", "--host", "db1"]);
    assert!(done.code() == Some(0) && done.stdout().contains("good"), "{done:?}");
    let messages = done.stderr();
    assert!(
        messages.contains("rcronctl: warning: db1: ") && messages.contains("0-1.jsonl is not a journal file"),
        "{messages}"
    );
    assert!(messages.contains("db1: its clock is 3652"), "{messages}");
    let json = site.json(0, &["history", "--host", "db1"]);
    assert!(json["hosts"][0]["clock_ahead"].as_f64() > Some(1e9), "{json}");
}

/// The servers that say nothing cost the whole limit. On a busy machine, a good one may need more than a short one.
fn read_with_good_server(site: &Site, hosts: &[&str]) -> Done {
    for seconds in [2, 4, 8, 16, 32, 64, 128, 256] {
        let limit = format!("{seconds}s");
        let done = site.rcronctl(&[&["history", "--ssh-timeout", &limit][..], hosts].concat());
        let messages = done.stderr();
        let is_late = |name: &&str| messages.contains(&format!("{name}: not read: no answer"));
        if !["db1", "db2", "db6", "db7", "db8"].iter().any(is_late) {
            return done;
        }
    }
    panic!("a good server is not read in minutes");
}
