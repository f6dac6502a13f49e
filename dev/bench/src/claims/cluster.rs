//! Three members of etcd, and nodes with rcrond.

use super::Burst;
use super::stamp::{now, parse};
use crate::Result;
use crate::daemon::{self, free_port};
use crate::fixture::Fixture;
use crate::proc;
use crate::running::{Gate, Running};
use crate::wait::until;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Three members, one of which leads, on ports of the loopback interface.
struct Etcd {
    clients: Vec<u16>,
    _members: Vec<Running>,
}

/// A node.
pub(super) struct Node {
    directory: PathBuf,
    rcron: PathBuf,
    daemon: Running,
    metrics: u16,
}

/// The store, and the active node.
pub(super) struct Cluster {
    active: Node,
    rcrond: PathBuf,
    etcd: Etcd,
    /// Dropped last.
    directory: TempDir,
}

/// What etcd has done so far.
#[derive(Clone, Copy)]
pub(super) struct StoreUse {
    pub(super) changes: f64,
    pub(super) records: f64,
    /// Bytes.
    pub(super) received: f64,
    pub(super) sent: f64,
}

impl StoreUse {
    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            changes: self.changes - earlier.changes,
            records: self.records - earlier.records,
            received: self.received - earlier.received,
            sent: self.sent - earlier.sent,
        }
    }
}

impl Cluster {
    pub(super) fn start(rcron: &Path, rcrond: &Path) -> Result<Self> {
        // As /run, a tmpfs; and etcd's disk is not measured.
        let directory = daemon::directory_in_memory()?;
        let etcd = Etcd::start(directory.path())?;
        let active = Node::start("active", directory.path(), rcron, rcrond, &etcd)?;
        active.until_state("active ")?;
        let cluster = Self {
            active,
            rcrond: rcrond.to_owned(),
            etcd,
            directory,
        };
        // The first claim of a cluster sets a floor; ticks after it are granted.
        until("a first grant", || {
            Ok(cluster.run(0..1, super::next_tick()?, true).ok())
        })?;
        Ok(cluster)
    }

    /// Starts these jobs one after the other without a pause, and waits until all have started and all rcrons have ended.
    pub(super) fn run(&self, jobs: Range<usize>, tick: u64, claims: bool) -> Result<Burst> {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
        let stamp = std::env::current_exe()?;
        let mut started = Vec::new();
        let mut all = Vec::new();
        for number in jobs.clone() {
            let name = format!("job{number}");
            let mut command = self.active.rcron(&name, tick, if claims { "yes" } else { "no" });
            command
                .arg(&stamp)
                .arg("--stamp")
                .arg(number.to_string())
                .stdout(Stdio::from(writer.try_clone()?));
            started.push(now()?);
            all.push(Running::start(&mut command)?);
        }
        drop(writer);
        let lines = BufReader::new(File::from(reader)).lines();
        let mut own = Vec::new();
        let mut last = Duration::ZERO;
        for line in lines {
            let (number, time) = parse(&line?)?;
            own.push(time.saturating_sub(started[number - jobs.start]));
            last = last.max(time.saturating_sub(started[0]));
        }
        for process in &mut all {
            process.wait()?;
        }
        if own.len() != jobs.len() {
            return Err(format!("{} of {} jobs were started", own.len(), jobs.len()).into());
        }
        Ok(Burst { own, last })
    }

    /// Of the active node's rcrond so far.
    pub(super) fn processor_time(&self) -> Result<Duration> {
        proc::processor_time(self.active.pid())
    }

    pub(super) fn store(&self) -> Result<StoreUse> {
        let mut sum = StoreUse {
            changes: 0.0,
            records: 0.0,
            received: 0.0,
            sent: 0.0,
        };
        for port in &self.etcd.clients {
            let page = daemon::page(*port)?;
            let value = |name: &str| daemon::metric(&page, name);
            sum.received += value("etcd_network_client_grpc_received_bytes_total")?;
            sum.sent += value("etcd_network_client_grpc_sent_bytes_total")?;
            // Each member applies each change.
            if *port == self.etcd.clients[0] {
                sum.records = value("etcd_mvcc_put_total")?;
                // Each change has a revision.
                sum.changes = value("etcd_debugging_mvcc_current_revision")?;
            }
        }
        Ok(sum)
    }

    /// A second node, which stays passive.
    pub(super) fn start_standby(&self) -> Result<Node> {
        let node = Node::start(
            "standby",
            self.directory.path(),
            &self.active.rcron,
            &self.rcrond,
            &self.etcd,
        )?;
        node.until_state("passive")?;
        Ok(node)
    }

    /// An rcron without a claim, whose job waits at the gate, once it does.
    pub(super) fn rcron_whose_job_waits(&self, gate: &Gate) -> Result<Running> {
        let mut command = self.active.rcron("waits", 0, "no");
        let running = Running::start(command.arg("cat").stdin(gate.reader()?))?;
        until("its job", || {
            Ok(proc::waits_for(running.pid(), "rcron", "cat").then_some(()))
        })?;
        Ok(running)
    }
}

