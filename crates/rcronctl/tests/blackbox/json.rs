//! `--json` of all commands.

use crate::daemon::{Daemon, answer_status};
use crate::fixture::Fixture;
use control::{Request, Response, TicksReport};
use testing::run;

/// One object with one field in each line, as `jq .` prints it.
fn assert_is_pretty(text: &str, command: &[&str]) {
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let pretty = serde_json::to_string_pretty(&value).expect("JSON");
    // The order of the fields differs.
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(|line| line.trim_end_matches(',').to_owned()).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(sorted(text), sorted(&pretty), "{command:?}");
    assert!(value.is_object() && text.ends_with("}\n"), "{command:?}: {text}");
}

#[test]
fn looks_alike_in_all_commands() {
    let fixture = Fixture::new(Some("active"));
    fixture.run(&["--job", "night", "false"]);
    let socket = fixture.path("socket");
    let _daemon = Daemon::start(&socket, |request| match request {
        Request::Status { .. } => answer_status(request),
        Request::Ticks { .. } => Response::Ticks(TicksReport::default()).into(),
        _ => {
            let lines = vec!["web: drained, passive".to_owned()];
            Response::Done { lines }.into()
        }
    });
    let socket = socket.to_str().expect("UTF-8");
    for command in [
        &["status"][..],
        &["history"],
        &["interrupted"],
        &["timeline"],
        &["is-active"],
        &["set", "passive"],
        &["check"],
        &["drain", "--socket", socket],
        &["undrain", "--socket", socket],
        &["ticks", "--socket", socket],
    ] {
        let done = run(fixture.command().args(command).arg("--json"));
        assert_is_pretty(&done.stdout(), command);
    }
}

#[test]
fn is_rejected_and_not_offered_by_commands_without_it() {
    let fixture = Fixture::new(Some("active"));
    for command in [&["export"][..], &["metrics"], &["touch"], &["completions", "bash"]] {
        for arguments in [[command, &["--json"]].concat(), [&["--json"], command].concat()] {
            let done = fixture.rcronctl(&arguments);
            assert_eq!(
                (done.code(), done.stdout().as_str()),
                (Some(2), ""),
                "{arguments:?}: {done:?}"
            );
            assert!(
                done.stderr().starts_with(&format!("rcronctl: {}", command[0]))
                    && done.stderr().ends_with(": leave out --json\n"),
                "{done:?}"
            );
        }
        let help = fixture.output(0, [command[0], "--help"]);
        assert!(!help.contains("--json") && help.contains("--conf"), "{help}");
    }
    assert!(fixture.output(0, ["history", "--help"]).contains("--json"));
}
