//! Running commands, and looking at processes.

use crate::wait::until;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

/// A command that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// How.
    pub status: ExitStatus,
    /// What it wrote to stdout.
    pub out: Vec<u8>,
    /// What it wrote to stderr.
    pub err: Vec<u8>,
}

impl Done {
    /// Its exit status.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// What it wrote to stdout.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// What it wrote to stderr.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }
}

/// Runs a command to its end, with nothing to read unless it was given something.
pub fn run(command: &mut Command) -> Done {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdout = child.stdout.take().expect("piped");
    let mut stderr = child.stderr.take().expect("piped");
    let out = thread::spawn(move || read_all(&mut stdout));
    let err = thread::spawn(move || read_all(&mut stderr));
    let status = wait(&mut child);
    Done {
        status,
        out: out.join().expect("read"),
        err: err.join().expect("read"),
    }
}

/// Waits for a child's end. One that does not end is killed, lest the test leave it behind.
pub fn wait(child: &mut Child) -> ExitStatus {
    let deadline = std::time::Instant::now() + crate::wait::DEADLINE;
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

fn read_all(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("readable");
    bytes
}

/// A running process, ended when the test is over.
pub struct Running(pub Child);

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Its number.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).expect("a pid")
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        send(self.pid(), signal);
    }

    /// Stops it (SIGSTOP), and waits until it stands still.
    pub fn pause(&self) {
        self.signal(Signal::SIGSTOP as i32);
        until("a process to stand still", || stands_still(self.pid()).then_some(()));
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT as i32);
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        wait(&mut self.0)
    }

    /// Its end, and what it wrote to stdout and stderr, which must be piped.
    pub fn finish(mut self) -> Done {
        let status = self.wait();
        Done {
            status,
            out: read_all(&mut self.0.stdout.take().expect("piped")),
            err: read_all(&mut self.0.stderr.take().expect("piped")),
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_some()
    }

    /// What it writes to stdout, which must be piped, line by line.
    pub fn lines(&mut self) -> impl Iterator<Item = String> + use<> {
        let stdout = self.0.stdout.take().expect("piped");
        BufReader::new(stdout).lines().map(|line| line.expect("text"))
    }

    /// The process that `rcron` has started, once it is the program of this name.
    pub fn job(&self, program: &str) -> i32 {
        until(&format!("the job {program}"), || {
            children(self.pid()).into_iter().find(|pid| name(*pid) == program)
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for pid in children(self.pid()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            let _ = kill(Pid::from_raw(-pid), Signal::SIGKILL); // its group, if it leads one
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Any signal by its number, those without a name too.
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

/// The children of a process now.
pub fn children(pid: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// `comm`; empty for a process that is gone.
pub fn name(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .unwrap_or_default()
        .trim_end()
        .to_owned()
}

/// The state's letter and the process group's number; `None` for a process that is gone.
pub fn state(pid: i32) -> Option<(char, i32)> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = line[line.rfind(')')? + 1..].split_whitespace();
    let letter = fields.next()?.chars().next()?;
    Some((letter, fields.nth(1)?.parse().ok()?))
}

/// Whether it is gone, or only its exit status is left.
pub fn is_gone(pid: i32) -> bool {
    state(pid).is_none_or(|(letter, _)| letter == 'Z' || letter == 'X')
}

/// Whether all threads of a process are stopped: SIGSTOP takes its time.
#[must_use]
pub fn stands_still(pid: i32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a process");
    let mut states = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("stat")).ok());
    // The state follows the name, which stands in parentheses.
    states.all(|state| state.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T')))
}
