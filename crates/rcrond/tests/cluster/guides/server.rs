//! Servers as a reader of a guide has them: each with its own name, /etc, /var, /run and /root, and Debian's packages.

use crate::site::Site;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use testing::lab::{Host, Lab};
use testing::process::Running;
use testing::program::program;
use testing::{Done, until};

const BOOT: &str = include_str!("boot.sh");
const SYSTEMCTL: &str = include_str!("systemctl");
const SCP: &str = include_str!("scp");
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
const FIREWALL: &str = "nft -f /usr/share/doc/rcrond/examples/nftables.conf";
const PROGRAMS: [&str; 4] = ["rcron", "rcronctl", "rcrond", "rcron-keepalived"];
const RCRON_CONF: &str = "cluster_name = web\nstate_file = /run/rcron/state\nrequire_lease = yes\n";
const PATH: &str = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The processes of a server see only each other.
const KEEPER: &str = r#"
echo "$$ $$" >"$2/keeper"
exec unshare --mount --uts --pid --fork --kill-child --mount-proc sh "$@"
"#;

/// The servers of the guides and their addresses.
const ALL: [(&str, &str); 4] = [
    ("server1", "10.0.0.1"),
    ("server2", "10.0.0.2"),
    ("server3", "10.0.0.3"),
    ("db1", "10.0.0.11"),
];

/// Some of the servers, and what they share.
pub(super) struct Servers {
    begun: Instant,
    /// The servers with rcrond.
    pub(super) nodes: Vec<Server>,
    /// The server of the store.
    pub(super) db1: Server,
    _site: Site,
}

/// A server.
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) address: &'static str,
    host: Host,
    /// What is shared by all servers.
    place: PathBuf,
    /// The process that has its mounts, as the lab sees it.
    pid: String,
    _keeper: Running,
}

impl Servers {
    /// Boots them with /etc and /var as they are on this machine, but nothing of rcron's. The firewall of the examples is loaded.
    pub(super) fn boot() -> Self {
        let site = Site::new();
        let place = site.directory();
        // The mounts are made from what is on a tmpfs, because no overlay can have another one as its upper layer.
        let data = site.data();
        let hosts: String = ALL.map(|(name, address)| format!("{address} {name}\n")).concat();
        fs::write(place.join("hosts"), format!("127.0.0.1 localhost\n{hosts}")).expect("written");
        fs::write(place.join("boot.sh"), BOOT).expect("written");
        install_programs(&place.join("bin"));
        let copied = Command::new("cp").args(["-r", EXAMPLES]).arg(&place).status();
        assert!(copied.expect("cp").success(), "no examples");
        let boot = |(name, address)| {
            let server = Server::boot(&site.lab, &place, &data, name, address);
            server.run(FIREWALL);
            server
        };
        let mut all: Vec<_> = ALL.into_iter().map(boot).collect();
        Self {
            begun: Instant::now(),
            db1: all.pop().expect("four"),
            nodes: all,
            _site: site,
        }
    }

    /// Prints what happens.
    pub(super) fn say(&self, what: &str) {
        println!("{:8.3} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    /// Executes a block on each server with rcrond.
    pub(super) fn on_each(&self, block: &str) {
        for node in &self.nodes {
            node.follow(block);
        }
    }

    /// Writes the rcron.conf of docs/rcrond.md.
    pub(super) fn configure_rcron(&self) {
        for node in &self.nodes {
            node.write("/etc/rcron/rcron.conf", RCRON_CONF);
        }
    }

    /// The server that is active, once one is.
    pub(super) fn active(&self) -> &Server {
        until("a server to be active", || self.active_now().into_iter().next())
    }

    /// The servers that are active now.
    pub(super) fn active_now(&self) -> Vec<&Server> {
        self.nodes.iter().filter(|node| node.is_active()).collect()
    }

    /// The servers in the order of the text "on each server, the active one last".
    pub(super) fn active_last(&self) -> Vec<&Server> {
        let active = self.active();
        let others = self.nodes.iter().filter(|node| node.name != active.name);
        others.chain([active]).collect()
    }
}

impl Server {
    fn boot(lab: &Lab, place: &Path, data: &Path, name: &'static str, address: &'static str) -> Self {
        let host = lab.host(name, address);
        let own = data.join(name);
        host.sh(&format!("mkdir {}", own.display()));
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "sh"]).arg(place.join("boot.sh"));
        command.args([&own, place]).arg(name).stdin(Stdio::null());
        let keeper = host.start(&mut command);
        let first = format!(
            "[ -e {0}/booted ] && cat $(printf '/proc/%s/task/%s/children' $(cat {0}/keeper)) || true",
            own.display()
        );
        let pid = until(&format!("{name} to boot"), || {
            Some(host.sh(&first).trim().to_owned()).filter(|pid| !pid.is_empty())
        });
        Self {
            name,
            address,
            host,
            place: place.to_owned(),
            pid,
            _keeper: keeper,
        }
    }

