//! Jobs with `once_per_tick`, with a fake rcrond.

use crate::daemon::{Daemon, Reply, report};
use crate::tree::{CONF, JOBS, Tree};
use control::{AheadReport, DEFAULT_SOCKET, Report, Request, Response, TicksReport};

const ONCE: &str = "require_lease = yes\nonce_per_tick = yes\n";

/// A system with an rcrond that grants ticks; its report and its ticks can be changed.
fn serve(tree: &Tree, change: fn(&mut Report), ticks: TicksReport) -> Daemon {
    tree.directory("/run/rcrond");
    Daemon::start(&tree.path(DEFAULT_SOCKET), move |request| match request {
        Request::Status { .. } => {
            let mut report = report(false);
            change(&mut report);
            Response::Status(report).into()
        }
        Request::Ticks { .. } => Response::Ticks(ticks.clone()).into(),
        other => panic!("asked {other:?}"),
    })
}

fn unchanged(_: &mut Report) {}

/// Keys for the cluster, and jobs.
fn tree(keys: &str, jobs: &str) -> Tree {
    let tree = Tree::clean();
    tree.configure(&format!("{ONCE}{keys}"));

    tree.write(JOBS, jobs);
    tree
}

#[test]
fn job_with_a_name_and_an_rcrond_is_well() {
    let tree = tree(
        "",
        "0 3 * * * root rcron --job b backup\n*/5 * * * * www rcron --job b backup\n",
    );
    let daemon = serve(&tree, unchanged, TicksReport::default());
    tree.finds_nothing();
    assert_eq!(daemon.requests().len(), 2);
}

#[test]
fn lines_that_are_refused() {
    for (keys, jobs, column) in [
        ("", "0 3 * * * root rcron backup\n", 16),
        ("", "@reboot root rcron --job b backup\n", 14),
        ("rerun = 1\n", "0 3 * * * root rcron --job b backup\n", 16),
        ("", "0 3 * * * root nice rcron backup\n", 21),
    ] {
        let tree = tree(keys, jobs);
        let _daemon = serve(&tree, unchanged, TicksReport::default());
        tree.finds_only("wrong", "once-per-tick-refused", &format!("{JOBS}:1:{column}"));
        assert!(tree.text(&[]).contains("exits with 125"), "{jobs}");
    }
}

#[test]
fn key_of_the_line_counts_more_than_that_of_the_file() {
    let off = tree("", "0 3 * * * root rcron -o once_per_tick=no backup\n");
    let daemon = serve(&off, unchanged, TicksReport::default());
    off.finds_nothing();
    assert_eq!(
        daemon.requests().len(),
        1,
        "without such a job, ticks are not asked for"
    );
    let on = Tree::clean();
    on.configure("require_lease = yes\n");
    on.write(
        JOBS,
        "0 3 * * * root rcron backup\n0 4 * * * root rcron -o once_per_tick=yes backup\n",
    );
    let _daemon = serve(&on, unchanged, TicksReport::default());
    on.finds_only("wrong", "once-per-tick-refused", &format!("{JOBS}:2:16"));
}

#[test]
fn two_lines_of_one_name_are_wrong() {
    let both = "0 3 * * * root rcron --job b backup\n0 4 * * * root rcron --job b backup\n";
    let tree = tree("", both);
    let _daemon = serve(&tree, unchanged, TicksReport::default());
    tree.finds_only("wrong", "once-per-tick-name", &format!("{JOBS}:2:16"));
    let text = tree.text(&[]);
    assert!(
        text.contains(&format!("the line at {JOBS}:1:16 has the name b too")),
        "{text}"
    );
    // A line that only says what it would do, and one without the key, are not meant.
    for other in ["rcron -n --job b backup", "rcron -o once_per_tick=no --job b backup"] {
        tree.write(
            JOBS,
            &format!("0 3 * * * root rcron --job b backup\n0 4 * * * root {other}\n"),
        );
        let findings = tree.findings();
        assert!(
            findings.iter().all(|(_, kind, _)| kind == "dry-run"),
            "{other}: {findings:?}"
        );
    }
}

#[test]
fn without_rcrond_no_tick_is_started() {
    let tree = tree("", "0 3 * * * root rcron --job b backup\n");
    let place = format!("{JOBS}:1:16");
    tree.finds_only("wrong", "once-per-tick-rcrond", &place);
    assert!(tree.text(&[]).contains("rcrond does not run on this server"));
    tree.directory("/run/rcrond");
    let _old = Daemon::start(&tree.path(DEFAULT_SOCKET), |request| match request {
        Request::Status { nodes } => Reply::from(Response::Status(report(*nodes))),
        _ => {
            let message = "not a request, or one of a later version of rcronctl: unknown variant `ticks`".to_owned();
            Response::Error { message }.into()
        }
    });
    tree.finds_only("wrong", "once-per-tick-rcrond", &place);
    assert!(tree.text(&[]).contains("too old to grant ticks"));
}

