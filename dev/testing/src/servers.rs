//! Real servers of Debian's packages, each started for one test on free ports of this machine.

pub mod etcd;
pub mod postgresql;
pub mod redis;

use std::net::TcpListener;
use std::process::{Command, Stdio};

/// A port on which nobody listens now; somebody else may be quicker to.
#[must_use]
pub fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("an address").port()
}

/// A server's program, which ends when the thread that started it does, however that ends.
///
/// # Panics
/// If the program is not there: nothing is skipped in silence.
#[must_use]
pub fn server(program: &str, package: &str) -> Command {
    let found = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(found.is_ok(), "no {program}: install {package}");
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}