    /// Executes what a block of a guide says: it is a file if its first line is `# /PATH`, and commands otherwise. They must
    /// succeed. Returns what they print.
    pub(super) fn follow(&self, block: &str) -> String {
        let first = block.lines().next().unwrap_or_default();
        match first.strip_prefix("# /") {
            Some(path) => {
                self.write(&format!("/{path}"), block);
                String::new()
            }
            None => self.run(block),
        }
    }

    /// Executes commands, which must succeed. Returns what they print.
    pub(super) fn run(&self, commands: &str) -> String {
        let done = self.attempt(commands);
        let (out, err) = (done.stdout(), done.stderr());
        assert!(done.status.success(), "{}:\n{commands}\n{out}{err}", self.name);
        out
    }

    /// Executes commands as root.
    pub(super) fn attempt(&self, commands: &str) -> Done {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--uts", "--pid", "--target", &self.pid, "sh", "-ec"]);
        command.arg(format!("cd /root\n{commands}"));
        command.env_clear().env("PATH", PATH).env("HOME", "/root");
        command.env("SITE", self.place.join("data"));
        self.host.run(&mut command)
    }

    /// Starts commands that run until the end of the test.
    pub(super) fn start(&self, commands: &str) -> Running {
        let mut command = Command::new("nsenter");
        command.args([
            "--mount", "--uts", "--pid", "--target", &self.pid, "sh", "-ec", commands,
        ]);
        command
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", "/root")
            .stdin(Stdio::null());
        self.host.start(&mut command)
    }

    /// Writes a file with mode 600.
    pub(super) fn write(&self, path: &str, text: &str) {
        let source = self.place.join(format!("{}.text", self.name));
        fs::write(&source, text).expect("written");
        self.run(&format!(
            "install -m 600 {} {path}; chmod a+r /etc/rcron/*.conf 2>/dev/null || true",
            source.display()
        ));
    }

    /// Whether jobs run here.
    pub(super) fn is_active(&self) -> bool {
        self.attempt("rcronctl is-active").status.success()
    }

    /// `rcronctl status --json`.
    pub(super) fn status(&self) -> Value {
        serde_json::from_str(&self.run("rcronctl status --json")).expect("JSON")
    }

    /// The nodes of the cluster that its rcrond sees in the store, each with its role.
    pub(super) fn nodes(&self) -> Vec<(String, String)> {
        let status = self.status();
        let nodes = status.pointer("/clusters/0/rcrond/nodes").and_then(Value::as_array);
        let text = |node: &Value, key: &str| node[key].as_str().unwrap_or_default().to_owned();
        let named = |node: &Value| (text(node, "node"), text(node, "role"));
        nodes.into_iter().flatten().map(named).collect()
    }

    /// `rcrond --check`, which must find nothing wrong.
    pub(super) fn check(&self) -> String {
        let done = self.attempt("rcrond --check");
        let report = done.stdout();
        assert!(done.status.success(), "{}: {report}{}", self.name, done.stderr());
        report
    }
}

fn install_programs(directory: &Path) {
    fs::create_dir(directory).expect("a directory");
    for name in PROGRAMS {
        let from = program(name).canonicalize().expect("built");
        fs::copy(from, directory.join(name)).expect("copied");
    }
    for (name, script) in [("systemctl", SYSTEMCTL), ("scp", SCP)] {
        let path = directory.join(name);
        fs::write(&path, script).expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("executable");
    }
}