#[test]
fn times_are_compared_with_those_of_rcrond() {
    let grace = |report: &mut Report| report.clusters[0].grace_ms = Some(11_000);
    let older = |report: &mut Report| report.clusters[0].grace_ms = None;
    let rerun = "on_demotion = terminate\nrerun = 1\n";
    for (keys, change, kind) in [
        ("start_within = 13s\n", unchanged as fn(&mut Report), ""),
        ("start_within = 12s\n", unchanged, "start-within"),
        ("start_within = 13s\n", grace, "start-within"),
        ("start_within = 12s\n", older, ""),
        (rerun, unchanged, "rerun-grace"),
        (rerun, grace, ""),
        ("on_demotion = terminate\n", unchanged, ""),
    ] {
        let tree = tree(keys, "0 3 * * * root rcron --job b backup\n");
        let _daemon = serve(&tree, change, TicksReport::default());
        if kind.is_empty() {
            tree.finds_nothing();
        } else {
            tree.finds_only("wrong", kind, &format!("{JOBS}:1:16"));
        }
    }
}

#[test]
fn words_of_the_times() {
    let tree = tree("start_within = 5s\n", "0 3 * * * root rcron --job b backup\n");
    let _daemon = serve(&tree, unchanged, TicksReport::default());
    let expected = format!(
        "  wrong     {JOBS}:1:16: start_within = 5 s is shorter than a failover, which takes up to 13 s\n            if the active server \
         dies just before a tick, the tick is missed\n            -> set start_within to 13 s or more, or a shorter lease\n"
    );
    let text = tree.text(&[]);
    assert!(text.contains(&expected), "{text}");
}

#[test]
fn ticks_that_a_wrong_clock_has_closed_are_wrong() {
    let ahead = |job: Option<&str>| AheadReport {
        cluster: "web".to_owned(),
        user: job.map(|_| "root".to_owned()),
        job: job.map(str::to_owned),
        closed: "2036-11-30T03:00:00Z".to_owned(),
        ahead_ms: 315_360_000_000,
    };
    for job in [Some("b\u{1b}[2J"), None] {
        let tree = tree("", "0 3 * * * root rcron --job b backup\n");
        let _daemon = serve(
            &tree,
            unchanged,
            TicksReport {
                ahead: vec![ahead(job)],
                ..TicksReport::default()
            },
        );
        tree.finds_only("wrong", "ticks-closed-ahead", DEFAULT_SOCKET);
        let text = tree.text(&[]);
        assert!(
            text.contains("rcronctl ticks --reopen ") && !text.contains('\u{1b}'),
            "{text}"
        );
    }
}

#[test]
fn what_rcrond_could_not_read_is_not_seen() {
    let tree = tree("", "0 3 * * * root rcron --job b backup\n");
    let _daemon = serve(
        &tree,
        unchanged,
        TicksReport {
            unreadable: vec!["web: the record of root/b cannot be read".to_owned()],
            ..TicksReport::default()
        },
    );
    tree.finds_nothing();
    let text = tree.text(&[]);
    assert!(
        text.contains(&format!(
            "not seen  {DEFAULT_SOCKET}: web: the record of root/b cannot be read\n"
        )),
        "{text}"
    );
    assert!(tree.path(CONF).exists());
}

#[test]
fn job_of_a_shared_cluster_without_the_key_never_runs() {
    let shared: fn(&mut Report) = |report| report.clusters[0].shared = true;
    let jobs = "0 3 * * * root rcron -o once_per_tick=no --job a backup\n0 4 * * * root rcron --job b backup\n";
    let tree = tree("", jobs);
    let _daemon = serve(&tree, shared, TicksReport::default());
    tree.finds_only("wrong", "shared-not-once-per-tick", &format!("{JOBS}:1:16"));
    assert!(tree.text(&[]).contains("it never runs on any server"));
}

#[test]
fn state_file_says_that_jobs_are_shared_if_rcrond_does_not_answer() {
    let tree = Tree::clean();
    tree.configure("require_lease = yes\n");
    tree.write(JOBS, "0 3 * * * root rcron --job a backup\n");
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot ID");
    let uptime = std::fs::read_to_string("/proc/uptime").expect("the uptime");
    let seconds: u64 = uptime
        .split('.')
        .next()
        .and_then(|text| text.parse().ok())
        .expect("seconds");
    let until = seconds + 300;
    let line = format!(
        "passive shared until={until} boot={} session={}\n",
        boot.trim(),
        "0".repeat(32)
    );
    tree.write("/run/rcron/state", &line);
    tree.finds("wrong", "shared-not-once-per-tick", &format!("{JOBS}:1:16"));
    tree.write("/run/rcron/state", &line.replace("shared", "was-shared"));
    assert!(
        tree.findings()
            .iter()
            .all(|(_, kind, _)| kind != "shared-not-once-per-tick")
    );
}
