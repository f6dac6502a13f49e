//! A PostgreSQL.

use super::{free_port, server};
use crate::certificates::Authority;
use crate::process::{Done, Running, children, run, stands_still};
use crate::until;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Gid, Pid, Uid, User, chown};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Who may come in, and how: the superuser through the socket in the file system, `trusted` as such, `certified` by a certificate, all others by a password.
const DOORS: &str = "local all postgres trust
local replication postgres trust
local all all scram-sha-256
hostssl all certified 127.0.0.1/32 cert
host all trusted 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
";

/// A running PostgreSQL with a database `ops`, in which the users `rcrond` (password `secret`), `trusted` and `certified` may
/// create tables. Its data are in a directory that goes away with it. Its thread must outlive it.
pub struct PostgreSql {
    process: Option<Running>,
    directory: TempDir,
    port: u16,
    options: Vec<String>,
    /// Its certificate and key.
    tls: Option<TempDir>,
}

impl PostgreSql {
    /// Starts one, and waits until it answers.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more options: `NAME=VALUE`.
    #[must_use]
    pub fn start_with(options: &[&str]) -> Self {
        let mut one = Self::prepare(options);
        let mut initdb = one.program("initdb");
        initdb.args([
            "--no-sync",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
            "-D",
        ]);
        worked(initdb.arg(one.data()));
        one.come_up();
        for line in [
            "CREATE DATABASE ops",
            "CREATE ROLE rcrond LOGIN PASSWORD 'secret'",
            "CREATE ROLE trusted LOGIN",
            "CREATE ROLE certified LOGIN",
        ] {
            one.sql_in("postgres", line);
        }
        one.sql("GRANT CREATE ON SCHEMA public TO rcrond, trusted, certified");
        one
    }

    /// Starts one that speaks TLS too, also with clients that have a certificate from this authority.
    #[must_use]
    pub fn start_with_tls(authority: &Authority) -> Self {
        let certificate = authority.server("postgresql");
        // It wants a key that nobody else can read, and its user cannot read the authority's directory.
        let directory = tempfile::tempdir().expect("a directory");
        let names = ["server.pem", "server.key", "authority.pem"].map(|name| directory.path().join(name));
        for (from, to) in [&certificate.certificate, &certificate.key, &authority.certificate()]
            .into_iter()
            .zip(&names)
        {
            fs::copy(from, to).expect("copied");
            fs::set_permissions(to, fs::Permissions::from_mode(0o600)).expect("private");
            give(to);
        }
        give(directory.path());
        let [certificate, key, authorities] = names.map(|name| name.display().to_string());
        let mut one = Self::start_with(&[
            "ssl=on",
            &format!("ssl_cert_file={certificate}"),
            &format!("ssl_key_file={key}"),
            &format!("ssl_ca_file={authorities}"),
        ]);
        one.tls = Some(directory);
        one
    }

    /// A standby of this one, which follows it.
    #[must_use]
    pub fn standby(&self) -> Self {
        let mut standby = Self::prepare(&[]);
        let mut copy = standby.program("pg_basebackup");
        copy.args([
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
            "-U",
            "postgres",
        ]);
        copy.arg("-h")
            .arg(self.directory.path())
            .args(["-p", &self.port.to_string(), "-D"]);
        worked(copy.arg(standby.data()));
        standby.come_up();
        standby
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        assert_eq!(self.sql("SELECT pg_promote(true, 60)"), "t");
    }

    fn prepare(options: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        give(directory.path());
        Self {
            process: None,
            directory,
            port: free_port(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            tls: None,
        }
    }

    /// `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The directory of its Unix socket, and the port that is in the socket's name.
    #[must_use]
    pub fn socket(&self) -> String {
        format!("{}:{}", self.directory.path().display(), self.port)
    }

    /// Kills all its processes, and waits until they are gone. The data stay.
    pub fn kill(&mut self) {
        let all = self.processes();
        self.process = None;
        until("PostgreSQL's processes to end", || {
            all.iter().all(|pid| crate::process::is_gone(*pid)).then_some(())
        });
    }

    /// Starts it again on its port with the data that are there, and waits until it answers.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_again(&mut self) {
        self.launch();
        assert!(self.has_come_up(), "postgres does not start again:\n{}", self.log());
    }

    /// Stops all its processes (SIGSTOP), and waits until they stand still: it takes connections, and says nothing.
    pub fn pause(&self) {
        let postmaster = self.process.as_ref().expect("running").pid();
        stop(postmaster);
        // Now there will be no others.
        children(postmaster).into_iter().for_each(stop);
    }

