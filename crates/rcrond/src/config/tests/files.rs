//! Files: the configuration itself, and those that it names.

use super::*;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use store::tls::Settings;
use tempfile::{TempDir, tempdir};

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nx\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nx\n";

fn directory() -> TempDir {
    tempdir().expect("a directory")
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

fn load(path: &Path) -> Result<Loaded, String> {
    super::super::document::read_file(path, &web1()).map_err(|diagnostic| diagnostic.full)
}

fn refusal(path: &Path) -> String {
    load(path).map(|_| ()).expect_err("rejected")
}

fn password_of(loaded: Loaded) -> String {
    let login = loaded.config.store.login.expect("a login");
    login.password.expect("a password").reveal().to_owned()
}

fn tls_of(loaded: Loaded) -> Settings {
    loaded.config.store.tls.expect("tls")
}

fn warnings(loaded: &Loaded) -> Vec<&str> {
    loaded.warnings.iter().map(|warning| warning.summary.as_str()).collect()
}

#[test]
fn a_file_is_read_through_a_link_and_with_a_byte_order_mark() {
    let directory = directory();
    let path = file(&directory, "real", &format!("\u{feff}{}", in_etcd("")));
    set_mode(&path, 0o600);
    let link = directory.path().join("link");
    symlink(&path, &link).expect("linked");
    assert_eq!(load(&link).expect("valid").config.node.as_str(), "n");
}

#[test]
fn another_kind_of_file_or_a_large_one_is_rejected_without_waiting() {
    let directory = directory();
    let named = directory.path().display();
    assert_eq!(
        refusal(&directory.path().join("missing")),
        format!("cannot read the configuration from {named}/missing: no such file")
    );
    assert_eq!(
        refusal(directory.path()),
        format!("cannot read the configuration from {named}: it is a directory, not a regular file")
    );
    let fifo = directory.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    assert_eq!(
        refusal(&fifo),
        format!("cannot read the configuration from {named}/fifo: it is a FIFO, not a regular file")
    );
    let large = file(&directory, "large", &"#\n".repeat(1 << 20));
    assert_eq!(
        refusal(&large),
        format!("cannot read the configuration from {named}/large: it is larger than 1 MiB")
    );
}

#[test]
fn the_socket_is_found_in_a_file_that_is_rejected_too() {
    let directory = directory();
    for (text, socket) in [
        ("", "/run/rcrond/socket"),
        ("junk", "/run/rcrond/socket"),
        ("run_dir = '/r'\nnonsense = 1\n", "/r/socket"),
        ("run_dir = '/r'\n[control]\nsocket = '/s'\n[[cluster]\n", "/s"),
        ("run_dir = 1\ncontrol = 2\n", "/run/rcrond/socket"),
    ] {
        let path = file(&directory, "toml", text);
        assert_eq!(super::super::find_socket(&path), PathBuf::from(socket), "{text}");
    }
    let missing = directory.path().join("missing");
    assert_eq!(super::super::find_socket(&missing), PathBuf::from("/run/rcrond/socket"));
}

#[test]
fn a_password_that_other_users_may_read_is_rejected() {
    let directory = directory();
    let path = file(&directory, "toml", &in_redis("password = \"x\"\n"));
    let named = path.display();
    set_mode(&path, 0o604);
    assert_eq!(
        refusal(&path),
        format!(
            "{named} is rejected: it contains a password, and every user may read it (mode 0604)\n  \
             chmod 600 {named}, and change the password; or use `password_file`"
        )
    );
    set_mode(&path, 0o600);
    assert_eq!(password_of(load(&path).expect("valid")), "x");
}

#[test]
fn a_file_without_a_password_may_be_readable_but_not_writable() {
    let directory = directory();
    let path = file(&directory, "toml", &in_redis(""));
    let named = path.display();
    set_mode(&path, 0o644);
    assert!(load(&path).is_ok());
    set_mode(&path, 0o646);
    assert_eq!(
        refusal(&path),
        format!("{named} is rejected: every user may write it (mode 0646)\n  chown root {named}; chmod 600 {named}")
    );
}

#[test]
fn a_password_file_is_read_without_its_newline() {
    let directory = directory();
    for (content, password) in [
        ("a b", "a b"),
        ("a\n", "a"),
        ("a\r\n", "a"),
        (" a ", " a "),
        ("ä\n", "ä"),
    ] {
        let path = file(&directory, "secret", content);
        set_mode(&path, 0o600);
        let loaded = load_valid(&in_redis(&format!("password_file = \"{}\"\n", path.display())));
        assert_eq!(warnings(&loaded), [""; 0]);
        assert_eq!(password_of(loaded), password, "{content:?}");
    }
}

#[test]
fn a_password_file_without_a_password_is_rejected() {
    let directory = directory();
    let path = directory.path().join("secret");
    let named = path.display();
    let text = in_redis(&format!("password_file = \"{named}\"\n"));
    for (content, why) in [
        (&b""[..], format!("4:17: {named} is empty")),
        (b"\n", format!("4:17: {named} is empty")),
        (
            b"a\nb\n",
            format!("4:17: {named} has a control character (write one line with only the password)"),
        ),
        (b"\xff", format!("4:17: {named} is not UTF-8")),
    ] {
        fs::write(&path, content).expect("written");
        assert_eq!(problems(&text), [why]);
    }
}

#[test]
fn a_password_file_that_other_users_may_read_is_a_warning() {
    let directory = directory();
    let path = file(&directory, "secret", "x");
    let named = path.display();
    set_mode(&path, 0o644);
    let loaded = load_valid(&in_redis(&format!("password_file = \"{named}\"\n")));
    let expected = format!("{named} holds a password, and every user may read it (mode 0644): chmod 600 {named}");
    assert_eq!(warnings(&loaded), [expected]);
}

#[test]
fn a_credential_is_found_where_systemd_puts_it() {
    let directory = directory();
    set_mode(&file(&directory, "rcrond.password", "x"), 0o400);
    set_mode(&file(&directory, "rcrond.key", KEY), 0o400);
    let certificate = file(&directory, "cert", CERTIFICATE);
    let surroundings = Surroundings {
        host: String::new(),
        credentials: Some(directory.path().to_owned()),
        ..Surroundings::default()
    };
    let text = in_redis(&format!(
        "password_credential = \"rcrond.password\"\n[redis.tls]\ncert_file = \"{}\"\nkey_credential = \"rcrond.key\"\n",
        certificate.display()
    ));
    let loaded = load_from(text.as_bytes(), &surroundings).map_err(|diagnostic| diagnostic.full);
    let loaded = loaded.expect("valid");
    assert_eq!(warnings(&loaded), [""; 0]);
    assert_eq!(password_of(loaded), "x");
    assert_eq!(
        problems_with(&in_redis("password_credential = \"other\"\n"), &surroundings),
        [format!(
            "4:23: cannot read {}/other: no such file",
            directory.path().display()
        )]
    );
}

#[test]
fn certificates_and_keys_are_read() {
    let directory = directory();
    let [ca, cert] = ["ca", "cert"].map(|name| file(&directory, name, &format!("{name}\n{CERTIFICATE}")));
    let key = file(&directory, "key", KEY);
    set_mode(&key, 0o644);
    let (ca, cert, key) = (ca.display(), cert.display(), key.display());
    let loaded = load_valid(&in_redis(&format!(
        "[redis.tls]\nca_file = \"{ca}\"\ncert_file = \"{cert}\"\nkey_file = \"{key}\"\nserver_name = \"db\"\n"
    )));
    let expected = format!("{key} is a private key, and every user may read it (mode 0644): chmod 600 {key}");
    assert_eq!(warnings(&loaded), [expected]);
    let tls = tls_of(loaded);
    assert_eq!(tls.authorities, Some(format!("ca\n{CERTIFICATE}").into_bytes()));
    let identity = tls.identity.expect("an identity");
    assert_eq!(identity.certificates, format!("cert\n{CERTIFICATE}").into_bytes());
    assert_eq!(identity.key, KEY.as_bytes());
    assert_eq!(tls.server_name.as_deref(), Some("db"));
}

#[test]
fn a_file_without_a_certificate_or_key_is_rejected() {
    let directory = directory();
    let cert = file(&directory, "cert", CERTIFICATE).display().to_string();
    let key = file(&directory, "key", KEY).display().to_string();
    let locked = file(&directory, "locked", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
        .display()
        .to_string();
    for (text, why) in [
        (
            format!("ca_file = \"{key}\"\n"),
            vec![format!(
                "5:11: there is no certificate in {key} (write it as PEM: -----BEGIN CERTIFICATE-----)"
            )],
        ),
        (
            format!("cert_file = \"{cert}\"\nkey_file = \"{cert}\"\n"),
            vec![format!(
                "6:12: there is no private key in {cert} (write it as PEM: -----BEGIN PRIVATE KEY-----)"
            )],
        ),
        (
            format!("cert_file = \"{cert}\"\nkey_file = \"{locked}\"\n"),
            vec![format!(
                "6:12: the key in {locked} is encrypted \
                 (decrypt it, because no one can type the passphrase at boot; a systemd credential can protect it)"
            )],
        ),
        (
            format!("cert_file = \"{cert}\"\n"),
            vec!["5:1: `cert_file` needs `key_file` (add `key_file`)".into()],
        ),
        (
            format!("key_file = \"{key}\"\n"),
            vec!["5:1: a key needs a certificate (add `cert_file`)".into()],
        ),
        (
            format!("cert_file = \"{cert}\"\nkey_file = \"{key}\"\nkey_credential = \"x\"\n"),
            vec!["7:1: `key_file` and `key_credential` cannot be used together (give the key in one way only)".into()],
        ),
    ] {
        assert_eq!(problems(&in_redis(&format!("[redis.tls]\n{text}"))), why, "{text}");
    }
}

#[test]
fn a_cluster_is_read_from_its_rcron_conf() {
    let directory = directory();
    let conf = file(
        &directory,
        "web.conf",
        "cluster_name = web\nstate_file = /run/rcron/web\njournal = none\nrequire_lease = yes\n",
    );
    let text = format!("{NODE}{ETCD}[[cluster]]\nconf = \"{}\"\npriority = 7\n", conf.display());
    let loaded = load_valid(&text);
    assert_eq!(loaded.confs, [Some(conf)]);
    let cluster = &loaded.config.clusters[0];
    assert_eq!(cluster.name.as_str(), "web");
    assert_eq!(cluster.state_file, PathBuf::from("/run/rcron/web"));
    assert_eq!((cluster.journal.clone(), cluster.priority), (None, 7));
    load_valid(&format!(
        "{text}name = \"web\"\nstate_file = \"/run/rcron/web\"\njournal = \"none\"\n"
    ));
}

#[test]
fn a_cluster_that_contradicts_its_rcron_conf_is_rejected() {
    let directory = directory();
    let conf = file(
        &directory,
        "web.conf",
        "cluster_name = web\nstate_file = /run/rcron/web\nrequire_lease = yes\n",
    );
    let conf = conf.display();
    for (key, theirs) in [
        ("name = \"mail\"", "6:8: {conf} has a different cluster_name: web"),
        (
            "state_file = \"/run/rcron/mail\"",
            "6:14: {conf} has a different state_file: /run/rcron/web",
        ),
        (
            "journal = \"none\"",
            "6:11: {conf} has a different journal: /var/lib/rcron/journal",
        ),
    ] {
        let text = format!("{NODE}{ETCD}[[cluster]]\nconf = \"{conf}\"\n{key}\n");
        let expected = format!("{theirs} (omit it here, or correct one of the two)");
        assert_eq!(problems(&text), [expected.replace("{conf}", &conf.to_string())]);
    }
}

#[test]
fn an_rcron_conf_that_rcron_rejects_is_rejected() {
    let directory = directory();
    for (content, why) in [
        (
            "stat_file = /x\n",
            "{conf}:1:1: unknown key `stat_file` (did you mean `state_file`?) (correct that file: rcron rejects it, too)",
        ),
        (
            "state_file = x\nrequire_lease = yes\n",
            "the state_file in {conf} is not an absolute path (begin it with `/`: a relative path depends on the directory of each job)",
        ),
        (
            "cluster_name = \"\"\nrequire_lease = yes\n",
            "the cluster's name is empty",
        ),
        (
            "cluster_name = \u{7f}\nrequire_lease = yes\n",
            "the cluster's name contains a control character",
        ),
    ] {
        let conf = file(&directory, "web.conf", content).display().to_string();
        let text = format!("{NODE}{ETCD}[[cluster]]\nconf = \"{conf}\"\n");
        assert_eq!(problems(&text), [format!("5:8: {why}").replace("{conf}", &conf)]);
    }
}

#[test]
fn an_rcron_conf_that_does_not_require_a_lease_is_rejected() {
    let directory = directory();
    let here = directory.path().display().to_string();
    let without = format!("cluster_name = web\nstate_file = {here}/web\n");
    let conf = file(&directory, "web.conf", &without).display().to_string();
    let why = format!(
        "{conf} does not require a lease, so an `active` written by hand makes a second server active \
         (set require_lease = yes in {conf})"
    );
    let named = format!("{NODE}{ETCD}[[cluster]]\nconf = \"{conf}\"\n");
    assert_eq!(problems(&named), [format!("5:8: {why}")]);
    // A file that is not named is found by the state file, also through a link.
    symlink(&here, directory.path().join("link")).expect("linked");
    let surroundings = Surroundings {
        conf_directories: vec![directory.path().to_owned()],
        ..web1()
    };
    let found = format!("{NODE}{ETCD}[[cluster]]\nname = \"web\"\nstate_file = \"{here}/link/web\"\n");
    assert_eq!(problems_with(&found, &surroundings), [format!("6:1: {why}")]);
    let other = found.replace("/link/web", "/link/other");
    assert!(load_from(other.as_bytes(), &surroundings).is_ok());
    file(&directory, "web.conf", &format!("{without}require_lease = yes\n"));
    assert!(load_from(found.as_bytes(), &surroundings).is_ok());
    load_valid(&named);
}

#[test]
fn one_state_file_with_two_paths_is_rejected() {
    let directory = directory();
    fs::create_dir(directory.path().join("real")).expect("made");
    symlink("real", directory.path().join("link")).expect("linked");
    let named = directory.path().display();
    let text = format!(
        "{NODE}{ETCD}{CLUSTER}state_file = \"{named}/real/state\"\n\
         [[cluster]]\nname = \"d\"\nstate_file = \"{named}/link/state\"\n"
    );
    assert_eq!(
        problems(&text),
        [format!(
            "9:1: {named}/link/state is the state file of cluster `c` already (each cluster needs its own `state_file`)"
        )]
    );
}

#[test]
fn the_examples_are_valid() {
    let directory = directory();
    let here = directory.path().display().to_string();
    file(
        &directory,
        "rcron.conf",
        // As docs/rcrond.md has it: a cluster with a lease must require it.
        &include_str!("../../../../../examples/rcron.conf").replace("#require_lease = no", "require_lease = yes"),
    );
    file(
        &directory,
        "billing.conf",
        &include_str!("../../../../../examples/billing.conf").replace("#require_lease", "require_lease"),
    );
    for name in [
        "etcd.password",
        "postgresql.password",
        "mariadb.password",
        "redis.password",
    ] {
        file(&directory, name, "x\n");
    }
    for name in ["ca.pem", "rcrond.pem"] {
        file(&directory, name, CERTIFICATE);
    }
    file(&directory, "rcrond.key", KEY);
    for example in [
        include_str!("../../../../../examples/rcrond/etcd.toml"),
        include_str!("../../../../../examples/rcrond/postgresql.toml"),
        include_str!("../../../../../examples/rcrond/mariadb.toml"),
        include_str!("../../../../../examples/rcrond/redis.toml"),
    ] {
        let text = example.replace("/etc/rcron/", &format!("{here}/"));
        assert_eq!(load_valid(&text).config.clusters.len(), 1);
        // The commented lines that are TOML must be valid, too.
        let is_toml =
            |rest: &str| rest.starts_with('[') || rest.starts_with(char::is_lowercase) && rest.contains(" = ");
        let is_comment = |line: &str| line.strip_prefix("# ").is_some_and(is_toml);
        let lines = text
            .lines()
            .map(|line| if is_comment(line) { &line[2..] } else { line });
        load_valid(&lines.collect::<Vec<_>>().join("\n"));
    }
}
