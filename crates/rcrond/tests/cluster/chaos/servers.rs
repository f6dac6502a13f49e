//! The servers of any store, for random faults.

use crate::stores::Single;
use crate::stores::etcd::Etcd;
use nix::sys::signal::Signal;
use testing::lab::Host;

pub(super) trait Servers {
    fn hosts(&self) -> Vec<&Host>;

    /// The store's table in rcrond.toml.
    fn table(&self) -> String;

    /// Sends SIGSTOP or SIGCONT to a server.
    fn pause(&mut self, server: usize, signal: Signal);

    /// Kills a server, as a power failure does.
    fn kill(&mut self, server: usize);

    /// Starts a server with the data that it has.
    fn start(&mut self, server: usize);

    /// Sets a server's wall clock this many seconds from the right time.
    fn set_wall_clock(&self, server: usize, offset: i64);

    /// Whether the data can be lost as a whole, so that rcrond must notice it.
    fn loses_data(&self) -> bool;

    /// Removes all data of the only server, which is down.
    fn lose_data(&mut self);

    /// What an administrator does after a loss of data.
    fn prepare(&self);

    /// Writes junk in the place of a record, if the store answers.
    fn spoil(&self, key: &str);

    /// Deletes a record, if the store answers. Returns whether it does.
    fn delete(&self, key: &str) -> bool;
}

impl<S: Single> Servers for S {
    fn hosts(&self) -> Vec<&Host> {
        vec![self.host()]
    }

    fn table(&self) -> String {
        Single::table(self)
    }

    fn pause(&mut self, _: usize, signal: Signal) {
        Single::pause(self, signal);
    }

    fn kill(&mut self, _: usize) {
        Single::kill(self);
    }

    fn start(&mut self, _: usize) {
        Single::start(self);
    }

    fn set_wall_clock(&self, _: usize, offset: i64) {
        Single::set_wall_clock(self, offset);
    }

    fn loses_data(&self) -> bool {
        true
    }

    fn lose_data(&mut self) {
        Single::lose_data(self);
    }

    fn prepare(&self) {
        Single::prepare(self);
    }

    fn spoil(&self, key: &str) {
        Single::spoil(self, key);
    }

    fn delete(&self, key: &str) -> bool {
        Single::delete(self, key)
    }
}

impl Servers for Etcd {
    fn hosts(&self) -> Vec<&Host> {
        Self::hosts(self)
    }

    fn table(&self) -> String {
        Self::table(self)
    }

    fn pause(&mut self, server: usize, signal: Signal) {
        self.members[server].signal(signal);
    }

    fn kill(&mut self, server: usize) {
        self.members[server].kill();
    }

    fn start(&mut self, server: usize) {
        self.members[server].start();
    }

    fn set_wall_clock(&self, server: usize, offset: i64) {
        self.members[server].set_wall_clock(offset);
    }

    /// A cluster of etcd that lost everything has the same id as before.
    fn loses_data(&self) -> bool {
        false
    }

    fn lose_data(&mut self) {
        unreachable!("see loses_data");
    }

    fn prepare(&self) {}

    fn spoil(&self, key: &str) {
        self.etcdctl(&["put", &format!("rcron/{key}"), "junk"]);
    }

    fn delete(&self, key: &str) -> bool {
        self.etcdctl(&["del", &format!("rcron/{key}")])
    }
}
