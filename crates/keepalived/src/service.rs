//! The service itself: what waits in the FIFO becomes states, and states become files.

use crate::failure::Failure;
use crate::files::{self, Files, Outcome, Wanted};
use crate::instances::{Change, Instances};
use crate::line::{Line, Lines};
use crate::log::Log;
use crate::memory::{Memory, Store};
use crate::notify::Notify;
use crate::source::{Seen, Source};
use crate::targets::{Plan, Target};

use crate::fifo_writer::{self, Condition};
use inputs::clock;
use inputs::diagnostic::shown;
use policy::moment::BootTime;
use policy::state::Word;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;
use sys::poll;
use sys::process_tree::Process;
use sys::signal::{self, Signals};
use sys::watch::Watch;

/// How often keepalived itself is looked at, and the FIFO's name, should nothing else happen.
const TICK: Duration = Duration::from_secs(1);
/// Whoever was stopped for so long may have missed that another server is the master: VRRP needs 3 of its intervals, of a second by
/// default, to notice. Less would be a busy machine's hiccup.
const PAUSE: Duration = Duration::from_secs(3);
/// How long a keepalived that was stopped has to hear, once it goes on, that another server is the master by now.
const SETTLE: Duration = Duration::from_millis(1500);

/// What the command line says.
pub(crate) struct Options {
    pub(crate) fifo: PathBuf,
    pub(crate) lease: Duration,
    pub(crate) plan: Plan,
}

/// See the module.
pub(crate) struct Service {
    options: Options,
    targets: Vec<Target>,
    source: Source,
    lines: Lines,
    instances: Instances,
    /// Nobody is active for now, whatever keepalived said last.
    hold: Option<Hold>,
    store: Store,
    files: Files,
    log: Log,
    notify: Notify,
    signals: Signals,
    watch: Option<Watch>,
    boot: Vec<u8>,
    /// When this reader began: nothing is known of before.
    begun: String,
    /// The keepalived that was told of.
    known: Option<Process>,
    /// Instances that were told of.
    told: BTreeSet<Vec<u8>>,
    trouble: Option<String>,
    memory_fails: bool,
    /// The files do not say what is known.
    is_dirty: bool,
    written: BootTime,
    ticked: BootTime,
}

/// Why nobody is active for now.
struct Hold {
    since: String,
    until: BootTime,
}

/// What a signal asks for.
enum Asked {
    Nothing,
    End,
}

impl Service {
    pub(crate) fn new(options: Options, store: Store) -> Result<Self, Failure> {
        let mut log = Log::new();
        let (targets, wrong) = options.plan.targets()?;
        for diagnostic in wrong {
            log.error(&diagnostic);
        }
        let boot = clock::boot_id().ok_or(Failure::new("cannot read the boot's id: is /proc mounted?"))?;
        signal::take_over().map_err(|error| Failure::of("block signals", &error))?;
        let signals = Signals::open().map_err(|error| Failure::of("receive signals", &error))?;
        let now = clock::boot_time();
        let mut service = Self {
            source: Source::new(&options.fifo),
            lines: Lines::default(),
            instances: Instances::default(),
            hold: None,
            files: Files::new(options.lease, boot.clone()),
            notify: Notify::new(),
            watch: Watch::new(options.fifo.as_os_str()).ok(),
            begun: utc_now(),
            known: None,
            told: BTreeSet::new(),
            trouble: None,
            memory_fails: false,
            is_dirty: true,
            written: now,
            ticked: now,
            options,
            targets,
            store,
            log,
            signals,
            boot,
        };
        service.resume();
        Ok(service)
    }

    /// Runs until it is asked to end. The files stay as they are then: their leases end them if no other reader comes, and
    /// an upgrade of the package demotes nobody.
    pub(crate) fn run(&mut self) {
        self.follow();
        self.write();
        self.notify.tell("READY=1");
        while !matches!(self.asked(), Asked::End) {
            self.wait();
            self.tick();
            self.follow();
            if self.is_dirty || clock::boot_time().since(self.written) >= self.options.lease / 3 {
                self.write();
            }
        }
        self.notify.tell("STOPPING=1");
        self.log.info("ending; the states stay until their leases end");
    }

    /// Takes up what an earlier reader left, if the same keepalived has had the same FIFO open all the time.
    fn resume(&mut self) {
        let memory = self.store.load();
        let Some(writer) = memory.writer.filter(|_| memory.boot == self.boot) else {
            return;
        };
        if self.source.continues(writer) {
            self.instances = memory.instances;
            let pid = writer.0.pid;
            self.log.info(&format!("resumed: keepalived is still process {pid}"));
            self.known = Some(writer.0);
            return;
        }
        self.remember(); // nothing: the next reader must not take up what this one may not
        if fifo_writer::condition(writer.0) != Condition::Gone {
            self.log.error(&format!(
                "keepalived (process {}) has reopened its FIFO while nobody read it, and what it said meanwhile is lost: \
                 every instance is passive until its next change; restart keepalived to learn the states",
                writer.0.pid
            ));
        }
    }

