//! One server's export, over ssh(1).

use super::HostName;
use super::intake::{Intake, Limits, Stop};
use super::open_files;
use super::report::Outcome;
use crate::export::Header;
use jiff::Timestamp;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use sys::output::error_text;
use sys::poll;
use sys::spawn::end_with_thread;

/// The longest time for the connection alone. A server that is off must not cost the whole limit.
const CONNECT: Duration = Duration::from_secs(10);
/// In bytes: how much of ssh's messages is kept. The reason of a failure is in the last line.
const MOST_MESSAGES: usize = 16 << 10;
/// How often a process that has closed its output is asked whether it has ended.
const INTERVAL: Duration = Duration::from_millis(5);
/// The exit status of ssh itself, and that of a shell that does not find the command.
const SSH_FAILED: i32 = 255;
const NOT_FOUND: i32 = 127;

/// Options that the user's configuration must not change: nothing may ask questions or wait for a terminal, nothing is forwarded,
/// and no connection may outlive the command.
const OPTIONS: [&str; 11] = [
    "BatchMode=yes",
    "ClearAllForwardings=yes",
    "ConnectionAttempts=1",
    "ControlMaster=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "LogLevel=ERROR",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "Tunnel=no",
];

/// What came of one server.
pub(super) struct Fetched {
    pub(super) outcome: Outcome,
    pub(super) header: Option<(Header, i64)>,
    /// Lines that are not records.
    pub(super) invalid: u64,
    /// The records. The file has no name: it ends with this program.
    pub(super) records: Option<File>,
}

impl Fetched {
    fn nothing(reason: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Nothing(reason.into()),
            header: None,
            invalid: 0,
            records: None,
        }
    }
}

/// Why the reading ended.
enum End {
    /// The server has closed its output.
    Closed,
    Stopped(Stop),
    TimedOut,
    Failed(io::Error),
}

/// Runs the command on the server, for at most `timeout`.
pub(super) fn fetch(host: &HostName, command: &[String], limits: Limits, timeout: Duration) -> Fetched {
    let deadline = Instant::now() + timeout;
    let records = match nameless_file() {
        Ok(file) => file,
        Err(error) if open_files::is_limit(&error) => return Fetched::nothing(open_files::TOO_MANY),
        Err(error) => return Fetched::nothing(Stop::Storage(error).to_string()),
    };
    let mut child = match ssh(host, command, timeout).spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Fetched::nothing("there is no ssh(1) on this server: install openssh-client");
        }
        Err(error) if open_files::is_limit(&error) => return Fetched::nothing(open_files::TOO_MANY),
        Err(error) => return Fetched::nothing(format!("cannot start ssh: {}", error_text(&error))),
    };
    let mut intake = Intake::new(BufWriter::new(&records), limits);
    let mut messages = Vec::new();
    let (mut end, status) = run(&mut child, &mut intake, &mut messages, deadline);
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    if status.is_none() && matches!(end, End::Closed) {
        end = End::TimedOut;
    }
    let (header, invalid) = match intake.finish() {
        Ok(intake) => (intake.header, intake.invalid),
        Err(error) => return Fetched::nothing(Stop::Storage(error).to_string()),
    };
    let reason = reason(&end, status, &messages, header.is_some(), timeout);
    Fetched {
        outcome: match (reason, &header) {
            (None, _) => Outcome::Everything,
            (Some(reason), Some(_)) => Outcome::Part(reason),
            (Some(reason), None) => Outcome::Nothing(reason),
        },
        records: header.is_some().then_some(records),
        header,
        invalid,
    }
}

fn ssh(host: &HostName, command: &[String], timeout: Duration) -> Command {
    let connect = timeout.min(CONNECT).as_secs().max(1);
    let mut ssh = Command::new("ssh");
    ssh.args(["-n", "-T", "-a", "-x"]);
    for option in OPTIONS {
        ssh.args(["-o", option]);
    }
    ssh.args(["-o", &format!("ConnectTimeout={connect}"), "--", host.as_str()]);
    ssh.args(command);
    ssh.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A server that does not answer would keep it for ever.
    end_with_thread(&mut ssh);
    ssh
}

/// Records can be many: /var/tmp rather than /tmp, which may be in memory (file-hierarchy(7)).
pub(super) fn temporary_directory() -> PathBuf {
    std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from)
}

