//! The log: its format, and that it never delays a job.

use crate::support::log::field;
use crate::support::process::Running;
use crate::support::{Fixture, run, until};
use std::fs;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Instant;
use testing::wait::DEADLINE;

#[test]
fn a_run_has_two_lines_with_the_fields_in_their_order() {
    let fixture = Fixture::active();
    fixture.run(["--job", "j", "sh", "-c", "exit 3"]);
    let texts = fixture.log.texts();
    let run = field(&texts[0], "run").expect("a run id");
    assert_eq!(
        texts[0],
        format!("cluster=test state=active status=start job=j run={run} cmd=sh -c exit 3")
    );
    let dur = field(&texts[1], "dur").expect("a duration");
    assert!(dur.parse::<f64>().is_ok_and(|seconds| seconds < 60.0), "{dur}");
    assert_eq!(
        texts[1],
        format!("cluster=test state=active status=fail dur={dur} exit=3 job=j run={run} cmd=sh -c exit 3")
    );
    fixture.run(["kill -KILL $$"]);
    let texts = fixture.log.texts();
    assert!(
        texts[3].contains(" status=fail ") && texts[3].contains(" signal=SIGKILL run="),
        "{texts:?}"
    );
    assert!(texts[3].ends_with(" cmd=kill -KILL $$"), "{texts:?}");
}

#[test]
fn the_header_is_that_of_0_1_0() {
    let fixture = Fixture::passive();
    // In this time zone the hour differs from UTC.
    let mut running = Running::start(
        fixture
            .rcron()
            .arg("true")
            .env("TZ", "XXX-05:45")
            .arg0("/some/where/rcron-web"),
    );
    assert!(running.wait().success());
    let messages = fixture.log.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (messages[0].priority, messages[0].ident.as_str(), messages[0].pid),
        (78, "rcron-web", running.0.id())
    );
    assert_is_now(&messages[0].time, "XXX-05:45");
}

/// Asserts that a header's time is the present minute or the one before, in this zone.
fn assert_is_now(time: &str, zone: &str) {
    let minute = &time[..12];
    let possible = ["now", "-1 minute"].map(|moment| {
        let mut date = Command::new("date");
        let done = run(date.args(["-d", moment, "+%b %e %H:%M"]).env("TZ", zone));
        done.stdout().trim_end().to_owned()
    });
    assert!(possible.iter().any(|time| time == minute), "{minute} {possible:?}");
}

/// localtime(3) would open the file, and wait for a writer of the FIFO.
#[test]
fn a_time_zone_that_is_no_zone_file_is_not_opened() {
    let fixture = Fixture::active();
    fixture.make_fifo("fifo");
    let directory = fixture.path("").display().to_string();
    for (zone, zones) in [
        (format!(":{directory}fifo"), None),
        (format!("{directory}fifo"), None),
        ("fifo".to_owned(), Some(directory.clone())),
        ("/dev/zero".to_owned(), None),
    ] {
        let mut rcron = fixture.rcron();
        rcron.args(["sh", "-c", "echo \"$TZ\""]).env("TZ", &zone);
        if let Some(zones) = zones {
            rcron.env("TZDIR", zones);
        }
        let done = run(&mut rcron);
        assert_eq!((done.code(), done.stdout()), (Some(0), format!("{zone}\n")), "{done:?}");
        let messages = fixture.log.messages();
        assert_is_now(&messages.last().expect("a line").time, "UTC0");
    }
}

#[test]
fn facility_and_level_are_the_configurations() {
    let fixture = Fixture::passive();
    fixture.configure("syslog_facility = local7\nsyslog_level = Notice\n");
    fixture.run(["true"]);
    assert_eq!(fixture.log.messages()[0].priority, 23 * 8 + 5);
}

#[test]
fn control_characters_and_stray_bytes_are_escaped() {
    let fixture = Fixture::passive();
    fixture.run(["printf", "a\nrcron[1]: forged\x1b[2J", "grün \\"]);
    assert_eq!(
        fixture.log.texts(),
        ["cluster=test state=passive status=ignore cmd=printf a\\x0arcron[1]: forged\\x1b[2J grün \\"]
    );
}

