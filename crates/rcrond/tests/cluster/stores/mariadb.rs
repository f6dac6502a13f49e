//! One MariaDB that writes everything to its disk at once.

use super::Single;
use crate::faketime::FakeTime;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use testing::lab::{Host, Lab};
use testing::process::Running;
use testing::servers::mariadb::{SMALL, bootstrap_script};
use testing::until;

const TABLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../packaging/mariadb/rcrond-mariadb.sql"
);

/// The store.
pub(crate) struct MariaDb {
    host: Host,
    directory: PathBuf,
    /// What its first start executes. The host sees this file, and this process does not see the host's data.
    script: PathBuf,
    log: PathBuf,
    clock: FakeTime,
    server: Option<Running>,
}

impl MariaDb {
    /// Its data go to a directory `mariadb` in `data`, its log to `logs`. MariaDB does not run as root: both must be open to all.
    pub(crate) fn new(lab: &Lab, data: &Path, logs: &Path) -> Self {
        let store = Self {
            host: lab.host("store", "10.9.0.11"),
            directory: data.join("mariadb"),
            script: logs.join("mariadb.sql"),
            log: logs.join("mariadb.log"),
            clock: FakeTime::new(logs, "mariadb"),
            server: None,
        };
        store
            .host
            .sh(&format!("install -d -o mysql {}", store.directory.display()));
        store.make();
        store
    }

    /// As it is before rcrond has ever seen it.
    fn make(&self) {
        let users = "CREATE DATABASE rcron;\nINSERT INTO global_priv VALUES ('%', 'rcron', '{\"access\":18446744073709551615}');\n";
        fs::write(&self.script, bootstrap_script() + users).expect("written");
        self.host.sh(&format!("install -d -o mysql {}", self.data().display()));
        let mut bootstrap = Command::new("sh");
        let server = self.as_mysql();
        bootstrap
            .args(["-c", "exec \"$@\" --bootstrap --log-warnings=0 <\"$0\""])
            .arg(&self.script);
        bootstrap.arg(server.get_program()).args(server.get_args());
        let done = self.host.run(&mut bootstrap);
        assert!(done.status.success(), "bootstrap: {}{}", done.stdout(), done.stderr());
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// By its own wall clock, and not as root.
    fn as_mysql(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=mysql", "--regid=mysql", "--clear-groups", "env"]);
        for (name, value) in self.clock.variables() {
            let mut variable = OsString::from(name);
            variable.push("=");
            variable.push(value);
            command.arg(variable);
        }
        command.args(["/usr/sbin/mariadbd", "--no-defaults"]).args(SMALL);
        command.arg(format!("--datadir={}", self.data().display()));
        command.arg(format!("--tmpdir={}", self.directory.display()));
        command
    }

    /// What the client prints; `None` if it does not succeed.
    fn ask(&self, statement: &str) -> Option<String> {
        let mut client = Command::new("mariadb");
        client.args([
            "--no-defaults",
            "-N",
            "-B",
            "--skip-ssl",
            "--connect-timeout=2",
            "--user=rcron",
        ]);
        client.args(["--host", &self.host.address, "-e", statement, "rcron"]);
        let done = self.host.run(&mut client);
        done.status.success().then(|| done.stdout().trim().to_owned())
    }
}

impl Single for MariaDb {
    fn host(&self) -> &Host {
        &self.host
    }

    fn table(&self) -> String {
        format!("[mariadb]\nservers = [\"{}:3306\"]\n", self.host.address)
    }

    fn server(&mut self) -> &mut Option<Running> {
        &mut self.server
    }

    fn start(&mut self) {
        let mut command = self.as_mysql();
        command.arg(format!("--bind-address={}", self.host.address));
        command.arg(format!("--socket={}", self.directory.join("s").display()));
        command.arg(format!("--pid-file={}", self.directory.join("pid").display()));
        self.server = Some(super::start(&self.host, &self.log, &mut command));
        until("MariaDB to answer", || self.ask("SELECT 1"));
    }

    fn lose_data(&mut self) {
        self.host.sh(&format!("rm -r {}", self.data().display()));
        self.make();
    }

    fn prepare(&self) {
        self.ask(&format!("SOURCE {TABLE}")).expect("rcrond-mariadb.sql");
    }

    fn is_known_again(&self) -> bool {
        true
    }

    fn set_wall_clock(&self, offset: i64) {
        self.clock.set(offset);
    }

    fn leave_a_mark(&self) {
        self.ask("CREATE TABLE mark (x INT)").expect("an answer");
    }

    fn has_the_mark(&self) -> bool {
        let count = self.ask("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = 'mark'");
        count.expect("an answer") == "1"
    }

    fn spoil(&self, key: &str) {
        self.ask(&format!(
            "UPDATE rcron SET value = 'junk', version = 1 WHERE `key` = 'rcron/{key}'"
        ));
    }

    fn delete(&self, key: &str) -> bool {
        self.ask(&format!("DELETE FROM rcron WHERE `key` = 'rcron/{key}'"))
            .is_some()
    }

    fn wall_clock(&self) -> i64 {
        let seconds = self.ask("SELECT UNIX_TIMESTAMP()");
        seconds.expect("an answer").parse().expect("seconds")
    }
}
