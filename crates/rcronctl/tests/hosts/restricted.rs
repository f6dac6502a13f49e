//! The key of a monitoring server: rcronctl(8), "EXAMPLES".

use crate::lab::{Server, Site};
use std::fs;
use std::process::Command;

/// As in the guide.
const OPTIONS: &str = r#"restrict,command="rcronctl export --restricted""#;

fn restrict(site: &Site, server: &Server) {
    let key = fs::read_to_string(site.path("key.pub")).expect("a key");
    fs::write(server.directory.join("authorized_keys"), format!("{OPTIONS} {key}")).expect("written");
}

#[test]
#[ignore = "needs root, openssh-server and openssh-client: `make test` installs them and runs it"]
fn restricted_key_exports_and_does_nothing_else() {
    let guide = include_str!("../../../../docs/monitoring.md");
    assert!(guide.contains(&format!("\n       {OPTIONS} ssh-ed25519 ")));
    let site = Site::new();
    let db1 = site.server("db1");
    site.run_on(&db1, "echo 'a b'");
    site.run_on(&db1, "--job other true");
    restrict(&site, &db1);
    let json = site.json(0, &["history", "--host", "db1", "--job", "echo a b", "--since", "1h"]);
    assert_eq!(json["runs"].as_array().map(Vec::len), Some(1), "{json}");
    assert_eq!(site.rcronctl(&["interrupted", "--host", "db1"]).code(), Some(0));
    let marker = site.path("marker");
    let touch = format!("touch {}", marker.display());
    for line in [
        touch.as_str(),
        &format!("rcronctl export; {touch}"),
        &format!("rcronctl export $({touch})"),
        &format!("rcronctl export\n{touch}"),
        "rcronctl status",
        "rcronctl export --journal=/etc",
        "rcronctl set passive",
        "",
    ] {
        let mut ssh = Command::new("ssh");
        ssh.args(["-n", "-T", "-o", "BatchMode=yes", "db1"]);
        let done = site.here.run(if line.is_empty() { &mut ssh } else { ssh.arg(line) });
        assert!(done.code() == Some(2) && done.out.is_empty(), "{line}: {done:?}");
        let message = done.stderr();
        assert!(
            message.contains("this key may only be used for") || message.contains("is not set"),
            "{line}: {message}"
        );
    }
    assert!(!marker.exists());
    // No file, no connection to another port, no terminal.
    let copy = format!("db1:{}", db1.directory.join("state").display());
    let target = site.path("stolen");
    let done = site
        .here
        .run(Command::new("scp").args(["-q", "-B", &copy]).arg(&target));
    assert!(!done.status.success() && !target.exists(), "{done:?}");
    let done = site
        .here
        .run(Command::new("ssh").args(["-n", "-W", "127.0.0.1:22", "db1"]));
    assert!(!done.status.success() && done.out.is_empty(), "{done:?}");
    let done = site
        .here
        .run(Command::new("ssh").args(["-n", "-tt", "db1", "rcronctl export"]));
    assert!(done.stderr().contains("PTY allocation request failed"), "{done:?}");
}