#[test]
fn a_long_line_is_cut_at_the_end_of_the_command() {
    let fixture = Fixture::active();
    fixture.configure(&format!("cluster_name = {}\n", "c".repeat(65_536)));
    fixture.run(["true", &"x".repeat(100_000)]);
    for datagram in fixture.log.datagrams() {
        let line = String::from_utf8(datagram).expect("UTF-8");
        assert_eq!(line.len(), 8000);
        assert!(
            line.contains(" state=active status=") && line.contains(" run=") && line.ends_with("xxx..."),
            "{line}"
        );
    }
}

#[test]
fn without_a_log_socket_the_job_runs_without_a_warning() {
    let fixture = Fixture::active();
    let socket = format!("syslog_socket={}", fixture.path("none").display());
    let done = fixture.run(["-o", &socket, "echo", "ran"]);
    assert_eq!(
        (done.code(), done.stdout(), done.stderr()),
        (Some(0), "ran\n".to_owned(), String::new())
    );
}

/// A daemon that does not read, so that its queue is full after a few messages.
fn stuck_daemon(fixture: &Fixture) -> UnixDatagram {
    let daemon = UnixDatagram::bind(fixture.path("stuck")).expect("bound");
    let filler = UnixDatagram::unbound().expect("a socket");
    filler.set_nonblocking(true).expect("set");
    while filler.send_to(b"filler", fixture.path("stuck")).is_ok() {}
    daemon.set_read_timeout(Some(DEADLINE)).expect("set");
    daemon
}

fn next_line(daemon: &UnixDatagram) -> String {
    let mut buffer = [0; 8192];
    loop {
        let length = daemon.recv(&mut buffer).expect("a message");
        if &buffer[..length] != b"filler" {
            return String::from_utf8_lossy(&buffer[..length]).into_owned();
        }
    }
}

#[test]
fn a_stuck_log_daemon_delays_nothing() {
    for state in ["active\n", "passive\n"] {
        let fixture = Fixture::new(Some(state));
        let _daemon = stuck_daemon(&fixture);
        let socket = format!("syslog_socket={}", fixture.path("stuck").display());
        let done = fixture.run(["-o", &socket, "echo", "ran"]);
        assert_eq!((done.code(), done.stderr()), (Some(0), String::new()));
        assert_eq!(done.stdout() == "ran\n", state == "active\n");
    }
}

#[test]
fn the_job_starts_before_a_stuck_line_is_dropped_and_the_next_line_counts_it() {
    let fixture = Fixture::active();
    let daemon = stuck_daemon(&fixture);
    let socket = format!("syslog_socket={}", fixture.path("stuck").display());
    let mut running = Running::start(fixture.rcron().args(["-o", &socket, "cat"]).stdin(Stdio::piped()));
    running.job("cat"); // although its start line is not sent
    // While a line is pending, rcron polls with a time limit; when the line has been dropped, without one.
    let pid = running.pid();
    let waits_without_limit = || std::fs::read_to_string(format!("/proc/{pid}/syscall")).ok();
    let started = Instant::now();
    until("the start line to be given up", || {
        waits_without_limit()
            .filter(|line| line.split(' ').nth(3) == Some("0xffffffffffffffff") || started.elapsed().as_secs() > 2)
    });
    let mut buffer = [0; 8192];
    daemon.set_nonblocking(true).expect("set");
    while daemon.recv(&mut buffer).is_ok() {}
    daemon.set_nonblocking(false).expect("set");
    drop(running.0.stdin.take());
    assert!(running.wait().success());
    let line = next_line(&daemon);
    assert!(
        line.contains(" status=ok ") && line.contains(" lost=1 cmd=cat"),
        "{line}"
    );
}

