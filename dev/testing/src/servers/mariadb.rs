//! A MariaDB, or a Galera cluster of three.

use super::{Instance, TestServer, free_port, server};
use crate::certificates::{Authority, Certificate};
use crate::process::{Done, Running, run};
use nix::unistd::{Gid, Uid, User, chown};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The server's program. The variable names another one, to test another version: also MySQL's `mysqld`.
const PROGRAM: &str = "/usr/sbin/mariadbd";
const VARIABLE: &str = "MARIADBD";
const PACKAGE: &str = "mariadb-server";
/// Where versions have the statements that create their own tables.
const SYSTEM_TABLES: [&str; 2] = [
    "/usr/share/mariadb/mariadb_system_tables.sql",
    "/usr/share/mysql/mysql_system_tables.sql",
];
/// The superuser, who needs no password over the Unix socket.
const SUPERUSER: &str = r#"INSERT INTO global_priv VALUES ('localhost', 'admin', '{"access":18446744073709551615}')"#;
/// The database and its users, besides the one of this process, who is known over the Unix socket.
const CREATE: &str = "CREATE DATABASE ops";
const USERS: [&str; 8] = [
    CREATE,
    "CREATE USER rcrond IDENTIFIED BY 'secret'",
    "CREATE USER trusted",
    "CREATE USER certified REQUIRE X509",
    "GRANT SELECT, INSERT, UPDATE, CREATE ON ops.* TO rcrond",
    "GRANT SELECT, INSERT, UPDATE, CREATE ON ops.* TO trusted",
    "GRANT SELECT, INSERT, UPDATE, CREATE ON ops.* TO certified",
    "FLUSH PRIVILEGES",
];
const GALERA: &str = "/usr/lib/galera/libgalera_smm.so";
/// Small values, because several servers run side by side.
pub const SMALL: [&str; 6] = [
    "--innodb-log-file-size=4M",
    "--innodb-buffer-pool-size=8M",
    "--innodb-temp-data-file-path=ibtmp1:2M:autoextend",
    "--innodb-data-file-path=ibdata1:2M:autoextend",
    "--performance-schema=OFF",
    "--max-connections=40",
];

/// A running MariaDB with a database `ops`, in which the users `rcrond` (password `secret`), `trusted` (no password),
/// `certified` (a certificate), and over the Unix socket this process's own user, may create tables.
pub struct MariaDb {
    instance: Instance,
    port: u16,
    options: Vec<String>,
    /// The directory of its certificate and key.
    tls: Option<TempDir>,
    /// Its place in a Galera cluster.
    galera: Option<Node>,
}

impl MariaDb {
    /// Starts one, and waits until it answers.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with more options: `--NAME=VALUE`.
    #[must_use]
    pub fn start_with(options: &[&str]) -> Self {
        let mut one = Self::prepare(options);
        one.launch_on_free_ports(|one| one.port = free_port());
        one.create_users();
        one
    }

    /// Starts one that also offers TLS, to clients with or without a certificate from this authority.
    #[must_use]
    pub fn start_with_tls(authority: &Authority) -> Self {
        let Certificate { certificate, key, .. } = authority.server("mariadb");
        // The server's user cannot read the authority's directory.
        let directory = tempfile::tempdir().expect("a directory");
        let names = ["server.pem", "server.key", "authority.pem"].map(|name| directory.path().join(name));
        for (from, to) in [&certificate, &key, &authority.certificate()].into_iter().zip(&names) {
            fs::copy(from, to).expect("copied");
            fs::set_permissions(to, fs::Permissions::from_mode(0o600)).expect("private");
            give(to);
        }
        give(directory.path());
        let [certificate, key, authorities] = names.map(|name| name.display().to_string());
        let mut one = Self::start_with(&[
            &format!("--ssl-cert={certificate}"),
            &format!("--ssl-key={key}"),
            &format!("--ssl-ca={authorities}"),
        ]);
        one.tls = Some(directory);
        one
    }

    /// Its data as they are before its first start.
    fn prepare(options: &[&str]) -> Self {
        let instance = Instance::new();
        give(instance.path());
        let one = Self {
            instance,
            port: 0,
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            tls: None,
            galera: None,
        };
        fs::create_dir(one.data()).expect("a directory");
        give(&one.data());
        let mut bootstrap = one.program();
        bootstrap.arg(format!("--datadir={}", one.data().display()));
        if is_mysql() {
            worked(bootstrap.arg("--initialize-insecure"));
            return one;
        }
        let script = one.instance.path().join("bootstrap");
        fs::write(&script, bootstrap_script()).expect("written");
        bootstrap.args(SMALL).args(["--bootstrap", "--log-warnings=0"]);
        worked(bootstrap.stdin(File::open(script).expect("readable")));
        one
    }

