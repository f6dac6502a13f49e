//! Two servers with a real keepalived: the files of examples/keepalived, Debian's keepalived, cron and rsyslog, `rcron` and
//! `rcron-keepalived`. Each test prints how long a failover took after each fault (`--nocapture`); none asserts a time.

mod lab;

use lab::{Lab, Server};
use std::time::Instant;
use testing::until;

/// Waits until the cluster has moved after a fault. Prints when each server changed, and how long both were active.
fn watch(fault: &str, from: &Server, to: &Server, cluster: &str) {
    let begun = Instant::now();
    let (mut passive, mut active, mut both) = (None, None, 0.0);
    let mut last = begun;
    until(
        &format!("{cluster} to go from {} to {} ({fault})", from.name, to.name),
        || {
            let (old, new) = (from.is_active(cluster), to.is_active(cluster));
            let now = Instant::now();
            if old && new {
                both += (now - last).as_secs_f64();
            }
            last = now;
            if !old {
                passive.get_or_insert(begun.elapsed().as_secs_f64());
            }
            if new {
                active.get_or_insert(begun.elapsed().as_secs_f64());
            }
            (!old && new).then_some(())
        },
    );
    let seconds = |time: Option<f64>| time.unwrap_or_default();
    println!(
        "{fault}: {} passive after {:.3} s, {} active after {:.3} s, both for {both:.3} s",
        from.name,
        seconds(passive),
        to.name,
        seconds(active)
    );
}

/// Restarts keepalived as systemd does.
fn restart_keepalived(server: &Server) {
    server.run("pkill -TERM -o -x keepalived; while pgrep -x keepalived >/dev/null; do sleep 0.01; done");
    server.start_keepalived();
}

/// cron runs the job on one server only.
fn exactly_one_runs(active: &Server, passive: &Server, cluster: &str) {
    // A job that started before the state changed may be logged late, so this counts after the next skipped one.
    let skipped = |server: &Server| {
        server
            .log()
            .matches(&format!("cluster={cluster} state=passive status=ignore"))
            .count()
    };
    let before = skipped(passive);
    until("a tick that is skipped", || (skipped(passive) > before).then_some(()));
    let (here, there) = (active.runs(cluster), passive.runs(cluster));
    until(&format!("{cluster} to run on {}", active.name), || {
        (active.runs(cluster) >= here + 2).then_some(())
    });
    assert_eq!(passive.runs(cluster), there, "{} runs {cluster} too", passive.name);
}

/// The pid of rcron-keepalived, in the PID namespace of the server. The name in /proc has at most 15 characters.
fn reader(server: &Server) -> Option<String> {
    let pid = server.run("pgrep -x rcron-keepalive || true");
    (!pid.trim().is_empty()).then(|| pid.trim().to_owned())
}

fn state(server: &Server, cluster: &str) -> String {
    std::fs::read_to_string(server.path(&format!("/run/rcron/{cluster}"))).unwrap_or_default()
}

fn since(server: &Server, cluster: &str) -> Option<String> {
    let state = state(server, cluster);
    state
        .split_whitespace()
        .find_map(|word| word.strip_prefix("since="))
        .map(str::to_owned)
}

/// The file is written again, and is still active since the same time.
fn stays_active(what: &str, server: &Server, cluster: &str, since_then: Option<&String>) {
    let before = state(server, cluster);
    let begun = Instant::now();
    until(&format!("the file to be written again ({what})"), || {
        let now = state(server, cluster);
        assert!(now.starts_with("active "), "{what}: {now}");
        (now != before).then_some(())
    });
    assert_eq!(since(server, cluster).as_ref(), since_then, "{what}");
    println!(
        "{what}: active throughout; written again after {:.3} s",
        begun.elapsed().as_secs_f64()
    );
}

#[test]
#[ignore = "needs root, keepalived, cron, rsyslog, libfaketime and iproute2: `make test` installs them and runs it"]
fn one_cluster_has_one_active_server_and_keeps_it() {
    let lab = Lab::new("one-cluster");
    let mut server1 = lab.boot("server1", "10.77.0.1");
    let server2 = lab.boot("server2", "10.77.0.2");
    server1.start_keepalived();
    watch("start", &server2, &server1, "main");
    server2.start_keepalived();
    exactly_one_runs(&server1, &server2, "main");

    server1.crash();
    watch("crash of the whole server", &server1, &server2, "main");
    let runs = server2.runs("main");
    until("server2 to run", || (server2.runs("main") > runs).then_some(()));

    // After the reboot, cron fires before keepalived has written an event.
    let server1 = lab.boot("rebooted", "10.77.0.1");
    until("a tick that is skipped", || {
        server1
            .log()
            .contains("cluster=main state=passive status=ignore")
            .then_some(())
    });
    server1.start_keepalived();
    exactly_one_runs(&server2, &server1, "main");
    assert_eq!(server1.runs("main"), 0);
}

