//! docs/stores/etcd.md and docs/stores/firewall.md.

use super::SHORT_LEASE;
use super::server::{Server, Servers};
use super::text::Guide;
use testing::until;

/// Members on a busy machine must not take each other for dead.
const PATIENT: &str = "ETCD_HEARTBEAT_INTERVAL=300\nETCD_ELECTION_TIMEOUT=3000\n";

#[test]
#[ignore = "needs root, etcd, openssl, nftables and iproute2: `make test` installs them and runs it"]
fn etcd_with_tls_and_users_behind_a_firewall() {
    let servers = Servers::boot();
    let guide = Guide::read("stores/etcd.md");
    let first = &servers.nodes[0];
    let once = |heading: &str, number| first.follow(guide.block(heading, number));
    servers.say("certificates");
    once("The certificate authority", 0);
    once("A certificate for each server", 0);
    once("A certificate for rcrond", 0);
    once("A certificate for rcrond", 1);
    copy_files(&servers, &guide);

    servers.say("etcd");
    for node in &servers.nodes {
        let address = format!("address={}\n", node.address);
        let start = guide.block("Start etcd", 0).replace("address=10.0.0.1\n", &address);
        node.follow(&start.replace("\nEND\n", &format!("\n{PATIENT}END\n")));
    }
    once("Start etcd", 1);
    let healthy = guide.block("Start etcd", 2);
    until("etcd to be healthy", || {
        first.attempt(healthy).status.success().then_some(())
    });
    once("The users of etcd", 0);
    let role = once("The users of etcd", 1);
    assert!(role.contains("[rcron/, rcron0) (prefix rcron/)"), "{role}");

    servers.say("rcrond");
    let toml = format!("{}{SHORT_LEASE}", guide.block("Configure rcrond", 0));
    servers.configure_rcron();
    servers.on_each(&toml);
    servers.on_each(guide.block("Configure rcrond", 1));
    servers.active();
    only_the_rights_that_it_needs(first);

    firewall(&servers);

    servers.say("new certificates");
    let serial = "openssl s_client -connect server1:2379 -CAfile /etc/rcron/etcd-ca.pem -cert /etc/rcron/rcrond.pem \
         -key /etc/rcron/rcrond.key </dev/null 2>/dev/null | openssl x509 -noout -serial";
    let old = first.run(serial);
    once("A certificate for each server", 0);
    once("A certificate for rcrond", 0);
    copy_files(&servers, &guide);
    assert_ne!(first.run(serial), old, "etcd still has its old certificate");
    servers.on_each(guide.block("Renew the certificates", 0));
    servers.on_each(guide.block("Renew the certificates", 1));

    servers.say("undo");
    once("Undo", 0);
    servers.on_each(&toml.replace(
        "user          = \"rcron\"\npassword_file = \"/etc/rcron/etcd.password\"\n",
        "",
    ));
    servers.on_each("systemctl reload rcrond");
    once("Undo", 1);
    assert!(first.check().ends_with("nothing is wrong\n"));
    servers.active();
    guide.is_complete();
}

fn copy_files(servers: &Servers, guide: &Guide) {
    servers.nodes[0].follow(guide.block("Copy the files", 0));
    servers.on_each(guide.block("Copy the files", 1));
}

/// It can do without the password, because the certificate names the user; but not without the certificate, and not with other keys.
fn only_the_rights_that_it_needs(server: &Server) {
    for (change, expected) in [
        ("/password_file/d", "nothing is wrong"),
        ("/cert_file/d; /key_file/d", "client certificate"),
        ("s/^servers/prefix = \"other\"\\n&/", "grant"),
    ] {
        let done = server.attempt(&format!(
            "install -m 600 /etc/rcron/rcrond.toml /root/other.toml; sed -i '{change}' /root/other.toml
             rcrond --check --conf /root/other.toml"
        ));
        assert!(done.stdout().contains(expected), "{change}: {}", done.stdout());
    }
}

/// Everything in these tests works with exactly the ports of the text. If one is closed, rcrond says so.
fn firewall(servers: &Servers) {
    servers.say("firewall");
    let guide = Guide::read("stores/firewall.md");
    let heading = "An example for nftables";
    servers.on_each(guide.block(heading, 0));
    for node in &servers.nodes {
        until("all nodes to be seen", || (node.nodes().len() == 3).then_some(()));
        assert!(node.check().ends_with("nothing is wrong\n"));
    }
    servers.active();

    let last = &servers.nodes[2];
    for (verdict, expected) in [
        ("drop", "no answer within 5 s"),
        ("reject with tcp reset", "Connection refused"),
    ] {
        last.run(&format!(
            "nft insert rule inet rcron output ip daddr @stores tcp dport 2379 ct state new {verdict}"
        ));
        let report = last.attempt(guide.block("If a port is closed", 0)).stdout();
        assert!(report.contains(expected), "{verdict}: {report}");
        last.run("nft -f /etc/nftables-rcron.conf");
    }
    servers.on_each(guide.block(heading, 1));
    servers.on_each(guide.block(heading, 2));
    guide.is_complete();
}
