use super::*;
use control::{Difference, DifferenceKind as Kind, DriftReport};
use policy::config::Config;
use policy::moment::{BootTime, WallTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use store::LONGEST_VALUE;

const SKEW: Duration = Duration::from_secs(10);

/// A line: user, name, schedule, zone, once_per_tick, hash.
type Line<'a> = (&'a str, &'a str, &'a str, &'a str, bool, u16);

const BACKUP: Line = ("root", "backup", "0 3 * * *", "", false, 7);

fn line((user, name, schedule, zone, once_per_tick, hash): Line<'_>) -> ServerLine<'_> {
    ServerLine {
        cluster: "web",
        user: user.as_bytes(),
        name: Some(name.as_bytes()).filter(|name| !name.is_empty()),
        schedule: schedule.as_bytes(),
        zone: Some(zone.as_bytes()).filter(|zone| !zone.is_empty()),
        once_per_tick,
        hash,
    }
}

fn facts() -> ServerFacts {
    ServerFacts {
        rcrond: "1.0".to_owned(),
        rcron: Some("1.0".to_owned()),
        cron: Some(true),
        zone: Some("UTC0".to_owned()),
        max_skew: Some("10s".to_owned()),
        unread: 0,
    }
}

fn keys(lease: &str, conf: &[(&str, &str)]) -> ClusterKeys {
    let table = |keys: &[(&str, &str)]| {
        let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        keys.collect::<BTreeMap<_, _>>()
    };
    ClusterKeys {
        toml: table(&[("lease", lease)]),
        conf: Some(table(conf)),
    }
}

fn record(facts: ServerFacts, keys: ClusterKeys, lines: &[Line]) -> NodeJobs {
    let clusters = BTreeMap::from([("web".to_owned(), keys)]);
    NodeJobs::new(facts, clusters, lines.iter().map(|of| line(*of)))
}

fn with_lines(lines: &[Line]) -> NodeJobs {
    record(facts(), keys("10s", &[]), lines)
}

/// The nodes n1, n2, …, with these records.
fn nodes<const N: usize>(records: [NodeJobs; N]) -> Vec<Node> {
    let node = |(index, record): (usize, NodeJobs)| Node {
        name: format!("n{}", index + 1),
        is_silent: false,
        clock_ahead: Some(0),
        clusters: BTreeSet::from(["web".to_owned()]),
        published: Published::Record(Arc::new(record)),
    };
    records.into_iter().enumerate().map(node).collect()
}

fn compared(nodes: &[Node]) -> DriftReport {
    compare(&["web".to_owned()], nodes, SKEW, None)
}

/// A difference in one line: its kind, its subject, the nodes that differ, and the values.
fn short(difference: &Difference) -> String {
    let subject = [&difference.user, &difference.job, &difference.schedule, &difference.key];
    let subject: Vec<&str> = subject.into_iter().flatten().map(String::as_str).collect();
    let values = difference
        .values
        .iter()
        .map(|value| format!("{}={}", value.nodes.join("+"), value.value));
    let values: Vec<String> = values.collect();
    let odd = difference.odd.join("+");
    format!(
        "{} {} [{odd}] {}",
        difference.kind.as_str(),
        subject.join("/"),
        values.join(" ")
    )
}

fn found(nodes: &[Node]) -> Vec<String> {
    let report = compared(nodes);
    let found: Vec<String> = report.differences.iter().map(short).collect();
    let is_counted = |found: &&Difference| !matches!(found.kind, Kind::NoSession | Kind::Incomplete);
    let counting = report.differences.iter().filter(is_counted);
    assert_eq!(report.clusters[0].count, counting.count());
    found
}

#[test]
fn a_job_that_differs_on_one_of_three_servers() {
    let several: [Line; 2] = [BACKUP, ("root", "backup", "0 5 * * *", "", false, 8)];
    let unnamed = |schedule| ("alice", "", schedule, "", false, 9);
    for (third, expected) in [
        (&[BACKUP][..], &[][..]),
        (&[], &["job-missing root/backup [n3] n1+n2=present n3=missing"]),
        (
            &[BACKUP, ("root", "more", "@daily", "", false, 1)],
            &["job-missing root/more [n3] n1+n2=missing n3=present"],
        ),
        (
            &[BACKUP, unnamed("@daily")],
            &["job-missing alice/@daily [n3] n1+n2=missing n3=present"],
        ),
        (
            &[("root", "backup", "0 4 * * *", "UTC", true, 8)],
            &[
                "schedule root/backup [n3] n1+n2=0 3 * * * n3=0 4 * * *",
                "job-zone root/backup [n3] n1+n2=cron's own n3=UTC",
                "once-per-tick root/backup [n3] n1+n2=no n3=yes",
                "command root/backup [n3] n1+n2=0007 n3=0008",
            ],
        ),
        (
            &several,
            &["schedule root/backup [n3] n1+n2=0 3 * * * n3=0 3 * * *, 0 5 * * *"],
        ),
        // Another user's job of the same name is another job.
        (
            &[BACKUP, ("alice", "backup", "0 3 * * *", "", false, 7)],
            &["job-missing alice/backup [n3] n1+n2=missing n3=present"],
        ),
    ] {
        let nodes = nodes([with_lines(&[BACKUP]), with_lines(&[BACKUP]), with_lines(third)]);
        assert_eq!(found(&nodes), expected);
    }
}

#[test]
fn without_a_majority_no_server_is_odd() {
    let other = ("root", "backup", "0 4 * * *", "", false, 7);
    assert_eq!(
        found(&nodes([with_lines(&[BACKUP]), with_lines(&[other])])),
        ["schedule root/backup [] n1=0 3 * * * n2=0 4 * * *"]
    );
    let third = ("root", "backup", "0 5 * * *", "", false, 7);
    assert_eq!(
        found(&nodes([
            with_lines(&[BACKUP]),
            with_lines(&[other]),
            with_lines(&[third])
        ])),
        ["schedule root/backup [] n1=0 3 * * * n2=0 4 * * * n3=0 5 * * *"]
    );
    let four = [&[BACKUP][..], &[], &[BACKUP], &[]].map(with_lines);
    assert_eq!(
        found(&nodes(four)),
        ["job-missing root/backup [] n2+n4=missing n1+n3=present"]
    );
}

#[test]
fn unnamed_jobs_are_told_apart_by_their_commands() {
    let (one, other) = (
        ("alice", "", "@daily", "", false, 1),
        ("alice", "", "@hourly", "", false, 2),
    );
    let moved = ("alice", "", "@hourly", "", false, 1);
    assert_eq!(
        found(&nodes([with_lines(&[one, other]), with_lines(&[other, one])])),
        [""; 0]
    );
    assert_eq!(
        found(&nodes([with_lines(&[one, other]), with_lines(&[moved, other])])),
        ["schedule alice/@daily [] n1=@daily n2=@hourly"]
    );
}

#[test]
fn settings_and_the_server_itself() {
    type Change = fn(&mut ServerFacts);
    let third = |facts, keys| {
        nodes([
            with_lines(&[BACKUP]),
            with_lines(&[BACKUP]),
            record(facts, keys, &[BACKUP]),
        ])
    };
    let same = || keys("10s", &[]);
    for (change, expected) in [
        ((|_| ()) as Change, ""),
        (
            |facts| facts.rcrond = "2.0".to_owned(),
            "rcrond-version  [n3] n1+n2=1.0 n3=2.0",
        ),
        (
            |facts| facts.rcron = Some("2.0".to_owned()),
            "rcron-version  [n3] n1+n2=1.0 n3=2.0",
        ),
        (
            |facts| facts.zone = Some("CET-1".to_owned()),
            "cron-zone  [n3] n1+n2=UTC0 n3=CET-1",
        ),
        (
            |facts| facts.max_skew = Some("1s".to_owned()),
            "rcrond-key max_skew [n3] n1+n2=10s n3=1s",
        ),
        (|facts| facts.cron = Some(false), "cron-stopped  [n3] n3=stopped"),
        (
            |facts| facts.unread = 2,
            "incomplete  [n3] n3=2 crontabs or parts of them cannot be read",
        ),
        // What is not known does not differ.
        (
            |facts| (facts.rcron, facts.zone, facts.cron, facts.max_skew) = (None, None, None, None),
            "",
        ),
    ] {
        let mut changed = facts();
        change(&mut changed);
        assert_eq!(found(&third(changed, same())).join("\n"), expected);
    }
    for (keys, expected) in [
        (keys("20s", &[]), "rcrond-key lease [n3] n1+n2=10s n3=20s"),
        (keys("10s", &[("rerun", "2")]), "rcron-key rerun [n3] n1+n2=0 n3=2"),
        (
            keys("10s", &[("new", "2")]),
            "rcron-key new [n3] n1+n2=the default n3=2",
        ),
        (ClusterKeys { conf: None, ..same() }, ""),
        (ClusterKeys::default(), ""),
    ] {
        assert_eq!(found(&third(facts(), keys)).join("\n"), expected);
    }
    // A server without jobs needs no cron.
    let mut stopped = facts();
    stopped.cron = Some(false);
    assert_eq!(found(&nodes([record(stopped, same(), &[])])), [""; 0]);
}

#[test]
fn a_server_of_which_nothing_is_known_is_named_once() {
    type Change = fn(&mut Node);
    let jobs: Vec<String> = (0..50).map(|number| format!("job{number}")).collect();
    let lines: Vec<Line> = jobs
        .iter()
        .map(|job| ("root", job.as_str(), "@daily", "", false, 1))
        .collect();
    for (change, expected) in [
        (
            (|node| node.is_silent = true) as Change,
            "no-session  [n3] n3=no session",
        ),
        (
            |node| node.published = Published::Nothing,
            "not-published  [n3] n3=nothing",
        ),
        (
            |node| node.published = Published::Unreadable,
            "unreadable  [n3] n3=unreadable",
        ),
        // It does not serve the cluster.
        (
            |node| {
                node.published = Published::Nothing;
                node.clusters.clear();
            },
            "",
        ),
    ] {
        let mut nodes = nodes([with_lines(&lines), with_lines(&lines), with_lines(&[])]);
        change(&mut nodes[2]);
        assert_eq!(found(&nodes).join("\n"), expected);
        assert_eq!(compared(&nodes).clusters[0].nodes, ["n1", "n2"]);
    }
}

#[test]
fn clocks() {
    for (ahead, expected) in [
        ([Some(0), Some(0), Some(0)], ""),
        ([Some(0), None, Some(0)], ""),
        ([Some(0), Some(0), Some(12_000)], "clock  [n3] n1+n2=0 n3=12000"),
        ([Some(0), None, Some(-12_000)], "clock  [] n3=-12000 n1=0"),
        // This server is the one that is wrong.
        ([Some(0), Some(30_000), Some(30_900)], "clock  [n1] n2+n3=0 n1=-30000"),
        (
            [Some(0), Some(-20_000), Some(20_000)],
            "clock  [] n2=-20000 n1=0 n3=20000",
        ),
    ] {
        let mut nodes = nodes([BACKUP, BACKUP, BACKUP].map(|line| with_lines(&[line])));
        for (node, ahead) in nodes.iter_mut().zip(ahead) {
            node.clock_ahead = ahead;
        }
        assert_eq!(found(&nodes).join("\n"), expected);
    }
}

#[test]
fn a_user_sees_only_their_own_jobs() {
    let theirs = ("alice", "mine", "@daily", "", false, 1);
    let mut nodes = nodes([with_lines(&[BACKUP, theirs]), record(facts(), keys("20s", &[]), &[])]);
    nodes[1].clock_ahead = Some(99_000);
    assert_eq!(compared(&nodes).differences.len(), 4);
    let own = compare(&["web".to_owned()], &nodes, SKEW, Some("alice"));
    let found: Vec<String> = own.differences.iter().map(short).collect();
    assert_eq!(found, ["job-missing alice/mine [] n2=missing n1=present"]);
    assert!(own.is_partial && own.clusters[0].count == 1);
}

#[test]
fn what_is_published_is_read() {
    let config = Config {
        rerun: 2,
        start_within: Some(Duration::from_secs(600)),
        ..Config::default()
    };
    let conf = Some(conf_keys(&config));
    let keys = ClusterKeys {
        conf,
        ..keys("10s", &[])
    };
    let record = record(facts(), keys, &[BACKUP, ("root", "", "@daily", "UTC", true, 65535)]);
    let text = String::from_utf8(record.to_json()).expect("text");
    assert_eq!(
        text,
        r#"{"format":2,"rcrond":"1.0","rcron":"1.0","cron":true,"zone":"UTC0","max_skew":"10s","clusters":{"web":{"toml":{"lease":"10s"},"conf":{"rerun":"2","start_within":"10m"},"users":{"root":[{"s":"@daily","z":"UTC","o":true,"h":65535},{"j":"backup","s":"0 3 * * *","h":7}]}}}}"#
    );
    assert_eq!(NodeJobs::parse(text.as_bytes()), Some(record));
    let later = text.replace("\"cron\":true", "\"cron\":true,\"new\":{}");
    assert!(
        NodeJobs::parse(later.as_bytes()).is_some(),
        "a later version has more fields"
    );
    for other in [
        "",
        "{",
        "[]",
        "null",
        r#"{"format":1,"jobs":[]}"#,
        &text.replace(":2,", ":3,"),
        &"[".repeat(60_000),
    ] {
        assert_eq!(NodeJobs::parse(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn a_job_takes_at_most_100_bytes() {
    let jobs: Vec<String> = (0..400).map(|number| format!("nightly-backup-{number:05}")).collect();
    let lines: Vec<Line> = jobs
        .iter()
        .map(|job| {
            (
                "www-data",
                job.as_str(),
                "*/15 3-5 * * 1-5",
                "Europe/Berlin",
                true,
                65_535,
            )
        })
        .collect();
    let (none, all) = (with_lines(&[]).to_json().len(), with_lines(&lines).to_json().len());
    let each = (all - none) / jobs.len();
    println!("{none} bytes for a server, {each} for a job");
    assert!(none < 250 && each <= 100, "{none} {each}");
}

#[test]
fn jobs_for_ranks_have_a_name_of_their_own() {
    let once = |user, name| (user, name, "@daily", "", true, 1);
    let record = with_lines(&[
        once("root", "one"),
        once("root", "twice"),
        ("root", "twice", "@hourly", "", false, 1),
        once("root", ""),
        once("alice", "twice"),
        BACKUP,
    ]);
    let found = record.once_per_tick();
    let found: Vec<_> = found.iter().map(|job| (&*job.user, &*job.job)).collect();
    assert_eq!(found, [("alice", "twice"), ("root", "one")]);
}

/// One user's crontab cannot keep the jobs of others out of the record, and a job that was left out is not missing.
#[test]
fn a_long_record_is_cut_at_the_users_with_most_lines() {
    let names: Vec<String> = (0..100_000).map(|number| format!("job{number}")).collect();
    let hostile = names
        .iter()
        .map(|name| ("mallory", name.as_str(), "* * * * *", "", true, 1));
    let lines: Vec<Line> = hostile
        .chain([BACKUP, ("alice", "mine", "@daily", "", false, 1)])
        .collect();
    let cut = with_lines(&lines);
    assert!(cut.to_json().len() <= LONGEST_VALUE);
    assert_eq!(cut.left_out, 100_000);
    let small = with_lines(&[BACKUP, ("mallory", "job7", "* * * * *", "", true, 1)]);
    assert_eq!(
        found(&nodes([cut.clone(), small, cut])),
        [
            "incomplete  [n1] n1=100000 lines do not fit into the record",
            "incomplete  [n3] n3=100000 lines do not fit into the record",
            "job-missing alice/mine [n2] n1+n3=present n2=missing",
        ]
    );
    // Many users, each with some lines.
    let users: Vec<String> = (0..3000).map(|number| format!("user{number}")).collect();
    let lines: Vec<Line> = users
        .iter()
        .map(|user| (user.as_str(), "job", "@daily", "", true, 1))
        .collect();
    let many = with_lines(&lines);
    let length = many.to_json().len();
    assert!((LONGEST_VALUE * 3 / 4..=LONGEST_VALUE).contains(&length), "{length}");
    assert!(many.left_out > 0 && many.may_lack_lines_of("user2999"));
    // More clusters than fit.
    let names = (0..5000).map(|number| (format!("cluster{number}"), keys("10s", &[])));
    let clusters = NodeJobs::new(facts(), names.collect(), std::iter::empty());
    assert!(clusters.to_json().len() <= LONGEST_VALUE && clusters.left_out > 0);
}

#[test]
fn hostile_names_and_schedules_become_short_and_printable() {
    let long = "1,".repeat(5000);
    let other = format!("{long}2");
    let name = "a\nb\u{1b}[2J\u{202e}";
    let own = |schedule| with_lines(&[("mallory\n", name, schedule, "\u{1b}", false, 1)]);
    let text = String::from_utf8(own(&long).to_json()).expect("text");
    assert!(
        text.len() < 400 && !text.contains(['\n', '\u{1b}', '\u{202e}']) && !text.contains("\\u"),
        "{text}"
    );
    let differences = compared(&nodes([own(&long), own(&other)])).differences;
    assert_eq!(
        differences.len(),
        1,
        "long schedules differ though their beginnings do not"
    );
    assert_eq!(differences[0].kind, Kind::Schedule);
    // Bytes that are not UTF-8.
    let bytes = ServerLine {
        user: b"\xff",
        name: Some(b"\xfe"),
        schedule: b"\xfd",
        ..line(BACKUP)
    };
    let clusters = BTreeMap::from([("web".to_owned(), keys("10s", &[]))]);
    let record = NodeJobs::new(facts(), clusters, [bytes].into_iter());
    assert!(String::from_utf8(record.to_json()).expect("text").contains("\\\\xff"));
}

#[test]
fn jobs_of_root_are_listed_first_and_those_of_one_user_are_limited() {
    let names: Vec<String> = (0..500).map(|number| format!("job{number}")).collect();
    let hostile = names
        .iter()
        .map(|name| ("alice", name.as_str(), "* * * * *", "", true, 1));
    let lines: Vec<Line> = hostile
        .chain([BACKUP, ("bob", "mine", "@daily", "", false, 1)])
        .collect();
    let report = compared(&nodes([with_lines(&lines), with_lines(&[])]));
    let users: Vec<&str> = report
        .differences
        .iter()
        .filter_map(|found| found.user.as_deref())
        .collect();
    assert_eq!((users[0], users[1], users[users.len() - 1]), ("root", "alice", "bob"));
    assert!(users.len() == 52 && report.is_cut && report.clusters[0].count == 502);
}

/// A record that another server has written may contain anything.
#[test]
fn hostile_records_give_bounded_answers() {
    let text = "x\u{1b}\n".repeat(1000);
    let lines: Vec<String> = (0..600)
        .map(|number| format!(r#"{{"j":"{number}","s":{},"h":1}}"#, serde_json::json!(&text[..60])))
        .collect();
    let json = format!(
        r#"{{"format":2,"rcrond":{t},"zone":{t},"max_skew":{t},"clusters":{{"web":{{"toml":{{"lease":{t}}},"conf":{{"x":{t}}},
           "users":{{"root":[{}]}}}}}}}}"#,
        lines.join(","),
        t = serde_json::json!(text),
    );
    let hostile = NodeJobs::parse(json.as_bytes()).expect("a record");
    let report = compared(&nodes([hostile, with_lines(&[BACKUP])]));
    assert!(report.is_cut && report.clusters[0].count > 600);
    assert!(report.differences.len() < 100, "{}", report.differences.len());
    for difference in &report.differences {
        let texts = difference.values.iter().map(|value| &value.value);
        let mut texts = texts
            .chain(&difference.job)
            .chain(&difference.key)
            .chain(&difference.user);
        assert!(
            texts.all(|text| text.len() < 200 && !text.contains('\u{1b}')),
            "{difference:?}"
        );
    }
}

fn wall(seconds: i64) -> WallTime {
    WallTime(after(1_000_000, seconds))
}

fn boot(seconds: i64) -> BootTime {
    BootTime(after(10_000, seconds))
}

fn after(base: u64, seconds: i64) -> Duration {
    Duration::from_secs(base.checked_add_signed(seconds).expect("positive"))
}

/// Reads at this time find n2's session with this version, which n2 has written at a time of its clock.
fn read(history: &mut History, at: i64, version: u64, date: i64) {
    let session = SeenSession {
        is_open: true,
        version,
        date: Some(wall(date)),
    };
    let sessions = BTreeMap::from([("n2".to_owned(), session)]);
    history.take(&sessions, (wall(at), wall(at)), boot(at));
}

#[test]
fn clocks_are_known_by_a_renewal_between_two_reads() {
    for (off, expected) in [
        (0, Some(0)),
        (3, Some(0)),
        (-12, Some(-11_000)),
        (17, Some(16_000)),
        (40, Some(39_000)),
    ] {
        let mut history = History::default();
        read(&mut history, 100, 1, 98 + off);
        // It was written one second before the read, and two after the one before.
        read(&mut history, 103, 2, 102 + off);
        let mut expected = expected;
        if off < 0 {
            // It may have been written at once after the read before.
            expected = Some((102 + off - 100) * 1000)
                .filter(|ahead| *ahead < -10_000)
                .or(Some(0));
        }
        assert_eq!(
            history.clock("n2").and_then(|clock| clock.ahead(SKEW)),
            expected,
            "{off}"
        );
        // Later reads without a renewal do not change it.
        read(&mut history, 160, 2, 102 + off);
        assert_eq!(
            history.clock("n2").and_then(|clock| clock.ahead(SKEW)),
            expected,
            "{off}"
        );
        history.clock_was_set();
        assert_eq!(history.clock("n2"), None);
    }
    // Each renewal makes the bounds narrower: now at most one second after a read.
    let mut history = History::default();
    read(&mut history, 100, 1, 80);
    read(&mut history, 105, 2, 92);
    assert_eq!(history.clock("n2").and_then(|clock| clock.ahead(SKEW)), Some(0));
    read(&mut history, 160, 7, 147);
    read(&mut history, 165, 8, 149);
    assert_eq!(history.clock("n2").and_then(|clock| clock.ahead(SKEW)), Some(-11_000));
    // It was set: the bounds begin again.
    read(&mut history, 220, 20, 218);
    read(&mut history, 225, 21, 223);
    assert_eq!(history.clock("n2").and_then(|clock| clock.ahead(SKEW)), Some(0));
    let mut history = History::default();
    read(&mut history, 100, 1, 130);
    assert_eq!(
        history.clock("n2").and_then(|clock| clock.ahead(SKEW)),
        Some(30_000),
        "it is in the future"
    );
    let mut history = History::default();
    read(&mut history, 100, 1, 60);
    assert_eq!(
        history.clock("n2").and_then(|clock| clock.ahead(SKEW)),
        None,
        "it may be an old renewal"
    );
}

#[test]
fn a_session_that_is_not_renewed_is_silent() {
    let mut history = History::default();
    assert!(history.is_silent("n2", boot(0)), "it has none");
    read(&mut history, 0, 1, -5);
    assert!(!history.is_silent("n2", boot(119)));
    assert!(history.is_silent("n2", boot(120)));
    read(&mut history, 100, 2, 95);
    assert!(!history.is_silent("n2", boot(219)));
    let mut history = History::default();
    read(&mut history, 0, 1, -500);
    assert!(history.is_silent("n2", boot(0)), "it was old when it was first seen");
    read(&mut history, 5, 2, -495);
    assert!(!history.is_silent("n2", boot(5)), "its clock is behind");
    let ended = SeenSession {
        is_open: false,
        version: 3,
        date: Some(wall(6)),
    };
    history.take(&BTreeMap::from([("n2".to_owned(), ended)]), (wall(7), wall(7)), boot(7));
    assert!(history.is_silent("n2", boot(7)));
}

#[test]
fn a_difference_counts_when_it_has_lasted() {
    let missing = nodes([with_lines(&[BACKUP]), with_lines(&[])]);
    let mut silent = nodes([with_lines(&[BACKUP]), with_lines(&[])]);
    silent[1].is_silent = true;
    let same = nodes([with_lines(&[BACKUP]), with_lines(&[BACKUP])]);
    let both = nodes([with_lines(&[BACKUP]), record(facts(), keys("20s", &[]), &[])]);
    let mut steady = SteadyDrift::default();
    let mut take = |nodes: &[Node], at: i64| {
        let report = compared(nodes);
        let all = report
            .clusters
            .iter()
            .map(|cluster| (cluster.name.clone(), cluster.count))
            .collect();
        let counts = steady.take(&report.differences, &all, boot(at));
        let changes = steady.changes(&counts, boot(at));
        (counts["web"], changes)
    };
    let begun = |count| vec![Change::Begun("web".to_owned(), count)];
    let ended = || vec![Change::Ended("web".to_owned())];
    // What the first comparison finds may be old.
    assert_eq!(take(&missing, 0), (1, begun(1)));
    assert_eq!(take(&both, 10), (1, vec![]));
    assert_eq!(take(&both, 69), (1, vec![]));
    assert_eq!(take(&both, 70), (2, vec![]));
    assert_eq!(take(&same, 80), (0, vec![]), "a line was logged a moment ago");
    assert_eq!(take(&silent, 300), (0, ended()));
    // One server after the other is changed.
    assert_eq!(take(&missing, 1000), (0, vec![]));
    assert_eq!(take(&same, 1050), (0, vec![]));
    assert_eq!(take(&missing, 1100), (0, vec![]));
    assert_eq!(take(&missing, 1160), (1, begun(1)));
}
