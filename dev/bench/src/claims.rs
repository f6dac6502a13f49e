//! Claims: from rcron's start to the job's start with and without `once_per_tick`, what a tick costs the store, and the memory of what
//! waits.

mod cluster;
mod stamp;

use crate::Result;
use crate::proc;
use crate::running::{Gate, Running};
use crate::statistics::{grouped, median, microseconds, milliseconds, quantile};
use crate::table::{self, NONE};
use crate::wait::until;
use cluster::Cluster;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

pub(crate) use stamp::print_stamp;

/// How many single claims are timed.
const SINGLE: usize = 200;
/// How many claims there are at one tick.
const COUNTS: [usize; 3] = [100, 300, 1000];
/// How many rcrons wait at once while rcrond's memory is read.
const WAITING: usize = 2000;
/// How often each count is measured; the middle one counts, by its last job.
const REPETITIONS: usize = 5;
/// How long the store is watched while nothing is claimed.
const IDLE: Duration = Duration::from_secs(10);
/// Longer than rcron waits for rcrond at its end, so that the ends of one measurement do not disturb the next one.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two single claims.
const GAP: Duration = Duration::from_millis(20);

/// The times of jobs that were due at one tick.
struct Burst {
    /// Of each, from its own rcron's start to its own.
    own: Vec<Duration>,
    /// From the first rcron's start to the last job's.
    last: Duration,
}

/// How much is measured.
pub(crate) struct Extent {
    single: usize,
    counts: Vec<usize>,
    repetitions: usize,
    waiting: usize,
    idle: Duration,
}

impl Extent {
    pub(crate) fn new(is_once: bool) -> Self {
        if is_once {
            let idle = Duration::from_secs(1);
            return Self {
                single: 3,
                counts: vec![20],
                repetitions: 1,
                waiting: 20,
                idle,
            };
        }
        Self {
            single: SINGLE,
            counts: COUNTS.to_vec(),
            repetitions: REPETITIONS,
            waiting: WAITING,
            idle: IDLE,
        }
    }
}

pub(crate) fn measure(rcron: &Path, rcrond: &Path, extent: &Extent) -> Result<()> {
    let cluster = Cluster::start(rcron, rcrond)?;
    measure_times(&cluster, extent)?;
    measure_store(&cluster, extent)?;
    measure_memory(&cluster, extent.waiting)
}

fn measure_times(cluster: &Cluster, extent: &Extent) -> Result<()> {
    let most = extent.counts.iter().copied().max().unwrap_or(1);
    // The records of all jobs; later ticks change them.
    let first = burst(cluster, most, true)?;
    let mut rows = Vec::new();
    for claims in [true, false] {
        rows.push(row("one at a time", &singles(cluster, extent.single, claims)?, claims));
        for count in &extent.counts {
            let mut bursts = Vec::new();
            for _ in 0..extent.repetitions {
                bursts.push(burst(cluster, *count, claims)?);
            }
            bursts.sort_by_key(|burst| burst.last);
            let middle = bursts.swap_remove(bursts.len() / 2);
            rows.push(row(&format!("{} at one tick", grouped(*count as u64)), &middle, claims));
        }
    }
    rows.push(row(
        &format!("{} at their first tick", grouped(most as u64)),
        &first,
        true,
    ));
    rows.push([
        "target: one at a time".into(),
        "≤ 25 ms".into(),
        "≤ 100 ms".into(),
        NONE.into(),
    ]);
    rows.push([
        "target: 1,000 at one tick".into(),
        NONE.into(),
        NONE.into(),
        "≤ 1,500 ms".into(),
    ]);
    let head = [
        "from rcron's start to the job's",
        "median",
        "p99",
        "the last, from the first start",
    ];
    table::print("Claims, with three members of etcd", head, &rows);
    Ok(())
}

fn row(what: &str, burst: &Burst, claims: bool) -> [String; 4] {
    let what = if claims {
        what.to_owned()
    } else {
        format!("{what}, without once_per_tick")
    };
    [
        what,
        milliseconds(median(&burst.own)),
        milliseconds(quantile(&burst.own, 99)),
        milliseconds(burst.last),
    ]
}

/// One after the other, each at a tick of its own job.
fn singles(cluster: &Cluster, count: usize, claims: bool) -> Result<Burst> {
    let tick = next_tick()?;
    let mut own = Vec::new();
    for number in 0..count {
        own.extend(cluster.run(number..number + 1, tick, claims)?.own);
        sleep(GAP);
    }
    let last = own.iter().copied().max().unwrap_or_default();
    Ok(Burst { own, last })
}

/// All at once, as cron starts them.
fn burst(cluster: &Cluster, count: usize, claims: bool) -> Result<Burst> {
    let tick = next_tick()?;
    let burst = cluster.run(0..count, tick, claims)?;
    sleep(PAUSE);
    Ok(burst)
}

/// The second that has just begun: a job has one tick in each.
fn next_tick() -> Result<u64> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    sleep(Duration::from_secs(1).saturating_sub(Duration::from_nanos(now.subsec_nanos().into())));
    Ok(now.as_secs() + 1)
}

