//! rcron as it is used: Debian's cron, a crontab, a real log daemon, and a handover.

use crate::support::fixture::{Fixture, binary};
use crate::support::log::field;
use crate::support::until;
use std::fmt::Write;
use std::fs;
use testing::cron;

const PREPARE: &str = r"
mount -t tmpfs none /var/spool/cron/crontabs
mount -t tmpfs none /etc/cron.d
cp $SCENE/crontab /etc/cron.d/rcron
rsyslogd -f $SCENE/rsyslog.conf -i $SCENE/rsyslogd.pid
while [ ! -S $SCENE/devlog ]; do sleep 0.01; done
";

/// Two servers as far as rcron is concerned: a configuration and a state file each, one crontab for both.
fn two_servers(fixture: &Fixture) {
    let directory = fixture.path("").display().to_string();
    let mut crontab = "SHELL=/bin/sh\nPATH=/usr/bin:/bin\n".to_owned();
    for server in ["server1", "server2"] {
        let configuration = format!(
            "cluster_name = web\nstate_file = {directory}/{server}.state\nsyslog_socket = {directory}/devlog\ndefault_state = passive\n"
        );
        fixture.write(&format!("{server}.conf"), configuration);
        let rcron = format!("{} --conf {directory}/{server}.conf --job tick", binary().display());
        let _ = writeln!(
            crontab,
            "* * * * * root {rcron} sh -c 'echo {server} >>{directory}/runs'"
        );
    }
    fixture.write("crontab", crontab);
    fixture.write(
        "rsyslog.conf",
        format!(
            "module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             input(type=\"imuxsock\" Socket=\"{directory}/devlog\" CreatePath=\"off\")\ncron.* {directory}/cron.log\n"
        ),
    );
}

/// Replaces the file with rename(2), as every writer should.
fn set_state(fixture: &Fixture, server: &str, state: &str) {
    fixture.write("new", format!("{state}\n"));
    fs::rename(fixture.path("new"), fixture.path(&format!("{server}.state"))).expect("renamed");
}

fn runs(fixture: &Fixture) -> Vec<String> {
    let text = fs::read_to_string(fixture.path("runs")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
#[ignore = "needs root, cron, rsyslog and libfaketime: `make test` installs them and runs it"]
fn cron_runs_the_job_on_the_active_server_and_on_the_other_one_after_the_switch() {
    let fixture = Fixture::new(None);
    two_servers(&fixture);
    set_state(&fixture, "server1", "active");
    set_state(&fixture, "server2", "passive");
    let scene = fixture
        .path("")
        .to_str()
        .expect("text")
        .trim_end_matches('/')
        .to_owned();
    let _cron = cron::start(PREPARE, &[("SCENE", scene.as_ref())]);

    until("two runs on server1", || (runs(&fixture).len() >= 2).then_some(()));
    set_state(&fixture, "server1", "passive");
    let before = runs(&fixture).len();
    set_state(&fixture, "server2", "active");
    until("two runs on server2", || {
        (runs(&fixture).iter().filter(|server| *server == "server2").count() >= 2).then_some(())
    });

    let all = runs(&fixture);
    assert!(all[..2].iter().all(|server| server == "server1"), "{all:?}");
    // A run that was starting when the state changed may still have finished.
    assert!(all[before + 1..].iter().all(|server| server == "server2"), "{all:?}");
    let log = until("the log of the last run", || {
        let log = fs::read_to_string(fixture.path("cron.log")).unwrap_or_default();
        (log.matches(" status=ok ").count() >= 4).then_some(log)
    });
    for (state, status) in [("passive", "ignore"), ("active", "start"), ("active", "ok")] {
        let line = log
            .lines()
            .find(|line| line.contains(&format!(" state={state} status={status} ")))
            .expect(status);
        assert!(line.contains(" rcron[") && line.contains("]: cluster=web "), "{line}");
        let command = field(line, "cmd").expect("cmd=");
        assert!(command.starts_with("sh -c echo server"), "{line}");
    }
}
