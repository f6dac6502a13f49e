//! Queries of a journal with a million records.

use crate::Result;
use crate::statistics::quantile;
use crate::table;
use journal::format::{Entry, Process};
use nix::sys::resource::{UsageWho, getrusage};
use policy::event::Ending;
use policy::exit::Outcome;
use policy::moment::{BootTime, WallTime};
use policy::run_id::RunId;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

/// Precedes a command whose peak memory is printed. Not for users.
pub(crate) const PEAK_OPTION: &str = "--peak-of";
/// Ten users with three files each.
pub(crate) const FILES: u64 = 30;
const JOBS: u64 = 100;
/// From the first to the last record.
const SPAN: Duration = Duration::from_secs(30 * 86_400);
const ROUNDS: usize = 5;
const BOOT: &[u8] = b"5c0f3c4e-0d5e-4a39-8a35-9f3f3f4b0b1d";

pub(crate) fn measure(rcronctl: &Path, runs: u64) -> Result<()> {
    let directory = TempDir::with_prefix("rcron-bench.")?;
    write_journal(directory.path(), runs)?;
    let mut rows = Vec::new();
    for (case, target, arguments) in [
        (
            "`history --job X --since 1d`",
            "< 1000 ms",
            &["history", "--job", "job7", "--since", "1d"][..],
        ),
        ("`history`", "< 1000 ms", &["history"]),
        ("`history -n 0`", "< 1000 ms", &["history", "-n", "0"]),
        ("`history -n 0 --json`", "< 1000 ms", &["history", "-n", "0", "--json"]),
        ("`interrupted`", "–", &["interrupted"]),
    ] {
        let mut command = Command::new(rcronctl);
        command.args(arguments).arg("--journal").arg(directory.path());
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            times.push(time(&mut command, case)?);
        }
        let peak = peak(&command)?;
        let median = format!("{} ms", quantile(&times, 50).as_millis());
        rows.push([
            case.to_owned(),
            median,
            target.to_owned(),
            format!("{peak} kB"),
            "≤ 50,000 kB".to_owned(),
        ]);
    }
    let title = format!("A journal of {} records", runs / FILES * FILES * 2);
    table::print(&title, ["case", "median", "target", "peak memory", "target"], &rows);
    Ok(())
}

/// Writes a journal of this many runs, by ten users with a hundred jobs each.
pub(crate) fn write_journal(directory: &Path, runs: u64) -> Result<()> {
    (0..FILES).try_for_each(|number| write(directory, number, runs / FILES))
}

/// The peak memory of a command in kB, measured by a process that has no other child.
pub(crate) fn peak(command: &Command) -> Result<u64> {
    let mut asker = Command::new(std::env::current_exe()?);
    asker
        .arg(PEAK_OPTION)
        .arg(command.get_program())
        .args(command.get_args());
    let output = asker.stdin(Stdio::null()).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Runs in that process.
pub(crate) fn print_peak(command: &[OsString]) -> Result<()> {
    let (program, arguments) = command.split_first().ok_or("no command")?;
    Command::new(program).args(arguments).stdout(Stdio::null()).status()?;
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss());
    Ok(())
}

pub(crate) fn time(command: &mut Command, case: &str) -> Result<Duration> {
    let began = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    let time = began.elapsed();
    if status.success() {
        Ok(time)
    } else {
        Err(format!("{case}: {status}").into())
    }
}

/// Writes a file of a journal. The newest file of a user has no number.
fn write(directory: &Path, number: u64, runs: u64) -> Result<()> {
    let (user, age) = (number / 3, 2 - number % 3);
    let suffix = if age == 0 { String::new() } else { format!(".{age}") };
    let mut file = BufWriter::new(File::create(directory.join(format!("{user}-0.jsonl{suffix}")))?);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let span = SPAN / 3;
    let first = now.saturating_sub(span * u32::try_from(age + 1)?);
    let step = span / u32::try_from(runs.max(1))?;
    for run in 0..runs {
        let started = WallTime(first + step * u32::try_from(run)?);
        record(&mut file, number * runs + run, u32::try_from(user)?, started)?;
    }
    Ok(file.flush()?)
}

fn record(file: &mut impl Write, number: u64, uid: u32, started: WallTime) -> Result<()> {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    let name = format!("job{}", number % JOBS);
    let command = format!("/usr/local/sbin/{name} --all --verbose 2>&1 | logger -t {name}");
    let entry = Entry {
        run: RunId::new(started, random),
        node: b"server1",
        cluster: b"web",
        job: Some(name.as_bytes()),
        command: command.as_bytes(),
        user: Some(b"someone"),
        uid,
        wrapper: Process {
            pid: 4711,
            born: Some(number),
        },
        leader: Some(Process {
            pid: 4712,
            born: Some(number),
        }),
        boot: Some(BOOT),
        pid_namespace: Some(4_026_531_836),
        by_default: false,
        epoch: None,
        attempt: None,
        started,
        began: BootTime(Duration::from_secs(number)),
    };
    let ending = Ending {
        outcome: Outcome::Exited(0),
        signal: "",
        lasted: Duration::from_secs(3),
        demoted: false,
    };
    file.write_all(&entry.start())?;
    file.write_all(&entry.end(&ending, WallTime(started.0 + ending.lasted)))?;
    Ok(())
}