fn nameless_file() -> io::Result<File> {
    let directory = temporary_directory();
    let random = u128::from_ne_bytes(sys::random::sixteen_bytes()?);
    let path = directory.join(format!("rcronctl-{random:032x}"));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

/// Reads both outputs and waits for the end. There is no status if ssh must be killed.
fn run(
    child: &mut Child,
    intake: &mut Intake<impl io::Write>,
    messages: &mut Vec<u8>,
    deadline: Instant,
) -> (End, Option<ExitStatus>) {
    let (Some(mut out), Some(mut err)) = (child.stdout.take(), child.stderr.take()) else {
        return (End::Failed(ErrorKind::BrokenPipe.into()), None);
    };
    if let Err(error) = set_nonblocking(&out).and_then(|()| set_nonblocking(&err)) {
        return (End::Failed(error), None);
    }
    let end = read(&mut out, &mut err, intake, messages, deadline);
    if !matches!(end, End::Closed) {
        return (end, None);
    }
    let status = wait(child, deadline);
    // The last line says why it ended. A process that ssh has left behind may write for ever.
    let mut rest = vec![0; MOST_MESSAGES];
    if let Ok(count) = err.read(&mut rest) {
        keep_last(messages, &rest[..count]);
    }
    (end, status)
}

/// Reads both outputs, until the records end.
fn read(
    out: &mut ChildStdout,
    err: &mut ChildStderr,
    intake: &mut Intake<impl io::Write>,
    messages: &mut Vec<u8>,
    deadline: Instant,
) -> End {
    let mut chunk = vec![0; 1 << 16];
    let mut has_messages = true;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return End::TimedOut;
        }
        let descriptors = [out.as_fd(), err.as_fd()];
        poll::until_ready(&descriptors[..=usize::from(has_messages)], Some(left));
        if has_messages {
            match err.read(&mut chunk) {
                Err(error) if is_not_yet(&error) => {}
                Ok(0) | Err(_) => has_messages = false,
                Ok(count) => keep_last(messages, &chunk[..count]),
            }
        }
        match out.read(&mut chunk) {
            Err(error) if is_not_yet(&error) => {}
            Err(error) => return End::Failed(error),
            Ok(0) => return End::Closed,
            Ok(count) => {
                if let Err(stop) = intake.take(&chunk[..count], Timestamp::now()) {
                    return End::Stopped(stop);
                }
            }
        }
    }
}

fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn set_nonblocking(stream: &impl AsFd) -> io::Result<()> {
    fcntl(stream.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(())
}

fn keep_last(messages: &mut Vec<u8>, new: &[u8]) {
    messages.extend_from_slice(new);
    let excess = messages.len().saturating_sub(MOST_MESSAGES);
    messages.drain(..excess);
}

/// `None` at the deadline.
fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < deadline => poll::until_ready(&[], Some(INTERVAL)),
            Ok(status) => return status,
            Err(_) => return None,
        }
    }
}

/// Why not everything was read.
fn reason(
    end: &End,
    status: Option<ExitStatus>,
    messages: &[u8],
    has_header: bool,
    timeout: Duration,
) -> Option<String> {
    let seconds = timeout.as_secs_f64();
    match end {
        End::Stopped(stop) => return Some(stop.to_string()),
        End::TimedOut if has_header => {
            return Some(format!(
                "not everything came within {seconds} s: the oldest runs are not shown"
            ));
        }
        End::TimedOut => return Some(format!("no answer within {seconds} s")),
        End::Failed(error) => return Some(format!("cannot read from ssh: {error}")),
        End::Closed => {}
    }
    let code = status?.code();
    let messages = String::from_utf8_lossy(messages);
    let mut lines = messages.lines().map(str::trim).filter(|line| !line.is_empty());
    match code {
        Some(0) if has_header => None,
        Some(0) => Some("it has sent no export: its sshd may run another command".to_owned()),
        Some(NOT_FOUND) => Some("there is no rcronctl in the PATH that ssh sets there".to_owned()),
        Some(SSH_FAILED) => Some(lines.next_back().unwrap_or("ssh failed without a message").to_owned()),
        _ if messages.contains("unrecognized subcommand") => {
            Some("its rcronctl is too old: it does not know `export`".to_owned())
        }
        _ => {
            let own = |line: &&str| line.starts_with("rcronctl: ") || line.starts_with("error: ");
            let line = lines.clone().find(own).or_else(|| lines.next_back());
            let status = code.map_or("a signal".to_owned(), |code| format!("exit status {code}"));
            Some(line.map_or(format!("rcronctl there ended with {status}"), str::to_owned))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn closed(code: i32, messages: &str, has_header: bool) -> Option<String> {
        let status = ExitStatus::from_raw(code << 8);
        reason(
            &End::Closed,
            Some(status),
            messages.as_bytes(),
            has_header,
            Duration::from_secs(60),
        )
    }

    #[test]
    fn reason_is_the_line_that_says_most() {
        for (code, messages, expected) in [
            (
                255,
                "@@@ WARNING @@@\n\nHost key verification failed.\r\n\n",
                "Host key verification failed.",
            ),
            (255, "", "ssh failed without a message"),
            (
                127,
                "sh: 1: rcronctl: not found\n",
                "there is no rcronctl in the PATH that ssh sets there",
            ),
            (
                2,
                "error: unrecognized subcommand 'export'\n\nUsage: rcronctl\n",
                "its rcronctl is too old: it does not know `export`",
            ),
            (2, "hello\nrcronctl: journaling is off\n", "rcronctl: journaling is off"),
            (
                2,
                "error: unexpected argument '--x'\n\nUsage: x\n",
                "error: unexpected argument '--x'",
            ),
            (1, "", "rcronctl there ended with exit status 1"),
            (0, "", "it has sent no export: its sshd may run another command"),
        ] {
            assert_eq!(closed(code, messages, false).as_deref(), Some(expected));
        }
        assert_eq!(closed(0, "rcronctl: warning: x", true), None);
        assert!(closed(2, "rcronctl: warning: x", true).is_some());
    }

    #[test]
    fn only_the_last_messages_are_kept() {
        let mut messages = Vec::new();
        for _ in 0..100 {
            keep_last(&mut messages, &[b'x'; 1000]);
        }
        keep_last(&mut messages, b"last");
        assert!(messages.len() == MOST_MESSAGES && messages.ends_with(b"last"));
    }
}
