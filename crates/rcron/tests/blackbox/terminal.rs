//! Job control at a terminal: an interactive shell in a pseudoterminal, and `rcron` typed into it.

use crate::support::fixture::binary;
use crate::support::process::{Running, children, is_gone, name, state};
use crate::support::{Fixture, until};
use nix::pty::openpty;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

/// An interactive shell with job control, and its keyboard.
struct Session {
    shell: Running,
    keyboard: File,
    screen: Arc<Mutex<String>>,
    rcron: String,
}

impl Session {
    fn start(fixture: &Fixture) -> Self {
        Self::of(&["sh", "-i"], fixture)
    }

    fn of(shell: &[&str], fixture: &Fixture) -> Self {
        let pty = openpty(None, None).expect("a pseudoterminal");
        let slave = File::from(pty.slave);
        let mut command = Command::new("setsid");
        command
            .args(["--ctty", "--wait"])
            .args(shell)
            .env("PS1", "prompt> ")
            .env("TERM", "dumb")
            .env_remove("ENV");
        command
            .stdin(slave.try_clone().expect("dup"))
            .stdout(slave.try_clone().expect("dup"))
            .stderr(slave);
        let shell = Running::start(&mut command);
        drop(command); // closes our copies of the slave
        let keyboard = File::from(pty.master);
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut source, shown) = (keyboard.try_clone().expect("dup"), Arc::clone(&screen));
        thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(length @ 1..) = source.read(&mut buffer) {
                shown
                    .lock()
                    .expect("a lock")
                    .push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
        let rcron = format!("{} --conf {} ", binary().display(), fixture.path("conf").display());
        let session = Self {
            shell,
            keyboard,
            screen,
            rcron,
        };
        session.sees("prompt> ");
        session
    }

    /// Types a line; `@` is `rcron` with its configuration.
    fn types(&mut self, line: &str) {
        let line = line.replace('@', &self.rcron);
        self.press(format!("{line}\n").as_bytes());
    }

    fn press(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).expect("typed");
    }

    /// Waits until `text` is on the screen, and discards everything up to it.
    fn sees(&self, text: &str) {
        until(&format!("{text:?} on the screen"), || {
            let mut screen = self.screen.lock().expect("a lock");
            let end = screen.find(text)? + text.len();
            screen.drain(..end);
            Some(())
        });
    }

    /// The shell: `setsid` executed it, or had to fork and waits for it.
    fn shell_pid(&self) -> i32 {
        let first = self.shell.pid();
        if name(first) == "setsid" {
            children(first)[0]
        } else {
            first
        }
    }

    /// The pids of rcron and its job, once the job executes the program of this name.
    fn job(&self, program: &str) -> (i32, i32) {
        until(program, || {
            let rcron = children(self.shell_pid())
                .into_iter()
                .find(|pid| name(*pid) == "rcron")?;
            children(rcron)
                .into_iter()
                .find(|pid| name(*pid) == program)
                .map(|job| (rcron, job))
        })
    }
}

const CONTROL_C: &[u8] = b"\x03";
const CONTROL_D: &[u8] = b"\x04";
const CONTROL_Z: &[u8] = b"\x1a";

fn is(pid: i32, letter: char) -> bool {
    state(pid).is_some_and(|(now, _)| now == letter)
}

#[test]
fn in_the_foreground_the_job_shares_the_group_and_reads_the_keyboard() {
    let fixture = Fixture::active();
    let mut session = Session::start(&fixture);
    session.types("@cat");
    let (rcron, cat) = session.job("cat");
    assert_eq!(
        state(rcron).expect("there").1,
        state(cat).expect("there").1,
        "one process group"
    );
    session.types("hello to the job");
    session.sees("hello to the job"); // the terminal's echo
    session.sees("hello to the job"); // the job's answer
    session.press(CONTROL_D);
    session.sees("prompt> ");
    session.types("echo status=$?");
    session.sees("status=0");
}

#[test]
fn control_c_ends_the_job_and_the_shell_sees_it() {
    let fixture = Fixture::active();
    let mut session = Session::start(&fixture);
    session.types("@sleep 1000");
    let (_, sleep) = session.job("sleep");
    session.press(CONTROL_C);
    session.sees("prompt> ");
    assert!(is_gone(sleep));
    session.types("echo status=$?");
    session.sees("status=130");
    assert!(fixture.log.wait_for(" status=fail ").contains(" signal=SIGINT "));
}

