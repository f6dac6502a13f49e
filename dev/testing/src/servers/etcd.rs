//! An etcd cluster of one or two members.

use super::{Instance, TestServer, free_port, server};
use crate::certificates::{Authority, Certificate};
use crate::process::{Done, run};
use crate::until;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A running etcd.
pub struct Etcd {
    instance: Instance,
    ports: Ports,
    /// The cluster's id depends on it, and on the address for peers.
    token: String,
    tls: Option<Tls>,
    /// The member's name in the cluster.
    name: &'static str,
    /// `NAME=URL` of each member.
    members: String,
    options: Vec<String>,
}

#[derive(Clone, Copy)]
struct Ports {
    client: u16,
    peer: u16,
    /// For its health, without TLS.
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

    /// Starts one with more options.
    #[must_use]
    pub fn start_with(options: &[&str]) -> Self {
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let prepare = || Self {
            options: options.clone(),
            ..Self::prepare("one")
        };
        Self::launched(|| [prepare()]).into_iter().next().expect("one")
    }

    /// Starts one that only accepts TLS. Clients need a certificate from this authority.
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

    /// Starts a cluster of two members. One member alone is not a majority.
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
            instance: Instance::new(),
            ports,
            token: "rcron".to_owned(),
            tls: None,
            name,
            members: format!("{name}={}", ports.peers()),
            options: Vec::new(),
        }
    }

    /// Starts the members. If another program has taken a port meanwhile, it tries other ports.
    fn launched<const N: usize>(prepare: impl Fn() -> [Self; N]) -> [Self; N] {
        until("ports that stay free", || {
            let mut members = prepare();
            for member in &mut members {
                member.launch();
            }
            members.iter_mut().all(TestServer::comes_up).then_some(members)
        })
    }

    /// `HOST:PORT` for clients.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.client)
    }

    /// Removes its data. It must have been killed. When it starts again, it has the same cluster id.
    pub fn lose_data(&self) {
        fs::remove_dir_all(self.instance.path().join("data")).expect("removed");
    }

    /// Removes its data, and gives it another cluster id for the next start.
    pub fn become_another(&mut self) {
        self.lose_data();
        self.token.push('x');
    }

    /// Runs etcdctl(1) on it, with the server's own certificate as the client's.
    ///
    /// # Panics
    /// If etcdctl fails.
    pub fn etcdctl(&self, arguments: &[&str]) -> Done {
        self.etcdctl_with(arguments, Stdio::null())
    }

    /// The same, with this stdin.
    ///
    /// # Panics
    /// If etcdctl fails.
    pub fn etcdctl_with(&self, arguments: &[&str], stdin: Stdio) -> Done {
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
        let done = run(command.args(arguments).stdin(stdin));
        assert!(
            done.status.success(),
            "etcdctl {arguments:?} (install etcd-client): {}",
            done.stderr()
        );
        done
    }

    const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

impl TestServer for Etcd {
    fn instance(&self) -> &Instance {
        &self.instance
    }

    fn instance_mut(&mut self) -> &mut Instance {
        &mut self.instance
    }

    fn command(&self) -> Command {
        let Ports { client, health, .. } = self.ports;
        let scheme = self.scheme();
        let clients = format!("{scheme}://127.0.0.1:{client}");
        let peers = self.ports.peers();
        let mut command = server("etcd", "etcd-server");
        command
            .args(["--name", self.name, "--initial-cluster", &self.members])
            .args(["--initial-cluster-token", &self.token])
            .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
            .args(["--listen-metrics-urls", &format!("http://127.0.0.1:{health}")])
            .arg("--data-dir")
            .arg(self.instance.path().join("data"))
            .args(&self.options);
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

    /// etcd is healthy as soon as it has a leader and answers.
    fn answers(&self) -> bool {
        let ask = || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.ports.health))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"GET /health HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            std::io::Result::Ok(answer)
        };
        ask().is_ok_and(|answer| answer.contains(r#""health":"true""#))
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
