//! A rcrond with files of its own.

use control::client::Connection;
use control::{Request, Response, Role};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testing::process::Running;
use testing::program::program;
use testing::servers::redis::Redis;
use testing::until;

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Node {
    directory: TempDir,
    name: &'static str,
    running: Option<Running>,
    /// A variable of the daemon's environment, and the file whose path is its value.
    variable: Option<(&'static str, &'static str)>,
}

impl Node {
    /// It has one cluster with a lease of one second and without `settle`, and is not started yet.
    pub(crate) fn new(name: &'static str, redis: &Redis) -> Self {
        Self::with_store(name, &format!("[redis]\nservers = [\"{}\"]", redis.address()))
    }

    /// The same with any table for the store.
    pub(crate) fn with_store(name: &'static str, store: &str) -> Self {
        let node = Self {
            directory: tempfile::tempdir().expect("a directory"),
            name,
            running: None,
            variable: None,
        };
        let here = node.directory.path().display();
        fs::create_dir(node.path("journal")).expect("made");
        node.configure(&format!(
            "node = \"{name}\"\nrun_dir = \"{here}/run\"\nstate_dir = \"{here}/lib\"\n[control]\nsocket = \"{here}/socket\"\n\
             {store}\n[[cluster]]\nname = \"web\"\nstate_file = \"{here}/state\"\njournal = \"{here}/journal\"\n\
             priority = 100\nlease = \"1s\"\nsettle = \"0s\"\n"
        ));
        let conf =
            format!("cluster_name = web\nstate_file = {here}/state\nrequire_lease = yes\njournal = {here}/journal\n");
        fs::write(node.path("rcron.conf"), conf).expect("written");
        node
    }

    pub(crate) fn started(mut self) -> Self {
        self.start();
        self
    }

    pub(crate) fn set(&mut self, variable: &'static str, file: &'static str) {
        self.variable = Some((variable, file));
    }

    pub(crate) fn start_without_waiting(&mut self) {
        let log = fs::File::create(self.path("log")).expect("a log");
        let variable = self.variable.map(|(name, file)| (name, self.path(file)));
        self.running = Some(Running::start(self.command().stderr(log).envs(variable)));
    }

    /// Waits for the program's first statement: until then, the kernel ends a process on SIGHUP.
    pub(crate) fn begins(&self) {
        let status = format!("/proc/{}/status", self.running.as_ref().expect("running").pid());
        let has_hangup = |line: &str| {
            let mask = line.strip_prefix("SigBlk:").or(line.strip_prefix("SigCgt:"));
            let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
            mask.is_some_and(|mask| mask & 1 == 1)
        };
        until("its first statement", || {
            let status = fs::read_to_string(&status).ok()?;
            status.lines().any(has_hangup).then_some(())
        });
    }

    pub(crate) fn start(&mut self) {
        self.start_without_waiting();
        // The socket's file is there before the daemon listens.
        let listens = || Connection::open(&self.path("socket"), LIMIT).is_ok();
        until("the first state file and the socket", || {
            (self.path("state").exists() && listens()).then_some(())
        });
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(program("rcrond"));
        command
            .arg("-c")
            .arg(self.path("rcrond.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn configuration(&self) -> String {
        fs::read_to_string(self.path("rcrond.toml")).expect("there")
    }

    pub(crate) fn configure(&self, text: &str) {
        fs::write(self.path("rcrond.toml"), text).expect("written");
    }

    pub(crate) fn state(&self) -> String {
        fs::read_to_string(self.path("state")).unwrap_or_default()
    }

    /// The value of `since=` in the state file.
    pub(crate) fn since(&self) -> String {
        let state = self.state();
        state.split(" since=").nth(1).expect("since").trim_end().to_owned()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Waits for a text in the log, which a thread of its own writes, and returns how often it is there.
    pub(crate) fn has_logged(&self, text: &str) -> usize {
        until(&format!("{text} in the log"), || {
            let count = self.log().matches(text).count();
            (count > 0).then_some(count)
        })
    }

    pub(crate) fn signal(&self, signal: i32) {
        self.running.as_ref().expect("running").signal(signal);
    }

    /// The largest memory that it has ever used, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.memory_line("VmHWM:")
    }

    /// The memory that it uses now, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.memory_line("VmRSS:")
    }

    fn memory_line(&self, name: &str) -> u64 {
        let pid = self.running.as_ref().expect("running").pid();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
        let found = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes: u64 = found
            .expect("the line")
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .expect("a number");
        kilobytes << 10
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.running.take().expect("running").wait()
    }

    pub(crate) fn is_active(&self) {
        until(&format!("{} to be active", self.name), || {
            self.state().starts_with("active ").then_some(())
        });
    }

    /// Waits until its lease was renewed twice.
    pub(crate) fn is_renewed(&self) {
        for _ in 0..2 {
            let before = self.state();
            until("a renewal", || {
                let state = self.state();
                (state != before && state.starts_with("active ")).then_some(())
            });
        }
    }

    pub(crate) fn has_role(&self, role: Role) {
        until(&format!("{} to be {role:?}", self.name), || {
            let answer = self.ask(&Request::Status { nodes: false });
            matches!(&answer, Response::Status(report) if report.clusters[0].role == role).then_some(())
        });
    }

    /// The last answer.
    pub(crate) fn ask(&self, request: &Request) -> Response {
        self.asking(request).find(Response::is_last).expect("an answer")
    }

    /// The answers as they come.
    pub(crate) fn asking(&self, request: &Request) -> impl Iterator<Item = Response> + use<> {
        let mut connection = Connection::open(&self.path("socket"), LIMIT).expect("it listens");
        connection.ask(request, LIMIT).expect("asked");
        let mut last = false;
        std::iter::from_fn(move || {
            if last {
                return None;
            }
            let answer = connection.answer(Instant::now() + LIMIT).expect("answered");
            last = answer.is_last();
            Some(answer)
        })
    }

    /// Starts a job under rcron, which can read its stdin.
    pub(crate) fn job(&self, command: &str) -> Running {
        let mut rcron = Command::new(program("rcron"));
        rcron.arg("-c").arg(self.path("rcron.conf")).arg(command);
        Running::start(rcron.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()))
    }

    pub(crate) fn journal_has(&self, text: &str) {
        until("the journal", || {
            let files = fs::read_dir(self.path("journal")).ok()?;
            let mut texts = files.flatten().filter_map(|file| fs::read_to_string(file.path()).ok());
            texts.any(|found| found.contains(text)).then_some(())
        });
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.0.kill();
            let _ = running.0.wait();
        }
    }
}