    fn asked(&mut self) -> Asked {
        while let Some(signal) = self.signals.receive() {
            match signal::name(signal.number).as_str() {
                "SIGTERM" | "SIGINT" | "SIGQUIT" => return Asked::End,
                "SIGHUP" => self.reload(),
                _ => {}
            }
        }
        Asked::Nothing
    }

    fn wait(&mut self) {
        let mut descriptors = vec![self.signals.as_fd()];
        descriptors.extend(self.source.descriptor());
        descriptors.extend(self.watch.as_ref().map(Watch::as_fd));
        let until_write = self.written.after(self.options.lease / 3).since(clock::boot_time());
        poll::until_ready(&descriptors, Some(until_write.min(TICK)));
        if self.watch.as_mut().is_some_and(|watch| watch.changed().is_err()) {
            self.watch = None; // the tick must do
        }
    }

    /// Deals with all that waits in the FIFO.
    fn follow(&mut self) {
        let before = self.source.writer();
        self.drain();
        if self.source.writer() != before {
            self.remember();
        }
        self.introduce();
    }

    /// Tells who writes.
    fn introduce(&mut self) {
        let now = self.source.process();
        if now == self.known {
            return;
        }
        self.known = now;
        match now {
            Some(process) => self.log.info(&format!("keepalived is process {}", process.pid)),
            None => self.log.warn("keepalived is gone, or has closed its FIFO"),
        }
    }

    fn drain(&mut self) {
        loop {
            match self.source.look() {
                Seen::Waiting {
                    bytes,
                    may_be_incomplete,
                } => {
                    if !self.learn(&bytes, may_be_incomplete) {
                        return;
                    }
                }
                Seen::Another => self.forget("another keepalived is there"),
                Seen::Nobody => {
                    self.forget("keepalived is gone");
                    self.tell_trouble();
                    return;
                }
                Seen::Nothing => return,
            }
        }
    }

    /// What keeps the FIFO from being read: told once until it is something else.
    fn tell_trouble(&mut self) {
        let trouble = self.source.trouble().map(str::to_owned);
        if let Some(trouble) = trouble.as_ref().filter(|_| trouble != self.trouble) {
            self.log
                .warn(&format!("{}: {trouble}", shown(self.options.fifo.as_os_str())));
        }
        self.trouble = trouble;
    }

    /// Peek, write down, act, take out: killed at any point, the next reader finds the line in the FIFO or in the memory,
    /// and reading a line twice changes nothing. Returns whether to go on.
    fn learn(&mut self, bytes: &[u8], may_be_incomplete: bool) -> bool {
        let count = if may_be_incomplete {
            self.lines.forget();
            self.log.error(&format!(
                "{} bytes waited in the FIFO: keepalived may have found no room for more, and what it said then is lost; \
                 every instance is passive until its next change; restart keepalived to learn the states",
                bytes.len()
            ));
            self.forget("changes were lost");
            bytes.len()
        } else {
            let (lines, count) = self.lines.take(bytes);
            for line in &lines {
                self.hear(line);
            }
            count
        };
        if self.is_dirty {
            self.remember();
            self.write();
        }
        let Err(error) = self.source.consume(count) else {
            return true;
        };
        let error = sys::output::error_text(&error);
        self.log.error(&format!(
            "cannot take from the FIFO what was read ({error}): does another process read it?"
        ));
        self.forget("changes were lost");
        false
    }

    fn hear(&mut self, line: &[u8]) {
        let Some(line) = Line::parse(line) else { return };
        let name = shown(OsStr::from_bytes(line.name));
        let change = self.instances.apply(&line, &utc_now());
        self.is_dirty |= matches!(change, Change::To(_));
        let is_ours = self.targets.iter().any(|target| target.instance == line.name);
        match change {
            Change::None => {}
            Change::TooMany => self.tell_once(b"", "too many instances: ignoring the others"),
            Change::To(_) if !is_ours => {
                let text =
                    format!("{name}: no configuration has this cluster_name, and no --instance names it: ignored");
                self.tell_once(line.name, &text);
            }
            Change::To(word) => {
                let said = String::from_utf8_lossy(line.said).into_owned();
                self.log
                    .info(&format!("{name}: {} (keepalived says {said})", word.as_str()));
            }
        }
    }

    fn tell_once(&mut self, key: &[u8], text: &str) {
        if self.told.insert(key.to_vec()) {
            self.log.warn(text);
        }
    }

