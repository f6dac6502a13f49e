//! A Redis.

use super::{free_port, server};
use crate::certificates::Authority;
use crate::process::{Running, run};
use crate::until;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A running Redis, with its data in a directory that goes away with it. Its thread must outlive it.
pub struct Redis {
    process: Option<Running>,
    directory: TempDir,
    port: u16,
    tls_port: u16,
    options: Vec<String>,
}

impl Redis {
    /// Starts one that keeps what it confirms, and waits until it answers.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more options: `--NAME VALUE`.
    #[must_use]
    pub fn start_with(options: &[&str]) -> Self {
        Self::launched(options, None)
    }

    /// Starts one that speaks TLS too, on a port of its own, with clients that have a certificate from this authority.
    #[must_use]
    pub fn start_with_tls(authority: &Authority) -> Self {
        Self::launched(&[], Some(authority))
    }

    /// With other ports if somebody was quicker to take one.
    fn launched(options: &[&str], authority: Option<&Authority>) -> Self {
        let mut options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        until("ports that stay free", || {
            let mut redis = Self {
                process: None,
                directory: tempfile::tempdir().expect("a directory"),
                port: free_port(),
                tls_port: free_port(),
                options: options.clone(),
            };
            if let Some(authority) = authority {
                redis.add_tls(authority);
            }
            redis.launch();
            if redis.comes_up() {
                return Some(redis);
            }
            options.clone_from(&redis.options);
            assert!(
                redis.log().contains("in use"),
                "redis-server does not start:\n{}",
                redis.log()
            );
            None
        })
    }

    fn add_tls(&mut self, authority: &Authority) {
        let certificate = authority.server("redis");
        let path = |path: &std::path::Path| path.to_str().expect("text").to_owned();
        for (name, value) in [
            ("--tls-port", self.tls_port.to_string()),
            ("--tls-cert-file", path(&certificate.certificate)),
            ("--tls-key-file", path(&certificate.key)),
            ("--tls-ca-cert-file", path(&authority.certificate())),
        ] {
            self.options.extend([name.to_owned(), value]);
        }
    }

    /// `HOST:PORT` without TLS.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `HOST:PORT` with TLS.
    #[must_use]
    pub fn tls_address(&self) -> String {
        format!("127.0.0.1:{}", self.tls_port)
    }

    /// The path of its Unix socket.
    #[must_use]
    pub fn socket(&self) -> String {
        self.directory.path().join("socket").to_str().expect("text").to_owned()
    }

    /// Kills it, and waits until it is gone. What it wrote to its files stays.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again on its ports with the data that are there, and waits until it answers.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_again(&mut self) {
        self.launch();
        assert!(self.comes_up(), "redis-server does not start again:\n{}", self.log());
    }

    /// Removes its data while it is killed.
    pub fn lose_data(&self) {
        let _ = fs::remove_dir_all(self.directory.path().join("appendonlydir"));
        let _ = fs::remove_file(self.directory.path().join("dump.rdb"));
    }

    /// Stops it (SIGSTOP), and waits until it stands still: it takes connections, and says nothing.
    pub fn pause(&self) {
        self.running().pause();
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.running().resume();
    }

    /// Runs redis-cli(1) on it.
    ///
    /// # Panics
    /// If it fails.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-e", "-p", &self.port.to_string()]).args(arguments);
        let done = run(command.stdin(Stdio::null()));
        assert!(
            done.status.success(),
            "redis-cli {arguments:?} (install redis-tools): {}{}",
            done.stdout(),
            done.stderr()
        );
        done.stdout().trim_end().to_owned()
    }

    /// What it has written to its log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn running(&self) -> &Running {
        self.process.as_ref().expect("running")
    }

    fn launch(&mut self) {
        let log = File::create(self.directory.path().join("log")).expect("a log");
        let mut command = server("redis-server", "redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--unixsocket", &self.socket()])
            .arg("--dir")
            .arg(self.directory.path())
            .args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"])
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log);
        self.process = Some(Running::start(&mut command));
    }

    /// `false`: it has ended.
    fn comes_up(&mut self) -> bool {
        let process = self.process.as_mut().expect("launched");
        let port = self.port;
        until("redis-server to answer or to end", || {
            if process.has_ended() {
                return Some(false);
            }
            answers(port).then_some(true)
        })
    }
}

/// Whether it answers and has read its data; one that asks for a password answers too.
fn answers(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        std::io::Result::Ok(answer)
    };
    ask().is_ok_and(|answer| &answer == b"+PONG" || &answer == b"-NOAU")
}
