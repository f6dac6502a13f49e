//! One PostgreSQL.

use super::Single;
use crate::faketime::FakeTime;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use testing::lab::{Host, Lab};
use testing::process::Running;
use testing::until;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/postgresql/rcrond.sql");

/// The store.
pub(crate) struct PostgreSql {
    host: Host,
    directory: PathBuf,
    programs: PathBuf,
    log: PathBuf,
    clock: FakeTime,
    server: Option<Running>,
}

impl PostgreSql {
    /// Its data go to a directory `postgresql` in `data`, its log to `logs`. PostgreSQL does not run as root: both must be open
    /// to all.
    pub(crate) fn new(lab: &Lab, data: &Path, logs: &Path) -> Self {
        let store = Self {
            host: lab.host("store", "10.9.0.11"),
            directory: data.join("postgresql"),
            programs: programs(),
            log: logs.join("postgresql.log"),
            clock: FakeTime::new(logs, "postgresql"),
            server: None,
        };
        store
            .host
            .sh(&format!("install -d -o postgres {}", store.directory.display()));
        store.make();
        store
    }

    /// As it is before rcrond has ever seen it.
    fn make(&self) {
        let mut initdb = self.as_postgres("initdb");
        initdb.args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--pgdata"]);
        let done = self.host.run(initdb.arg(self.data()));
        assert!(done.status.success(), "initdb: {}{}", done.stdout(), done.stderr());
        let rules = self.data().join("pg_hba.conf");
        self.host
            .sh(&format!("echo 'host all all 10.9.0.0/24 trust' >>{}", rules.display()));
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// By its own wall clock, and not as root.
    fn as_postgres(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "env"]);
        for (name, value) in self.clock.variables() {
            let mut variable = OsString::from(name);
            variable.push("=");
            variable.push(value);
            command.arg(variable);
        }
        command.arg(self.programs.join(program)).current_dir("/");
        command
    }

    /// What psql prints; `None` if it does not succeed.
    fn ask(&self, statement: &str) -> Option<String> {
        self.psql(&["-c", statement])
    }

    fn psql(&self, arguments: &[&str]) -> Option<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-h", &self.host.address, "-U", "postgres", "-XAtq"])
            .args(arguments);
        let done = self.host.run(psql.env("PGCONNECT_TIMEOUT", "2"));
        done.status.success().then(|| done.stdout().trim().to_owned())
    }
}

impl Single for PostgreSql {
    fn host(&self) -> &Host {
        &self.host
    }

    fn table(&self) -> String {
        format!(
            "[postgresql]\nservers = [\"{}:5432\"]\ndatabase = \"postgres\"\nuser = \"postgres\"\ntable = \"rcron\"\n",
            self.host.address
        )
    }

    fn server(&mut self) -> &mut Option<Running> {
        &mut self.server
    }

    fn start(&mut self) {
        let mut command = self.as_postgres("postgres");
        command.arg("-D").arg(self.data());
        command.args(["-c", &format!("listen_addresses={}", self.host.address)]);
        command.args(["-c", "unix_socket_directories="]);
        self.server = Some(super::start(&self.host, &self.log, &mut command));
        until("PostgreSQL to answer", || self.ask("select 1"));
    }

    fn lose_data(&mut self) {
        self.host.sh(&format!("rm -r {}", self.data().display()));
        self.make();
    }

    fn prepare(&self) {
        self.psql(&["-f", TABLE]).expect("rcrond.sql");
    }

    fn is_known_again(&self) -> bool {
        true
    }

    fn set_wall_clock(&self, offset: i64) {
        self.clock.set(offset);
    }

    fn leave_a_mark(&self) {
        self.ask("create table mark ()").expect("an answer");
    }

    fn has_the_mark(&self) -> bool {
        self.ask("select count(*) from pg_class where relname = 'mark'")
            .expect("an answer")
            == "1"
    }

    fn spoil(&self, key: &str) {
        self.ask(&format!(
            "update rcron set value = 'junk', version = 1 where key = 'rcron/{key}'"
        ));
    }

    fn delete(&self, key: &str) -> bool {
        self.ask(&format!("delete from rcron where key = 'rcron/{key}'"))
            .is_some()
    }

    fn wall_clock(&self) -> i64 {
        let seconds = self.ask("select extract(epoch from clock_timestamp())::bigint");
        seconds.expect("an answer").parse().expect("seconds")
    }
}

/// The newest version's.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .expect("package postgresql")
        .flatten();
    let number = |path: &PathBuf| -> Option<u32> { path.file_name()?.to_str()?.parse().ok() };
    let newest = versions.map(|version| version.path()).max_by_key(number);
    newest.expect("package postgresql").join("bin")
}