#[test]
fn what_the_keyboard_sends_to_the_whole_group_is_not_sent_again() {
    let fixture = Fixture::active();
    let mut session = Session::start(&fixture);
    session.types("@sh -c 'trap \"echo caught\" INT; echo ready; while :; do read line && echo got $line; done'");
    session.sees("ready\r\n");
    session.press(CONTROL_C);
    session.sees("caught\r\n");
    session.types("a line");
    session.sees("got a line");
    // Between them is the line's echo, but not a second "caught".
    session.press(CONTROL_C);
    session.sees("^C");
    session.sees("caught\r\n");
    session.types("another");
    until("the answer", || {
        session
            .screen
            .lock()
            .expect("a lock")
            .contains("got another")
            .then_some(())
    });
    assert!(!session.screen.lock().expect("a lock").contains("caught"));
}

#[test]
fn control_z_stops_both_and_fg_continues_both() {
    let fixture = Fixture::active();
    let mut session = Session::start(&fixture);
    session.types("@cat");
    let (rcron, cat) = session.job("cat");
    session.press(CONTROL_Z);
    session.sees("Stopped");
    assert!(is(rcron, 'T') && is(cat, 'T'));
    session.types("fg");
    until("both to go on", || (is(rcron, 'S') && is(cat, 'S')).then_some(()));
    session.types("after the stop");
    session.sees("after the stop");
    session.sees("after the stop");
    session.press(CONTROL_D);
    session.sees("prompt> ");
    assert!(fixture.log.wait_for(" status=ok ").contains(" exit=0 "));
}

#[test]
fn from_the_background_the_job_follows_rcron_into_the_foreground() {
    let fixture = Fixture::active();
    let mut session = Session::start(&fixture);
    session.types("@cat &");
    let (rcron, cat) = session.job("cat");
    assert_ne!(
        state(rcron).expect("there").1,
        state(cat).expect("there").1,
        "groups of their own"
    );
    // The job wants to read in the background and gets SIGTTIN.
    until("both to stop", || (is(rcron, 'T') && is(cat, 'T')).then_some(()));
    session.types("fg");
    until("both to go on", || (is(rcron, 'S') && is(cat, 'S')).then_some(()));
    session.types("from the background");
    session.sees("from the background");
    session.sees("from the background");
    session.press(CONTROL_Z);
    session.sees("Stopped");
    session.sees("prompt> ");
    session.types("fg");
    until("both to go on", || (is(rcron, 'S') && is(cat, 'S')).then_some(()));
    session.press(CONTROL_C);
    session.sees("prompt> ");
    session.types("echo status=$?");
    session.sees("status=130");
    assert!(is_gone(cat));
}

#[test]
fn a_job_that_wants_to_read_after_fg_may() {
    let fixture = Fixture::active();
    let gate = fixture.path("gate").display().to_string();
    fixture.make_fifo("gate");
    let mut session = Session::of(&["bash", "--norc", "-i"], &fixture); // unlike dash, bash only continues stopped jobs
    // It starts in the background and is in the foreground before it reads, so that it is never stopped or continued.
    session.types(&format!("@sh -c 'read go <{gate}; read line; echo got $line' &"));
    session.job("sh");
    let shell = session.shell_pid();
    session.types("fg");
    until("fg", || {
        (foreground(shell) != state(shell).map(|(_, group)| group)).then_some(())
    });
    let mut open = File::options();
    open.write(true).custom_flags(nix::libc::O_NONBLOCK);
    let mut opened = until("a reader of the FIFO", || open.open(&gate).ok());
    opened.write_all(b"go\n").expect("written");
    session.types("a line");
    session.sees("got a line");
}

/// `tpgid` of proc_pid_stat(5): the process group in the terminal's foreground.
fn foreground(pid: i32) -> Option<i32> {
    let line = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    line[line.rfind(')')? + 1..].split_whitespace().nth(5)?.parse().ok()
}

#[test]
fn a_demoted_job_at_a_terminal_ends_with_its_children_but_not_the_script_around_it() {
    let fixture = Fixture::active();
    fixture.configure("on_demotion = terminate\ndefault_state = passive\n");
    let mut session = Session::start(&fixture);
    // rcron and the job are in the script's process group.
    session.types("sh -c '@\"sleep 1000 & sleep 1001; true\"; echo script goes on after $?'");
    let script = until("the script", || {
        children(session.shell_pid()).into_iter().find(|pid| name(*pid) == "sh")
    });
    let rcron = until("rcron", || {
        children(script).into_iter().find(|pid| name(*pid) == "rcron")
    });
    let job = until("the job", || children(rcron).into_iter().find(|pid| name(*pid) == "sh"));
    let sleeps = until("both sleeps", || Some(children(job)).filter(|pids| pids.len() == 2));
    fixture.set_state("passive\n");
    session.sees("script goes on after 143");
    assert!(sleeps.iter().all(|pid| is_gone(*pid)));
    fixture.log.wait_for("signal=SIGTERM reason=demoted");
}