    /// Lets them go on.
    pub fn resume(&self) {
        for pid in self.processes() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGCONT);
        }
    }

    /// Executes statements in the database `ops` as the superuser. Returns what they answer, a line for each row.
    ///
    /// # Panics
    /// If they fail.
    pub fn sql(&self, text: &str) -> String {
        self.sql_in("ops", text)
    }

    /// What it has written to its log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn sql_in(&self, database: &str, text: &str) -> String {
        let mut psql = self.program("psql");
        psql.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-U", "postgres"]);
        psql.arg("-h")
            .arg(self.directory.path())
            .args(["-p", &self.port.to_string(), "-c", text, database]);
        worked(&mut psql).stdout().trim_end().to_owned()
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn processes(&self) -> Vec<i32> {
        let pid = self.process.as_ref().expect("running").pid();
        let mut all = vec![pid];
        all.extend(children(pid));
        all
    }

    /// Launches it, on another port if somebody was quicker to take this one.
    fn come_up(&mut self) {
        until("a port that stays free", || {
            self.launch();
            if self.has_come_up() {
                return Some(());
            }
            let log = self.log();
            assert!(log.contains("in use"), "postgres does not start:\n{log}");
            self.port = free_port();
            None
        });
    }

    fn launch(&mut self) {
        let doors = self.directory.path().join("doors");
        fs::write(&doors, DOORS).expect("written");
        give(&doors);
        let log = File::create(self.directory.path().join("log")).expect("a log");
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data());
        let mut set = |name: &str, value: &dyn std::fmt::Display| {
            command.args(["-c", &format!("{name}={value}")]);
        };
        set("listen_addresses", &"127.0.0.1");
        set("port", &self.port);
        set("unix_socket_directories", &self.directory.path().display());
        set("hba_file", &doors.display());
        set("password_encryption", &"scram-sha-256");
        // Small: several run side by side.
        set("max_connections", &"30");
        set("shared_buffers", &"2MB");
        for option in &self.options {
            command.args(["-c", option]);
        }
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log);
        self.process = Some(Running::start(&mut command));
    }

    /// `false`: it has ended.
    fn has_come_up(&mut self) -> bool {
        until("postgres to answer or to end", || {
            if self.process.as_mut().expect("launched").has_ended() {
                return Some(false);
            }
            let mut ask = self.program("pg_isready");
            ask.args(["-q", "-h"])
                .arg(self.directory.path())
                .args(["-p", &self.port.to_string()]);
            run(&mut ask).status.success().then_some(true)
        })
    }

    /// One of its programs, as a user that may run it: it refuses to be root's.
    fn program(&self, name: &str) -> Command {
        let path = programs().join(name);
        let mut command = server(path.to_str().expect("text"), "postgresql");
        if let Some((user, group)) = user() {
            // setpriv(1)'s own options go before the program.
            let mut other = Command::new("setpriv");
            other.args([
                "--reuid",
                &user.to_string(),
                "--regid",
                &group.to_string(),
                "--clear-groups",
            ]);
            other.args(command.get_args());
            command = other;
        }
        command.current_dir(self.directory.path());
        command
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

/// Stops a process; one that has ended meanwhile stands still, too.
fn stop(pid: i32) {
    let _ = kill(Pid::from_raw(pid), Signal::SIGSTOP);
    until("a process of PostgreSQL to stand still", || {
        (crate::process::is_gone(pid) || stands_still(pid)).then_some(())
    });
}

fn worked(command: &mut Command) -> Done {
    let done = run(command.stdin(Stdio::null()));
    assert!(done.status.success(), "{command:?}: {}", done.stderr());
    done
}

/// The newest that is installed.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let found = versions.filter_map(|version| {
        let version = version.ok()?;
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let programs = version.path().join("bin");
        programs.join("postgres").exists().then_some((number, programs))
    });
    found.max().expect("no postgres: install postgresql").1
}

/// Who is to run it, if we are root.
fn user() -> Option<(Uid, Gid)> {
    if !Uid::effective().is_root() {
        return None;
    }
    let known = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten());
    let user = known.expect("a user postgres or nobody");
    Some((user.uid, user.gid))
}

fn give(path: &Path) {
    if let Some((user, group)) = user() {
        chown(path, Some(user), Some(group)).expect("given");
    }
}
