//! What is published of the server besides its crontabs: the version of rcron, and whether cron runs.

use crate::drift::ServerFacts;
use jobs::cron;
use jobs::root::Root;
use std::fs::{self, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Where the packages install it. It is root's.
const RCRON: &str = "/usr/bin/rcron";
/// For rcron to print its version.
const LIMIT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(5);
/// In bytes, of what it prints.
const LONGEST: u64 = 1000;

/// Keeps what need not be determined again.
#[derive(Debug, Default)]
pub(super) struct Facts {
    rcron: Option<(Identity, Option<String>)>,
    /// The process that was cron the last time.
    cron: Option<String>,
}

/// Tells one installed program from the next: device, inode, size and times.
type Identity = (u64, u64, u64, i64, i64);

impl Facts {
    /// Looks at the server.
    pub(super) fn look(&mut self, root: &Root) -> ServerFacts {
        ServerFacts {
            rcrond: env!("CARGO_PKG_VERSION").to_owned(),
            rcron: self.rcron_version(Path::new(RCRON)),
            cron: self.cron_runs(root),
            ..ServerFacts::default()
        }
    }

    /// It is asked only if it is another program than before.
    fn rcron_version(&mut self, program: &Path) -> Option<String> {
        let identity = identity(&fs::metadata(program).ok()?);
        match &self.rcron {
            Some((known, version)) if *known == identity => version.clone(),
            _ => {
                let version = ask_version(program);
                self.rcron = Some((identity, version.clone()));
                version
            }
        }
    }

    /// `None` if no cron is installed, or if the processes of root cannot be seen.
    fn cron_runs(&mut self, root: &Root) -> Option<bool> {
        let name = Path::new(cron::installed(root)?).file_name()?.to_str()?;
        if self.cron.as_ref().is_some_and(|process| is_cron(process, name)) {
            return Some(true);
        }
        fs::read("/proc/1/comm").ok()?;
        let processes = fs::read_dir("/proc").ok()?.flatten();
        let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
        let mut numbers = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        self.cron = numbers.find(|process| is_cron(process, name));
        Some(self.cron.is_some())
    }
}

/// Every user can give a process any name, and a container's cron runs none of this server's jobs.
fn is_cron(process: &str, name: &str) -> bool {
    let directory = Path::new("/proc").join(process);
    let read = |file| fs::read(directory.join(file)).unwrap_or_default();
    let is_roots = || fs::metadata(&directory).is_ok_and(|metadata| metadata.uid() == 0);
    read("comm").trim_ascii_end() == name.as_bytes() && is_roots() && is_of_this_server(&read("status"))
}

/// A process of an inner pid namespace has several numbers: proc_pid_status(5).
fn is_of_this_server(status: &[u8]) -> bool {
    let mut lines = status.split(|byte| *byte == b'\n');
    let numbers = lines.find_map(|line| line.strip_prefix(b"NSpid:"));
    numbers.is_none_or(|numbers| {
        let numbers = numbers
            .split(u8::is_ascii_whitespace)
            .filter(|number| !number.is_empty());
        numbers.count() <= 1
    })
}

fn identity(metadata: &Metadata) -> Identity {
    (
        metadata.dev(),
        metadata.ino(),
        metadata.size(),
        metadata.mtime(),
        metadata.ctime(),
    )
}

/// The second word of what `rcron --version` prints. A program that hangs is killed.
fn ask_version(program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").env_clear().current_dir("/");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let deadline = Instant::now() + LIMIT;
    while child.try_wait().ok()?.is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(PAUSE);
    }
    let mut text = String::new();
    child.stdout?.take(LONGEST).read_to_string(&mut text).ok()?;
    version(&text)
}

fn version(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    words.next().filter(|name| *name == "rcron")?;
    words.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_asked_for_its_version_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let program = directory.path().join("rcron");
        // Another process writes it: a process that another test starts here must not have it open.
        let install = |script: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", "printf %s \"$0\" > new && chmod 755 new && mv new rcron", script]);
            let done = shell.current_dir(directory.path()).status().expect("a shell");
            assert!(done.success());
        };
        let asked = directory.path().join("asked");
        let script = |answer: &str| format!("#!/bin/sh\necho x >> {}\n{answer}\n", asked.display());
        let mut facts = Facts::default();
        assert_eq!(facts.rcron_version(&program), None);
        install(&script("echo 'rcron 1.2.3 (abc)'; echo more"));
        for _ in 0..3 {
            assert_eq!(facts.rcron_version(&program).as_deref(), Some("1.2.3"));
        }
        install(&script("echo 'other 1.2.3'"));
        for _ in 0..3 {
            assert_eq!(facts.rcron_version(&program), None);
        }
        install(&script("exec sleep 600"));
        assert_eq!(facts.rcron_version(&program), None, "it hangs");
        assert_eq!(fs::read_to_string(&asked).expect("there"), "x\nx\nx\n");
    }

    #[test]
    fn a_container_is_another_server() {
        assert!(is_of_this_server(b"Name:\tcron\nNSpid:\t12\nNSpgid:\t12\n"));
        assert!(!is_of_this_server(b"Name:\tcron\nNSpid:\t12\t3\nNSpgid:\t12\t3\n"));
        assert!(is_of_this_server(b""));
    }
}
