//! A server of a site: rcrond with metrics, two clusters, crontabs, and rcron.

use control::client;
use control::{Request, Response};
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use testing::process::{Running, run};
use testing::program::program;
use testing::servers::free_port;
use testing::servers::redis::Redis;
use testing::until;

const LIMIT: Duration = Duration::from_secs(60);

/// The server's directory, as its programs see it: the same on each server.
const HERE: &str = "/mnt/site";

/// In a mount namespace, programs see this server's files, and only its crontabs.
const MOUNTS: &str = r#"
set -e
mount -t tmpfs none /mnt
mkdir /mnt/site
mount --bind "$DIR" /mnt/site
if [ -d /var/spool/cron/crontabs ]; then mount -t tmpfs none /var/spool/cron/crontabs; fi
if [ -e /etc/crontab ]; then mount --bind /mnt/site/none /etc/crontab; fi
mount --bind /mnt/site/cron.d /etc/cron.d
exec "$@"
"#;

/// A line of the crontab.
struct CronJob {
    /// It runs in minutes that this number divides.
    period: u32,
    /// The options of rcron but the name.
    options: &'static str,
    name: &'static str,
    command: &'static str,
}

const JOBS: [CronJob; 4] = [
    CronJob {
        period: 2,
        options: "-c /mnt/site/web.conf",
        name: "backup",
        command: "sleep 5",
    },
    CronJob {
        period: 1,
        options: "-c /mnt/site/web.conf",
        name: "invoices",
        command: "test ! -e /mnt/site/broken",
    },
    CronJob {
        period: 1,
        options: "-c /mnt/site/web.conf",
        name: "mail",
        command: "sleep 0.3",
    },
    CronJob {
        period: 2,
        options: "-c /mnt/site/batch.conf -o once_per_tick=yes",
        name: "report",
        command: "sleep 2",
    },
];

impl CronJob {
    fn call(&self) -> String {
        let rcron = program("rcron");
        format!(
            "{} {} --job {} {}",
            rcron.display(),
            self.options,
            self.name,
            self.command
        )
    }
}

pub(crate) struct Server {
    /// Its name, and that of its node.
    pub(crate) name: &'static str,
    directory: TempDir,
    port: u16,
    rcrond: Option<Running>,
}

impl Server {
    /// Starts rcrond for the cluster `web`, in which a higher priority takes over, and the cluster `batch`, which the servers share.
    pub(crate) fn start(name: &'static str, priority: u32, redis: &Redis) -> Self {
        let mut server = Self::without_rcrond(name, priority, redis);
        server.starts_rcrond();
        server
    }

    /// The same, but rcrond does not run.
    pub(crate) fn without_rcrond(name: &'static str, priority: u32, redis: &Redis) -> Self {
        let server = Self {
            name,
            directory: tempfile::tempdir().expect("a directory"),
            port: free_port(),
            rcrond: None,
        };
        server.writes_files(priority, redis);
        server
    }

    fn writes_files(&self, priority: u32, redis: &Redis) {
        for directory in ["journal", "cron.d"] {
            fs::create_dir(self.path(directory)).expect("made");
        }
        let mut rcrond = format!(
            "node = \"{}\"\nrun_dir = \"{HERE}/run\"\nstate_dir = \"{HERE}/lib\"\n[control]\nsocket = \"{HERE}/socket\"\n\
             [metrics]\nlisten = \"127.0.0.1:{}\"\n[redis]\nservers = [\"{}\"]\n",
            self.name,
            self.port,
            redis.address()
        );
        let (web, batch) = (
            format!("priority = {priority}\npreempt_delay = \"1s\"\n"),
            "run_on = \"any\"\n",
        );
        for (cluster, more) in [("web", web.as_str()), ("batch", batch)] {
            let _ = write!(
                rcrond,
                "[[cluster]]\nconf = \"{HERE}/{cluster}.conf\"\nlease = \"2s\"\nsettle = \"0s\"\n{more}"
            );
            let rcron = format!(
                "cluster_name = {cluster}\nstate_file = {HERE}/{cluster}.state\nrequire_lease = yes\n\
                 journal = {HERE}/journal\nclaim_socket = {HERE}/run/claims\n"
            );
            fs::write(self.path(&format!("{cluster}.conf")), rcron).expect("written");
        }
        fs::write(self.path("rcrond.toml"), rcrond).expect("written");
        fs::write(self.path("none"), "").expect("written");
        self.has_jobs(|_| true);
    }