    fn create_users(&self) {
        for statement in USERS {
            self.sql(statement);
        }
        let own = User::from_uid(Uid::effective()).ok().flatten().expect("a user").name;
        let plugin = if is_mysql() {
            "WITH auth_socket"
        } else {
            "VIA unix_socket"
        };
        if !is_mysql() || own != "root" {
            self.sql(&format!("CREATE USER {own}@localhost IDENTIFIED {plugin}"));
        }
        self.sql(&format!(
            "GRANT SELECT, INSERT, UPDATE, CREATE ON ops.* TO {own}@localhost"
        ));
    }

    /// `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The path of its Unix socket.
    #[must_use]
    pub fn socket(&self) -> String {
        self.instance.path().join("s").display().to_string()
    }

    /// Executes a statement in the database `ops` as the superuser. Returns its result, a line for each row.
    ///
    /// # Panics
    /// If it fails.
    pub fn sql(&self, text: &str) -> String {
        let done = run(&mut self.client(text));
        assert!(done.status.success(), "{text}: {}", done.stderr());
        done.stdout().trim_end().to_owned()
    }

    /// Executes statements that take long, in a client of its own, which is killed when the result is dropped.
    #[must_use]
    pub fn start_client(&self, text: &str) -> Running {
        Running::start(&mut self.client(text))
    }

    fn client(&self, text: &str) -> Command {
        let mut client = Command::new("mariadb");
        let user = if is_mysql() { "root" } else { "admin" };
        client.args([
            "--no-defaults",
            "-N",
            "-B",
            "--skip-ssl",
            "--user",
            user,
            "--socket",
            &self.socket(),
        ]);
        let is_early = text == CREATE || text == "SELECT 1" || text.starts_with("SHOW");
        let database = if is_early { "" } else { "USE ops; " };
        client.args(["-e", &format!("{database}{text}")]).stdin(Stdio::null());
        client
    }

    fn data(&self) -> PathBuf {
        self.instance.path().join("data")
    }

    /// A command for its program, as an ordinary user: MariaDB refuses to run as root.
    fn program(&self) -> Command {
        let mut command = server(&program(), PACKAGE);
        if let Some((user, group)) = user() {
            // setpriv(1)'s own options go before the program.
            let mut other = Command::new("setpriv");
            let ids = [user.to_string(), group.to_string()];
            other.args(["--reuid", &ids[0], "--regid", &ids[1], "--clear-groups"]);
            other.args(command.get_args());
            command = other;
        }
        command.arg("--no-defaults").current_dir(self.instance.path());
        command.arg(format!("--tmpdir={}", self.instance.path().display()));
        command
    }
}

impl TestServer for MariaDb {
    fn instance(&self) -> &Instance {
        &self.instance
    }

    fn instance_mut(&mut self) -> &mut Instance {
        &mut self.instance
    }

    fn command(&self) -> Command {
        let mut command = self.program();
        command.arg(format!("--datadir={}", self.data().display()));
        command.arg(format!("--socket={}", self.socket()));
        command.arg(format!("--pid-file={}", self.instance.path().join("pid").display()));
        command.args(["--bind-address=127.0.0.1", &format!("--port={}", self.port)]);
        if is_mysql() {
            command.args(["--mysqlx=OFF", "--secure-file-priv=NULL", "--performance-schema=OFF"]);
        } else {
            command.args(SMALL);
        }
        if let Some(node) = &self.galera {
            command.args(node.options());
        }
        command.args(&self.options);
        command
    }

    fn answers(&self) -> bool {
        let is_ready = run(&mut self.client("SELECT 1")).status.success();
        is_ready && self.galera.as_ref().is_none_or(|_| self.status("wsrep_ready") == "ON")
    }
}

impl MariaDb {
    /// The value of a status variable.
    #[must_use]
    pub fn status(&self, name: &str) -> String {
        let row = self.sql(&format!("SHOW GLOBAL STATUS LIKE '{name}'"));
        row.split_once('\t')
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default()
    }
}