impl Node {
    fn start(name: &str, directory: &Path, rcron: &Path, rcrond: &Path, etcd: &Etcd) -> Result<Self> {
        let directory = directory.join(name);
        fs::create_dir(&directory)?;
        let path = |name: &str| directory.join(name).display().to_string();
        let metrics = free_port()?;
        let servers: Vec<_> = etcd.clients.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let config = format!(
            "node = {name:?}\nmax_skew = \"0s\"\nrun_dir = {:?}\nstate_dir = {:?}\n[etcd]\nservers = {servers:?}\n\
             [[cluster]]\nname = \"bench\"\nstate_file = {:?}\n[control]\nsocket = {:?}\n\
             [metrics]\nlisten = \"127.0.0.1:{metrics}\"\n",
            path("run"),
            path("lib"),
            path("state"),
            path("socket"),
        );
        fs::write(directory.join("rcrond.toml"), config)?;
        let config = format!(
            "cluster_name = bench\nrequire_lease = yes\nstate_file = \"{}\"\nsyslog_socket = \"{}\"\nnice_level = 0\njournal = none\n\
             claim_socket = \"{}\"\nstart_within = 10m\n",
            path("state"),
            path("nobody"),
            path("run/claims"),
        );
        fs::write(directory.join("rcron.conf"), config)?;
        let log = File::create(directory.join("rcrond.log"))?;
        let mut command = Command::new(rcrond);
        command
            .arg("-c")
            .arg(directory.join("rcrond.toml"))
            .stdin(Stdio::null())
            .stderr(log);
        let daemon = Running::start(&mut command)?;
        Ok(Self {
            directory,
            rcron: rcron.to_owned(),
            daemon,
            metrics,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    /// Waits until its state file begins with this.
    fn until_state(&self, word: &str) -> Result<()> {
        let found = until(&format!("a state file that begins with {word:?}"), || {
            let state = fs::read_to_string(self.directory.join("state")).unwrap_or_default();
            Ok(state.starts_with(word).then_some(()))
        });
        found.map_err(|error| {
            let log = fs::read_to_string(self.directory.join("rcrond.log")).unwrap_or_default();
            format!("{error}; rcrond says:\n{log}").into()
        })
    }

    /// As cron would start it; the command is to be added.
    fn rcron(&self, job: &str, tick: u64, claims: &str) -> Command {
        let conf = self.directory.join("rcron.conf");
        let mut command = Fixture::command(&self.rcron, ["-c"]);
        command
            .arg(conf)
            .args(["--job", job, "-o", &format!("once_per_tick={claims}")]);
        if claims == "yes" {
            command.args(["--tick", &format!("@{tick}")]);
        }
        command
    }

    pub(super) fn rcron_that_waits(&self, number: usize, tick: u64) -> Result<Running> {
        Running::start(
            self.rcron(&format!("job{number}"), tick, "yes")
                .arg(crate::fixture::TRUE),
        )
    }

    /// Waits until so many rcrons wait here.
    pub(super) fn until_waiting(&self, count: usize) -> Result<()> {
        until("all rcrons to wait", || {
            let page = daemon::page(self.metrics)?;
            let waiting = page.lines().filter(|line| line.starts_with("rcrond_claims_waiting"));
            let waiting = waiting.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
            Ok((waiting.sum::<usize>() >= count).then_some(()))
        })
    }
}

impl Etcd {
    fn start(directory: &Path) -> Result<Self> {
        let mut ports = Vec::new();
        for _ in 0..3 {
            ports.push((free_port()?, free_port()?));
        }
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let all: Vec<_> = (0..)
            .zip(&ports)
            .map(|(number, (_, peer))| format!("m{number}={}", url(*peer)))
            .collect();
        let mut members = Vec::new();
        for (number, (client, peer)) in ports.iter().enumerate() {
            let name = format!("m{number}");
            let log = File::create(directory.join(format!("{name}.log")))?;
            let mut command = Command::new("etcd");
            command
                .arg("--name")
                .arg(&name)
                .arg("--data-dir")
                .arg(directory.join(&name));
            command.args([
                "--listen-client-urls",
                &url(*client),
                "--advertise-client-urls",
                &url(*client),
            ]);
            command.args([
                "--listen-peer-urls",
                &url(*peer),
                "--initial-advertise-peer-urls",
                &url(*peer),
            ]);
            command
                .args(["--initial-cluster", &all.join(",")])
                .stdout(Stdio::null())
                .stderr(log);
            members.push(Running::start(&mut command)?);
        }
        let clients: Vec<_> = ports.into_iter().map(|(client, _)| client).collect();
        for client in &clients {
            until("etcd to have a leader", || {
                let page = daemon::page(*client).unwrap_or_default();
                Ok((daemon::metric(&page, "etcd_server_has_leader").ok() == Some(1.0)).then_some(()))
            })?;
        }
        Ok(Self {
            clients,
            _members: members,
        })
    }
}
