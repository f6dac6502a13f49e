//! Tables on terminals of several widths, and in a pipe; colours.

use crate::daemon::{Daemon, answer_status};
use crate::fixture::Fixture;
use std::process::{Command, Stdio};
use testing::run;

const WIDTHS: [usize; 4] = [60, 80, 100, 200];
const JOB: &str = "nightly-backup-of-home";

/// What the command prints in so many columns; in a pipe without any.
fn printed(fixture: &Fixture, columns: Option<usize>, arguments: &[&str]) -> String {
    let mut command = fixture.command();
    command.args(arguments);
    if let Some(columns) = columns {
        command.env("COLUMNS", columns.to_string());
    }
    let done = run(&mut command);
    assert_eq!((done.code(), done.stderr().as_str()), (Some(0), ""), "{done:?}");
    done.stdout()
}

fn heads(printed: &str) -> Vec<&str> {
    let columns = printed.lines().next().expect("a heading").split("  ");
    columns.map(str::trim).filter(|head| !head.is_empty()).collect()
}

fn assert_no_line_is_wider(printed: &str, columns: usize) {
    for line in printed.lines() {
        assert!(line.chars().count() <= columns, "{columns}: {line}\n{printed}");
    }
}

#[test]
fn status_loses_no_text_of_a_cluster() {
    let fixture = Fixture::new(Some(
        "active by=keepalived@server1.example.org since=2026-11-23T09:15:02Z\n",
    ));
    let facts = [
        "web",
        "active",
        "2026-11-23 09:15:02",
        "the state file says so",
        "keepalived@server1.example.org",
        "passive (default_state)",
    ];
    for columns in WIDTHS {
        let printed = printed(&fixture, Some(columns), &["status"]);
        assert_no_line_is_wider(&printed, columns);
        for fact in facts {
            assert!(printed.contains(fact), "{fact} in {columns}:\n{printed}");
        }
        assert!(!printed.contains('…'), "{printed}");
        let words: Vec<&str> = printed.split_whitespace().collect();
        assert!(words.contains(&"changed"), "the end of FRESHNESS: {printed}");
    }
}

#[test]
fn status_keeps_the_important_columns() {
    let fixture = Fixture::new(Some(
        "active by=keepalived@server1.example.org since=2026-11-23T09:15:02Z\n",
    ));
    let all = "CLUSTER STATE WHY SINCE WRITTEN BY FRESHNESS IF UNREADABLE RUNNING";
    for (columns, expected) in [
        (Some(60), "CLUSTER STATE SINCE FRESHNESS"),
        (Some(80), "CLUSTER STATE SINCE FRESHNESS RUNNING"),
        (Some(100), "CLUSTER STATE SINCE FRESHNESS RUNNING"),
        (Some(200), all),
        (None, all),
    ] {
        let printed = printed(&fixture, columns, &["status"]);
        assert_eq!(heads(&printed).join(" "), expected, "{columns:?}:\n{printed}");
    }
}

#[test]
fn history_keeps_result_and_job() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["--job", JOB, "true"]);
    fixture.run(&["sh", "-c", "exit 3", &"long ".repeat(50)]);
    for (columns, expected) in [
        (Some(60), "STARTED RESULT JOB"),
        (Some(80), "STARTED AGE LASTED RESULT JOB"),
        (Some(100), "STARTED AGE LASTED RESULT JOB"),
        (Some(200), "STARTED AGE LASTED RESULT JOB"),
        (None, "STARTED AGE LASTED RESULT JOB"),
    ] {
        let printed = printed(&fixture, columns, &["history"]);
        assert_no_line_is_wider(&printed, columns.unwrap_or(usize::MAX));
        assert_eq!(heads(&printed).join(" "), expected, "{columns:?}:\n{printed}");
        assert!(printed.contains(JOB) && printed.contains("exit 3"), "{printed}");
        assert_eq!(
            printed.contains('…'),
            columns.is_some(),
            "only a pipe shows the whole command: {printed}"
        );
    }
}

#[test]
fn nodes_keep_name_role_and_lease() {
    let fixture = Fixture::new(Some("passive until=1.0 boot=b epoch=42 by=server1\n"));
    let socket = fixture.path("socket");
    let _daemon = Daemon::start(&socket, answer_status);
    let socket = socket.to_str().expect("UTF-8");
    for (columns, expected) in [
        (Some(60), "NODE ROLE EPOCH LEASE LEFT LAST SEEN"),
        (Some(80), "NODE ROLE PRIORITY EPOCH LEASE LEFT LAST SEEN VERSION"),
        (None, "NODE ROLE PRIORITY EPOCH LEASE LEFT LAST SEEN VERSION"),
    ] {
        let printed = printed(&fixture, columns, &["status", "--socket", socket]);
        let nodes = &printed[printed.find("NODE").expect("a table of nodes")..];
        assert_eq!(heads(nodes).join(" "), expected, "{columns:?}:\n{printed}");
    }
}

/// What the command prints on a terminal of 60 columns, without carriage returns.
fn printed_on_terminal(fixture: &Fixture, environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let rcronctl = fixture.command();
    let words = std::iter::once(rcronctl.get_program())
        .chain(rcronctl.get_args())
        .map(|word| word.to_str().expect("UTF-8"));
    let words: Vec<&str> = words.chain(arguments.iter().copied()).collect();
    let line = format!("stty rows 24 columns 60 && exec {}", words.join(" "));
    // util-linux's script(1) runs the line on a new terminal.
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script
        .env("TZ", "UTC")
        .env("TERM", "xterm")
        .env_remove("COLUMNS")
        .env_remove("NO_COLOR");
    let done = run(script.envs(environment.iter().copied()).stdin(Stdio::null()));
    assert_eq!(done.code(), Some(0), "{done:?}");
    done.stdout().replace("\r\n", "\n")
}

#[test]
fn terminal_decides_width_and_colours() {
    let fixture = Fixture::new(Some("active\n"));
    fixture.run(&["--job", JOB, "true"]);
    for (environment, ok, letter) in [
        (&[][..], "\x1b[38;5;28mok\x1b[0m", "\n\x1b[38;5;31mA\x1b[0m "),
        (&[("TERM", "linux")], "\x1b[32mok\x1b[0m", "\n\x1b[36mA\x1b[0m "),
        (&[("TERM", "dumb")], " ok ", "\nA "),
        (&[("NO_COLOR", "1")], " ok ", "\nA "),
    ] {
        let history = printed_on_terminal(&fixture, environment, &["history"]);
        let timeline = printed_on_terminal(&fixture, environment, &["timeline"]);
        assert!(history.contains(ok), "{environment:?}: {history:?}");
        assert!(timeline.contains(letter), "{environment:?}: {timeline:?}");
        for printed in [history, timeline] {
            assert_eq!(printed.contains('\x1b'), ok.starts_with('\x1b'), "{printed:?}");
            if !printed.contains('\x1b') {
                assert_no_line_is_wider(&printed, 60);
            }
        }
    }
}