    /// Writes its crontab, with the jobs of these names.
    pub(crate) fn has_jobs(&self, is_meant: impl Fn(&str) -> bool) {
        let jobs = JOBS.iter().filter(|job| is_meant(job.name));
        let line = |job: &CronJob| format!("*/{} * * * * root {}\n", job.period, job.call());
        fs::write(self.path("cron.d/jobs"), jobs.map(line).collect::<String>()).expect("written");
    }

    pub(crate) fn starts_rcrond(&mut self) {
        let log = File::create(self.path("log")).expect("a log");
        let mut command = self.inside(program("rcrond"));
        command.args(["-c", &format!("{HERE}/rcrond.toml")]);
        self.rcrond = Some(Running::start(command.stderr(log)));
    }

    /// Its rcrond is killed.
    pub(crate) fn loses_rcrond(&mut self) {
        self.rcrond = None;
    }

    /// The name and the address of its metrics.
    pub(crate) fn target(&self) -> (String, String) {
        (format!("{}:9187", self.name), format!("127.0.0.1:{}", self.port))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A program on this server.
    fn inside(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", MOUNTS, "sh"])
            .arg(program)
            .env("DIR", self.directory.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn is_active(&self) {
        until("an active state file", || {
            let state = fs::read_to_string(self.path("web.state")).unwrap_or_default();
            state.starts_with("active ").then_some(())
        });
    }

    /// Starts a job of the cluster `web` as cron does.
    pub(crate) fn starts(&self, job: &str, command: &[&str]) -> Running {
        let mut rcron = self.inside(program("rcron"));
        rcron
            .args(["-c", &format!("{HERE}/web.conf"), "--job", job])
            .args(command);
        Running::start(&mut rcron)
    }

    /// Waits for a record of this job.
    pub(crate) fn has_recorded(&self, job: &str) {
        let record = format!("\"job\":\"{job}\"");
        until(&record, || {
            let files = fs::read_dir(self.path("journal")).ok()?;
            let mut texts = files.flatten().filter_map(|file| fs::read_to_string(file.path()).ok());
            texts.any(|text| text.contains(&record)).then_some(())
        });
    }

    /// Runs it.
    pub(crate) fn runs(&self, job: &str, command: &str) -> ExitStatus {
        self.starts(job, &[command]).wait()
    }

    /// Runs the jobs of its crontab each minute, as cron does.
    pub(crate) fn runs_jobs_each_minute(&self) -> Running {
        let job = |job: &CronJob| format!("[ $((minute % {})) != 0 ] || {} &\n", job.period, job.call());
        let jobs: String = JOBS.iter().map(job).collect();
        let script = format!("while sleep $((60 - $(date +%s) % 60)); do\nminute=$(($(date +%s) / 60))\n{jobs}done");
        Running::start(self.inside("sh").args(["-c", &script]))
    }

    /// From now on, the job `invoices` fails.
    pub(crate) fn breaks_a_job(&self) {
        fs::write(self.path("broken"), "").expect("written");
    }

    /// Writes the metrics of its jobs to a file, as the timer does.
    pub(crate) fn writes_metrics(&self, file: &Path) {
        let mut rcronctl = self.inside(program("rcronctl"));
        for cluster in ["web", "batch"] {
            rcronctl.args(["-c", &format!("{HERE}/{cluster}.conf")]);
        }
        let done = run(rcronctl.args(["metrics", "--output"]).arg(file));
        assert!(done.status.success(), "{}", done.stderr());
    }

    pub(crate) fn drains(&self) {
        self.executes(&Request::Drain {
            clusters: vec!["web".to_owned()],
            wait_ms: None,
        });
    }

    pub(crate) fn undrains(&self) {
        self.executes(&Request::Undrain { clusters: Vec::new() });
    }

    fn executes(&self, request: &Request) {
        let answer = client::ask(&self.path("socket"), request, LIMIT).expect("an answer");
        assert!(matches!(answer, Response::Done { .. }), "{answer:?}");
    }
}