#[test]
fn a_line_that_waited_a_little_is_not_lost() {
    let fixture = Fixture::active();
    let daemon = stuck_daemon(&fixture);
    let socket = format!("syslog_socket={}", fixture.path("stuck").display());
    let mut running = Running::start(fixture.rcron().args(["-o", &socket, "cat"]).stdin(Stdio::piped()));
    // The daemon starts to read while the line waits. On a very slow machine the line is lost and counted.
    let first = next_line(&daemon_with_reader(&daemon, &mut running));
    let is_start = first.contains(" status=start ");
    assert!(is_start || first.contains(" lost=1 "), "{first}");
    assert!(running.wait().success());
}

/// Lets the job end, so that there is a line in any case.
fn daemon_with_reader(daemon: &UnixDatagram, running: &mut Running) -> UnixDatagram {
    running.job("cat");
    drop(running.0.stdin.take());
    daemon.try_clone().expect("a descriptor")
}

#[test]
fn a_log_daemon_that_was_restarted_gets_the_end_line() {
    let fixture = Fixture::active();
    let first = UnixDatagram::bind(fixture.path("daemon")).expect("bound");
    let socket = format!("syslog_socket={}", fixture.path("daemon").display());
    let mut running = Running::start(fixture.rcron().args(["-o", &socket, "cat"]).stdin(Stdio::piped()));
    assert!(next_line(&first).contains(" status=start "));
    drop(first);
    std::fs::remove_file(fixture.path("daemon")).expect("removed");
    let second = UnixDatagram::bind(fixture.path("daemon")).expect("bound");
    drop(running.0.stdin.take());
    assert!(running.wait().success());
    let line = next_line(&second);
    assert!(line.contains(" status=ok ") && !line.contains(" lost="), "{line}");
}

#[test]
fn a_stream_socket_is_served_too() {
    let fixture = Fixture::active();
    let daemon = UnixListener::bind(fixture.path("stream")).expect("bound");
    let socket = format!("syslog_socket={}", fixture.path("stream").display());
    assert_eq!(fixture.run(["-o", &socket, "true"]).code(), Some(0));
    let mut text = String::new();
    daemon
        .accept()
        .expect("a connection")
        .0
        .read_to_string(&mut text)
        .expect("text");
    let lines: Vec<&str> = text.split_terminator('\0').collect();
    assert!(
        lines.len() == 2 && lines[0].contains(" status=start ") && lines[1].contains(" status=ok "),
        "{lines:?}"
    );
}

#[test]
fn five_hundred_runs_at_once_log_complete_lines() {
    let fixture = Fixture::active();
    let runs: Vec<Running> = (0..500)
        .map(|number| Running::start(fixture.rcron().args(["true", &number.to_string()]).stdin(Stdio::null())))
        .collect();
    for mut run in runs {
        assert!(run.wait().success());
    }
    let texts = fixture.log.texts();
    let lost: usize = texts
        .iter()
        .filter_map(|line| field(line, "lost")?.parse::<usize>().ok())
        .sum();
    let both = texts
        .iter()
        .filter(|line| line.contains(" status=start ") || line.contains(" status=ok "))
        .count();
    assert_eq!(both, texts.len());
    // Each line is complete, and a line that found no room for 200 ms is counted in the next line of the same run.
    assert!(both + lost <= 1000 && both > 500, "{both} lines, {lost} lost");
}

/// systemd.exec(5), `$JOURNAL_STREAM`. The log goes elsewhere here, so a warning must not be missing on stderr.
#[test]
fn a_warning_is_printed_unless_the_log_is_the_same_journal() {
    let fixture = Fixture::new(None);
    let (mut stderr, job_end) = UnixStream::pair().expect("a pair");
    let identity = fs::metadata(format!("/proc/self/fd/{}", job_end.as_raw_fd())).expect("there");
    let mut command = fixture.rcron();
    command
        .arg("true")
        .env("JOURNAL_STREAM", format!("{}:{}", identity.dev(), identity.ino()));
    let status = command.stderr(OwnedFd::from(job_end)).status().expect("run");
    assert!(status.success());
    drop(command);
    let mut text = String::new();
    stderr.read_to_string(&mut text).expect("read");
    assert!(
        text.starts_with("rcron: warning: cannot read the state from "),
        "{text}"
    );
}
