//! Measures rcron: time, instructions and memory of one run, a crowd of a thousand, the delay of a demotion, the size.
//!
//! It prints tables in Markdown to stdout, with the targets beside the figures, and never judges them: a slow or busy
//! machine is no failure. It fails where rcron does not do what is to be measured. See docs/benchmarks.md.

mod crowd;
mod daemon;
mod demotion;
mod file;
mod history;
mod instructions;
mod log;
mod memory;
mod options;
mod proc;
mod running;
mod scene;
mod starts;
mod statistics;
mod table;
mod wait;

use options::{HELP, Options, Request};
use scene::Scene;
use std::error::Error;
use std::process::ExitCode;
use std::{fs, thread};

/// Errors are returned and never panicked, so that what was started is ended on the way out.
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
        Request::Peak(command) => history::print_peak(&command),
        Request::Measure(options) => measure(&options),
    }
}

fn measure(options: &Options) -> Result<()> {
    let scene = Scene::new(&options.binary)?;
    print_machine();
    file::measure(&options.binary)?;
    if let Some(rcronctl) = &options.rcronctl {
        history::measure(rcronctl, options.runs)?;
    }
    match &options.rcrond {
        Some(rcrond) if scene::find("etcd").is_some() => daemon::measure(rcrond, &[1, 100], options.span)?,
        Some(_) => println!("\nrcrond: NOT MEASURED: no etcd here (Debian's package: etcd-server)"),
        None => {}
    }
    starts::measure(&scene, options.rounds)?;
    instructions::measure(&scene)?;
    memory::measure(&scene)?;
    crowd::measure(&scene, options.crowd)?;
    demotion::measure(&scene, options.demotions)
}

fn print_machine() {
    let cores = thread::available_parallelism().map_or_else(|_| "?".into(), |cores| cores.to_string());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!("Machine: {cores} cores, Linux {}", kernel.trim_end());
}
