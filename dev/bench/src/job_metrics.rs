//! Metrics of jobs: what a scrape of rcrond costs with a journal of a million records, and `rcronctl metrics`.

use crate::Result;
use crate::daemon::{directory_in_memory, free_port, page, start_etcd};
use crate::history::{FILES, peak, time, write_journal};
use crate::proc;
use crate::running::Running;
use crate::statistics::quantile;
use crate::table::{self, NONE};
use crate::wait::until;
use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A sample of a job.
const SAMPLE: &str = "\nrcron_job_last_start_timestamp_seconds{";
const ROUNDS: usize = 5;
const SCRAPES: usize = 10;
/// rcrond reads the journal at most once a second.
const PAUSE: Duration = Duration::from_millis(1200);

/// A rcrond with metrics.
struct Scraped {
    memory: proc::Memory,
    /// From the start of the daemon to the first metrics of jobs.
    first: Duration,
    scrapes: Vec<Duration>,
    page: String,
}

pub(crate) fn measure(rcrond: &Path, rcronctl: &Path, runs: u64, is_once: bool) -> Result<()> {
    let journal = TempDir::with_prefix("rcron-bench.")?;
    write_journal(journal.path(), runs)?;
    // The owner of a file is the user of its runs.
    for entry in fs::read_dir(journal.path())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let user = name.split('-').next().unwrap_or_default().parse()?;
        chown(&path, Some(user), None)?;
    }
    let scrapes = if is_once { 1 } else { SCRAPES };
    let mut rows = Vec::new();
    for (case, jobs) in [("without jobs", false), ("with jobs", true)] {
        let Scraped {
            memory,
            first,
            scrapes,
            page,
        } = scrape(rcrond, journal.path(), jobs, scrapes)?;
        rows.push([
            format!("rcrond, {case}"),
            format!("{} kB", memory.resident),
            format!("{} kB", memory.anonymous),
            milliseconds(quantile(&scrapes, 50)),
            if jobs { milliseconds(first) } else { NONE.into() },
            format!("{} kB", page.len() / 1000),
            page.matches(SAMPLE).count().to_string(),
        ]);
    }
    rows.push(of_rcronctl(rcronctl, journal.path())?);
    table::print(
        &format!(
            "Metrics of jobs, from a journal of {} records",
            runs / FILES * FILES * 2
        ),
        [
            "case",
            "resident",
            "anonymous",
            "a scrape",
            "the first reading",
            "the page",
            "jobs",
        ],
        &rows,
    );
    Ok(())
}

fn scrape(rcrond: &Path, journal: &Path, jobs: bool, scrapes: usize) -> Result<Scraped> {
    let directory = directory_in_memory()?;
    let disk = TempDir::new()?;
    let (etcd, address) = start_etcd(disk.path())?;
    let port = free_port()?;
    let (states, lib) = (directory.path().display(), disk.path().display());
    let config = disk.path().join("rcrond.toml");
    fs::write(
        &config,
        format!(
            "node = \"bench\"\nrun_dir = \"{states}/run\"\nstate_dir = \"{lib}/lib\"\n[etcd]\nservers = [\"{address}\"]\n\
             [control]\nsocket = \"{states}/socket\"\n[metrics]\nlisten = \"127.0.0.1:{port}\"\njobs = {jobs}\n\
             [[cluster]]\nname = \"web\"\nstate_file = \"{states}/state\"\njournal = \"{}\"\n",
            journal.display()
        ),
    )?;
    let began = Instant::now();
    let daemon = Running::start(Command::new(rcrond).arg("-c").arg(&config).stderr(Stdio::null()))?;
    until("the metrics", || {
        let page = page(port).unwrap_or_default();
        let is_there = page.contains("rcrond_session 1") && page.contains(SAMPLE) == jobs;
        Ok(is_there.then_some(()))
    })?;
    let first = began.elapsed();
    // As long as rcrond reads nothing after a reading that took this long.
    sleep(first * if jobs { 20 } else { 0 });
    let mut times = Vec::new();
    let mut last = String::new();
    for _ in 0..scrapes {
        sleep(PAUSE);
        let began = Instant::now();
        last = page(port)?;
        times.push(began.elapsed());
    }
    let memory = proc::memory(daemon.pid())?;
    drop((daemon, etcd));
    Ok(Scraped {
        memory,
        first,
        scrapes: times,
        page: last,
    })
}

fn of_rcronctl(rcronctl: &Path, journal: &Path) -> Result<[String; 7]> {
    let directory = TempDir::new()?;
    let conf = directory.path().join("conf");
    fs::write(&conf, format!("cluster_name = web\njournal = {}\n", journal.display()))?;
    let mut command = Command::new(rcronctl);
    command.arg("--conf").arg(conf).arg("metrics");
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        times.push(time(&mut command, "metrics")?);
    }
    let page = String::from_utf8(command.stdout(Stdio::piped()).output()?.stdout)?;
    Ok([
        "`rcronctl metrics`".into(),
        format!("{} kB at most", peak(&command)?),
        NONE.into(),
        NONE.into(),
        milliseconds(quantile(&times, 50)),
        format!("{} kB", page.len() / 1000),
        page.matches(SAMPLE).count().to_string(),
    ])
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