fn measure_store(cluster: &Cluster, extent: &Extent) -> Result<()> {
    let before = (cluster.store()?, Instant::now());
    let worked = cluster.processor_time()?;
    sleep(extent.idle);
    let idle_work = cluster.processor_time()?.saturating_sub(worked);
    let idle = cluster.store()?.since(before.0);
    let idle_for = before.1.elapsed();
    let mut rows = Vec::new();
    let mut add = |what: String, count: usize, burst: &dyn Fn() -> Result<Burst>| -> Result<()> {
        let before = (cluster.store()?, Instant::now());
        let worked = cluster.processor_time()?;
        burst()?;
        // The ends, too.
        sleep(PAUSE);
        let used = cluster.store()?.since(before.0);
        let worked = cluster.processor_time()?.saturating_sub(worked);
        // What the lease needs in this time.
        let ticks = f64::from(u32::try_from(count)?);
        let share = before.1.elapsed().as_secs_f64() / idle_for.as_secs_f64();
        let per_tick = |used: f64, idle: f64| format!("{:.2}", (used - idle * share) / ticks);
        let bytes = |used: f64, idle: f64| format!("{:.0}", (used - idle * share) / ticks);
        rows.push([
            what,
            per_tick(used.changes, idle.changes),
            per_tick(used.records, idle.records),
            bytes(used.received, idle.received),
            bytes(used.sent, idle.sent),
            microseconds(worked.saturating_sub(idle_work.mul_f64(share)).div_f64(ticks)),
        ]);
        Ok(())
    };
    let single = extent.single;
    add("one at a time".into(), single, &|| singles(cluster, single, true))?;
    for count in &extent.counts {
        add(format!("{} at one tick", grouped(*count as u64)), *count, &|| {
            burst(cluster, *count, true)
        })?;
    }
    rows.push([
        "target".into(),
        "≤ 2".into(),
        NONE.into(),
        NONE.into(),
        NONE.into(),
        NONE.into(),
    ]);
    let head = [
        "per tick",
        "changes",
        "records written",
        "bytes to etcd",
        "bytes from etcd",
        "work of rcrond",
    ];
    table::print("What a tick costs the store", head, &rows);
    Ok(())
}

fn measure_memory(cluster: &Cluster, count: usize) -> Result<()> {
    let standby = cluster.start_standby()?;
    let before = proc::memory(standby.pid())?;
    let tick = next_tick()?;
    // The first one shows what is needed once.
    let mut waiting = vec![standby.rcron_that_waits(0, tick)?];
    standby.until_waiting(1)?;
    let first = proc::memory(standby.pid())?;
    for number in 1..count {
        waiting.push(standby.rcron_that_waits(number % 1000, tick)?);
    }
    standby.until_waiting(count)?;
    let all = proc::memory(standby.pid())?;
    let gate = Gate::new()?;
    let mut running = Vec::new();
    for _ in 0..3 {
        running.push(cluster.rcron_whose_job_waits(&gate)?);
    }
    let mut rows = Vec::new();
    for (what, processes) in [
        ("rcron that waits for its grant", &waiting[..3]),
        ("rcron that waits for its job", &running[..]),
    ] {
        let memories: Vec<_> = processes
            .iter()
            .map(|process| proc::memory(process.pid()))
            .collect::<Result<_>>()?;
        rows.push(memory_row(what, &memories));
    }
    rows.push(memory_row("rcrond, standby", &[before]));
    rows.push(memory_row("rcrond, one rcron waits", &[first]));
    rows.push(memory_row(
        &format!("rcrond, {} rcrons wait", grouped(count as u64)),
        &[all],
    ));
    rows.push([
        "target: 2,000 rcrons wait".into(),
        "≤ 10,240 kB more".into(),
        NONE.into(),
        NONE.into(),
    ]);
    drop(gate);
    end(&mut running, None)?;
    end(&mut waiting, Some(Signal::SIGTERM))?;
    table::print(
        "Memory while rcron waits",
        ["process", "resident", "its share", "anonymous"],
        &rows,
    );
    Ok(())
}

fn memory_row(what: &str, memories: &[proc::Memory]) -> [String; 4] {
    let kilobytes =
        |of: fn(&proc::Memory) -> u32| format!("{} kB", median(&memories.iter().map(of).collect::<Vec<_>>()));
    [
        what.to_owned(),
        kilobytes(|memory| memory.resident),
        kilobytes(|memory| memory.proportional),
        kilobytes(|memory| memory.anonymous),
    ]
}

/// Waits for the end of all, which are signalled first: one after the other would take long.
fn end(processes: &mut Vec<Running>, signal: Option<Signal>) -> Result<()> {
    if let Some(signal) = signal {
        for process in processes.iter() {
            kill(Pid::from_raw(process.pid().try_into()?), signal)?;
        }
    }
    for process in processes.iter_mut() {
        until("rcron to end", || Ok(process.0.try_wait()?))?;
    }
    processes.clear();
    Ok(())
}
