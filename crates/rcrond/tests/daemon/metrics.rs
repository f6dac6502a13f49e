//! The metrics of a running daemon.

use crate::node::Node;
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
