//! How the servers differ, by a fake rcrond.

use crate::daemon::{Daemon, answer_status};
use crate::tree::Tree;
use control::{ClusterDrift, DEFAULT_SOCKET, Difference, DifferenceKind as Kind, DriftReport, DriftValue, Response};

fn value(value: &str, nodes: &[&str]) -> DriftValue {
    DriftValue {
        value: value.to_owned(),
        nodes: nodes.iter().map(|node| (*node).to_owned()).collect(),
    }
}

fn difference(kind: Kind, odd: &[&str], values: Vec<DriftValue>) -> Difference {
    Difference {
        cluster: "web".to_owned(),
        kind,
        user: Some("root".to_owned()),
        job: Some("backup".to_owned()),
        schedule: None,
        key: Some("lease".to_owned()),
        odd: odd.iter().map(|node| (*node).to_owned()).collect(),
        values,
    }
}

fn report(differences: Vec<Difference>) -> DriftReport {
    DriftReport {
        clusters: vec![ClusterDrift {
            name: "web".to_owned(),
            nodes: ["n1", "n2", "n3"].map(str::to_owned).to_vec(),
            count: differences.len(),
            of_users: 0,
        }],
        differences,
        ..DriftReport::default()
    }
}

fn serve(tree: &Tree, drift: Response) -> Daemon {
    tree.configure("require_lease = yes\n");
    tree.directory("/run/rcrond");
    Daemon::start_with_drift(&tree.path(DEFAULT_SOCKET), drift, answer_status)
}

/// What differs on n3, the values, and the finding.
type Row<'a> = (Kind, Vec<DriftValue>, &'a str, &'a str, &'a str);

fn assert_found<'a>(rows: impl IntoIterator<Item = Row<'a>>) {
    for (kind, values, severity, name, text) in rows {
        let tree = Tree::clean();
        let _daemon = serve(&tree, Response::Drift(report(vec![difference(kind, &["n3"], values)])));
        tree.finds_only(severity, name, DEFAULT_SOCKET);
        let shown = tree.text(&[]);
        assert!(shown.contains(text), "{text}\n{shown}");
        let looked_at = "  looked at cluster web: n1, n2 and n3\n";
        assert!(shown.contains("\nservers\n") && shown.contains(looked_at), "{shown}");
    }
}

#[test]
fn each_difference_of_a_job_is_a_finding() {
    let two = |one, other| vec![value(one, &["n1", "n2"]), value(other, &["n3"])];
    assert_found([
        (
            Kind::JobMissing,
            two("present", "missing"),
            "wrong",
            "drift-job-missing",
            "cluster web: job backup of root is missing on n3\n",
        ),
        (
            Kind::JobMissing,
            two("missing", "present"),
            "wrong",
            "drift-job-missing",
            "job backup of root is only on n3\n",
        ),
        (
            Kind::Schedule,
            two("0 3 * * *", "0 4 * * *"),
            "wrong",
            "drift-schedule",
            "job backup of root has another schedule on n3: 0 3 * * * on n1 and n2; 0 4 * * * on n3\n",
        ),
        (
            Kind::JobZone,
            two("cron's own", "UTC"),
            "wrong",
            "drift-job-zone",
            "has another time zone on n3: cron's own on n1 and n2; UTC on n3\n",
        ),
        (
            Kind::OncePerTick,
            two("yes", "no"),
            "wrong",
            "drift-once-per-tick",
            "has another value of once_per_tick on n3: yes on n1 and n2; no on n3\n",
        ),
        (
            Kind::Command,
            two("00ff", "1234"),
            "wrong",
            "drift-command",
            "job backup of root has another command on n3\n",
        ),
    ]);
}

#[test]
fn each_difference_of_settings_is_a_finding() {
    let two = |one, other| vec![value(one, &["n1", "n2"]), value(other, &["n3"])];
    assert_found([
        (
            Kind::RcronKey,
            two("yes", "no"),
            "wrong",
            "drift-rcron-conf",
            "rcron.conf has another value of lease on n3: yes on n1 and n2; no on n3\n",
        ),
        (
            Kind::RcrondKey,
            two("10s", "20s"),
            "wrong",
            "drift-rcrond-toml",
            "rcrond.toml has another value of lease on n3: 10s on n1 and n2; 20s on n3\n",
        ),
        (
            Kind::RcronVersion,
            two("1", "2"),
            "hint",
            "drift-version",
            "rcron has another version on n3: 1 on n1 and n2; 2 on n3\n",
        ),
        (
            Kind::RcrondVersion,
            two("1", "2"),
            "hint",
            "drift-version",
            "rcrond has another version on n3: 1 on n1 and n2; 2 on n3\n",
        ),
        (
            Kind::CronZone,
            two("UTC0", "CET-1"),
            "wrong",
            "drift-cron-zone",
            "cron has another time zone on n3: UTC0 on n1 and n2; CET-1 on n3\n",
        ),
        (
            Kind::Clock,
            two("0", "-12000"),
            "wrong",
            "drift-clock",
            "the clocks differ: n3 is at least 12 s behind\n",
        ),
        (
            Kind::Clock,
            two("0", "11500"),
            "wrong",
            "drift-clock",
            "the clocks differ: n3 is at least 11 s ahead\n",
        ),
    ]);
}

