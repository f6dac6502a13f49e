use super::*;
use crate::alone::alone;
use crate::log::Log;
use crate::targets::Target;
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use policy::state::State;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::MutexGuard;
use std::time::Duration;
use testing::until;

const MASTER: &str = "INSTANCE \"web\" MASTER 150\n";

/// A FIFO, the state file of the instance `web`, and what is saved for the next process.
struct Site {
    directory: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

/// A process that opens the FIFO as keepalived does, and runs the lines of shell that it gets.
struct Keepalived {
    child: Child,
    input: ChildStdin,
    output: BufReader<std::process::ChildStdout>,
}

impl Site {
    fn new() -> Self {
        let alone = alone();
        let directory = tempfile::tempdir().expect("a directory");
        mkfifo(&directory.path().join("fifo"), Mode::S_IRUSR | Mode::S_IWUSR).expect("a FIFO");
        Self {
            directory,
            _alone: alone,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn target(&self, file: &str) -> Target {
        Target {
            instance: b"web".to_vec(),
            file: self.path(file),
        }
    }

    /// Before it has started.
    fn new_follower(&self) -> Follower {
        let fifo = self.path("fifo");
        let boot = b"7c1e".to_vec();
        let saved = SavedStatesFile::new(&self.path("saved"), &fifo, boot.clone()).expect("a directory");
        let publisher = Publisher::new(vec![self.target("state")], Duration::from_secs(10), boot);
        Follower::new(&fifo, saved, publisher, Reporter::new(Log::Memory(Vec::new())))
    }

    fn follower(&self) -> Follower {
        let mut follower = self.new_follower();
        follower.start();
        follower
    }

    fn content(&self) -> State {
        let text = fs::read(self.path("state")).expect("a state");
        State::parse(&text).expect("a state")
    }

    fn state(&self) -> String {
        self.content().word.as_str().to_owned()
    }

    /// Why the state is passive.
    fn reason(&self) -> Option<Reason> {
        self.content().reason
    }

    fn keepalived(&self) -> Keepalived {
        let mut command = Command::new("sh");
        command.current_dir(self.directory.path());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        let mut keepalived = Keepalived {
            input: child.stdin.take().expect("piped"),
            output: BufReader::new(child.stdout.take().expect("piped")),
            child,
        };
        keepalived.run("exec 3<>fifo");
        keepalived
    }
}

impl Keepalived {
    /// Returns when it has run the line.
    fn run(&mut self, line: &str) {
        writeln!(self.input, "{line}\necho").expect("written");
        self.output.read_line(&mut String::new()).expect("run");
    }

    fn write(&mut self, event: &str) {
        self.run(&format!("printf %s '{event}' >&3"));
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a pid");
        kill(Pid::from_raw(pid), signal).expect("sent");
    }

    fn end(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("its end");
    }
}

fn has_logged(follower: &Follower, text: &str) -> bool {
    follower.reporter.lines().iter().any(|line| line.contains(text))
}

#[test]
fn writes_what_keepalived_says_and_passive_once_it_has_ended() {
    let site = Site::new();
    let mut follower = site.follower();
    assert_eq!(site.state(), "passive");
    assert_eq!(site.reason(), Some(Reason::NoKeepalived));
    let mut keepalived = site.keepalived();
    keepalived.write(MASTER);
    follower.step();
    assert_eq!((site.state(), site.reason()), ("active".to_owned(), None));
    keepalived.write("INSTANCE \"web\" BACKUP 150\n");
    follower.step();
    assert_eq!(site.state(), "passive");
    keepalived.write(MASTER);
    follower.step();
    assert_eq!(site.state(), "active");
    assert_eq!(site.reason(), None);
    keepalived.end();
    follower.step();
    assert_eq!(site.state(), "passive");
    assert_eq!(site.reason(), Some(Reason::NoKeepalived));
    assert!(has_logged(&follower, "warning: web: passive (keepalived has ended)"));
}

/// A keepalived that was running is reloaded after its configuration was changed: it opens the FIFO, and reports nothing.
#[test]
fn warns_about_a_keepalived_that_reports_no_state() {
    let site = Site::new();
    let mut follower = site.follower();
    let mut keepalived = site.keepalived();
    keepalived.write("INSTANCE \"other\" MASTER 150\n");
    follower.step();
    assert_eq!(site.reason(), None, "it may still report it");
    follower.report_patience = Duration::ZERO;
    follower.step();
    assert_eq!(site.reason(), Some(Reason::NotReported));
    assert!(has_logged(
        &follower,
        "warning: web: passive, because keepalived has had the FIFO open"
    ));
    keepalived.write("INSTANCE \"web\" BACKUP 150\n");
    follower.step();
    assert_eq!(site.reason(), None);
    keepalived.end();
}

#[test]
fn ignores_events_of_a_keepalived_that_has_ended() {
    let site = Site::new();
    let mut follower = site.follower();
    let mut keepalived = site.keepalived();
    follower.step();
    keepalived.write(MASTER);
    keepalived.end();
    follower.step();
    assert_eq!(site.state(), "passive");
    assert!(!has_logged(&follower, "web: active"));
}

#[test]
fn resumes_with_the_same_keepalived_and_applies_what_waits_first() {
    let site = Site::new();
    let mut keepalived = site.keepalived();
    let mut killed = site.follower();
    keepalived.write(MASTER);
    killed.step();
    drop(killed);
    let mut killed = site.follower();
    assert_eq!(site.state(), "active");
    assert!(has_logged(&killed, "continuing with the saved states"));
    killed.step();
    drop(killed);
    keepalived.write("INSTANCE \"web\" FAULT 150\n");
    let follower = site.follower();
    assert_eq!(site.state(), "passive");
    assert!(has_logged(&follower, "web: passive (keepalived: FAULT)"));
    keepalived.end();
}

#[test]
fn does_not_resume_if_events_may_be_lost() {
    let site = Site::new();
    let mut keepalived = site.keepalived();
    let mut killed = site.follower();
    keepalived.write(MASTER);
    killed.step();
    assert_eq!(site.state(), "active");
    drop(killed);
    keepalived.run("exec 3>&-; exec 3<>fifo");
    let mut follower = site.new_follower();
    assert_eq!(follower.saved.load().instances, Instances::default());
    follower.start();
    assert_eq!(site.state(), "passive");
    assert!(has_logged(
        &follower,
        "has reopened the FIFO while no process was reading it"
    ));
    assert_eq!(site.reason(), Some(Reason::EventsLost));
    drop(follower);
    // Nor does the next one, although it finds the mark.
    let follower = site.follower();
    assert_eq!(site.state(), "passive");
    assert_eq!(site.reason(), Some(Reason::EventsLost));
    assert!(has_logged(&follower, "continuing with the saved states"));
    keepalived.end();
}

#[test]
fn does_not_resume_with_another_keepalived() {
    let site = Site::new();
    let mut keepalived = site.keepalived();
    let mut killed = site.follower();
    keepalived.write(MASTER);
    killed.step();
    assert_eq!(site.state(), "active");
    drop(killed);
    let another = site.keepalived();
    keepalived.end();
    let follower = site.follower();
    assert_eq!(site.state(), "passive");
    assert!(!has_logged(&follower, "continuing with the saved states"));
    another.end();
}

#[test]
fn survives_a_reload_of_keepalived() {
    let site = Site::new();
    let mut follower = site.follower();
    let mut keepalived = site.keepalived();
    keepalived.write(MASTER);
    follower.step();
    for line in ["exec 3>&-", "rm fifo; mkfifo fifo", "exec 3<>fifo"] {
        keepalived.run(line);
        follower.step();
        assert_eq!(site.state(), "active", "{line}");
    }
    keepalived.end();
}

#[test]
fn is_passive_after_an_overflow() {
    let site = Site::new();
    let mut follower = site.follower();
    let mut keepalived = site.keepalived();
    keepalived.write(MASTER);
    follower.step();
    assert_eq!(site.state(), "active");
    let line = "INSTANCE \"other\" MASTER 150\n";
    keepalived.run(&format!("yes '{}' | head -n 5000 >&3", line.trim_end()));
    follower.step();
    assert_eq!(site.state(), "passive");
    assert!(has_logged(&follower, "bytes are waiting in the FIFO"));
    assert!(!has_logged(&follower, "other"));
    assert_eq!(site.reason(), Some(Reason::EventsLost));
    drop(follower);
    let mut follower = site.follower();
    assert_eq!(
        site.reason(),
        Some(Reason::EventsLost),
        "the next process knows it, too"
    );
    keepalived.write("INSTANCE \"web\" BACKUP 150\nINSTANCE \"web\" MASTER 150\n");
    follower.step();
    assert_eq!((site.state(), site.reason()), ("active".to_owned(), None));
    keepalived.end();
}

#[test]
fn is_passive_while_keepalived_is_stopped() {
    let site = Site::new();
    let mut follower = site.follower();
    let mut keepalived = site.keepalived();
    keepalived.write(MASTER);
    follower.step();
    keepalived.signal(Signal::SIGSTOP);
    until("keepalived to be stopped", || {
        follower.step();
        has_logged(&follower, "keepalived is stopped").then_some(())
    });
    assert_eq!(site.state(), "passive");
    keepalived.signal(Signal::SIGCONT);
    until("the end of the pause", || {
        follower.step();
        has_logged(&follower, "the pause is over").then_some(())
    });
    assert_eq!(site.state(), "active");
    keepalived.end();
}

#[test]
fn does_not_continue_a_pause_with_the_next_keepalived() {
    let site = Site::new();
    let mut follower = site.follower();
    let mut keepalived = site.keepalived();
    keepalived.write(MASTER);
    follower.step();
    keepalived.signal(Signal::SIGSTOP);
    until("keepalived to be stopped", || {
        follower.step();
        has_logged(&follower, "keepalived is stopped").then_some(())
    });
    keepalived.end();
    follower.step();
    let mut keepalived = site.keepalived();
    keepalived.write(MASTER);
    follower.step();
    assert_eq!(site.state(), "active");
    assert!(!has_logged(&follower, "the pause is over"));
    keepalived.end();
}

#[test]
fn reload_moves_the_state_to_another_file_or_changes_nothing() {
    let site = Site::new();
    let mut follower = site.follower();
    let mut keepalived = site.keepalived();
    keepalived.write(MASTER);
    follower.step();
    follower.reload(Err(TargetError::AllRejected(vec!["/a.conf:1: wrong".into()])));
    follower.step();
    assert_eq!(site.state(), "active");
    assert!(has_logged(&follower, "error: the configurations cannot be used"));
    follower.reload(Ok(Targets {
        usable: vec![site.target("other")],
        rejected: Vec::new(),
    }));
    follower.step();
    assert_eq!(site.state(), "passive");
    let other = fs::read_to_string(site.path("other")).expect("a state");
    assert!(other.starts_with("active "), "{other}");
    keepalived.end();
}