/// The FIFO is added to the configuration of a keepalived that runs. A reload opens the FIFO, but keepalived reports no state.
#[test]
#[ignore = "needs root, keepalived, cron, rsyslog, libfaketime and iproute2: `make test` installs them and runs it"]
fn keepalived_that_was_only_reloaded_is_noticed_and_a_restart_helps() {
    let lab = Lab::new("one-cluster");
    let server1 = lab.boot("server1", "10.77.0.1");
    let server2 = lab.boot("server2", "10.77.0.2");
    let conf = "/etc/keepalived/keepalived.conf";
    for server in [&server1, &server2] {
        server.run(&format!("cp {conf} /run/with-fifo; sed -i /vrrp_notify_fifo/d {conf}"));
        server.start_keepalived();
        until("keepalived", || server.log().contains("BACKUP STATE").then_some(()));
    }
    for server in [&server1, &server2] {
        assert!(
            state(server, "main").contains(" reason=no-keepalived"),
            "{}",
            state(server, "main")
        );
        server.run(&format!("cp /run/with-fifo {conf}; pkill -HUP -o -x keepalived"));
        until("the server to notice that keepalived reports nothing", || {
            let is_stated = state(server, "main").contains(" reason=not-reported");
            let is_logged = server
                .log()
                .contains("main: passive, because keepalived has had the FIFO open");
            (is_stated && is_logged).then_some(())
        });
    }
    // The server that is the master reports it only after a change.
    restart_keepalived(&server1);
    restart_keepalived(&server2);
    until("both to know their states", || {
        let is_known = |server| !state(server, "main").contains(" reason=");
        let is_active = server1.is_active("main") || server2.is_active("main");
        (is_known(&server1) && is_known(&server2) && is_active).then_some(())
    });
    let (active, other) = if server1.is_active("main") {
        (&server1, &server2)
    } else {
        (&server2, &server1)
    };
    print_gap("keepalived restarted on the active server", active, other);
    let (active, mut other) = if server1.is_active("main") {
        (server1, server2)
    } else {
        (server2, server1)
    };
    other.crash();
    print_gap("the same while the other server is down", &active, &other);
}

fn print_gap(what: &str, restarted: &Server, other: &Server) {
    let begun = Instant::now();
    restart_keepalived(restarted);
    until("an active server", || {
        (restarted.is_active("main") || other.is_active("main")).then_some(())
    });
    println!(
        "{what}: a server is active again after {:.3} s",
        begun.elapsed().as_secs_f64()
    );
}

#[test]
#[ignore = "needs root, keepalived, cron, rsyslog, libfaketime and iproute2: `make test` installs them and runs it"]
fn two_clusters_move_at_every_fault_and_leave_no_valid_active_behind() {
    let lab = Lab::new("two-clusters");
    let server1 = lab.boot("server1", "10.77.0.1");
    let server2 = lab.boot("server2", "10.77.0.2");
    server1.start_keepalived();
    server2.start_keepalived();
    watch("start, A", &server2, &server1, "A");
    watch("start, B", &server1, &server2, "B");
    exactly_one_runs(&server1, &server2, "A");
    exactly_one_runs(&server2, &server1, "B");

    let begun = since(&server1, "A");
    let killed = reader(&server1).expect("a reader");
    server1.run("pkill -KILL -x rcron-keepalive");
    stays_active("reader killed with -9", &server1, "A", begun.as_ref());
    let now = until("another reader", || reader(&server1));
    assert_ne!(now, killed);

    server1.run("pkill -HUP -o -x keepalived");
    stays_active("keepalived reloaded", &server1, "A", begun.as_ref());
    stays_active("keepalived reloaded, a refresh later", &server1, "A", begun.as_ref());
    exactly_one_runs(&server1, &server2, "A");

    server1.run("pkill -KILL -x keepalived");
    watch("keepalived killed with -9", &server1, &server2, "A");
    exactly_one_runs(&server2, &server1, "A");
    server1.start_keepalived();
    watch("preemption back", &server2, &server1, "A");

    server1.run("pkill -TERM -o -x keepalived");
    watch("keepalived ended", &server1, &server2, "A");
    until("keepalived's end", || {
        server1.run("pgrep -x keepalived || true").is_empty().then_some(())
    });
    server1.start_keepalived();
    watch("preemption back", &server2, &server1, "A");

    lab.unplug(&server1);
    watch("cable pulled", &server1, &server2, "A");
    lab.plug(&server1);
    watch("cable back", &server2, &server1, "A");

    server1.run("pkill -STOP -n -x keepalived");
    watch("keepalived stopped with SIGSTOP", &server1, &server2, "A");
    exactly_one_runs(&server2, &server1, "A");
    server1.run("pkill -CONT -n -x keepalived");
    watch("keepalived continued with SIGCONT", &server2, &server1, "A");

    // VRRP has no quorum: rcron-keepalived(8), CAVEATS.
    lab.cut_off(&server1);
    let cut = Instant::now();
    until("two active servers", || {
        (server1.is_active("A") && server2.is_active("A")).then_some(())
    });
    println!("partition: both active after {:.3} s", cut.elapsed().as_secs_f64());
    lab.heal(&server1);
    watch("partition healed", &server2, &server1, "A");
    exactly_one_runs(&server1, &server2, "A");

    // No process is left that could write passive, so the lease must expire.
    server1.run("kill -KILL $(cat /run/supervisor.pid); pkill -KILL -x rcron-keepalive; pkill -KILL -x keepalived");
    watch(
        "reader and keepalived killed with -9, not restarted",
        &server1,
        &server2,
        "A",
    );
    assert!(state(&server1, "A").starts_with("active "), "the file is unchanged");
    runs_only_where_the_lease_is_valid(&server2, &server1);
}

/// rcron logs a state whose lease has expired as stale and passive.
fn runs_only_where_the_lease_is_valid(active: &Server, stale: &Server) {
    let (here, there) = (active.runs("A"), stale.runs("A"));
    until("a tick with a stale state", || {
        stale
            .log()
            .contains("cluster=A state=passive status=ignore reason=stale")
            .then_some(())
    });
    until("runs on the other server", || {
        (active.runs("A") >= here + 2).then_some(())
    });
    assert_eq!(stale.runs("A"), there);
}

#[test]
fn version() {
    assert!(testing::program::own_version_lines("rcron-keepalived").is_empty());
    testing::program::output_to_a_full_disk_fails("rcron-keepalived", 2);
}
