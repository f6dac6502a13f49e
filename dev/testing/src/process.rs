//! Runs commands, and inspects processes.

use crate::inheritance;
use crate::wait::{DEADLINE, until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

/// The result of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its exit status, or the signal that killed it.
    pub status: ExitStatus,
    /// The bytes that it wrote to stdout.
    pub out: Vec<u8>,
    /// The bytes that it wrote to stderr.
    pub err: Vec<u8>,
}

impl Done {
    /// Its exit status; `None` if a signal killed it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// What it wrote to stdout, as text.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// What it wrote to stderr, as text.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }
}

/// Runs a command to its end. Its stdin is the caller's, unless the command sets another.
pub fn run(command: &mut Command) -> Done {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Running::start(command).finish()
}

/// [`run`] for tests that want the standard library's type.
pub fn output(command: &mut Command) -> Output {
    let Done { status, out, err } = run(command);
    Output {
        status,
        stdout: out,
        stderr: err,
    }
}

/// Waits until a child ends. At the deadline it kills the child, so that the test leaves no process behind.
pub fn wait(child: &mut Child) -> ExitStatus {
    let deadline = std::time::Instant::now() + DEADLINE;
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        if std::time::Instant::now() > deadline {
            let _ = child.kill();
            panic!("process {} does not end", child.id());
        }
        thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Reads a stream in a thread: a process that holds the other end, and does not end, must not hold the test.
fn read<T: Send + 'static>(read: impl FnOnce(&mpsc::Sender<T>) + Send + 'static) -> impl Iterator<Item = T> {
    let (sender, received) = mpsc::channel();
    thread::spawn(move || read(&sender));
    Received(received)
}

struct Received<T>(Receiver<T>);

impl<T> Iterator for Received<T> {
    type Item = T;

    /// Panics at the deadline.
    fn next(&mut self) -> Option<T> {
        match self.0.recv_timeout(DEADLINE) {
            Ok(item) => Some(item),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("waited in vain for the end of a stream"),
        }
    }
}

/// Everything up to the end of a stream; nothing if it is not piped.
fn everything(stream: Option<impl Read + Send + 'static>) -> impl Iterator<Item = Vec<u8>> {
    read(move |sender| {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            stream.read_to_end(&mut bytes).expect("readable");
        }
        let _ = sender.send(bytes);
    })
}

/// A running process. Dropping it kills it and its children.
pub struct Running(pub Child);

impl Running {
    /// Starts the command.
    pub fn start(command: &mut Command) -> Self {
        inheritance::normalize();
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).expect("a pid")
    }

    /// Sends it a signal, by its number.
    pub fn signal(&self, signal: i32) {
        send(self.pid(), signal);
    }

    /// Stops it with SIGSTOP, and waits until all its threads have stopped.
    pub fn pause(&self) {
        self.signal(Signal::SIGSTOP as i32);
        until("a process to stop", || is_stopped(self.pid()).then_some(()));
    }

    /// Continues it with SIGCONT.
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT as i32);
    }

    /// Waits until it ends.
    pub fn wait(&mut self) -> ExitStatus {
        wait(&mut self.0)
    }

    /// Waits until it ends, and returns what it wrote to stdout and stderr, as far as they are piped.
    pub fn finish(mut self) -> Done {
        let mut out = everything(self.0.stdout.take());
        let mut err = everything(self.0.stderr.take());
        Done {
            status: self.wait(),
            out: out.next().expect("read"),
            err: err.next().expect("read"),
        }
    }

    /// Whether it has ended. If so, it is reaped.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_some()
    }

    /// The lines that it writes to stdout, which must be piped.
    pub fn lines(&mut self) -> impl Iterator<Item = String> + use<> {
        let stdout = BufReader::new(self.0.stdout.take().expect("piped"));
        read(move |sender| {
            for line in stdout.lines().map(|line| line.expect("text")) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        })
    }

    /// The process of the job that this `rcron` has started, as soon as it executes the program of this name.
    pub fn job(&self, program: &str) -> i32 {
        until(&format!("the job {program}"), || {
            children(self.pid()).into_iter().find(|pid| name(*pid) == program)
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.has_ended() {
            return; // another process may have its number by now
        }
        for pid in children(self.pid()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            let _ = kill(Pid::from_raw(-pid), Signal::SIGKILL); // its group, if it is the leader of one
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a signal by its number, which may be one without a name.
pub fn send(pid: i32, signal: i32) {
    let done = Command::new("sh")
        .arg("-c")
        .arg(format!("kill -{signal} {pid}"))
        .output()
        .expect("kill");
    assert!(
        done.status.success(),
        "kill -{signal} {pid}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// The current children of a process.
pub fn children(pid: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// The name of the program that a process executes (`comm`), or an empty string if there is no such process.
pub fn name(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .unwrap_or_default()
        .trim_end()
        .to_owned()
}

/// The letter of the state, and the process group. `None` if there is no such process.
pub fn state(pid: i32) -> Option<(char, i32)> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = line[line.rfind(')')? + 1..].split_whitespace();
    let letter = fields.next()?.chars().next()?;
    Some((letter, fields.nth(1)?.parse().ok()?))
}

/// Whether the process has ended; it may still be a zombie.
pub fn is_gone(pid: i32) -> bool {
    state(pid).is_none_or(|(letter, _)| letter == 'Z' || letter == 'X')
}

/// Whether all threads of a process have stopped, which takes some time after SIGSTOP.
#[must_use]
pub fn is_stopped(pid: i32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a process");
    let mut states = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("stat")).ok());
    // The state follows the name, which is in parentheses.
    states.all(|state| state.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T')))
}
