//! Real servers from Debian's packages, each started for one test on free ports of this machine.
//!
//! A new kind of server is a file with an implementation of [`TestServer`].

pub mod etcd;
pub mod fake;
pub mod mariadb;
pub mod postgresql;
pub mod prometheus;
pub mod redis;

use crate::process::Running;
use crate::until;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A server that a test starts, stops and restarts. Its data are in a directory that is removed with it. The thread that
/// started it must outlive it.
pub trait TestServer {
    /// Its process and its directory.
    fn instance(&self) -> &Instance;

    /// Its process and its directory.
    fn instance_mut(&mut self) -> &mut Instance;

    /// The command that runs it on its ports with the data that exist.
    fn command(&self) -> Command;

    /// Whether it answers and can be used.
    fn answers(&self) -> bool;

    /// Kills it, and waits until it has ended. Its data stay.
    fn kill(&mut self) {
        self.instance_mut().process = None;
    }

    /// Starts it again on its ports with the data that exist, and waits until it answers.
    ///
    /// # Panics
    /// If it ends instead.
    fn start_again(&mut self) {
        self.launch();
        assert!(self.comes_up(), "the server does not start again:\n{}", self.log());
    }

    /// Stops it with SIGSTOP, and waits until it has stopped: it still accepts connections, but never answers.
    fn pause(&self) {
        self.instance().running().pause();
    }

    /// Continues it after a pause.
    fn resume(&self) {
        self.instance().running().resume();
    }

    /// What it has written to its log since its last start.
    fn log(&self) -> String {
        fs::read_to_string(self.instance().path().join("log")).unwrap_or_default()
    }

    /// Starts its process.
    fn launch(&mut self) {
        let log = File::create(self.instance().path().join("log")).expect("a log");
        let mut command = self.command();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log);
        self.instance_mut().process = Some(Running::start(&mut command));
    }

    /// Waits until it answers, or has ended; then it returns `false`.
    fn comes_up(&mut self) -> bool {
        until("the server to answer or to end", || {
            if self.instance_mut().process.as_mut().expect("launched").has_ended() {
                return Some(false);
            }
            self.answers().then_some(true)
        })
    }

    /// Starts it for the first time. If another program has taken a port meanwhile, it tries other ports.
    ///
    /// # Panics
    /// If it ends for another reason.
    fn launch_on_free_ports(&mut self, choose_ports: impl Fn(&mut Self)) {
        until("ports that stay free", || {
            choose_ports(self);
            self.launch();
            if self.comes_up() {
                return Some(());
            }
            let log = self.log();
            assert!(log.contains("in use"), "the server does not start:\n{log}");
            None
        });
    }
}

/// The process of a server, and the directory with its data and its log.
pub struct Instance {
    process: Option<Running>,
    directory: TempDir,
}

impl Instance {
    fn new() -> Self {
        Self {
            process: None,
            directory: tempfile::tempdir().expect("a directory"),
        }
    }

    fn running(&self) -> &Running {
        self.process.as_ref().expect("running")
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// A port on which no program listens now. Another program may take it before the caller does.
#[must_use]
pub fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("an address").port()
}

/// A command for a server's program. The process ends when the thread that started it does, for whatever reason.
///
/// # Panics
/// If the program is not installed, because no test is skipped silently.
#[must_use]
pub fn server(program: &str, package: &str) -> Command {
    let found = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(found.is_ok(), "no {program}: install {package}");
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}
