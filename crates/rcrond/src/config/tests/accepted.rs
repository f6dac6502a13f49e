//! Valid files.

use super::super::{ClusterSettings, Config};
use super::*;
use lease::{ClusterName, NodeName, RunOn, Timing};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use store::{Login, Secret, Settings, etcd::Etcd, mariadb::MariaDb, postgresql::PostgreSql, redis::Redis, tls};

fn timing(lease: u64, settle: u64, grace: u64, delay: u64) -> Timing {
    let [lease, settle, grace, delay] = [lease, settle, grace, delay].map(Duration::from_secs);
    Timing::new(lease, settle, grace, delay).expect("a timing")
}

fn login(user: &str, password: &str) -> Login {
    Login {
        user: user.into(),
        password: Some(Secret::new(password.into())),
    }
}

fn store_of(text: &str) -> Settings {
    load_valid(text).config.store
}

#[test]
fn missing_keys_have_their_defaults() {
    let config = load_valid(&format!("{ETCD}{CLUSTER}")).config;
    let expected = Config {
        node: NodeName::new("web1").expect("a name"),
        store: Settings {
            kind: Arc::new(Etcd),
            servers: vec!["a:2379".into()],
            prefix: "rcron/".into(),
            login: None,
            tls: None,
        },
        clusters: vec![ClusterSettings {
            name: ClusterName::new("c"),
            state_file: "/var/run/rcron/state".into(),
            journal: Some("/var/lib/rcron/journal".into()),
            priority: 100,
            timing: timing(10, 1, 0, 30),
            run_on: RunOn::Active,
        }],
        max_skew: Duration::from_secs(10),
        metrics: None,
        job_metrics: true,
        socket: "/run/rcrond/socket".into(),
        claims_socket: "/run/rcrond/claims".into(),
        run_dir: "/run/rcrond".into(),
        state_dir: "/var/lib/rcrond".into(),
    };
    assert_eq!(config, expected);
}

#[test]
fn all_keys_are_read() {
    let text = "node = 'Server.1'\nrun_dir = '/r'\nstate_dir = '/s'\nmax_skew = '1h'\n[postgresql]\n\
        servers = ['db1', '[::1]:5433', '10.0.0.1:6000', '/run/postgresql', '/run/postgresql:6000']\n\
        database = 'd'\ntable = 'ops.t'\nprefix = 'p'\nuser = 'u'\npassword = 'x y'\ntls = true\n\
        [metrics]\nlisten = '[::1]:9187'\njobs = false\n[control]\nsocket = '/c/s'\n\
        [[cluster]]\nname = 'web shop'\nstate_file = '/run/rcron/web'\njournal = 'none'\npriority = 0\n\
        run_on = 'any'\nlease = '1m'\nsettle = '2s'\ngrace = '3s'\npreempt_delay = '4s'\n\
        [[cluster]]\nname = 'b'\nstate_file = '/run/rcron/b'\npriority = 1_000_000\nrun_on = 'active'\n";
    let config = load_valid(text).config;
    assert_eq!(config.node.as_str(), "Server.1");
    assert_eq!(
        config.store,
        Settings {
            kind: Arc::new(PostgreSql {
                database: "d".into(),
                table: "ops.t".into(),
            }),
            servers: [
                "db1:5432",
                "[::1]:5433",
                "10.0.0.1:6000",
                "/run/postgresql",
                "/run/postgresql:6000"
            ]
            .map(String::from)
            .to_vec(),
            prefix: "p".into(),
            login: Some(login("u", "x y")),
            tls: Some(tls::Settings::default()),
        }
    );
    assert_eq!(
        config.metrics.map(|address| address.to_string()),
        Some("[::1]:9187".into())
    );
    assert!(!config.job_metrics);
    assert_eq!(config.run_dir, PathBuf::from("/r"));
    assert_eq!(config.state_dir, PathBuf::from("/s"));
    assert_eq!(config.socket, PathBuf::from("/c/s"));
    assert_eq!(config.max_skew, Duration::from_secs(3600));
    let [web, other] = &config.clusters[..] else {
        panic!("{:?}", config.clusters);
    };
    assert_eq!(web.name.as_str(), "web shop");
    assert_eq!(web.state_file, PathBuf::from("/run/rcron/web"));
    assert_eq!(web.journal, None);
    assert_eq!((web.priority, web.timing), (0, timing(60, 2, 3, 4)));
    assert_eq!((other.priority, other.timing), (1_000_000, timing(10, 1, 0, 30)));
    assert_eq!((web.run_on, other.run_on), (RunOn::Any, RunOn::Active));
}

