//! Three members of etcd, each on a host of its own.

use crate::vdso;
use nix::sys::signal::Signal;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use testing::lab::{Host, Lab};
use testing::process::Running;
use testing::until;

const NAMES: [&str; 3] = ["store1", "store2", "store3"];
const PATIENCE: Duration = Duration::from_secs(2);

/// The store.
pub(crate) struct Etcd {
    pub(crate) members: Vec<Member>,
}

/// One of its servers.
pub(crate) struct Member {
    pub(crate) host: Host,
    data: PathBuf,
    log: PathBuf,
    server: Option<Running>,
}

impl Etcd {
    /// Starts all members. Their data go to `data`, their logs to `logs`.
    pub(crate) fn start(lab: &Lab, data: &Path, logs: &Path) -> Self {
        let member = |(name, last): (&str, u8)| Member {
            host: lab.host(name, &format!("10.9.0.{last}")),
            data: data.join(name),
            log: logs.join(format!("{name}.log")),
            server: None,
        };
        let mut etcd = Self {
            members: NAMES.into_iter().zip(11..).map(member).collect(),
        };
        for member in &mut etcd.members {
            member.start();
        }
        etcd.wait_until_whole();
        etcd
    }

    pub(crate) fn hosts(&self) -> Vec<&Host> {
        self.members.iter().map(|member| &member.host).collect()
    }

    /// Its table in rcrond.toml.
    pub(crate) fn table(&self) -> String {
        let servers: Vec<_> = self
            .hosts()
            .iter()
            .map(|host| format!("{}:2379", host.address))
            .collect();
        format!("[etcd]\nservers = {servers:?}\nprefix = \"rcron/\"\n")
    }

    /// Runs etcdctl on the first member's host. Returns whether it succeeds.
    pub(crate) fn etcdctl(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new("etcdctl");
        let endpoint = format!("http://{}:2379", self.members[0].host.address);
        command
            .args(["--endpoints", &endpoint, "--command-timeout=2s"])
            .args(arguments);
        self.members[0]
            .host
            .run(command.env("ETCDCTL_API", "3"))
            .status
            .success()
    }

    /// Which member leads, once one does.
    pub(crate) fn leader(&self) -> usize {
        let leads = |member: &Member| member.metric("etcd_server_is_leader") == Some(1.0);
        until("etcd's leader", || self.members.iter().position(leads))
    }

    /// Waits until every member has a leader and answers.
    pub(crate) fn wait_until_whole(&self) {
        until("all members of etcd", || {
            self.members.iter().all(Member::is_healthy).then_some(())
        });
    }

    /// Waits until one answers.
    pub(crate) fn wait_until_back(&self) {
        until("etcd to answer", || {
            self.members.iter().any(Member::is_healthy).then_some(())
        });
    }
}

impl Member {
    /// Starts it, with the data it had.
    pub(crate) fn start(&mut self) {
        let address = &self.host.address;
        let (clients, peers) = (format!("http://{address}:2379"), format!("http://{address}:2380"));
        let all = NAMES.into_iter().zip(11..);
        let all: Vec<_> = all
            .map(|(name, last)| format!("{name}=http://10.9.0.{last}:2380"))
            .collect();
        let mut command = Command::new("etcd");
        command
            .arg("--name")
            .arg(&self.host.name)
            .arg("--data-dir")
            .arg(&self.data);
        command.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
        command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
        command.args(["--initial-cluster", &all.join(","), "--logger", "zap"]);
        assert!(self.server.is_none(), "{} runs already", self.host.name);
        self.server = Some(super::start(&self.host, &self.log, &mut command));
    }

    pub(crate) fn kill(&mut self) {
        super::kill(&mut self.server);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.server.as_ref().expect("it runs").signal(signal as i32);
    }

    /// Removes the data of a member that is down.
    pub(crate) fn lose_data(&self) {
        self.host.sh(&format!("rm -r {}", self.data.display()));
    }

    fn is_healthy(&self) -> bool {
        self.get("/health")
            .is_some_and(|page| page.contains(r#""health":"true""#))
    }

    fn metric(&self, name: &str) -> Option<f64> {
        let page = self.get("/metrics")?;
        let value = |line: &str| line.strip_prefix(name)?.trim().parse().ok();
        page.lines().find_map(value)
    }

    /// Sets its wall clock this many seconds from the right time. The machine's and the other members' stay.
    pub(crate) fn set_wall_clock(&self, offset: i64) {
        vdso::set_wall_clock(self.server.as_ref().expect("it runs").pid(), offset);
    }

    /// Its wall clock in seconds since 1970, read from the server: the date of its HTTP answers.
    pub(crate) fn wall_clock(&self) -> i64 {
        let page = self.get("/version").expect("an answer");
        let date = page
            .lines()
            .find_map(|line| line.strip_prefix("Date: "))
            .expect("a date");
        let date = jiff::fmt::rfc2822::parse(date.trim()).expect("a date");
        date.timestamp().as_second()
    }

    /// A page of its own, asked for on its host: `None` without an answer.
    fn get(&self, path: &str) -> Option<String> {
        self.host.within(|| get(&self.host.address, path))
    }
}

/// A page of etcd's, from where the calling thread is.
pub(crate) fn get(address: &str, path: &str) -> Option<String> {
    let server = format!("{address}:2379").parse().expect("an address");
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let ask = format!("GET {path} HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).ok()?;
    let mut page = String::new();
    stream.read_to_string(&mut page).ok()?;
    Some(page)
}
