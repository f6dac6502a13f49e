//! Debian's cron on a host, under a clock of its own whose minutes pass in a second.
//!
//! cron's minute number M is meant for the second M of the real clock, shifted by what this cron's clock is off. Each line of the
//! crontab computes that second, and names it with `--tick`. rcron and the jobs see the real time.

use inputs::clock::{boot_time, wall_time};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use testing::cron::faketime;
use testing::lab::Host;
use testing::process::{Running, children, is_gone, is_stopped, name};
use testing::until;

/// In namespaces of its own, cron sees only this host's crontab and processes. /dev/shm is where libfaketime keeps the time at which
/// cron was started, under a name that is the same on all hosts.
///
/// libfaketime's time is the time of its start, plus an offset, plus 60 times what has passed since. The offset makes it 60 times the
/// real time, plus 60 times `OFF`, minus a constant, which is a multiple of an hour.
const BOOT: &str = r#"
set -eu
mount -t tmpfs none /run
mount -t tmpfs none /dev/shm
mount -t tmpfs none /var/spool/cron/crontabs
mount --bind "$DIR/none" /etc/crontab
mount --bind "$DIR/cron.d" /etc/cron.d
cd /
now=$(date +%s%N)
awk -v now="$now" -v off="$OFF" -v from="$FROM" 'BEGIN {
    printf "%+.4f\n", 59 * (now / 1e9 - from) + 0.06 * off }' >"$DIR/offset"
echo "$(cat "$DIR/offset") x60" >"$DIR/clock"
TZ=UTC0 FAKETIME_TIMESTAMP_FILE=$DIR/clock FAKETIME_NO_CACHE=1 LD_PRELOAD=$FAKETIME_LIBRARY exec cron -f
"#;

/// The tick that cron meant: the latest second with the job's period, by `off`, which leads from the time since boot to cron's, in
/// hundredths of a second. It starts no process: a slow machine has enough to do with one cron for each host.
const TICK: &str = "read -r off <DIR/off; read -r up rest </proc/uptime; ";
const OPTION: &str = r#"--tick "@$(((${up\%.*}${up#*.} + off) / 100 / PERIOD * PERIOD))""#;
/// In hundredths of a second: cron is late, never early, but for the error of the two reads of the clock.
const ROUNDING: i64 = 20;
/// How long ago cron's second and the real second began together, at most.
const HOUR: u64 = 3600;

/// The files of a host's cron, and its process while the host is up.
pub(super) struct HostCron {
    host: Arc<Host>,
    directory: PathBuf,
    /// How far cron's minutes are ahead, in milliseconds of real time.
    pub(super) off_ms: i64,
    process: Option<Running>,
}

/// A line of the crontab.
pub(super) struct CronJob {
    pub(super) name: String,
    /// It is due in each second that this number divides.
    pub(super) period: u64,
    /// Options of rcron.
    pub(super) options: &'static str,
    /// How long it runs, in tenths of a second.
    pub(super) tenths: u32,
}

impl HostCron {
    /// `directory` is the node's. The jobs write to `book`.
    pub(super) fn new(host: &Arc<Host>, directory: &Path, off_ms: i64) -> Self {
        let directory = directory.join("cron");
        for path in [directory.join("cron.d"), directory.join("seen.d")] {
            fs::create_dir_all(path).expect("a directory");
        }
        fs::write(directory.join("none"), "").expect("written");
        Self {
            host: Arc::clone(host),
            directory,
            off_ms,
            process: None,
        }
    }

    /// Writes the crontab of cron, and that which rcrond sees: there, the jobs have another schedule, because cron's minutes are no
    /// minutes for rcrond.
    pub(super) fn install(&self, jobs: &[CronJob], rcron: &Path, conf: &Path, script: &Path, book: &Path) {
        let (mut crontab, mut seen) = ("MAILTO=\"\"\n".to_owned(), String::new());
        let directory = self.directory.display();
        for job in jobs {
            let CronJob {
                name,
                period,
                options,
                tenths,
            } = job;
            let call = format!("{} -c {} --job {name} {options}", rcron.display(), conf.display());
            let command = format!(
                "sh {} {} {} {name} {tenths}",
                script.display(),
                book.display(),
                self.host.name
            );
            let (read, option) = (
                TICK.replace("DIR", &directory.to_string()),
                OPTION.replace("PERIOD", &period.to_string()),
            );
            let _ = writeln!(crontab, "*/{period} * * * * root {read}{call} {option} {command}");
            let _ = writeln!(seen, "0 0 29 2 * root {call} {command}");
        }
        for (place, text) in [("cron.d/jobs", crontab), ("seen.d/jobs", seen)] {
            self.write(place, &text);
        }
    }

