use super::*;

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
            |facts| facts.unread = 1,
            "incomplete  [n3] n3=1 crontab or a part of it cannot be read",
        ),
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
fn what_cannot_be_read_is_not_missing() {
    const ALICES: Line = ("alice", "report", "0 4 * * *", "", false, 8);
    let missing = |unread: &[Option<&str>]| {
        let mut there = facts();
        there.set_unread(unread.iter().map(|user| user.map(str::as_bytes)));
        let report = compared(&nodes([
            with_lines(&[BACKUP, ALICES]),
            record(there, keys("10s", &[]), &[]),
        ]));
        let jobs = report
            .differences
            .into_iter()
            .filter(|found| found.kind == Kind::JobMissing);
        jobs.filter_map(|found| found.user).collect::<Vec<_>>()
    };
    let many: Vec<String> = (0..30).map(|number| format!("u{number}")).collect();
    let many: Vec<Option<&str>> = many.iter().map(|user| Some(user.as_str())).collect();
    assert_eq!(missing(&[]), ["root", "alice"]);
    assert_eq!(missing(&[None]), [""; 0]);
    assert_eq!(missing(&[Some("root"), Some("bob")]), [""; 0]);
    assert_eq!(missing(&[Some("bob")]), ["root", "alice"]);
    assert_eq!(
        missing(&[Some("alice"), Some("bob")]),
        ["root"],
        "a user cannot hide root's jobs"
    );
    assert_eq!(missing(&many), ["root"]);
}
