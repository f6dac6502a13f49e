//! A network of hosts on one machine, in namespaces of its own (mount, process, network). Root only.
//!
//! Nothing of the machine is touched. A host is a network namespace with one cable to a switch in another; all see the same
//! files. Every process on a host ends with the lab, and that with the test, however it ends.

mod realm;

use crate::process::{Done, Running};
use nix::sched::{CloneFlags, setns, unshare};
use realm::Realm;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// The switch, and the processes' home.
pub struct Lab {
    realm: Arc<Realm>,
    lost: Mutex<BTreeSet<(String, String)>>,
}

/// A host on the switch.
pub struct Host {
    /// Its name, which is also that of its socket on the switch.
    pub name: String,
    /// Its address, in a /24 network that all hosts share.
    pub address: String,
    network: File,
    realm: Arc<Realm>,
}

impl Lab {
    /// Makes a switch with nothing on it. `boot` is a script for sh that makes the mounts which the lab shall have.
    pub fn new(boot: &str) -> Self {
        let lab = Self {
            realm: Arc::new(Realm::new(boot)),
            lost: Mutex::default(),
        };
        lab.on_switch("ip link add br0 type bridge forward_delay 0; ip link set br0 up");
        lab
    }

    /// Adds a host. Names have at most 15 characters.
    pub fn host(&self, name: &str, address: &str) -> Host {
        let host = Host {
            name: name.to_owned(),
            address: address.to_owned(),
            network: aside(new_network),
            realm: Arc::clone(&self.realm),
        };
        // Seen from in here the lab's first process is number 1; its network is the switch's.
        host.sh(&format!(
            "ip link set lo up; ip link add eth0 type veth peer name {name} netns 1; \
             ip address add {address}/24 dev eth0; ip link set eth0 up"
        ));
        self.on_switch(&format!("ip link set {name} master br0 up"));
        host
    }

    /// Loses all that these hosts send to those from now on. None of them sees why.
    pub fn lose(&self, from: &[&Host], to: &[&Host]) {
        self.filter(|lost| {
            for from in from {
                lost.extend(to.iter().map(|to| (from.name.clone(), to.name.clone())));
            }
        });
    }

    /// Cuts these hosts off from those, both ways.
    pub fn part(&self, some: &[&Host], others: &[&Host]) {
        self.lose(some, others);
        self.lose(others, some);
    }

    /// Loses nothing any more.
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
        self.realm.inside(|| {
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
        self.realm.inside(|| sh(line));
    }
}

impl Host {
    /// Does something in its network, and with the lab's mounts. It can start programs, but no threads.
    pub fn within<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        self.realm.inside(|| {
            self.enter();
            act()
        })
    }

    /// Starts a program. It is ended with the lab at the latest.
    pub fn start(&self, command: &mut Command) -> Running {
        self.within(|| Running::start(command))
    }

    /// Runs a program to its end.
    pub fn run(&self, command: &mut Command) -> Done {
        self.within(|| output(command))
    }

    /// Runs a line of sh, which must succeed; what it wrote to stdout.
    pub fn sh(&self, line: &str) -> String {
        self.within(|| sh(line))
    }

    /// Brings the calling thread, and what it starts from now on, to this host for good.
    pub fn move_in(&self) {
        self.realm.enter();
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

/// No thread can be started by one whose children are in another process namespace: clone(2).
fn output(command: &mut Command) -> Done {
    let done = command.stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } = done.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Done {
        status,
        out: stdout,
        err: stderr,
    }
}

/// Does something in a thread of its own, and passes its panic on.
fn aside<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| match scope.spawn(act).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
