//! docs/stores/postgresql.md, with a real PgBouncer.

use super::SHORT_LEASE;
use super::server::{Server, Servers};
use super::text::Guide;
use testing::until;

/// PgBouncer gives each transaction a new connection, on which what the role prefers is weak. The server rejects each change that
/// does not ask for more.
const STRICT: &str = r"
sed -i 's/^default_pool_size.*/&\nserver_lifetime = 0/' /etc/pgbouncer/pgbouncer.ini
su postgres -c 'psql -q rcron' <<'END'
ALTER ROLE rcron SET synchronous_commit = off;
ALTER ROLE rcron SET default_transaction_isolation = 'repeatable read';
CREATE FUNCTION strict() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
    IF (current_setting('synchronous_commit'), current_setting('transaction_isolation')) <> ('on', 'read committed') THEN
        RAISE 'a weak change';
    END IF;
    RETURN NEW;
END$$;
CREATE TRIGGER strict BEFORE INSERT OR UPDATE ON rcron FOR EACH ROW EXECUTE FUNCTION strict();
END
systemctl restart pgbouncer
";

/// Sets the store up, and starts rcrond on all servers.
pub(super) fn set_up(servers: &Servers, guide: &Guide) {
    store(&servers.db1, guide);
    let toml = format!("{}{SHORT_LEASE}", guide.block("Configure rcrond", 0));
    servers.on_each(&toml);
    servers.on_each(guide.block("Configure rcrond", 1));
    servers.nodes[0].follow(guide.block("Configure rcrond", 2));
    servers.on_each(guide.block("Configure rcrond", 3));
}

/// Sets the database server up.
pub(super) fn store(db1: &Server, guide: &Guide) {
    // As the package has installed it, whatever is on this machine.
    db1.run(
        "rm -rf /etc/postgresql/* /var/lib/postgresql/*
         pg_createcluster $(ls /usr/lib/postgresql | sort -n | tail -1) main -- --no-sync >/dev/null
         systemctl start postgresql",
    );
    let users = "The user, the database, and who may connect";
    for (heading, number) in [
        ("Listen and encrypt", 0),
        ("Listen and encrypt", 1),
        (users, 0),
        (users, 1),
        (users, 2),
    ] {
        db1.follow(guide.block(heading, number));
    }
}

#[test]
#[ignore = "needs root, postgresql, pgbouncer, openssl and iproute2: `make test` installs them and runs it"]
fn postgresql_over_the_network_and_behind_pgbouncer() {
    let servers = Servers::boot();
    let guide = Guide::read("stores/postgresql.md");
    servers.configure_rcron();
    set_up(&servers, &guide);
    servers.say("PostgreSQL");
    servers.active();
    assert!(servers.nodes[1].check().ends_with("nothing is wrong\n"));

    servers.db1.follow(guide.block("PgBouncer", 0));
    for node in &servers.nodes {
        node.run("sed -i s/db1:5432/db1:6432/ /etc/rcron/rcrond.toml; systemctl reload rcrond");
    }
    for (mode, reports) in [("session", true), ("transaction", false)] {
        servers.say(&format!("PgBouncer, pool_mode={mode}"));
        servers.db1.run(&format!(
            "sed -i 's/pool_mode=[a-z]*/pool_mode={mode}/' /etc/pgbouncer/pgbouncer.ini; systemctl restart pgbouncer"
        ));
        for node in &servers.nodes {
            until("the watch", || {
                (all_seen(node) && watch_failure(node).is_none() == reports).then_some(())
            });
        }
        let report = servers.nodes[0].check();
        assert_eq!(report.contains("set its pool_mode to session"), !reports, "{report}");
        servers.active();
    }
    servers.db1.run(STRICT);
    drained_behind_pgbouncer(&servers);
    servers.on_each("systemctl stop rcrond");
    servers.db1.run("systemctl stop pgbouncer");
    servers.db1.follow(guide.block("Undo", 0));
    guide.is_complete();
}

/// Another server takes over although no notification comes, and the epoch grows.
fn drained_behind_pgbouncer(servers: &Servers) {
    let old = servers.active();
    let epoch = |server: &Server| {
        server
            .status()
            .pointer("/clusters/0/epoch")
            .and_then(serde_json::Value::as_u64)
    };
    let before = epoch(old);
    old.run("rcronctl drain");
    let new = until("another server to be active", || {
        servers.active_now().into_iter().find(|server| server.name != old.name)
    });
    assert!(epoch(new) > before, "{before:?}");
}

/// Why its rcrond is not notified of changes.
fn watch_failure(node: &Server) -> Option<String> {
    let status = node.status();
    let failure = status.pointer("/rcrond/store/watch_failure")?.as_str()?;
    assert!(
        failure.contains("pool_mode") || failure.contains("connect"),
        "{failure}"
    );
    Some(failure.to_owned())
}

fn all_seen(node: &Server) -> bool {
    let status = node.status();
    let answers = status
        .pointer("/rcrond/store/answers")
        .and_then(serde_json::Value::as_bool);
    answers != Some(false) && node.nodes().len() == 3
}