#[test]
fn each_server_that_is_not_as_it_should_be_is_a_finding() {
    let alone = |text| vec![value(text, &["n3"])];
    assert_found([
        (
            Kind::CronStopped,
            alone("stopped"),
            "wrong",
            "drift-cron-stopped",
            "cron does not run on n3\n",
        ),
        (
            Kind::Unreadable,
            alone("x"),
            "wrong",
            "drift-unreadable",
            "what n3 publishes cannot be read\n",
        ),
        (
            Kind::NotPublished,
            alone("x"),
            "hint",
            "drift-not-published",
            "rcrond on n3 does not publish what is on its server\n",
        ),
        (
            Kind::Incomplete,
            alone("7 lines"),
            "hint",
            "drift-incomplete",
            "n3 does not publish all of its jobs: 7 lines\n",
        ),
        (
            Kind::NoSession,
            alone("x"),
            "hint",
            "drift-no-session",
            "n3 has no session in the store\n",
        ),
    ]);
}

#[test]
fn both_of_two_servers_are_named() {
    for (kind, values, text) in [
        (
            Kind::JobMissing,
            ["present", "missing"],
            "job backup of root is on n1, but not on n2\n",
        ),
        (
            Kind::Schedule,
            ["@daily", "@hourly"],
            "does not have the same schedule on all servers: @daily on n1; @hourly on n2\n",
        ),
        (
            Kind::Command,
            ["0001", "0002"],
            "does not have the same command on n1 and n2\n",
        ),
        (
            Kind::Clock,
            ["0", "12000"],
            "the clocks of n1 and n2 differ by at least 12 s\n",
        ),
    ] {
        let tree = Tree::clean();
        let values = vec![value(values[0], &["n1"]), value(values[1], &["n2"])];
        let _daemon = serve(&tree, Response::Drift(report(vec![difference(kind, &[], values)])));
        let shown = tree.text(&[]);
        assert!(shown.contains(text), "{text}\n{shown}");
    }
}

#[test]
fn servers_that_are_alike_are_told() {
    let tree = Tree::clean();
    let _daemon = serve(&tree, Response::Drift(report(Vec::new())));
    tree.finds_nothing();
    assert!(
        tree.text(&[])
            .contains("\nservers\n  looked at cluster web: n1, n2 and n3\n")
    );
}

#[test]
fn what_is_not_known_is_said() {
    let old = Response::Error {
        message: "not a request, or one of a later version of rcronctl: unknown variant".to_owned(),
    };
    let later: DriftReport = serde_json::from_str(
        r#"{"clusters":[],"differences":[{"cluster":"web","kind":"new","odd":[],"values":[],"more":1}],"more":1}"#,
    )
    .expect("a report of a later version");
    let partial = DriftReport {
        is_partial: true,
        is_cut: true,
        ..report(Vec::new())
    };
    let unread = DriftReport {
        nodes: 121,
        unread: 20,
        ..report(Vec::new())
    };
    for (answer, texts) in [
        (
            Response::Drift(unread),
            &["  not seen  20 of 121 servers: they are too many, or publish too much"][..],
        ),
        (old, &["  not seen  how the servers differ: rcrond on "][..]),
        (
            Response::Drift(later),
            &["  not seen  cluster web: a difference that only a later version"],
        ),
        (
            Response::Drift(partial),
            &["except in your own jobs", "further differences between the servers"],
        ),
    ] {
        let tree = Tree::clean();
        let _daemon = serve(&tree, answer);
        tree.finds_nothing();
        let shown = tree.text(&[]);
        for text in texts {
            assert!(shown.contains(text), "{text}\n{shown}");
        }
    }
}

/// All texts are from other servers.
#[test]
fn hostile_texts_are_escaped() {
    const BAD: &str = "\u{1b}[2J\nwrong \u{202e}x";
    let mut bad = Vec::new();
    for kind in [
        Kind::JobMissing,
        Kind::Schedule,
        Kind::RcrondKey,
        Kind::Clock,
        Kind::Incomplete,
        Kind::NoSession,
    ] {
        let values = vec![value(BAD, &[BAD, BAD]), value("missing", &[BAD])];
        bad.push(Difference {
            cluster: BAD.to_owned(),
            user: Some(BAD.to_owned()),
            job: None,
            schedule: Some(BAD.to_owned()),
            key: Some(BAD.to_owned()),
            ..difference(kind, &[BAD], values)
        });
    }
    let tree = Tree::clean();
    let _daemon = serve(&tree, Response::Drift(report(bad)));
    let shown = tree.text(&[]);
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
    assert!(!shown.lines().any(|line| line.starts_with("wrong ")), "{shown}");
    assert_eq!(tree.findings().len(), 6);
}
