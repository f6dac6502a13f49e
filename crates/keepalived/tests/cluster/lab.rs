//! Two servers in namespaces of their own (mount, network, process, host name), on a switch in another one.
//!
//! The machine itself is not changed: each server has its own `/run`, `/dev`, `/etc` and directories of cron. When the test ends,
//! even by a signal, `unshare` ends (PR_SET_PDEATHSIG), and with it PID 1 of each server and all its processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use testing::program::program;
use testing::until;

/// The boot script of a server. `$SHARED` is the directory of the test, `$EXAMPLE` that of the example.
const BOOT: &str = r#"
set -eu
hostname "$NAME"
mkdir "$SHARED/$NAME"
mount -t tmpfs none "$SHARED/$NAME"
mkdir "$SHARED/$NAME/etc" "$SHARED/$NAME/work" "$SHARED/$NAME/dev"
mount -t overlay none -o "lowerdir=/etc,upperdir=$SHARED/$NAME/etc,workdir=$SHARED/$NAME/work" /etc
mount -t tmpfs none /run
mount -t tmpfs none /var/spool/cron/crontabs
mount -t tmpfs none /usr/local/bin
mount -t tmpfs none /usr/local/sbin
for node in null zero full random urandom tty; do
    : >"$SHARED/$NAME/dev/$node"
    mount --bind "/dev/$node" "$SHARED/$NAME/dev/$node"
done
mount --rbind "$SHARED/$NAME/dev" /dev
# keepalived of Debian 13 does not start without this file.
cp /etc/keepalived/keepalived.config-opts /run 2>/dev/null || :
for directory in /etc/keepalived /etc/rcron /etc/cron.d; do
    mkdir -p $directory
    mount -t tmpfs none $directory
done
cp /run/keepalived.config-opts /etc/keepalived 2>/dev/null || :
mount --bind /dev/null /etc/crontab
cp "$RCRON" /usr/local/bin/rcron
cp "$KEEPALIVED" /usr/local/bin/rcron-keepalived
for job in report invoices; do
    printf '#!/bin/sh\n' >"/usr/local/sbin/$job"
    chmod 755 "/usr/local/sbin/$job"
done
cp "$EXAMPLE/keepalived.conf" /etc/keepalived
for file in "$EXAMPLE"/*.conf; do
    [ "${file##*/}" = keepalived.conf ] || cp "$file" /etc/rcron
done
cp "$EXAMPLE/crontab" /etc/cron.d/example
cat >/run/rsyslog.conf <<END
module(load="imuxsock" SysSock.Name="/dev/log")
*.* action(type="omfile" file="$SHARED/$NAME.log" template="RSYSLOG_FileFormat")
END
rsyslogd -f /run/rsyslog.conf -i /run/rsyslogd.pid
while [ ! -S /dev/log ]; do sleep 0.01; done
ip link set lo up
while ! ip address add "$ADDRESS/24" dev eth0 2>/dev/null; do sleep 0.01; done
ip link set eth0 up
while :; do /usr/local/bin/rcron-keepalived /run/rcron/keepalived/fifo || :; sleep 0.2; done >"$SHARED/$NAME.reader" 2>&1 &
echo $! >/run/supervisor.pid
while [ ! -d /run/rcron/keepalived ]; do sleep 0.01; done
LD_PRELOAD=$FAKETIME FAKETIME='+0 x60' cron -f &
: >/run/up
while :; do wait; sleep 1; done
"#;

/// The switch and the servers on it.
pub(crate) struct Lab {
    directory: tempfile::TempDir,
    switch: Inside,
    example: PathBuf,
}

/// A server.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    inside: Inside,
    log: PathBuf,
}

/// A process whose end ends every process in its namespaces.
struct Inside {
    unshare: Child,
    pid: i32,
}

impl Lab {
    /// `example` is a directory in examples/keepalived.
    pub(crate) fn new(example: &str) -> Self {
        let mut sleep = unshare(&["--net"]);
        sleep.args(["sleep", "infinity"]);
        let switch = Inside::start(sleep);
        switch.run("ip link add br0 type bridge forward_delay 0; ip link set br0 up");
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/keepalived");
        Self {
            directory: tempfile::tempdir().expect("a directory"),
            switch,
            example: examples.join(example).canonicalize().expect("the example"),
        }
    }

