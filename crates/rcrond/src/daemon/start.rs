//! The start of the daemon, from the configuration to the loop.

use super::inputs::{Inputs, Signals};
use super::reload::Reloads;
use super::store_failures::{Outage, WatchStatus};
use super::{ClusterState, Daemon, machine, tasks};
use crate::api::log::{flush, set_node, start_log};
use crate::api::socket::ListenError;
use crate::api::systemd;
use crate::claims::CrontabThread;
use crate::config::{self, Config};
use crate::event::EventSender;
use crate::files::FileWriters;
use crate::files::identity::{HeldCluster, HeldClusters, RunDir, RunDirError};
use crate::files::persistent_state::{FILE_NAME, PersistentState, ReadError};
use ::inputs::clock;
use ::inputs::diagnostic::Diagnostic;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use store::{Error, Store};
use sys::output::{error_text, to_stderr};
use sys::service_manager;

/// Why the daemon did not start.
pub(crate) enum StartError {
    /// rcrond.toml or a file that it names is rejected.
    Config(Diagnostic),
    /// The log cannot be started.
    Log(io::Error),
    /// The runtime cannot be created.
    Runtime(io::Error),
    NoBootId,
    RunDir(RunDirError),
    PersistentState(PathBuf, ReadError),
    /// Certificates or keys of the store cannot be used.
    Store(Error),
    /// The kernel gives no random numbers.
    Random(io::Error),
    /// The thread that reads the crontabs, or that for the metrics of jobs, cannot be started.
    Thread(io::Error),
    /// A signal's handler cannot be set.
    Signals(io::Error),
    Socket(PathBuf, ListenError),
}

/// systemd starts rcrond again 0.2 s after its end, so that a crash costs no lease, however short that is. A fault that lasts, such
/// as a `run_dir` that cannot be written to, must not fill the log at this rate.
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(2);

impl StartError {
    /// Whether the next start would fail in the same way, until an administrator changes a file.
    pub(crate) const fn needs_administrator(&self) -> bool {
        matches!(
            self,
            Self::Config(_) | Self::Store(_) | Self::PersistentState(_, ReadError::Invalid(_) | ReadError::Format(_))
        )
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(diagnostic) => out.write_str(&diagnostic.full),
            Self::Log(error) => write!(out, "cannot start the log: {}", error_text(error)),
            Self::Runtime(error) => write!(out, "cannot start: {}", error_text(error)),
            Self::NoBootId => {
                out.write_str("cannot read /proc/sys/kernel/random/boot_id, and a lease is valid only with a boot ID")
            }
            Self::RunDir(error) => error.fmt(out),
            Self::PersistentState(path, error) => {
                write!(out, "cannot read the epochs from {}: {error}", path.display())
            }
            Self::Store(failure) => failure.fmt(out),
            Self::Random(error) => write!(out, "cannot read random numbers: {}", error_text(error)),
            Self::Thread(error) => write!(out, "cannot start a thread: {}", error_text(error)),
            Self::Signals(error) => write!(out, "cannot catch signals: {}", error_text(error)),
            Self::Socket(path, error) => write!(out, "cannot listen on {}: {error}", path.display()),
        }
    }
}

/// Runs the daemon until a signal ends it. An error was logged when this returns.
///
/// # Errors
/// [`StartError`].
pub(crate) fn run(config_file: &Path) -> Result<(), StartError> {
    if let Err(error) = start_log() {
        let error = StartError::Log(error);
        to_stderr(format!("rcrond: {error}\n").as_bytes());
        delay_restart(&error);
        return Err(error);
    }
    let result = load(config_file).and_then(|config| run_daemon(config, config_file.to_owned()));
    if let Err(error) = &result {
        log::error!("{error}");
    }
    flush();
    if let Err(error) = &result {
        delay_restart(error);
    }
    result
}

fn delay_restart(error: &StartError) {
    if !error.needs_administrator() && service_manager::is_present() {
        thread::sleep(PAUSE_AFTER_FAULT);
    }
}

fn load(file: &Path) -> Result<Config, StartError> {
    let loaded = config::load(file).map_err(StartError::Config)?;
    set_node(&loaded.config.node);
    for warning in &loaded.warnings {
        log::warn!("{}", warning.summary);
    }
    Ok(loaded.config)
}

