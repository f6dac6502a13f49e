//! What the commands show of several servers.

use crate::daemon::{Daemon, Reply, report};
use crate::lab::Site;
use control::{Request, Response};
use serde_json::{Value, json};
use testing::until;

/// rcrond's answers, of which the ticks are not tested here.
fn answer(request: &Request) -> Reply {
    match request {
        Request::Status { nodes } => Response::Status(report(*nodes)).into(),
        _ => Response::Error {
            message: "not a request, or one of a later version of rcronctl".to_owned(),
        }
        .into(),
    }
}

/// The words of a table's line.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// The host and the job of each run.
fn hosts_and_jobs(json: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let runs = json["runs"].as_array().expect("a list");
    runs.iter().map(|run| (text(&run["host"]), text(&run["job"]))).collect()
}

#[test]
#[ignore = "needs root, openssh-server and openssh-client: `make test` installs them and runs it"]
fn runs_of_several_servers_are_one_history() {
    let site = Site::new();
    let (db1, db2) = (site.server("db1"), site.server("db2"));
    site.run_on(&db1, "--job first true");
    site.run_on(&db2, "--job second sh -c 'exit 3'");
    site.run_on(&db1, "sh -c ': \"$(id)\" \\\\ %41'");
    let both = ["--host", "db1", "--host", "db2"];
    let done = site.rcronctl(&[&["history"][..], &both].concat());
    assert_eq!((done.code(), done.stderr().as_str()), (Some(0), ""));
    let table = done.stdout();
    let lines: Vec<Vec<&str>> = table.lines().map(words).collect();
    assert_eq!(lines[0], ["HOST", "STARTED", "AGE", "LASTED", "RESULT", "JOB"]);
    let hosts: Vec<&str> = lines[1..].iter().map(|line| line[0]).collect();
    assert_eq!(hosts, ["db1", "db2", "db1"]);
    assert!(table.contains("exit 3  second"), "{table}");

    let narrow = site.here.run(
        site.command_of(&[&["history"][..], &both].concat())
            .env("COLUMNS", "80"),
    );
    assert!(narrow.stdout().lines().all(|line| line.len() <= 80) && narrow.stdout().contains("first"));

    let one = site.rcronctl(&["history", "--host", "db2"]).stdout();
    assert!(
        one.starts_with("STARTED") && one.contains("second") && !one.contains("first"),
        "{one}"
    );

    let job = ["--job", "sh -c : \"$(id)\" \\\\ %41"];
    let json = site.json(0, &[&["history"][..], &both, &job].concat());
    assert_eq!(hosts_and_jobs(&json), [("db1".to_owned(), String::new())], "{json}");
    let failed = site.json(0, &[&["history", "--failed"][..], &both].concat());
    assert_eq!(hosts_and_jobs(&failed), [("db2".to_owned(), "second".to_owned())]);
    let newest = site.json(0, &[&["history", "-n", "2"][..], &both].concat());
    assert_eq!((hosts_and_jobs(&newest).len(), &newest["more"]), (2, &json!(true)));
    assert_eq!(newest["runs"][1]["node"], "db2", "the host's own name");
    let hosts = newest["hosts"].as_array().expect("a list");
    assert!(
        hosts
            .iter()
            .all(|host| host["read"] == "all" && host["version"] == env!("CARGO_PKG_VERSION")),
        "{hosts:?}"
    );
}

/// The processes of each server are in a namespace of their own, as if they were on another machine.
#[test]
#[ignore = "needs root, openssh-server and openssh-client: `make test` installs them and runs it"]
fn each_server_says_which_of_its_runs_live_and_which_were_seen() {
    let site = Site::new();
    let db1 = site.server("db1");
    let _live = site.start_on(&db1, "--job live sleep 1000");
    let _cut = site.start_on(&db1, "--job cut sleep 2000");
    let _left = site.start_on(&db1, "--job left sleep 1000");
    let states = || {
        let json = site.json(0, &["history", "--host", "db1"]);
        let runs = json["runs"].as_array().expect("a list").clone();
        runs.iter()
            .map(|run| format!("{} {}", run["job"], run["status"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        states(),
        [r#""left" "running""#, r#""cut" "running""#, r#""live" "running""#]
    );
    // rcron and its job, and rcron alone.
    site.ssh("db1", "pkill -KILL -f 'sleep 2000'");
    site.ssh("db1", "pkill -KILL -f 'rcron --job left'");
    until("the killed processes to be gone", || {
        (states() == [r#""left" "unwatched""#, r#""cut" "interrupted""#, r#""live" "running""#]).then_some(())
    });

    let interrupted = |options: &[&str]| site.rcronctl(&[&["interrupted", "--host", "db1"][..], options].concat());
    let done = interrupted(&[]);
    assert_eq!((done.code(), done.stderr().as_str()), (Some(1), ""));
    assert!(
        done.stdout().contains("interrupted  cut") && done.stdout().lines().count() == 2,
        "{done:?}"
    );
    assert_eq!(site.ssh("db1", "rcronctl interrupted --ack").code(), Some(0));
    let done = interrupted(&[]);
    assert_eq!(
        (done.code(), done.stdout().as_str()),
        (
            Some(0),
            "no interrupted runs (1 run marked as seen; --all shows them)\n"
        )
    );
    assert!(interrupted(&["--all"]).stdout().contains("interrupted  cut"));
}

#[test]
#[ignore = "needs root, openssh-server and openssh-client: `make test` installs them and runs it"]
fn all_servers_that_rcrond_knows_are_read_and_this_one_directly() {
    let site = Site::new();
    // rcrond knows server1, which is this one, server2 and server3.
    let _first = site.host("server1");
    let other = site.server("server2");
    site.run_here(&["--job", "here", "true"]);
    site.run_on(&other, "--job there true");
    let socket = site.path("socket");
    let _daemon = Daemon::start(&socket, answer);
    let socket = socket.to_str().expect("text");
    let options = ["--hosts", "--socket", socket];
    let done = site.rcronctl(&[&["history"][..], &options].concat());
    assert_eq!(done.code(), Some(0), "{done:?}");
    let table = done.stdout();
    let hosts: Vec<&str> = table.lines().map(|line| words(line)[0]).collect();
    assert_eq!(hosts, ["HOST", "server2", "server1"], "{table}");
    let messages = done.stderr();
    assert!(
        messages
            .starts_with("rcronctl: warning: not asked, because rcrond there has not renewed its session: server3;")
            && messages.lines().count() == 1,
        "{messages}"
    );

    let json = site.json(0, &[&["timeline"][..], &options].concat());
    let names: Vec<&Value> = json["servers"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|server| &server["name"])
        .collect();
    assert_eq!(names, ["server1", "server2"]);
    assert_eq!(json["missed_ticks_are_looked_for"], false, "one server was not read");
    let read: Vec<&Value> = json["hosts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|host| &host["read"])
        .collect();
    assert_eq!(read, ["all", "all", "none"]);
    let timeline = site.rcronctl(&["timeline", "--host", "server2", "--host", "server2"]);
    assert!(timeline.stdout().contains("there"), "{timeline:?}");
}
