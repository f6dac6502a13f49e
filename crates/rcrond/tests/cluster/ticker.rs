//! A cron that starts rcron on each node ten times a second, up to 0.3 s late. The active node is early and the others are
//! late, because then a tick would run twice if a new holder started jobs at once.

use crate::check::{Run, Schedule};
use crate::node::Node;
use inputs::clock::boot_time;
use policy::moment::BootTime;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use testing::program::program;

const INTERVAL: Duration = Duration::from_millis(100);
/// The difference between nodes.
const JITTER: Duration = Duration::from_millis(300);
/// How many milliseconds of it are random.
const RANDOM_MS: u64 = 60;
/// A start that is later than this is skipped: it would show only that this machine is slow.
const TOO_LATE: Duration = Duration::from_millis(600);
/// Less than `settle`.
const ON_TIME: Duration = Duration::from_millis(900);

/// Appends one line for each run with one write: its tick, node, epoch and time (to 10 ms).
const JOB: &str =
    "read -r now rest </proc/uptime\nprintf '%s %s %s %s\\n' \"$2\" \"$3\" \"$RCRON_EPOCH\" \"$now\" >>\"$1\"\n";

/// A thread for each node.
pub(crate) struct Ticker {
    pub(crate) schedule: Schedule,
    counter: PathBuf,
    starts: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// The thread of one node.
struct Cron {
    node: usize,
    seed: u64,
    schedule: Schedule,
    rcron: PathBuf,
    configuration: PathBuf,
    state: PathBuf,
    job: PathBuf,
    counter: PathBuf,
    log: File,
    starts: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Ticker {
    /// `directory` is for the job and its counter. It is local.
    pub(crate) fn start(nodes: &[Node], directory: &Path, seed: u64) -> Self {
        let (job, counter) = (directory.join("job"), directory.join("counter"));
        fs::write(&job, JOB).expect("a job");
        let schedule = Schedule {
            zero: boot_time(),
            interval: INTERVAL,
            on_time: ON_TIME,
        };
        let (starts, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let rcron = program("rcron").canonicalize().expect("rcron");
        let of_node = |(number, node): (usize, &Node)| {
            let cron = Cron {
                node: number,
                seed,
                schedule,
                rcron: rcron.clone(),
                configuration: node.rcron_conf(),
                state: node.state_file(),
                job: job.clone(),
                counter: counter.clone(),
                log: File::create(directory.join(format!("{}.cron", node.name()))).expect("a log"),
                starts: Arc::clone(&starts),
                over: Arc::clone(&over),
            };
            let host = Arc::clone(&node.host);
            thread::spawn(move || {
                host.move_in();
                cron.run();
            })
        };
        let threads = nodes.iter().enumerate().map(of_node).collect();
        Self {
            schedule,
            counter,
            starts,
            over,
            threads,
        }
    }

    /// Fails if a thread has failed.
    pub(crate) fn assert_alive(&self) {
        let failed = !self.over.load(Ordering::Relaxed) && self.threads.iter().any(JoinHandle::is_finished);
        assert!(!failed, "a cron has failed: see above");
    }

    /// The runs so far.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let text = fs::read_to_string(&self.counter).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(parse).collect()
    }

    /// How often rcron was started.
    pub(crate) fn starts(&self) -> u64 {
        self.starts.load(Ordering::Relaxed)
    }

    /// Starts no more jobs, and waits for the last ones.
    pub(crate) fn stop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().expect("rcron ended with 0 each time");
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Cron {
    fn run(&self) {
        let mut tick = 0;
        while !self.over.load(Ordering::Relaxed) {
            let nominal = self.schedule.nominal(tick);
            thread::sleep(nominal.since(boot_time()));
            let state = fs::read(&self.state).unwrap_or_default();
            let due = nominal.after(lateness(self.seed, self.node, tick, state.starts_with(b"active")));
            thread::sleep(due.since(boot_time()));
            if boot_time().since(nominal) < TOO_LATE {
                self.start(tick);
            }
            tick += 1;
        }
    }

    fn start(&self, tick: u64) {
        let mut command = Command::new(&self.rcron);
        command.arg("--conf").arg(&self.configuration).arg("sh").arg(&self.job);
        command
            .arg(&self.counter)
            .args([tick.to_string(), self.node.to_string()]);
        let log = || Stdio::from(self.log.try_clone().expect("a descriptor"));
        let status = command.stdin(Stdio::null()).stdout(log()).stderr(log()).status();
        self.starts.fetch_add(1, Ordering::Relaxed);
        let status = status.expect("rcron");
        assert!(
            status.success(),
            "rcron on node {}, tick {tick}: {status}",
            self.node + 1
        );
    }
}

fn parse(line: &str) -> Run {
    let words: Vec<_> = line.split(' ').collect();
    let &[tick, node, epoch, at] = words.as_slice() else {
        panic!("a torn line in the counter: {line:?}")
    };
    Run {
        tick: tick.parse().expect("a number"),
        node: node.parse().expect("a number"),
        epoch: epoch.parse().expect("an epoch: a run without one had no lease"),
        at: BootTime(Duration::from_secs_f64(at.parse().expect("a time"))),
    }
}

/// The random part is the same for the same seed.
fn lateness(seed: u64, node: usize, tick: u64, is_active: bool) -> Duration {
    let mut mixed = seed ^ (node as u64).rotate_left(32) ^ tick.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2 {
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    let random = Duration::from_millis((mixed >> 33) % RANDOM_MS);
    if is_active {
        random
    } else {
        JITTER.saturating_sub(random)
    }
}