    /// Boots a server; keepalived is not started yet.
    pub(crate) fn boot(&self, name: &'static str, address: &str) -> Server {
        let mut boot = unshare(&["--net", "--mount", "--uts", "--pid", "--mount-proc"]);
        boot.args(["sh", "-c", BOOT]);
        boot.env("NAME", name).env("ADDRESS", address);
        boot.env("SHARED", self.directory.path()).env("EXAMPLE", &self.example);
        boot.env("RCRON", program("rcron"))
            .env("KEEPALIVED", program("rcron-keepalived"));
        boot.env("FAKETIME", testing::cron::faketime());
        let inside = Inside::start(boot);
        let pid = inside.pid;
        self.switch.run(&format!(
            "ip link add {name} type veth peer name eth0 netns {pid}; ip link set {name} master br0 up"
        ));
        let server = Server {
            name,
            inside,
            log: self.directory.path().join(format!("{name}.log")),
        };
        until(&format!("{name} to be up"), || {
            server.path("/run/up").exists().then_some(())
        });
        server
    }

    /// Pulls the cable of a server, which notices it.
    pub(crate) fn unplug(&self, server: &Server) {
        self.switch.run(&format!("ip link set {} down", server.name));
    }

    pub(crate) fn plug(&self, server: &Server) {
        self.switch.run(&format!("ip link set {} up", server.name));
    }

    /// Loses all frames to and from a server, which does not notice it.
    pub(crate) fn cut_off(&self, server: &Server) {
        self.switch.run(&format!("ip link set {} nomaster", server.name));
    }

    pub(crate) fn heal(&self, server: &Server) {
        self.switch.run(&format!("ip link set {} master br0", server.name));
    }
}

impl Server {
    /// Runs a line of sh on it.
    pub(crate) fn run(&self, line: &str) -> String {
        self.inside.run(line)
    }

    pub(crate) fn start_keepalived(&self) {
        self.run("setsid -f keepalived --dont-fork --log-detail --vrrp >/dev/null 2>&1 </dev/null");
    }

    /// The path of a server's file, outside its namespaces.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.inside.pid))
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// As if its power had failed.
    pub(crate) fn crash(&mut self) {
        self.inside.end();
    }

    /// Whether its state file says active and the lease has not expired.
    pub(crate) fn is_active(&self, cluster: &str) -> bool {
        let text = fs::read_to_string(self.path(&format!("/run/rcron/{cluster}"))).unwrap_or_default();
        let until = text.split_whitespace().find_map(|word| word.strip_prefix("until="));
        text.starts_with("active ") && until.and_then(|until| until.parse().ok()).unwrap_or(0.0) > boot_time()
    }

    /// How often this server has started a job of the cluster.
    pub(crate) fn runs(&self, cluster: &str) -> usize {
        self.log()
            .matches(&format!("cluster={cluster} state=active status=start"))
            .count()
    }
}

impl Inside {
    fn start(mut command: Command) -> Self {
        let unshare = command
            .stdin(Stdio::null())
            .spawn()
            .expect("unshare, setpriv of util-linux");
        let list = format!("/proc/{0}/task/{0}/children", unshare.id());
        let child = || fs::read_to_string(&list).ok()?.split_whitespace().next()?.parse().ok();
        let pid = until("a namespace's first process", child);
        // It was forked in the new namespaces. Its own /proc is mounted before its first command runs.
        Self { unshare, pid }
    }

    fn run(&self, line: &str) -> String {
        let target = self.pid.to_string();
        let mut command = Command::new("nsenter");
        command.args([
            "--target", &target, "--net", "--mount", "--uts", "--pid", "--wd=/", "sh", "-ec", line,
        ]);
        let done = command.stdin(Stdio::null()).output().expect("nsenter");
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{line}: {text}{error}");
        text
    }

    fn end(&mut self) {
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.end();
    }
}

fn unshare(kinds: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "unshare", "--fork", "--kill-child"])
        .args(kinds);
    command
}

/// CLOCK_BOOTTIME, to a hundredth of a second.
fn boot_time() -> f64 {
    let text = fs::read_to_string("/proc/uptime").expect("/proc");
    text.split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .expect("a number")
}