/// What a node of a Galera cluster is started with.
struct Node {
    group_port: u16,
    /// Where it receives what it has missed, or a copy of all data.
    state_port: u16,
    copy_port: u16,
    group_ports: Vec<u16>,
    /// It founds the cluster.
    is_first: bool,
}

impl Node {
    fn options(&self) -> Vec<String> {
        let peers: Vec<_> = self
            .group_ports
            .iter()
            .map(|port| format!("127.0.0.1:{port}"))
            .collect();
        let address = if self.is_first { String::new() } else { peers.join(",") };
        let provider = [
            format!("gmcast.listen_addr=tcp://127.0.0.1:{}", self.group_port),
            format!("ist.recv_addr=127.0.0.1:{}", self.state_port),
            "evs.keepalive_period=PT0.5S;evs.suspect_timeout=PT3S;evs.inactive_timeout=PT8S;gcache.size=8M".to_owned(),
        ];
        vec![
            "--wsrep-on=ON".to_owned(),
            format!("--wsrep-provider={GALERA}"),
            format!("--wsrep-cluster-address=gcomm://{address}"),
            format!("--wsrep-provider-options={}", provider.join(";")),
            "--wsrep-node-address=127.0.0.1".to_owned(),
            "--wsrep-sst-method=rsync".to_owned(),
            format!("--wsrep-sst-receive-address=127.0.0.1:{}", self.copy_port),
            "--binlog-format=ROW".to_owned(),
            "--innodb-autoinc-lock-mode=2".to_owned(),
        ]
    }
}

/// Three nodes that all accept writes.
pub struct Galera {
    /// The nodes.
    pub nodes: Vec<MariaDb>,
}

impl Galera {
    /// Starts three, and waits until each has joined.
    #[must_use]
    pub fn start() -> Self {
        assert!(Path::new(GALERA).exists(), "no {GALERA}: install galera-4");
        let mut nodes: Vec<_> = (0..3).map(|_| MariaDb::prepare(&[])).collect();
        let group_ports: Vec<_> = nodes.iter().map(|_| free_port()).collect();
        for (number, node) in nodes.iter_mut().enumerate() {
            node.galera = Some(Node {
                group_port: group_ports[number],
                state_port: free_port(),
                copy_port: free_port(),
                group_ports: group_ports.clone(),
                is_first: number == 0,
            });
            node.launch_on_free_ports(|node| node.port = free_port());
        }
        nodes[0].create_users();
        let galera = Self { nodes };
        galera.wait_until_whole();
        galera
    }

    /// Waits until all three nodes belong to one cluster.
    pub fn wait_until_whole(&self) {
        crate::until("three nodes of Galera", || {
            let is_whole = |node: &MariaDb| node.answers() && node.status("wsrep_cluster_size") == "3";
            self.nodes.iter().all(is_whole).then_some(())
        });
    }

    /// Starts a node again, which joins the others.
    pub fn rejoin(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.galera.as_mut().expect("a node").is_first = false;
        node.start_again();
    }
}

/// The statements that `mariadbd --bootstrap` needs first.
///
/// # Panics
/// If the package is not installed.
#[must_use]
pub fn bootstrap_script() -> String {
    let tables = SYSTEM_TABLES.into_iter().find_map(|path| fs::read_to_string(path).ok());
    let tables = tables.unwrap_or_else(|| panic!("no {SYSTEM_TABLES:?}: install {PACKAGE}"));
    format!("CREATE DATABASE mysql;\nUSE mysql;\n{tables}\n{SUPERUSER};\n")
}

fn program() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| PROGRAM.to_owned())
}

/// Whether it is MySQL that is tested.
#[must_use]
pub fn is_mysql() -> bool {
    !run(server(&program(), PACKAGE).arg("--version"))
        .stdout()
        .contains("MariaDB")
}

fn worked(command: &mut Command) -> Done {
    let done = run(command);
    assert!(done.status.success(), "{command:?}: {}", done.stderr());
    done
}

/// The user who runs it if the test runs as root.
fn user() -> Option<(Uid, Gid)> {
    if !Uid::effective().is_root() {
        return None;
    }
    let known = ["mysql", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten());
    let user = known.expect("the user mysql or nobody");
    Some((user.uid, user.gid))
}

fn give(path: &Path) {
    if let Some((user, group)) = user() {
        chown(path, Some(user), Some(group)).expect("given");
    }
}
