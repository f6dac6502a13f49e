//! Measures rcron: time, instructions and memory of one run, a thousand runs at once, the delay of a demotion, the file size.
//!
//! It prints tables in Markdown with the targets beside the figures. A missed target is not an error, because the machine may be slow
//! or busy. It fails if rcron does not do what is being measured. See docs/benchmarks.md.

mod claims;
mod daemon;
mod demotion;
mod file;
mod fixture;
mod history;
mod instructions;
mod job_metrics;
mod log;
mod memory;
mod options;
mod proc;
mod running;
mod starts;
mod statistics;
mod table;
mod wait;
mod workload;

use fixture::Fixture;
use nix::unistd::geteuid;
use options::{HELP, Options, Request};
use std::error::Error;
use std::process::ExitCode;
use std::{fs, thread};

/// Errors are returned instead of panicking, so that every started process is killed on the way out.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match options::read(lexopt::Parser::from_env()).and_then(answer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rcron-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn answer(request: Request) -> Result<()> {
    match request {
        Request::Help => {
            print!("{HELP}");
            Ok(())
        }
        Request::LogDaemon(path) => log::be_daemon(&path),
        Request::Stamp(number) => claims::print_stamp(&number),
        Request::Peak(command) => history::print_peak(&command),
        Request::Measure(options) => measure(&options),
    }
}

fn measure(options: &Options) -> Result<()> {
    let fixture = Fixture::new(&options.binary)?;
    print_machine();
    if options.only_claims {
        let rcrond = options.rcrond.as_deref().ok_or("--rcrond is missing")?;
        return claims::measure(&options.binary, rcrond, &claims::Extent::new(options.is_once));
    }
    if options.only_jobs {
        return measure_jobs(options);
    }
    file::measure(&options.binary)?;
    if let Some(rcronctl) = &options.rcronctl {
        history::measure(rcronctl, options.runs)?;
    }
    match &options.rcrond {
        Some(rcrond) if fixture::find("etcd").is_some() => {
            daemon::measure(rcrond, &[1, 100], options.duration)?;
            measure_jobs(options)?;
            claims::measure(&options.binary, rcrond, &claims::Extent::new(options.is_once))?;
        }
        Some(_) => println!("\nrcrond: NOT MEASURED: no etcd here (Debian's package: etcd-server)"),
        None => {}
    }
    starts::measure(&fixture, options.rounds)?;
    instructions::measure(&fixture)?;
    memory::measure(&fixture)?;
    workload::measure(&fixture, options.workload)?;
    demotion::measure(&fixture, options.demotions)
}

/// The owner of a journal's file is the user of its runs: only root can write those of several users.
fn measure_jobs(options: &Options) -> Result<()> {
    match (&options.rcrond, &options.rcronctl) {
        (Some(rcrond), Some(rcronctl)) if geteuid().is_root() => {
            job_metrics::measure(rcrond, rcronctl, options.runs, options.is_once)
        }
        _ => {
            println!("\nmetrics of jobs: NOT MEASURED: root, --rcrond and --rcronctl are needed");
            Ok(())
        }
    }
}

fn print_machine() {
    let cores = thread::available_parallelism().map_or_else(|_| "?".into(), |cores| cores.to_string());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!("Machine: {cores} cores, Linux {}", kernel.trim_end());
}
