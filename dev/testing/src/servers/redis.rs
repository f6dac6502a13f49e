//! A Redis.

use super::{Instance, TestServer, free_port, server};
use crate::certificates::{Authority, Certificate, text};
use crate::process::run;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A running Redis that keeps what it confirms.
pub struct Redis {
    instance: Instance,
    port: u16,
    tls_port: u16,
    tls: Option<Tls>,
    options: Vec<String>,
}

struct Tls {
    authority: PathBuf,
    certificate: Certificate,
}

impl Redis {
    /// Starts one without TLS, and waits until it answers.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with more options: `--NAME`, `VALUE`.
    #[must_use]
    pub fn start_with(options: &[&str]) -> Self {
        Self::launched(options, None)
    }

    /// Starts one that also offers TLS, on a port of its own. Clients need a certificate from this authority.
    #[must_use]
    pub fn start_with_tls(authority: &Authority) -> Self {
        let tls = Tls {
            authority: authority.certificate(),
            certificate: authority.server("redis"),
        };
        Self::launched(&[], Some(tls))
    }

    fn launched(options: &[&str], tls: Option<Tls>) -> Self {
        let mut redis = Self {
            instance: Instance::new(),
            port: 0,
            tls_port: 0,
            tls,
            options: options.iter().map(|option| (*option).to_owned()).collect(),
        };
        redis.launch_on_free_ports(|redis| (redis.port, redis.tls_port) = (free_port(), free_port()));
        redis
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
        text(&self.instance.path().join("socket")).to_owned()
    }

    /// Removes its data. It must have been killed.
    pub fn lose_data(&self) {
        let _ = fs::remove_dir_all(self.instance.path().join("appendonlydir"));
        let _ = fs::remove_file(self.instance.path().join("dump.rdb"));
    }

    /// Runs redis-cli(1) on it.
    ///
    /// # Panics
    /// If redis-cli fails.
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
}

impl TestServer for Redis {
    fn instance(&self) -> &Instance {
        &self.instance
    }

    fn instance_mut(&mut self) -> &mut Instance {
        &mut self.instance
    }

    fn command(&self) -> Command {
        let mut command = server("redis-server", "redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--unixsocket", &self.socket()])
            .arg("--dir")
            .arg(self.instance.path())
            .args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"])
            .args(&self.options);
        if let Some(tls) = &self.tls {
            command
                .args(["--tls-port", &self.tls_port.to_string()])
                .args(["--tls-cert-file", text(&tls.certificate.certificate)])
                .args(["--tls-key-file", text(&tls.certificate.key)])
                .args(["--tls-ca-cert-file", text(&tls.authority)]);
        }
        command
    }

    /// Redis answers a PING when it has read its data. A server that asks for a password answers too.
    fn answers(&self) -> bool {
        let ask = || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"PING\r\n")?;
            let mut answer = [0; 5];
            stream.read_exact(&mut answer)?;
            std::io::Result::Ok(answer)
        };
        ask().is_ok_and(|answer| &answer == b"+PONG" || &answer == b"-NOAU")
    }
}
