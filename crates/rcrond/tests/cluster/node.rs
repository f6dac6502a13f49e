//! A node: its host, its files, and its rcrond.

use crate::vdso;
use control::{Report, Request, Response};
use nix::sys::signal::Signal;
use policy::state::State;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testing::lab::Host;
use testing::process::Running;
use testing::program::program;
use testing::until;

/// Far longer than rcrond takes to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A node of the cluster `web`.
pub(crate) struct Node {
    pub(crate) host: Arc<Host>,
    directory: PathBuf,
    daemon: Mutex<Option<Running>>,
    pub(crate) extras: Extras,
}

/// What only some tests configure.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    /// Lines at the top of rcrond.toml.
    pub(crate) top: &'static str,
    /// Lines in the cluster's table.
    pub(crate) cluster: &'static str,
    /// Commands of sh that make rcrond's own mounts; `None`: it has those of the lab.
    pub(crate) mounts: Option<String>,
}

/// What can differ between scenarios.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The store's table, as in rcrond.toml.
    pub(crate) store: String,
    pub(crate) lease: Duration,
    pub(crate) settle: Duration,
    pub(crate) preempt_delay: Duration,
    pub(crate) priority: u32,
}

impl Node {
    pub(crate) fn new(host: Host, shared: &Path) -> Self {
        let directory = shared.join(&host.name);
        fs::create_dir(&directory).expect("a directory");
        let node = Self {
            host: Arc::new(host),
            directory,
            daemon: Mutex::new(None),
            extras: Extras::default(),
        };
        let state = node.state_file();
        let lines = [
            "cluster_name = web".to_owned(),
            format!("state_file = {}", state.display()),
            "default_state = passive".to_owned(),
            "require_lease = yes".to_owned(),
            "nice_level = 0".to_owned(),
            "journal = none".to_owned(),
        ];
        fs::write(node.rcron_conf(), lines.join("\n")).expect("written");
        node
    }

    pub(crate) fn name(&self) -> &str {
        &self.host.name
    }

    pub(crate) fn state_file(&self) -> PathBuf {
        self.directory.join("state")
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn rcron_conf(&self) -> PathBuf {
        self.directory.join("rcron.conf")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.join("rcrond.log")).unwrap_or_default()
    }

    fn configuration(&self) -> PathBuf {
        self.directory.join("rcrond.toml")
    }

    /// Writes its rcrond.toml.
    pub(crate) fn configure(&self, settings: &Settings) {
        let path = |name: &str| self.directory.join(name).display().to_string();
        let text = format!(
            "node = {:?}\nrun_dir = {:?}\nstate_dir = {:?}\n{}\n{}\n\
             [[cluster]]\nname = \"web\"\nstate_file = {:?}\npriority = {}\n{}\
             lease = \"{}s\"\nsettle = \"{}s\"\npreempt_delay = \"{}s\"\n\n[control]\nsocket = {:?}\n",
            self.name(),
            path("run"),
            path("lib"),
            self.extras.top,
            settings.store,
            path("state"),
            settings.priority,
            self.extras.cluster,
            settings.lease.as_secs(),
            settings.settle.as_secs(),
            settings.preempt_delay.as_secs(),
            path("socket"),
        );
        // It may contain passwords, so rcrond requires this mode.
        let mut file = private(&self.configuration());
        file.write_all(text.as_bytes()).expect("written");
    }

    /// Runs `rcrond --init-store`, which must succeed.
    pub(crate) fn init_store(&self) {
        let mut command = self.rcrond();
        let mut init = self.host.start(command.arg("--init-store"));
        assert!(init.wait().success(), "rcrond --init-store:\n{}", self.log());
    }

    /// Starts rcrond: the installed one, if the test has its path.
    pub(crate) fn start(&self) {
        let mut daemon = self.daemon.lock().expect("whole");
        assert!(daemon.is_none(), "{} runs already", self.name());
        *daemon = Some(self.host.start(&mut self.rcrond()));
    }

    fn rcrond(&self) -> Command {
        let path = self.directory.join("rcrond.log");
        let log = OpenOptions::new().create(true).append(true).open(path).expect("a log");
        let rcrond = program("rcrond").canonicalize().expect("rcrond");
        let mut command = match &self.extras.mounts {
            None => Command::new(rcrond),
            Some(mounts) => {
                let mut command = Command::new("unshare");
                let line = format!("{mounts}\nexec \"$@\"");
                command.args(["--mount", "sh", "-ec", &line, "sh"]).arg(rcrond);
                command
            }
        };
        command.arg("-c").arg(self.configuration()).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a descriptor")).stderr(log);
        command
    }

