//! An etcd of one member, or two.

use super::{free_port, server};
use crate::certificates::{Authority, Certificate};
use crate::process::{Done, Running, run};
use crate::until;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A running etcd, with its data in a directory that goes away with it. Its thread must outlive it.
pub struct Etcd {
    process: Option<Running>,
    directory: TempDir,
    ports: Ports,
    /// Goes into the cluster's id, as the peers' address does.
    token: String,
    tls: Option<Tls>,
    /// Its name among the members.
    name: &'static str,
    /// `NAME=URL` of each member.
    members: String,
    options: Vec<String>,
}

#[derive(Clone, Copy)]
struct Ports {
    client: u16,
    peer: u16,
    /// Where it tells its health, without TLS.
    health: u16,
}

struct Tls {
    authority: PathBuf,
    certificate: Certificate,
}

impl Etcd {
    /// Starts one without TLS, and waits until it answers.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more options.
    #[must_use]
    pub fn start_with(options: &[&str]) -> Self {
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let prepare = || Self {
            options: options.clone(),
            ..Self::prepare("one")
        };
        Self::launched(|| [prepare()]).into_iter().next().expect("one")
    }

    /// Starts one that speaks TLS, and only with clients that have a certificate from this authority.
    #[must_use]
    pub fn start_with_tls(authority: &Authority) -> Self {
        let certificate = authority.server("etcd");
        let prepare = || Self {
            tls: Some(Tls {
                authority: authority.certificate(),
                certificate: certificate.clone(),
            }),
            ..Self::prepare("one")
        };
        Self::launched(|| [prepare()]).into_iter().next().expect("one")
    }

    /// Starts a cluster of two members: each alone is no majority.
    #[must_use]
    pub fn start_two() -> [Self; 2] {
        Self::launched(|| {
            let mut two = [Self::prepare("one"), Self::prepare("two")];
            let members = format!("{},{}", two[0].members, two[1].members);
            for member in &mut two {
                member.members.clone_from(&members);
            }
            two
        })
    }

    fn prepare(name: &'static str) -> Self {
        let ports = Ports::free();
        Self {
            process: None,
            directory: tempfile::tempdir().expect("a directory"),
            ports,
            token: "rcron".to_owned(),
            tls: None,
            name,
            members: format!("{name}={}", ports.peers()),
            options: Vec::new(),
        }
    }

    /// With other ports if somebody was quicker to take one.
    fn launched<const N: usize>(prepare: impl Fn() -> [Self; N]) -> [Self; N] {
        until("ports that stay free", || {
            let mut members = prepare();
            for member in &mut members {
                member.launch();
            }
            members.iter_mut().all(Self::comes_up).then_some(members)
        })
    }

    /// `HOST:PORT` for clients.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.client)
    }

    /// The port for clients.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.ports.client
    }

    /// Kills it, and waits until it is gone. The data stay.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again on its ports with the data that are there, and waits until it answers.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_again(&mut self) {
        self.launch();
        assert!(self.comes_up(), "etcd does not start again:\n{}", self.log());
    }

    /// Removes its data while it is killed. The next to start has the same cluster id.
    pub fn lose_data(&self) {
        fs::remove_dir_all(self.directory.path().join("data")).expect("removed");
    }

    /// The same, and the next to start has another cluster id.
    pub fn become_another(&mut self) {
        self.lose_data();
        self.token.push('x');
    }

    /// Stops it (SIGSTOP), and waits until it stands still: it takes connections, and says nothing.
    pub fn pause(&self) {
        self.running().pause();
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.running().resume();
    }

    /// Runs etcdctl(1) on it, as a client that has the server's own certificate.
    ///
    /// # Panics
    /// If it fails.
    pub fn etcdctl(&self, arguments: &[&str]) -> Done {
        let mut command = Command::new("etcdctl");
        let scheme = self.scheme();
        command
            .env("ETCDCTL_API", "3")
            .args(["--endpoints", &format!("{scheme}://{}", self.address())]);
        if let Some(tls) = &self.tls {
            command.arg("--cacert").arg(&tls.authority);
            command.arg("--cert").arg(&tls.certificate.certificate);
            command.arg("--key").arg(&tls.certificate.key);
        }
        let done = run(command.args(arguments));
        assert!(
            done.status.success(),
            "etcdctl {arguments:?} (install etcd-client): {}",
            done.stderr()
        );
        done
    }

    /// What it has written to its log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn running(&self) -> &Running {
        self.process.as_ref().expect("running")
    }

    const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    fn launch(&mut self) {
        self.process = Some(Running::start(&mut self.command()));
    }

    /// `false`: it has ended.
    fn comes_up(&mut self) -> bool {
        let process = self.process.as_mut().expect("launched");
        let health = self.ports.health;
        until("etcd to answer or to end", || {
            if process.has_ended() {
                return Some(false);
            }
            is_healthy(health).then_some(true)
        })
    }

    fn command(&self) -> Command {
        let Ports { client, health, .. } = self.ports;
        let scheme = self.scheme();
        let clients = format!("{scheme}://127.0.0.1:{client}");
        let peers = self.ports.peers();
        let log = File::create(self.directory.path().join("log")).expect("a log");
        let mut command = server("etcd", "etcd-server");
        command
            .args(["--name", self.name, "--initial-cluster", &self.members])
            .args(["--initial-cluster-token", &self.token])
            .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
            .args(["--listen-metrics-urls", &format!("http://127.0.0.1:{health}")])
            .arg("--data-dir")
            .arg(self.directory.path().join("data"))
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log);
        if let Some(tls) = &self.tls {
            command.arg("--cert-file").arg(&tls.certificate.certificate);
            command.arg("--key-file").arg(&tls.certificate.key);
            command
                .arg("--client-cert-auth")
                .arg("--trusted-ca-file")
                .arg(&tls.authority);
        }
        command
    }
}

impl Ports {
    fn free() -> Self {
        Self {
            client: free_port(),
            peer: free_port(),
            health: free_port(),
        }
    }

    fn peers(self) -> String {
        format!("http://127.0.0.1:{}", self.peer)
    }
}

/// Whether etcd says so; it does as soon as it has a leader and answers.
fn is_healthy(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer)
    };
    ask().is_ok_and(|answer| answer.contains(r#""health":"true""#))
}
