//! A network of hosts on one machine, in namespaces of its own (mount, process, network). Only root can make it.
//!
//! The machine itself is not changed. A host is a network namespace with a cable to a switch in another one; all hosts see
//! the same files. All processes on the hosts end with the lab, and the lab ends with the test, for whatever reason.

mod namespaces;

use crate::process::{Done, Running};
use namespaces::Namespaces;
use nix::sched::{CloneFlags, setns, unshare};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// The switch, and the namespaces of all processes.
pub struct Lab {
    namespaces: Arc<Namespaces>,
    lost: Mutex<BTreeSet<(String, String)>>,
}

/// A host on the switch.
pub struct Host {
    /// Its name, which is also the name of its port on the switch.
    pub name: String,
    /// Its address in the /24 network of all hosts.
    pub address: String,
    network: File,
    namespaces: Arc<Namespaces>,
}

impl Lab {
    /// Makes a switch without hosts. `boot` is a script for sh that makes the lab's mounts.
    pub fn new(boot: &str) -> Self {
        let lab = Self {
            namespaces: Arc::new(Namespaces::new(boot)),
            lost: Mutex::default(),
        };
        lab.on_switch("ip link add br0 type bridge forward_delay 0; ip link set br0 up");
        lab
    }

    /// Adds a host. Its name may have at most 15 characters.
    pub fn host(&self, name: &str, address: &str) -> Host {
        let host = Host {
            name: name.to_owned(),
            address: address.to_owned(),
            network: in_new_thread(new_network),
            namespaces: Arc::clone(&self.namespaces),
        };
        // In these namespaces the lab's first process has the id 1, and its network is the switch's.
        host.sh(&format!(
            "ip link set lo up; ip link add eth0 type veth peer name {name} netns 1; \
             ip address add {address}/24 dev eth0; ip link set eth0 up"
        ));
        self.on_switch(&format!("ip link set {name} master br0 up"));
        host
    }

    /// Drops all packets from these hosts to those from now on. The hosts get no error.
    pub fn lose(&self, from: &[&Host], to: &[&Host]) {
        self.filter(|lost| {
            for from in from {
                lost.extend(to.iter().map(|to| (from.name.clone(), to.name.clone())));
            }
        });
    }

    /// Drops all packets between these hosts and those, in both directions.
    pub fn part(&self, some: &[&Host], others: &[&Host]) {
        self.lose(some, others);
        self.lose(others, some);
    }

    /// Drops no packets any more.
    pub fn heal(&self) {
        self.filter(BTreeSet::clear);
    }

    fn filter(&self, change: impl FnOnce(&mut BTreeSet<(String, String)>)) {
        let mut lost = self.lost.lock().expect("whole");
        change(&mut lost);
        let rules = lost.iter().fold(String::new(), |rules, (from, to)| {
            rules + &format!("iifname {from} oifname {to} drop\n")
        });
        let table = format!(
            "table bridge lab\ndelete table bridge lab\ntable bridge lab {{\nchain lost {{\n\
             type filter hook forward priority 0;\n{rules}}}\n}}\n"
        );
        self.namespaces.inside(|| {
            let mut command = Command::new("nft");
            command.args(["-f", "-"]).stdin(Stdio::piped());
            let mut child = command.spawn().expect("nft, of package nftables");
            let mut stdin = child.stdin.take().expect("piped");
            stdin.write_all(table.as_bytes()).expect("written to nft");
            drop(stdin);
            assert!(child.wait().expect("nft").success(), "nft refuses:\n{table}");
        });
    }

    fn on_switch(&self, line: &str) {
        self.namespaces.inside(|| sh(line));
    }
}

impl Host {
    /// Runs `act` in the host's network, with the lab's mounts. It can start programs, but not threads.
    pub fn within<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        self.namespaces.inside(|| {
            self.enter();
            act()
        })
    }

    /// Starts a program. It ends with the lab at the latest.
    pub fn start(&self, command: &mut Command) -> Running {
        self.within(|| Running::start(command))
    }

    /// Runs a program to its end.
    pub fn run(&self, command: &mut Command) -> Done {
        self.within(|| output(command))
    }

    /// Runs a command line of sh, which must succeed. Returns what it wrote to stdout.
    pub fn sh(&self, line: &str) -> String {
        self.within(|| sh(line))
    }

    /// Moves the calling thread, and what it starts from now on, to this host for the rest of its life.
    pub fn move_in(&self) {
        self.namespaces.enter();
        self.enter();
    }

    fn enter(&self) {
        setns(&self.network, CloneFlags::CLONE_NEWNET).expect("root");
    }
}

fn new_network() -> File {
    unshare(CloneFlags::CLONE_NEWNET).expect("root");
    File::open("/proc/thread-self/ns/net").expect("/proc")
}

fn sh(line: &str) -> String {
    let done = output(Command::new("sh").args(["-ec", line]));
    assert!(done.status.success(), "{line}: {}{}", done.stdout(), done.stderr());
    done.stdout()
}

/// A thread whose children are in another process namespace cannot start threads: clone(2).
fn output(command: &mut Command) -> Done {
    let done = command.stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } = done.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Done {
        status,
        out: stdout,
        err: stderr,
    }
}

/// Runs `act` in a thread of its own, and propagates its panic.
fn in_new_thread<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| match scope.spawn(act).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
