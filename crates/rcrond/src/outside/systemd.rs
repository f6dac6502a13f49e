//! What systemd is told: sd_notify(3). Where rcrond is not a service of type `notify`, nothing happens.
//!
//! The messages are the crate's, but not its way of sending them, which waits for a manager that does not read. The loop
//! must not: it gives up after [`PATIENCE`].

use sd_notify::NotifyState;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// How long a manager may leave its socket full. Shorter than the shortest lease.
const PATIENCE: Duration = Duration::from_millis(300);

/// The service is up: its state files say what is so, and its socket listens. Said again when a reload is over.
pub(crate) fn ready() {
    say(&[NotifyState::Ready]);
}

/// One line for `systemctl status`.
pub(crate) fn status(line: &str) {
    // A second line would be a message of its own.
    let line = line.replace(char::is_control, " ");
    say(&[NotifyState::Status(&line)]);
}

/// The configuration is being read anew, until [`ready`].
pub(crate) fn reloading() {
    let Ok(now) = NotifyState::monotonic_usec_now() else {
        return;
    };
    say(&[NotifyState::Reloading, now]);
}

/// The leases are being given away.
pub(crate) fn stopping() {
    say(&[NotifyState::Stopping]);
}

/// Starting or stopping takes this much longer, counted from now. To be said again before that is over.
pub(crate) fn extend_timeout(span: Duration) {
    let span = u32::try_from(span.as_micros()).unwrap_or(u32::MAX);
    say(&[NotifyState::ExtendTimeoutUsec(span)]);
}

/// How often to be [`alive`]: half of what systemd allows. `None`: nobody waits for it.
pub(crate) fn watchdog_interval() -> Option<Duration> {
    let limit = sd_notify::watchdog_enabled()?;
    (!limit.is_zero()).then(|| limit / 2)
}

/// The loop runs.
pub(crate) fn alive() {
    say(&[NotifyState::Watchdog]);
}

fn say(states: &[NotifyState]) {
    let Some(socket) = env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let lines: Vec<_> = states.iter().map(ToString::to_string).collect();
    let text = lines.join("\n");
    if let Err(error) = send(&socket, text.as_bytes()) {
        ::log::debug!("systemd was not told {}: {error}", lines.join(", "));
    }
}

fn send(socket: &OsStr, message: &[u8]) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    sender.set_write_timeout(Some(PATIENCE))?;
    sender.connect_addr(&address(socket)?)?;
    sender.send(message)?;
    Ok(())
}

/// A path, or, after `@`, a name in the abstract namespace: unix(7).
fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(OsString::from(socket)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use testing::{Done, run};

    /// This test program again, as a service would be started: the environment is a process's own.
    fn service(part: &str, environment: &[(&str, &OsStr)]) -> Done {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            r#"[ -z "$WATCHDOG_PID" ] || WATCHDOG_PID=${WATCHDOG_PID#0}$$; exec "$@""#,
            "sh",
        ]);
        command.arg(env::current_exe().expect("a test's own path"));
        command.args([
            "--exact",
            &format!("outside::systemd::tests::{part}"),
            "--ignored",
            "--nocapture",
        ]);
        command
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .env_remove("WATCHDOG_PID");
        command.envs(environment.iter().copied()).stdin(Stdio::null());
        let done = run(&mut command);
        assert!(done.status.success(), "{}", done.stderr());
        assert!(done.stdout().contains("1 passed"), "{}", done.stdout());
        done
    }

    #[test]
    #[ignore = "run by the others, with a service's environment"]
    fn says_everything() {
        reloading();
        status("active in 2 of 3 clusters\nREADY=1");
        extend_timeout(Duration::from_secs(90));
        alive();
        stopping();
        ready();
    }

    #[test]
    #[ignore = "run by the others, with a service's environment"]
    fn prints_the_watchdog() {
        println!("watchdog: {:?}.", watchdog_interval());
    }

    fn received(listener: &UnixDatagram) -> Vec<String> {
        listener.set_nonblocking(true).expect("a socket");
        let mut buffer = [0; 4096];
        let mut messages = Vec::new();
        while let Ok(length) = listener.recv(&mut buffer) {
            messages.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        messages
    }

    fn assert_everything(messages: &[String]) {
        let [reload, rest @ ..] = messages else {
            panic!("nothing was said")
        };
        let time = reload.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
        assert!(time.is_some_and(|time| time.parse::<u64>().is_ok()), "{reload}");
        let expected = [
            "STATUS=active in 2 of 3 clusters READY=1",
            "EXTEND_TIMEOUT_USEC=90000000",
            "WATCHDOG=1",
            "STOPPING=1",
            "READY=1",
        ];
        assert_eq!(rest, expected);
    }

    #[test]
    fn systemd_gets_each_message_as_one_datagram() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("notify");
        let listener = UnixDatagram::bind(&path).expect("a socket");
        service("says_everything", &[("NOTIFY_SOCKET", path.as_os_str())]);
        assert_everything(&received(&listener));
    }

    #[test]
    fn a_socket_may_have_an_abstract_name() {
        let name = format!("rcrond-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).expect("a name");
        let listener = UnixDatagram::bind_addr(&address).expect("a socket");
        service("says_everything", &[("NOTIFY_SOCKET", OsStr::new(&format!("@{name}")))]);
        assert_everything(&received(&listener));
    }

    #[test]
    fn without_systemd_nothing_happens() {
        service("says_everything", &[]);
        service("says_everything", &[("NOTIFY_SOCKET", OsStr::new("/nowhere/at/all"))]);
    }

    #[test]
    fn a_manager_that_does_not_read_holds_nothing_up() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("notify");
        let _listener = UnixDatagram::bind(&path).expect("a socket");
        let filler = UnixDatagram::unbound().expect("a socket");
        filler.set_nonblocking(true).expect("a socket");
        while filler.send_to(b"X=1\n", &path).is_ok() {}
        service("says_everything", &[("NOTIFY_SOCKET", path.as_os_str())]);
    }

    #[test]
    fn the_watchdog_is_for_the_process_it_names() {
        let usec = ("WATCHDOG_USEC", OsStr::new("30000000"));
        let printed = |pid: Option<&str>| {
            let pid = pid.map(|pid| ("WATCHDOG_PID", OsStr::new(pid)));
            let environment: Vec<_> = pid.into_iter().chain([usec]).collect();
            service("prints_the_watchdog", &environment).stdout()
        };
        // The shell replaces 0 by its own number, which is then the test's, and puts it behind any other.
        assert!(printed(Some("0")).contains("watchdog: Some(15s)."));
        assert!(printed(Some("1")).contains("watchdog: None."));
        assert!(service("prints_the_watchdog", &[]).stdout().contains("watchdog: None."));
    }
}
