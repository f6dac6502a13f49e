//! The metrics of a running daemon.

use crate::node::Node;
use crate::signals::{HUP, TERM};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use testing::servers::redis::Redis;
use testing::until;

#[test]
fn show_the_state_of_the_running_daemon() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis);
    let address = free_address();
    node.configure(&format!("{}[metrics]\nlisten = \"{address}\"\n", node.configuration()));
    node.start();
    node.is_active();
    until("the metrics of an active node", || {
        let page = scrape(address)?;
        page.contains("\nrcrond_active{cluster=\"web\"} 1\n").then_some(())
    });
    let page = scrape(address).expect("it listens");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    for sample in [
        "rcrond_store_up 1",
        "rcrond_session 1",
        "rcrond_epoch{cluster=\"web\"} 1",
        "rcrond_transitions_total{cluster=\"web\",to=\"active\"} 1",
    ] {
        assert!(page.contains(&format!("\n{sample}\n")), "{sample}\n{page}");
    }
}

#[test]
fn show_the_jobs_of_the_journal_unless_they_are_switched_off() {
    let redis = Redis::start();
    let mut node = Node::new("n1", &redis);
    let (address, other) = (free_address(), free_address());
    let configuration = node.configuration();
    node.configure(&format!("{configuration}[metrics]\nlisten = \"{address}\"\n"));
    node.start();
    node.is_active();
    let record = |event: &str, end: &str| {
        let now = jiff::Timestamp::now();
        format!(
            "{{\"time\":\"{now:.6}\",\"event\":\"{event}\",\"run\":\"019ab000-0000-7000-8000-000000000001\",\"node\":\"n1\",\
             \"cluster\":\"web\",\"job\":\"nightly\",\"command\":\"x\",\"uid\":0,\"pid\":4000000,\"clock\":5.0{end}}}\n"
        )
    };
    let journal = node.path("journal").join(format!("{}-0.jsonl", nix::unistd::geteuid()));
    fs::write(&journal, record("start", "")).expect("written");
    until("the start", || {
        scrape(address)?.contains("job_name=\"nightly\"} 0\n").then_some(())
    });
    let both = record("start", "") + &record("end", ",\"duration\":1.5,\"exit\":3");
    fs::write(&journal, both).expect("written");
    let page = until("the end", || {
        scrape(address).filter(|page| page.contains("rcron_job_last_exit_code{"))
    });
    assert!(
        page.contains("user=\"root\",job_name=\"nightly\"} 3\n") || !nix::unistd::geteuid().is_root(),
        "{page}"
    );
    assert!(
        page.contains("\nrcron_journal_unreadable_files 0\n") && page.ends_with("# EOF\n"),
        "{page}"
    );
    // Only a restart changes it.
    node.configure(&format!(
        "{configuration}[metrics]\nlisten = \"{address}\"\njobs = false\n"
    ));
    node.signal(HUP);
    until("the refusal", || {
        node.log()
            .contains("[metrics] jobs cannot be changed without a restart")
            .then_some(())
    });
    node.signal(TERM);
    node.ended();
    node.configure(&format!(
        "{configuration}[metrics]\nlisten = \"{other}\"\njobs = false\n"
    ));
    node.start();
    let page = until("the page", || {
        scrape(other).filter(|page| page.contains("rcrond_session"))
    });
    assert!(!page.contains("rcron_job"), "{page}");
}

pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

/// `None` while the daemon does not listen.
pub(crate) fn scrape(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: n1\r\n\r\n").ok()?;
    let mut page = String::new();
    stream.read_to_string(&mut page).ok()?;
    Some(page)
}
