//! A PostgreSQL.

use super::{Instance, TestServer, free_port, server};
use crate::certificates::{Authority, text};
use crate::process::{Done, children, is_gone, is_stopped, run};
use crate::until;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Gid, Pid, Uid, User, chown};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The file pg_hba.conf: the superuser needs no password over the Unix socket, and `trusted` needs none at all; `certified`
/// needs a certificate, and all others need a password, which `plain` must send in plain text.
const HBA: &str = "local all postgres trust
local replication postgres trust
local all plain password
local all all scram-sha-256
hostssl all certified 127.0.0.1/32 cert
host all trusted 127.0.0.1/32 trust
host all plain 127.0.0.1/32 password
host all all 127.0.0.1/32 scram-sha-256
";

/// A running PostgreSQL with a database `ops`, in which the users `rcrond` and `plain` (password `secret`), `trusted` and
/// `certified` may create tables.
pub struct PostgreSql {
    instance: Instance,
    port: u16,
    options: Vec<String>,
    /// The directory of its certificate and key.
    tls: Option<TempDir>,
}

impl PostgreSql {
    /// Starts one, and waits until it answers.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with more options: `NAME=VALUE`.
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
        one.launch_on_free_ports(|one| one.port = free_port());
        for line in [
            "CREATE DATABASE ops",
            "CREATE ROLE rcrond LOGIN PASSWORD 'secret'",
            "CREATE ROLE plain LOGIN PASSWORD 'secret'",
            "CREATE ROLE trusted LOGIN",
            "CREATE ROLE certified LOGIN",
        ] {
            one.sql_in("postgres", line);
        }
        one.sql("GRANT CREATE ON SCHEMA public TO rcrond, plain, trusted, certified");
        one
    }

    /// Starts one that also offers TLS, to clients with or without a certificate from this authority.
    #[must_use]
    pub fn start_with_tls(authority: &Authority) -> Self {
        let certificate = authority.server("postgresql");
        // PostgreSQL requires that no other user can read the key, and its user cannot read the authority's directory.
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

    /// Starts a standby of this server.
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
            .arg(self.instance.path())
            .args(["-p", &self.port.to_string(), "-D"]);
        worked(copy.arg(standby.data()));
        standby.launch_on_free_ports(|standby| standby.port = free_port());
        standby
    }

    /// Promotes a standby to primary.
    pub fn promote(&self) {
        assert_eq!(self.sql("SELECT pg_promote(true, 60)"), "t");
    }

    fn prepare(options: &[&str]) -> Self {
        let instance = Instance::new();
        give(instance.path());
        Self {
            instance,
            port: 0,
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            tls: None,
        }
    }

    /// `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The directory of its Unix socket, with the port that is in the socket's name.
    #[must_use]
    pub fn socket(&self) -> String {
        format!("{}:{}", self.instance.path().display(), self.port)
    }

    /// Executes statements in the database `ops` as the superuser. Returns their result, a line for each row.
    ///
    /// # Panics
    /// If a statement fails.
    pub fn sql(&self, text: &str) -> String {
        self.sql_in("ops", text)
    }

    fn sql_in(&self, database: &str, text: &str) -> String {
        let mut psql = self.program("psql");
        psql.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-U", "postgres"]);
        psql.arg("-h")
            .arg(self.instance.path())
            .args(["-p", &self.port.to_string(), "-c", text, database]);
        worked(&mut psql).stdout().trim_end().to_owned()
    }

    fn data(&self) -> PathBuf {
        self.instance.path().join("data")
    }

    fn processes(&self) -> Vec<i32> {
        let pid = self.instance.running().pid();
        let mut all = vec![pid];
        all.extend(children(pid));
        all
    }

    /// A command for one of its programs, as an ordinary user: PostgreSQL refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let path = programs().join(name);
        let mut command = server(text(&path), "postgresql");
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
        command.current_dir(self.instance.path());
        command
    }
}

impl TestServer for PostgreSql {
    fn instance(&self) -> &Instance {
        &self.instance
    }

    fn instance_mut(&mut self) -> &mut Instance {
        &mut self.instance
    }

    fn command(&self) -> Command {
        let hba = self.instance.path().join("hba");
        fs::write(&hba, HBA).expect("written");
        give(&hba);
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data());
        let mut set = |name: &str, value: &dyn std::fmt::Display| {
            command.args(["-c", &format!("{name}={value}")]);
        };
        set("listen_addresses", &"127.0.0.1");
        set("port", &self.port);
        set("unix_socket_directories", &self.instance.path().display());
        set("hba_file", &hba.display());
        set("password_encryption", &"scram-sha-256");
        // Small values, because several servers run side by side.
        set("max_connections", &"30");
        set("shared_buffers", &"2MB");
        for option in &self.options {
            command.args(["-c", option]);
        }
        command
    }

    fn answers(&self) -> bool {
        let mut ask = self.program("pg_isready");
        ask.args(["-q", "-h"])
            .arg(self.instance.path())
            .args(["-p", &self.port.to_string()]);
        run(&mut ask).status.success()
    }

    /// Kills all its processes.
    fn kill(&mut self) {
        let all = self.processes();
        self.instance.process = None;
        until("PostgreSQL's processes to end", || {
            all.iter().all(|pid| is_gone(*pid)).then_some(())
        });
    }

    /// Stops all its processes.
    fn pause(&self) {
        let postmaster = self.instance.running().pid();
        stop(postmaster);
        // A stopped postmaster starts no other processes.
        children(postmaster).into_iter().for_each(stop);
    }

    fn resume(&self) {
        for pid in self.processes() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGCONT);
        }
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        if self.instance.process.is_some() {
            self.kill();
        }
    }
}

/// Stops a process, which may end meanwhile.
fn stop(pid: i32) {
    let _ = kill(Pid::from_raw(pid), Signal::SIGSTOP);
    until("a process of PostgreSQL to stop", || {
        (is_gone(pid) || is_stopped(pid)).then_some(())
    });
}

fn worked(command: &mut Command) -> Done {
    let done = run(command.stdin(Stdio::null()));
    assert!(done.status.success(), "{command:?}: {}", done.stderr());
    done
}

/// The directory of the newest installed version's programs.
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

/// The user who runs it if the test runs as root.
fn user() -> Option<(Uid, Gid)> {
    if !Uid::effective().is_root() {
        return None;
    }
    let known = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten());
    let user = known.expect("the user postgres or nobody");
    Some((user.uid, user.gid))
}

fn give(path: &Path) {
    if let Some((user, group)) = user() {
        chown(path, Some(user), Some(group)).expect("given");
    }
}