fn run_daemon(config: Config, config_file: PathBuf) -> Result<(), StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(StartError::Runtime)?;
    let result = runtime.block_on(async {
        let sockets = [config.socket.clone(), config.claims_socket.clone()];
        let (daemon, inputs) = start(config, config_file).await?;
        daemon.run_loop(inputs).await;
        for socket in sockets {
            let _ = std::fs::remove_file(socket);
        }
        Ok(())
    });
    // Dropping the runtime would wait for threads, which may hang in a file system.
    runtime.shutdown_background();
    result
}

async fn start(config: Config, config_file: PathBuf) -> Result<(Daemon, Inputs), StartError> {
    let boot = clock::boot_id().ok_or(StartError::NoBootId)?;
    let run_dir = RunDir::lock(&config.run_dir).map_err(StartError::RunDir)?;
    let state_file = config.state_dir.join(FILE_NAME);
    let persistent_state = PersistentState::read(&state_file);
    let persistent_state = persistent_state.map_err(|error| StartError::PersistentState(state_file, error))?;
    let store: Arc<dyn Store> = config::open(&config.store).map_err(StartError::Store)?.into();
    let saved = run_dir.saved_session(&boot, config.node.as_str(), &configured_files(&config));
    let previous_states = machine::previous_states(&config.clusters, &boot).await;
    let mut clusters = BTreeMap::new();
    let mut starts = Vec::new();
    for (settings, previous) in config.clusters.iter().zip(&previous_states) {
        starts.push(machine::cluster_start(
            settings,
            &persistent_state,
            previous,
            saved.as_ref(),
        ));
        clusters.insert(settings.name.clone(), ClusterState::new(settings.clone(), previous));
    }
    let session = saved.map(|saved| saved.session);
    let machine = machine::new(&config, session, starts, clock::boot_time()).map_err(StartError::Random)?;
    let (events, received) = EventSender::channel();
    let metrics = Arc::new(tasks::start_metrics(&config).map_err(StartError::Thread)?);
    let senders = tasks::start_store_tasks(&config, &store, &events, &metrics);
    let requests = tasks::start_servers(&config, &metrics);
    let requests = requests.map_err(|error| StartError::Socket(config.socket.clone(), error))?;
    let claims = tasks::start_claims_socket(&config);
    let claims = claims.map_err(|error| StartError::Socket(config.claims_socket.clone(), error))?;
    let (claims_tasks, drift_requests) = tasks::start_claims_tasks(&config, &store, &events, &metrics);
    let claim_service = super::claims::new_claim_service(&config, claims_tasks, Arc::clone(&claims.numbers));
    let claim_service = claim_service.map_err(StartError::Random)?;
    let crontabs = super::claims::crontab_settings(&config, &config_file);
    let crontabs = CrontabThread::start(crontabs, events.clone(), metrics.jobs.clone());
    let crontabs = crontabs.map_err(StartError::Thread)?;
    let inputs = Inputs {
        events: received,
        requests,
        claims: claims.events,
        watchdog: systemd::watchdog_interval().map(tokio::time::interval),
        signals: Signals::catch().map_err(StartError::Signals)?,
    };
    let daemon = Daemon {
        config,
        config_file,
        boot,
        run_dir,
        reloads: Reloads::default(),
        machine,
        machine_wakes_at: clock::boot_time(),
        clusters,
        persistent_state,
        session,
        // If the session is resumed, this makes the loop save it with the clusters of this configuration.
        saved_clusters: HeldClusters::new(),
        senders,
        events,
        writers: FileWriters::default(),
        store,
        metrics,
        claims: claim_service,
        crontabs,
        claim_clusters: claims.clusters,
        drift_requests,
        stop_claims: claims.stop,
        state_files_checked_at: clock::boot_time(),
        directories_being_checked: BTreeSet::new(),
        outage: Outage::default(),
        watch: WatchStatus::default(),
        session_failure: None,
        file_failure: None,
        status_line: String::new(),
        drain_clients: Vec::new(),
        last_drain_client: 0,
        drain_wakes_at: None,
        started_at: clock::boot_time(),
        is_ready: false,
        exit_by: None,
    };
    Ok((daemon, inputs))
}

fn configured_files(config: &Config) -> HeldClusters {
    let clusters = config.clusters.iter();
    clusters
        .map(|cluster| {
            let held = HeldCluster {
                state_file: cluster.state_file.clone(),
                shared_lease: Some(cluster.timing.lease()),
            };
            (cluster.name.as_str().to_owned(), held)
        })
        .collect()
}
