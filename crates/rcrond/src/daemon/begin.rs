//! From the configuration to the loop.

use super::cluster::Cluster;
use super::start::{self, Clusters};
use super::{Daemon, Inlets, Outlets, Signals};
use crate::config::{self, ClusterSettings, Config};
use crate::disk::identity::{Held, RunDir};
use crate::disk::ledger::{LEDGER, Ledger};
use crate::disk::scribe::Scribes;
use crate::news::Newsroom;
use crate::outside::metrics::{self, Metrics};
use crate::outside::{self, Snapshot, socket, systemd};
use crate::store_side::asker::Asker;
use crate::store_side::card::{self, Issue};
use crate::store_side::listener::{self, Subject};
use control::Report;
use inputs::clock;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use sys::output::{error_text, to_stderr};
use tokio::sync::{mpsc, watch};

/// For look-ups of names that hang, one for each attempt.
const MOST_THREADS: usize = 64;

/// More requests than that wait in their sockets.
const MOST_ASKS: usize = 32;

/// Why the daemon cannot begin. It has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It would be the same the next time.
    Configuration,
    /// The next time it may be better.
    System,
}

/// Runs the daemon until it is told to end.
///
/// # Errors
/// [`Trouble`].
pub(crate) fn main(file: &Path) -> Result<(), Trouble> {
    if let Err(error) = outside::log::init() {
        to_stderr(format!("rcrond: cannot begin to log: {}\n", error_text(&error)).as_bytes());
        return Err(Trouble::System);
    }
    let result = match load(file) {
        Ok(config) => run(config, file).map_err(|problem| (Trouble::System, problem)),
        Err(problem) => Err((Trouble::Configuration, problem)),
    };
    let result = result.map_err(|(trouble, problem)| {
        log::error!("{problem}");
        trouble
    });
    outside::log::flush();
    result
}

fn load(file: &Path) -> Result<Config, String> {
    let loaded = config::load(file).map_err(|diagnostic| diagnostic.full)?;
    outside::log::set_node(&loaded.config.node);
    for warning in &loaded.warnings {
        log::warn!("{}", warning.summary);
    }
    Ok(loaded.config)
}

fn run(config: Config, file: &Path) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MOST_THREADS)
        .build();
    let runtime = runtime.map_err(|error| format!("cannot begin: {}", error_text(&error)))?;
    let result = runtime.block_on(begin(config, file.to_owned()));
    // A thread that hangs in a file system would be waited for.
    runtime.shutdown_background();
    result
}

async fn begin(config: Config, config_file: PathBuf) -> Result<(), String> {
    let boot = clock::boot_id().ok_or("cannot read /proc/sys/kernel/random/boot_id: leases are bound to the boot")?;
    let run_dir = RunDir::take(&config.run_dir)?;
    let ledger = Ledger::read(&config.state_dir.join(LEDGER))?;
    let store: Arc<dyn Store> = Arc::from(config::open(&config.store).map_err(|failure| failure.to_string())?);
    let pair = |cluster: &ClusterSettings| (cluster.name.as_str().to_owned(), cluster.state_file.clone());
    let names: Held = config.clusters.iter().map(pair).collect();
    let kept = run_dir.kept(&boot, config.node.as_str(), &names);
    let mut clusters = Clusters::new();
    let mut starts = Vec::new();
    for (settings, inherited) in config
        .clusters
        .iter()
        .zip(start::inherited(&config.clusters, &boot).await)
    {
        starts.push(start::cluster_start(settings, &ledger, &inherited));
        clusters.insert(settings.name.clone(), Cluster::new(settings.clone(), &inherited));
    }
    let machine = start::machine(&config, kept, starts, clock::boot_time());
    let machine = machine.map_err(|error| format!("cannot read random numbers: {}", error_text(&error)))?;
    let (newsroom, news) = Newsroom::open();
    let metrics = Arc::new(Metrics::new());
    let outlets = outlets(&config, &store, &newsroom, &metrics);
    let inlets = Inlets {
        news,
        asks: asks(&config)?,
        watchdog: systemd::watchdog_interval().map(tokio::time::interval),
        signals: Signals::catch().map_err(|error| format!("cannot catch signals: {}", error_text(&error)))?,
    };
    let socket = config.socket.clone();
    let daemon = Daemon {
        config,
        config_file,
        boot,
        machine,
        clusters,
        ledger,
        run_dir,
        session: kept,
        kept: names,
        scribes: Scribes::default(),
        newsroom,
        store,
        outlets,
        failure: None,
        file_failure: None,
        watching: false,
        pending: Vec::new(),
        wake: clock::boot_time(),
        look_at: None,
        stop: None,
        ready: false,
        begun: clock::boot_time(),
        status: String::new(),
        metrics,
    };
    daemon.live(inlets).await;
    let _ = std::fs::remove_file(socket);
    Ok(())
}

fn outlets(config: &Config, store: &Arc<dyn Store>, newsroom: &Newsroom, metrics: &Arc<Metrics>) -> Outlets {
    let (requests, inbox) = mpsc::unbounded_channel();
    let asker = Asker::new(Arc::clone(store), newsroom.clone(), Arc::clone(metrics));
    tokio::spawn(asker.run(inbox));
    let (subject, listened) = watch::channel(Subject {
        store: Arc::clone(store),
        keys: Vec::new(),
    });
    tokio::spawn(listener::run(listened, newsroom.clone()));
    let (cards, issued) = watch::channel(Issue {
        store: Arc::clone(store),
        card: None,
    });
    tokio::spawn(card::run(config.node.as_str().to_owned(), issued));
    Outlets {
        requests,
        subject,
        cards,
        snapshot: show_metrics(config, metrics),
    }
}

/// A port that is taken is no reason not to run jobs: it is said, and tried again.
fn show_metrics(config: &Config, metrics: &Arc<Metrics>) -> Option<watch::Sender<Arc<Snapshot>>> {
    let address = config.metrics?;
    let nothing = Snapshot {
        taken: clock::boot_time(),
        report: Report::default(),
    };
    let (outlet, snapshots) = watch::channel(Arc::new(nothing));
    let metrics = Arc::clone(metrics);
    tokio::spawn(async move { metrics::serve(metrics::listen(address).await, metrics, snapshots).await });
    Some(outlet)
}

fn asks(config: &Config) -> Result<mpsc::Receiver<socket::Ask>, String> {
    let (sender, asks) = mpsc::channel(MOST_ASKS);
    let shown = config.socket.display();
    let listener = socket::listen(&config.socket).map_err(|error| format!("cannot listen on {shown}: {error}"))?;
    tokio::spawn(socket::serve(listener, sender));
    Ok(asks)
}