    /// Sets the wall clock of its rcrond this many seconds from the right time.
    pub(crate) fn set_wall_clock(&self, offset: i64) {
        let daemon = self.daemon.lock().expect("whole");
        vdso::set_wall_clock(daemon.as_ref().expect("it runs").pid(), offset);
    }

    /// `since=` in its state file, in seconds since 1970.
    pub(crate) fn active_since(&self) -> i64 {
        let state = State::parse(&fs::read(self.state_file()).expect("a file")).expect("a state");
        let since = String::from_utf8(state.since.expect("since=")).expect("text");
        let since: jiff::Timestamp = since.parse().expect("a time");
        since.as_second()
    }

    /// Sends its rcrond a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let daemon = self.daemon.lock().expect("whole");
        daemon.as_ref().expect("it runs").signal(signal as i32);
    }

    /// Sends its rcrond a signal, and waits until it has exited.
    pub(crate) fn end(&self, signal: Signal) {
        self.signal(signal);
        let mut daemon = self.daemon.lock().expect("whole").take().expect("it runs");
        let status = daemon.wait();
        assert!(
            status.success() || signal == Signal::SIGKILL,
            "rcrond on {} after {signal}: {status}",
            self.name()
        );
    }

    /// Sends its rcrond a signal that ends it, and returns the process, which ends later.
    pub(crate) fn begin_to_end(&self, signal: Signal) -> Running {
        self.signal(signal);
        self.daemon.lock().expect("whole").take().expect("it runs")
    }

    /// Gives it a small disk of its own for what must survive a reboot. The lab's processes see it.
    pub(crate) fn make_disk(&self) {
        let disk = self.disk().display().to_string();
        self.host.sh(&format!(
            "mkdir -m 700 {disk}; mount -t tmpfs -o size=64k,mode=700 none {disk}"
        ));
    }

    /// Leaves no room on its disk.
    pub(crate) fn fill_disk(&self) {
        let filler = self.disk().join("filler").display().to_string();
        self.host
            .sh(&format!("dd if=/dev/zero of={filler} bs=4k 2>/dev/null || true"));
    }

    /// Makes room on its disk again.
    pub(crate) fn empty_disk(&self) {
        self.host.sh(&format!("rm -f {}", self.disk().join("filler").display()));
    }

    fn disk(&self) -> PathBuf {
        self.directory.join("lib")
    }

    /// Whether its rcrond was started and not ended.
    pub(crate) fn runs(&self) -> bool {
        self.daemon.lock().expect("whole").is_some()
    }

    /// Starts rcrond if it does not run, and waits until this node can win.
    pub(crate) fn comes_up(&self) {
        if !self.runs() {
            self.start();
        }
        self.wait_until_ready();
    }

    /// Waits until it has a session and can win.
    pub(crate) fn wait_until_ready(&self) {
        until(&format!("{} to have a session", self.name()), || {
            self.assert_alive();
            self.report().filter(|report| report.store.session)
        });
    }

    /// Fails if rcrond has exited by itself.
    pub(crate) fn assert_alive(&self) {
        let mut daemon = self.daemon.lock().expect("whole");
        let ended = daemon.as_mut().is_some_and(Running::has_ended);
        assert!(!ended, "rcrond on {} has ended by itself:\n{}", self.name(), self.log());
    }

    /// Its status report; `None` if it does not listen yet.
    pub(crate) fn report(&self) -> Option<Report> {
        match self.ask(&Request::Status { nodes: false })? {
            Response::Status(report) => Some(report),
            other => panic!("status: {other:?}"),
        }
    }

    /// Its last answer to this request.
    pub(crate) fn ask(&self, request: &Request) -> Option<Response> {
        let mut stream = UnixStream::connect(self.directory.join("socket")).ok()?;
        stream.set_read_timeout(Some(ANSWER_LIMIT)).expect("a socket");
        let line = serde_json::to_string(request).expect("JSON") + "\n";
        stream.write_all(line.as_bytes()).ok()?;
        for line in BufReader::new(stream).lines() {
            match serde_json::from_str(&line.ok()?).expect("an answer") {
                Response::Progress { .. } => {}
                answer => return Some(answer),
            }
        }
        None
    }

    /// Sends it a request, if it listens, and does not wait for an answer.
    pub(crate) fn send(&self, request: &Request) {
        if let Ok(mut stream) = UnixStream::connect(self.directory.join("socket")) {
            let line = serde_json::to_string(request).expect("JSON") + "\n";
            let _ = stream.write_all(line.as_bytes());
        }
    }

    /// Drains or undrains it, which must succeed.
    pub(crate) fn order(&self, request: &Request) {
        let answer = self.ask(request);
        assert!(matches!(answer, Some(Response::Done { .. })), "{request:?}: {answer:?}");
    }
}

fn private(path: &Path) -> File {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600);
    options.open(path).expect("a file")
}
