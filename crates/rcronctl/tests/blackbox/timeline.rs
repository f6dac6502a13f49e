//! `rcronctl timeline` with what a fake rcrond knows about ticks.

use crate::daemon::{Daemon, Reply};
use crate::fixture::Fixture;
use control::{Request, Response, TickReport, TickResult, TicksReport};
use serde_json::Value;

fn tick(job: &str, tick: &str, attempt: u32, result: TickResult, run: Option<&str>) -> TickReport {
    TickReport {
        cluster: "web".to_owned(),
        user: "root".to_owned(),
        job: job.to_owned(),
        tick: tick.to_owned(),
        last_tick: tick.to_owned(),
        count: 1,
        attempt,
        node: "server1".to_owned(),
        started: None,
        late_ms: None,
        lasted_ms: None,
        result,
        code: None,
        signal: None,
        reason: (result == TickResult::Missed).then(|| "not-asked".to_owned()),
        explanation: (result == TickResult::Missed).then(|| "no active server asked for it in time".to_owned()),
        run: run.map(str::to_owned),
        reruns_left: 0,
    }
}

/// So many seconds ago, as rcrond writes it.
fn ago(seconds: i64) -> String {
    let now = jiff::Timestamp::now().as_second();
    jiff::Timestamp::from_second(now - seconds).expect("a time").to_string()
}

fn timeline(fixture: &Fixture) -> Value {
    let socket = fixture.path("socket").into_os_string().into_string().expect("UTF-8");
    fixture.json(0, ["timeline", "--socket", &socket])
}

#[test]
fn has_missed_ticks_and_attempts_of_the_store() {
    let fixture = Fixture::new(Some("active\n"));
    fixture.run(&["--job", "clean", "true"]);
    let history = fixture.json(0, ["history"]);
    let run = history["runs"][0]["run"].as_str().expect("an ID").to_owned();
    let (started, lost, old) = (ago(120), ago(3600), ago(7 * 3600));
    let report = TicksReport {
        ticks: vec![
            tick("clean", &started, 2, TickResult::Ok, Some(&run)),
            tick("backup", &lost, 0, TickResult::Missed, None),
            tick("too-old", &old, 0, TickResult::Missed, None),
        ],
        ..TicksReport::default()
    };
    let daemon = Daemon::start(&fixture.path("socket"), move |_| Response::Ticks(report.clone()).into());
    let json = timeline(&fixture);
    assert!(
        matches!(
            daemon.requests()[..],
            [Request::Ticks {
                since_ms: Some(_),
                missed_only: false,
                ..
            }]
        ),
        "it asks once"
    );
    let findings = json["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 1, "{json}");
    let finding = &findings[0];
    assert_eq!(
        [&finding["finding"], &finding["name"], &finding["reason"]],
        ["missed", "backup", "no active server asked for it in time"]
    );
    let rows: Vec<&str> = json["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["name"].as_str())
        .collect();
    assert_eq!(rows, ["backup", "clean"]);
    let drawn = &json["rows"][1]["runs"][0];
    assert_eq!(
        (drawn["attempt"].as_u64(), drawn["how"].as_str()),
        (Some(2), Some("exit status 0, attempt 2"))
    );
    let socket = fixture.path("socket");
    let text = fixture.output(0, ["timeline", "--socket", socket.to_str().expect("UTF-8")]);
    assert!(text.contains("m missed   + started again"), "{text}");
    assert!(
        text.contains("backup was missed at ") && text.contains(": no active server asked for it in time ("),
        "{text}"
    );
}

#[test]
fn is_drawn_without_rcrond() {
    let fixture = Fixture::new(Some("active\n"));
    fixture.run(&["--job", "clean", "true"]);
    let old = "not a request, or one of a later version of rcronctl: unknown variant `ticks`";
    let error = |message: &str| Response::Error {
        message: message.to_owned(),
    };
    for (answer, warning) in [
        (error(old), ""),
        (
            error("the store does not answer"),
            "rcronctl: warning: ticks that were missed are not shown: the store does not answer\n",
        ),
    ] {
        let mut answer = Some(Reply::from(answer));
        let daemon = Daemon::start(&fixture.path("socket"), move |_| answer.take().expect("one question"));
        let done = fixture.rcronctl(["timeline", "--socket", fixture.path("socket").to_str().expect("UTF-8")]);
        assert_eq!((done.code(), done.stderr().as_str()), (Some(0), warning));
        assert!(done.stdout().contains("clean"), "{done:?}");
        drop(daemon);
        std::fs::remove_file(fixture.path("socket")).expect("removed");
    }
    let missing = fixture.rcronctl(["timeline", "--socket", "/nowhere"]);
    assert!(
        missing.code() == Some(0) && missing.stderr().contains("there is no /nowhere"),
        "{missing:?}"
    );
}
