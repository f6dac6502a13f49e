//! docs/stores/mariadb.md and docs/stores/redis.md.

use super::SHORT_LEASE;
use super::server::Servers;
use super::text::Guide;

#[test]
#[ignore = "needs root, mariadb-server, openssl and iproute2: `make test` installs them and runs it"]
fn mariadb_over_the_network() {
    let servers = Servers::boot();
    let guide = Guide::read("stores/mariadb.md");
    let db1 = |heading: &str, number| servers.db1.follow(guide.block(heading, number));
    // As the package has installed it, whatever is on this machine.
    servers
        .db1
        .run("rm -rf /var/lib/mysql; mariadb-install-db --user=mysql --skip-test-db >/dev/null");
    db1("Listen and encrypt", 0);
    db1("Listen and encrypt", 1);
    db1("The database and the account", 0);
    db1("The database and the account", 1);
    servers.configure_rcron();
    let toml = format!("{}{SHORT_LEASE}", guide.block("Configure rcrond", 0));
    servers.on_each(&toml);
    servers.on_each(guide.block("Configure rcrond", 1));
    servers.nodes[0].follow(guide.block("Configure rcrond", 2));
    servers.on_each(guide.block("Configure rcrond", 3));
    db1("Configure rcrond", 4);
    servers.active();
    assert!(servers.nodes[1].check().ends_with("nothing is wrong\n"));
    let accounts = db1("If rcrond cannot log in", 0);
    assert!(accounts.contains("rcron\t10.0.0.%\tANY"), "{accounts}");
    without_tls(&servers, "mariadb");
    servers.on_each("systemctl stop rcrond");
    db1("Undo", 0);
    guide.is_complete();
}

#[test]
#[ignore = "needs root, redis-server, openssl and iproute2: `make test` installs them and runs it"]
fn redis_over_the_network() {
    let servers = Servers::boot();
    let guide = Guide::read("stores/redis.md");
    let db1 = |heading: &str, number| servers.db1.follow(guide.block(heading, number));
    let listen = "Listen, encrypt, and keep what was confirmed";
    db1(listen, 0);
    db1(listen, 1);
    db1("The user", 0);
    db1("The user", 1);
    assert_eq!(db1("The user", 2), "PONG\n");
    servers.configure_rcron();
    let toml = format!("{}{SHORT_LEASE}", guide.block("Configure rcrond", 0));
    servers.on_each(&toml);
    servers.on_each(guide.block("Configure rcrond", 1));
    servers.on_each(guide.block("Configure rcrond", 2));
    servers.active();
    assert!(servers.nodes[1].check().ends_with("nothing is wrong\n"));
    without_tls(&servers, "redis");
    servers.on_each("systemctl stop rcrond");
    db1("Undo", 0);
    assert_eq!(servers.db1.run("redis-cli ping"), "PONG\n");
    guide.is_complete();
}

/// The server accepts no client without TLS.
fn without_tls(servers: &Servers, store: &str) {
    let report = servers.nodes[2].attempt(
        "sed '/tls\\]/d; /ca_file/d' /etc/rcron/rcrond.toml >/root/other.toml; chmod 600 /root/other.toml
         rcrond --check --conf /root/other.toml",
    );
    assert_eq!(report.code(), Some(1), "{store} without TLS: {}", report.stdout());
}
