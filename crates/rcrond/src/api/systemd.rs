//! Notifications for systemd: sd_notify(3). If rcrond is not a service of type `notify`, nothing is sent.
//!
//! The messages come from the crate `sd-notify`, but it would wait for a manager that does not read. The loop must not, so
//! they are sent with a limit of [`SEND_LIMIT`].

use sd_notify::NotifyState;
use std::time::Duration;
use sys::service_manager;

/// If the manager's socket is full. It is shorter than the shortest lease.
const SEND_LIMIT: Duration = Duration::from_millis(300);

/// The service is ready: its state files are written, and its socket listens. Sent again at the end of a reload.
pub(crate) fn notify_ready() {
    notify(&[NotifyState::Ready]);
}

/// Sets the line that `systemctl status` shows.
pub(crate) fn notify_status(line: &str) {
    // A second line would be a message of its own.
    let line = line.replace(char::is_control, " ");
    notify(&[NotifyState::Status(&line)]);
}

/// A reload has begun. It ends with [`notify_ready`].
pub(crate) fn notify_reloading() {
    let Ok(now) = NotifyState::monotonic_usec_now() else {
        return;
    };
    notify(&[NotifyState::Reloading, now]);
}

/// The service is stopping.
pub(crate) fn notify_stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Starting or stopping may take this long, counted from now.
pub(crate) fn extend_timeout(duration: Duration) {
    let usec = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    notify(&[NotifyState::ExtendTimeoutUsec(usec)]);
}

/// How often to call [`notify_watchdog`]: half of the time that systemd allows. `None` if the unit has no watchdog.
pub(crate) fn watchdog_interval() -> Option<Duration> {
    let limit = sd_notify::watchdog_enabled()?;
    (!limit.is_zero()).then(|| limit / 2)
}

/// The loop runs.
pub(crate) fn notify_watchdog() {
    notify(&[NotifyState::Watchdog]);
}

fn notify(states: &[NotifyState]) {
    let lines: Vec<_> = states.iter().map(ToString::to_string).collect();
    if let Err(error) = service_manager::notify(&lines.join("\n"), SEND_LIMIT) {
        ::log::debug!("cannot notify systemd ({}): {error}", lines.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;
    use std::ffi::OsStr;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::process::{Command, Stdio};
    use testing::{Done, run};

    /// Starts this test program again in the environment of a service.
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
            &format!("api::systemd::tests::{part}"),
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
    #[ignore = "run by other tests, in the environment of a service"]
    fn sends_everything() {
        notify_reloading();
        notify_status("active in 2 of 3 clusters\nREADY=1");
        extend_timeout(Duration::from_secs(90));
        notify_watchdog();
        notify_stopping();
        notify_ready();
    }

    #[test]
    #[ignore = "run by other tests, in the environment of a service"]
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
            panic!("nothing was sent")
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
        service("sends_everything", &[("NOTIFY_SOCKET", path.as_os_str())]);
        assert_everything(&received(&listener));
    }

    #[test]
    fn the_socket_can_have_an_abstract_name() {
        let name = format!("rcrond-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).expect("a name");
        let listener = UnixDatagram::bind_addr(&address).expect("a socket");
        service(
            "sends_everything",
            &[("NOTIFY_SOCKET", OsStr::new(&format!("@{name}")))],
        );
        assert_everything(&received(&listener));
    }

    #[test]
    fn without_systemd_nothing_is_sent() {
        service("sends_everything", &[]);
        service("sends_everything", &[("NOTIFY_SOCKET", OsStr::new("/nowhere/at/all"))]);
    }

    #[test]
    fn a_manager_that_does_not_read_delays_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("notify");
        let _listener = UnixDatagram::bind(&path).expect("a socket");
        let filler = UnixDatagram::unbound().expect("a socket");
        filler.set_nonblocking(true).expect("a socket");
        while filler.send_to(b"X=1\n", &path).is_ok() {}
        service("sends_everything", &[("NOTIFY_SOCKET", path.as_os_str())]);
    }

    #[test]
    fn the_watchdog_is_for_the_process_it_names() {
        let usec = ("WATCHDOG_USEC", OsStr::new("30000000"));
        let printed = |pid: Option<&str>| {
            let pid = pid.map(|pid| ("WATCHDOG_PID", OsStr::new(pid)));
            let environment: Vec<_> = pid.into_iter().chain([usec]).collect();
            service("prints_the_watchdog", &environment).stdout()
        };
        // The shell replaces 0 by its own process ID, which becomes the test's, and appends it to another number.
        assert!(printed(Some("0")).contains("watchdog: Some(15s)."));
        assert!(printed(Some("1")).contains("watchdog: None."));
        assert!(service("prints_the_watchdog", &[]).stdout().contains("watchdog: None."));
    }
}