#[test]
fn each_kind_of_store_has_its_own_default_user() {
    let expected = Settings {
        kind: Arc::new(Redis { database: 3 }),
        servers: vec!["a:6379".into()],
        prefix: "rcron:".into(),
        login: Some(login("", "x")),
        tls: None,
    };
    assert_eq!(store_of(&in_redis("password = 'x'\ndatabase = 3\n")), expected);
    let expected = Settings {
        kind: Arc::new(MariaDb {
            database: "rcron".into(),
            table: "cron_leases".into(),
        }),
        servers: vec!["a:3306".into()],
        prefix: "rcron/".into(),
        login: Some(login("rcron", "x")),
        tls: None,
    };
    assert_eq!(
        store_of(&in_mariadb("password = 'x'\ntable = 'cron_leases'\n")),
        expected
    );
    let postgresql = store_of(&in_postgresql("password = 'x'\n"));
    assert_eq!(postgresql.login, Some(login("rcron", "x")));
    assert_eq!(postgresql.kind.location(), "database rcron, table rcron");
    let postgresql = store_of(&in_postgresql(""));
    let alone = Login {
        user: "rcron".into(),
        password: None,
    };
    assert_eq!(postgresql.login, Some(alone));
}

#[test]
fn the_socket_is_in_run_dir_by_default() {
    let config = load_valid(&format!("run_dir = '/r'\n{ETCD}{CLUSTER}")).config;
    assert_eq!(config.socket, PathBuf::from("/r/socket"));
}

#[test]
fn each_syntax_of_toml_is_read() {
    let plain = load_valid(&format!("{NODE}{ETCD}{CLUSTER}")).config;
    for text in [
        "node = \"n\"\netcd = { servers = [\"a\"] }\ncluster = [{ name = \"c\" }]\n",
        "node = \"n\"\r\netcd.servers = [\r\n\"a\", # one\r\n]\r\n[[cluster]]\r\nname = \"c\"",
        "\"node\" = '''n'''\n[etcd]\nservers = [\"a\"]\ntls = false\n[[cluster]]\nname = \"\\u0063\"\n",
    ] {
        assert_eq!(load_valid(text).config, plain, "{text}");
    }
}

#[test]
fn a_password_is_never_printed() {
    let config = load_valid(&in_redis("password = 'geheim'\n")).config;
    assert!(!format!("{config:?}").contains("geheim"));
    for text in [
        "password = 'geheim'\nserverz = 1\n",
        "passwort = 'geheim'\n",
        "password = 'geheim\n",
        "password: geheim\n",
    ] {
        let Err(diagnostic) = load_from(in_redis(text).as_bytes(), &web1()) else {
            panic!("accepted: {text}");
        };
        assert!(!diagnostic.full.contains("geheim"), "{}", diagnostic.full);
        assert!(!diagnostic.summary.contains("geheim"), "{}", diagnostic.summary);
    }
}

#[test]
fn a_host_without_a_name_of_its_own_needs_the_key_node() {
    let text = format!("{ETCD}{CLUSTER}");
    for (host, shown) in [
        ("localhost", "localhost"),
        ("localhost.localdomain", "localhost.localdomain"),
        ("LOCALHOST", "LOCALHOST"),
        ("(none)", "(none)"),
        ("", ""),
    ] {
        let surroundings = Surroundings {
            host: host.into(),
            credentials: None,
            ..Surroundings::default()
        };
        let expected = format!(
            "1:1: this host is called `{shown}`, as many are: two nodes with one name count as one \
             (add node = \"NAME\" at the top, or give the host a name)"
        );
        assert_eq!(problems_with(&text, &surroundings), [expected]);
        assert!(load_from(format!("{NODE}{text}").as_bytes(), &surroundings).is_ok());
    }
}

#[test]
fn many_problems_are_reported_together_and_counted() {
    let text: Vec<String> = (0..20_000).map(|number| format!("k{number} = 1\n")).collect();
    let Err(diagnostic) = load_from(at_top(&text.concat()).as_bytes(), &web1()) else {
        panic!("accepted");
    };
    assert!(
        diagnostic.full.starts_with("rcrond.toml:1:1: unknown key `k0`\n"),
        "{}",
        diagnostic.full
    );
    assert!(
        diagnostic.full.ends_with("\n(95 more invalid lines)"),
        "{}",
        diagnostic.full
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(text in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = load_from(&text, &web1());
    }

    #[test]
    fn any_bytes_in_a_valid_file_are_read_without_a_panic(
        at in 0usize..1000,
        junk in prop::collection::vec(any::<u8>(), 0..4),
        cut in 0usize..6,
    ) {
        let mut text = in_etcd("tls = { server_name = 'x' }\nuser = 'u'\npassword = 'p'\n").into_bytes();
        text.extend_from_slice(b"lease = '10s'\npriority = 5\n[metrics]\nlisten = '127.0.0.1:1'\n");
        let at = at % text.len();
        let end = (at + cut).min(text.len());
        text.splice(at..end, junk);
        if let Err(diagnostic) = load_from(&text, &web1()) {
            prop_assert!(diagnostic.full.starts_with("rcrond.toml:"), "{}", diagnostic.full);
        }
    }
}
