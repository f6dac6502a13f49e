//! Real stores on the lab's hosts.

pub(crate) mod etcd;
pub(crate) mod mariadb;
pub(crate) mod postgresql;
pub(crate) mod redis;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use testing::lab::Host;
use testing::process::{Running, children, is_gone};
use testing::until;

/// A store that has a single server.
pub(crate) trait Single {
    fn host(&self) -> &Host;

    /// Its table in rcrond.toml.
    fn table(&self) -> String;

    /// The server's process; `None` while it is down.
    fn server(&mut self) -> &mut Option<Running>;

    /// Starts it with its old data, and waits until it answers.
    fn start(&mut self);

    /// Removes all data of a server that is down, including what rcrond needs in it.
    fn lose_data(&mut self);

    /// What an administrator does after a loss of data, with the file that comes with rcrond.
    fn prepare(&self);

    /// Whether rcrond can know, after a restart, that nothing was lost.
    fn is_known_again(&self) -> bool;

    /// Whether [`Single::set_wall_clock`] works on this machine.
    fn has_own_wall_clock(&self) -> bool {
        true
    }

    /// Sets its wall clock to this many seconds from the right time.
    fn set_wall_clock(&self, offset: i64);

    /// Its wall clock in seconds since 1970, read from the server.
    fn wall_clock(&self) -> i64;

    /// Writes a record.
    fn leave_a_mark(&self);

    /// Whether this record is still there.
    fn has_the_mark(&self) -> bool;

    /// Writes junk in the place of rcrond's record with this key, if it answers.
    fn spoil(&self, key: &str);

    /// Deletes rcrond's record with this key. Returns whether it has answered.
    fn delete(&self, key: &str) -> bool;

    /// Sends SIGSTOP or SIGCONT to all its processes.
    fn pause(&mut self, signal: Signal) {
        let pid = self.server().as_ref().expect("it is up").pid();
        for pid in children(pid).into_iter().chain([pid]) {
            // A process for one client may end in the meantime.
            let _ = nix::sys::signal::kill(Pid::from_raw(pid), signal);
        }
    }

    /// Kills it, as a power failure does.
    fn kill(&mut self) {
        kill(self.server());
    }
}

/// Ends a server and its children with -9.
fn kill(server: &mut Option<Running>) {
    let mut server = server.take().expect("it is up");
    let children = children(server.pid());
    server.signal(Signal::SIGKILL as i32);
    server.wait();
    for child in children {
        // It may have exited by itself, because its parent is gone.
        let _ = nix::sys::signal::kill(Pid::from_raw(child), Signal::SIGKILL);
        until("a server's child to be gone", || is_gone(child).then_some(()));
    }
}

/// Starts a server with its output in a log.
fn start(host: &Host, log: &Path, command: &mut Command) -> Running {
    let log = File::options().create(true).append(true).open(log).expect("a log");
    command.stdout(log.try_clone().expect("a descriptor"));
    host.start(command.stdin(Stdio::null()).stderr(log))
}
