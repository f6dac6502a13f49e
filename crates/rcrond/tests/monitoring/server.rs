//! A server of a site: rcrond with metrics, two clusters, crontabs, and rcron.

use control::client;
use control::{Request, Response};
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

/// In a mount namespace, programs see only this server's crontabs.
const MOUNTS: &str = r#"
set -e
if [ -d /var/spool/cron/crontabs ]; then mount -t tmpfs none /var/spool/cron/crontabs; fi
if [ -e /etc/crontab ]; then mount --bind "$DIR/none" /etc/crontab; fi
mount --bind "$DIR/cron.d" /etc/cron.d
exec "$@"
"#;

/// The jobs: how often, the cluster, options of rcron, the name, and the command.
const JOBS: [(&str, &str, &str, &str, &str); 4] = [
    ("*/2", "web", "", "backup", "sleep 5"),
    ("*", "web", "", "invoices", "test ! -e DIR/broken"),
    ("*", "web", "", "mail", "sleep 0.3"),
    ("*/2", "batch", "-o once_per_tick=yes", "report", "sleep 2"),
];

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
        let mut server = Self {
            name,
            directory: tempfile::tempdir().expect("a directory"),
            port: free_port(),
            rcrond: None,
        };
        server.writes_files(priority, redis);
        server.starts_rcrond();
        server
    }

    fn writes_files(&self, priority: u32, redis: &Redis) {
        let here = self.directory.path().display();
        for directory in ["journal", "cron.d"] {
            fs::create_dir(self.path(directory)).expect("made");
        }
        let mut rcrond = format!(
            "node = \"{}\"\nrun_dir = \"{here}/run\"\nstate_dir = \"{here}/lib\"\n[control]\nsocket = \"{here}/socket\"\n\
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
                "[[cluster]]\nconf = \"{here}/{cluster}.conf\"\nlease = \"2s\"\nsettle = \"0s\"\n{more}"
            );
            let rcron = format!(
                "cluster_name = {cluster}\nstate_file = {here}/{cluster}.state\nrequire_lease = yes\n\
                 journal = {here}/journal\n"
            );
            fs::write(self.path(&format!("{cluster}.conf")), rcron).expect("written");
        }
        fs::write(self.path("rcrond.toml"), rcrond).expect("written");
        fs::write(self.path("none"), "").expect("written");
        self.has_jobs(|_| true);
    }

    /// Writes its crontab, with the jobs of these names.
    pub(crate) fn has_jobs(&self, is_meant: impl Fn(&str) -> bool) {
        let jobs = JOBS.iter().filter(|(.., name, _)| is_meant(name));
        let line = |(minutes, cluster, options, name, command): &(&str, &str, &str, &str, &str)| {
            let call = self.call(cluster, options, name, command);
            format!("{minutes} * * * * root {call}\n")
        };
        fs::write(self.path("cron.d/jobs"), jobs.map(line).collect::<String>()).expect("written");
    }

    fn call(&self, cluster: &str, options: &str, name: &str, command: &str) -> String {
        let here = self.directory.path().display().to_string();
        let command = command.replace("DIR", &here);
        format!(
            "{} -c {here}/{cluster}.conf {options} --job {name} {command}",
            program("rcron").display()
        )
    }

    pub(crate) fn starts_rcrond(&mut self) {
        let log = File::create(self.path("log")).expect("a log");
        let mut command = self.inside("rcrond");
        command.arg("-c").arg(self.path("rcrond.toml"));
        self.rcrond = Some(Running::start(command.stdin(Stdio::null()).stderr(log)));
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

    /// A program that sees this server's crontabs.
    fn inside(&self, name: &str) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", MOUNTS, "sh"])
            .arg(program(name))
            .env("DIR", self.directory.path());
        command
    }

    pub(crate) fn is_active(&self) {
        until("an active state file", || {
            let state = fs::read_to_string(self.path("web.state")).unwrap_or_default();
            state.starts_with("active ").then_some(())
        });
    }

    /// Starts a job of the cluster `web` as cron does.
    pub(crate) fn starts(&self, job: &str, command: &str) -> Running {
        let mut rcron = Command::new(program("rcron"));
        rcron.arg("-c").arg(self.path("web.conf")).args(["--job", job, command]);
        Running::start(rcron.stdin(Stdio::null()))
    }

    /// Runs it.
    pub(crate) fn runs(&self, job: &str, command: &str) -> ExitStatus {
        self.starts(job, command).wait()
    }

    /// Runs the jobs of its crontab each minute, as cron does.
    pub(crate) fn runs_jobs_each_minute(&self) -> Running {
        let job = |(minutes, cluster, options, name, command): &(&str, &str, &str, &str, &str)| {
            let call = self.call(cluster, options, name, command);
            let period = minutes.strip_prefix("*/").unwrap_or("1");
            format!("[ $((minute % {period})) != 0 ] || {call} &\n")
        };
        let jobs: String = JOBS.iter().map(job).collect();
        let script = format!("while sleep $((60 - $(date +%s) % 60)); do\nminute=$(($(date +%s) / 60))\n{jobs}done");
        Running::start(Command::new("sh").args(["-c", &script]).stdin(Stdio::null()))
    }

    /// From now on, the job `invoices` fails.
    pub(crate) fn breaks_a_job(&self) {
        fs::write(self.path("broken"), "").expect("written");
    }

    /// Writes the metrics of its jobs to a file, as the timer does.
    pub(crate) fn writes_metrics(&self, file: &Path) {
        let mut command = self.inside("rcronctl");
        for cluster in ["web", "batch"] {
            command.arg("-c").arg(self.path(&format!("{cluster}.conf")));
        }
        let done = run(command.args(["metrics", "--output"]).arg(file).stdin(Stdio::null()));
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