    /// Nobody vouches for what was said any more.
    fn forget(&mut self, why: &str) {
        self.lines.forget();
        self.hold = None;
        for name in self.instances.all_passive(&utc_now()) {
            let name = shown(OsStr::from_bytes(&name));
            self.log.warn(&format!("{name}: passive ({why})"));
            self.is_dirty = true;
        }
        if self.is_dirty {
            self.write();
            self.remember();
        }
    }

    /// What the FIFO cannot tell.
    fn tick(&mut self) {
        let now = clock::boot_time();
        let paused = now.since(self.ticked) > PAUSE;
        self.ticked = now;
        let is_stopped = self.source.is_stopped();
        if is_stopped || paused {
            let since = self.hold.take().map(|hold| hold.since);
            if since.is_none() {
                self.is_dirty = true;
                self.log.warn(if is_stopped {
                    "keepalived is stopped: every instance is passive until it goes on"
                } else {
                    "this service was stopped: every instance is passive until keepalived has heard the others"
                });
            }
            self.hold = Some(Hold {
                since: since.unwrap_or_else(utc_now),
                until: now.after(SETTLE),
            });
        } else if self.hold.as_ref().is_some_and(|hold| hold.until <= now) {
            self.hold = None;
            self.is_dirty = true;
            self.log.info("keepalived goes on: the instances are what it says");
        }
    }

    fn remember(&mut self) {
        let memory = Memory {
            boot: self.boot.clone(),
            writer: self.source.writer(),
            instances: self.instances.clone(),
        };
        let saved = self.store.save(&memory);
        if let Err(error) = &saved {
            if !self.memory_fails {
                let error = sys::output::error_text(error);
                self.log.error(&format!(
                    "cannot write {}: {error}; if this service is killed now, the next one begins passive",
                    self.store
                ));
            }
        }
        self.memory_fails = saved.is_err();
    }

    /// Writes every file, in the order of the changes.
    fn write(&mut self) {
        let all = self.wanted();
        for wanted in &all {
            match self.files.write(wanted, self.ticked) {
                None => {}
                Some(Outcome::Again(text)) => self.log.info(&text),
                Some(Outcome::Fails(text)) => self.log.error(&text),
            }
        }
        self.is_dirty = false;
        self.written = clock::boot_time();
        let text = |wanted: &Wanted| {
            let name = shown(OsStr::from_bytes(&wanted.target.instance));
            format!("{name} {}", wanted.word.as_str())
        };
        let text: Vec<String> = all.iter().map(text).collect();
        self.notify.tell(&format!("STATUS={}", text.join(", ")));
    }

    /// SIGHUP.
    fn reload(&mut self) {
        match self.options.plan.targets() {
            Ok((targets, wrong)) => {
                for diagnostic in wrong {
                    self.log.error(&diagnostic);
                }
                self.abandon(&targets);
                self.targets = targets;
                self.told.clear();
                self.is_dirty = true;
                self.log.info("the configurations were read again");
            }
            Err(failure) => {
                self.log
                    .error("the configurations stay as they were; what is wrong with them is told on stderr");
                failure.report();
            }
        }
    }

    /// Files that nobody keeps from now on say passive.
    fn abandon(&mut self, kept: &[Target]) {
        let since = utc_now();
        for target in self.targets.clone() {
            if !kept.iter().any(|other| other.file == target.file) {
                let since = since.clone();
                let wanted = Wanted {
                    target,
                    word: Word::Passive,
                    since,
                };
                self.files.write(&wanted, self.ticked);
            }
        }
    }
}

impl Service {
    /// What the files should say now, in the order of the changes.
    fn wanted(&self) -> Vec<Wanted> {
        let order: Vec<&[u8]> = self.instances.iter().map(|instance| instance.name.as_slice()).collect();
        let ours = self.targets.iter().filter(|target| self.is_ours(target));
        let mut all: Vec<Wanted> = ours.map(|target| self.wanted_of(target)).collect();
        all.sort_by_key(|wanted| order.iter().position(|name| *name == wanted.target.instance));
        all
    }

    /// A cluster that keepalived has not named yet may be one that is switched by hand; one without any state is not.
    fn is_ours(&self, target: &Target) -> bool {
        self.instances.find(&target.instance).is_some() || !files::is_by_hand(&target.file)
    }

    fn wanted_of(&self, target: &Target) -> Wanted {
        let known = self.instances.find(&target.instance);
        let (word, since) = known.map_or((Word::Passive, &self.begun), |known| (known.word, &known.since));
        let (word, since) = match &self.hold {
            Some(hold) if word == Word::Active => (Word::Passive, &hold.since),
            _ => (word, since),
        };
        Wanted {
            target: target.clone(),
            word,
            since: since.clone(),
        }
    }
}

/// Now in UTC to the second, as `since=` has it: `2026-11-23T09:15:02Z`.
fn utc_now() -> String {
    clock::wall_time().rfc3339_seconds()
}