    /// rcrond sees a further line from its next start on at the latest. cron does not.
    pub(super) fn seen_also(&self, line: &str) {
        self.write("seen.d/more", &format!("{line}\n"));
    }

    /// Commands of sh with which rcrond sees this crontab only.
    pub(super) fn mounts_for_rcrond(&self) -> String {
        format!(
            "mount -t tmpfs none /var/spool/cron/crontabs\nmount --bind {0}/none /etc/crontab\n\
             mount --bind {0}/seen.d /etc/cron.d",
            self.directory.display()
        )
    }

    pub(super) fn start(&mut self) {
        assert!(self.process.is_none(), "cron runs already on {}", self.host.name);
        self.write_off(0);
        let from = wall_time().0.as_secs() / HOUR * HOUR;
        let mut command = Command::new("unshare");
        command
            .args([
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "sh",
                "-c",
                BOOT,
            ])
            .env("DIR", &self.directory)
            .env("OFF", self.off_ms.to_string())
            .env("FROM", from.to_string())
            .env("FAKETIME_LIBRARY", faketime())
            .stdin(Stdio::null());
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.directory.join("log"))
            .expect("a log");
        command.stdout(log.try_clone().expect("a descriptor")).stderr(log);
        self.process = Some(self.host.start(&mut command));
    }

    /// Kills cron and everything that it has started, at once.
    pub(super) fn kill(&mut self) {
        let mut process = self.process.take().expect("cron runs");
        // The first process of its namespace, with which all others end.
        for first in children(process.pid()) {
            let _ = kill(Pid::from_raw(first), Signal::SIGKILL);
        }
        process.wait();
    }

    /// The process of cron itself.
    pub(super) fn daemon(&self) -> Vec<i32> {
        children(self.process.as_ref().expect("cron runs").pid())
    }

    /// Sets cron's clock by this many of its own minutes, which is as many seconds.
    pub(super) fn set_clock(&self, minutes: i64) {
        let read = |name: &str| fs::read_to_string(self.directory.join(name)).expect("there");
        let offset: f64 = read("offset").trim().parse().expect("seconds");
        let minutes_f = i32::try_from(minutes).map(f64::from).expect("small");
        self.write_off(minutes);
        self.write("clock", &format!("{:+.4} x60\n", offset + minutes_f * 60.0));
    }

    /// For the lines of the crontab, if the clock was set by this many minutes.
    fn write_off(&self, minutes: i64) {
        let wall = i64::try_from(wall_time().0.as_millis()).expect("small");
        let boot = i64::try_from(boot_time().0.as_millis()).expect("small");
        let off = (wall - boot + self.off_ms) / 10 + minutes * 100 + ROUNDING;
        self.write("off", &format!("{off}\n"));
    }

    /// Replaces a file.
    fn write(&self, name: &str, text: &str) {
        let new = self.directory.join("new");
        fs::write(&new, text).expect("written");
        fs::rename(new, self.directory.join(name)).expect("renamed");
    }

    /// The rcrons of a job; of all jobs, if there is no name.
    pub(super) fn rcrons(&self, job: Option<&str>) -> Vec<i32> {
        let mut found = Vec::new();
        let mut left: Vec<i32> = self.process.iter().map(Running::pid).collect();
        while let Some(pid) = left.pop() {
            left.extend(children(pid));
            let is_it = job.is_none_or(|job| {
                let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                let words: Vec<_> = line.split(|byte| *byte == 0).collect();
                words
                    .windows(2)
                    .any(|pair| pair == [b"--job".as_slice(), job.as_bytes()])
            });
            if is_it && name(pid) == "rcron" {
                found.push(pid);
            }
        }
        found
    }

    /// Stops these processes, as far as they still run, and waits until they stand still.
    pub(super) fn freeze(pids: &[i32]) {
        for pid in pids {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGSTOP);
        }
        for pid in pids {
            until("a process to stop", || {
                (is_gone(*pid) || is_stopped(*pid)).then_some(())
            });
        }
    }

    pub(super) fn thaw(pids: &[i32]) {
        for pid in pids {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGCONT);
        }
    }

    /// From this moment on, how long until cron fires for a tick.
    pub(super) fn until_fires(&self, tick: u64) -> Duration {
        let fires = i128::from(tick) * 1000 - i128::from(self.off_ms);
        let left = fires - i128::try_from(wall_time().0.as_millis()).expect("small");
        Duration::from_millis(u64::try_from(left).unwrap_or_default())
    }
}
