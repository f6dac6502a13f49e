//! The loop: each event becomes an input of the lease machine, and the machine's actions go to the tasks that execute them. The
//! loop waits for no task.

mod actions;
mod claims;
mod cluster_state;
mod drain;
mod drain_clients;
mod foreign_writes;
mod inputs;
mod job_wait;
mod machine;
mod publish;
mod reload;
mod report;
mod requests;
mod start;
mod stop;
mod store_failures;
mod tasks;
mod writes;

pub(crate) use foreign_writes::ForeignWrite;
pub(crate) use inputs::{hold_reloads, permit_reloads};
pub(crate) use reload::Reload;
pub(crate) use start::run;

use crate::api::metrics::Metrics;
use crate::api::systemd;
use crate::claims::{ClaimService, CrontabThread, StateFiles};
use crate::config::Config;
use crate::event::{Event, EventSender};
use crate::files::FileWriters;
use crate::files::identity::{HeldClusters, RunDir};
use crate::files::persistent_state::PersistentState;
use crate::store_tasks::drift::DriftRequest;
use ::inputs::clock;
use cluster_state::ClusterState;
use drain_clients::DrainClient;
use inputs::Inputs;
use lease::{ClusterName, Input, Machine, SessionId};
use policy::moment::BootTime;
use reload::Reloads;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use store::Store;
use store_failures::{Outage, WatchStatus};
use tasks::Senders;
use tokio::sync::{Notify, mpsc};

/// The loop's state.
struct Daemon {
    // What the process was started with, or what the last reload has set.
    config: Config,
    /// rcrond.toml: read again at each reload.
    config_file: PathBuf,
    /// The boot ID. Leases in state files and the saved session are valid only on this boot.
    boot: Vec<u8>,
    /// Holds the lock that keeps a second rcrond from running.
    run_dir: RunDir,

    reloads: Reloads,

    // The decisions.
    /// Decides which clusters this node holds, and when their state files are active.
    machine: Machine,
    /// When the machine needs its next tick, if nothing happens before.
    machine_wakes_at: BootTime,
    /// What the daemon knows about each cluster in addition to the machine. A cluster that a reload has removed stays in it.
    clusters: BTreeMap<ClusterName, ClusterState>,
    /// The content of clusters.json. The file may be older while a write is in progress.
    persistent_state: PersistentState,
    /// The machine's session, if the next process may resume it.
    session: Option<SessionId>,
    /// The clusters that were last saved together with the session.
    saved_clusters: HeldClusters,

    // The tasks around the loop.
    senders: Senders,
    /// Given to each new task, so that it can send events to the loop.
    events: EventSender,
    writers: FileWriters,
    /// The store of the current configuration. The tasks get it from here.
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,

    // Once per tick.
    /// Decides which ticks the rcrons of this server may start.
    claims: ClaimService,
    /// Which cluster a claim is for.
    claim_clusters: Arc<StateFiles>,
    /// Reads the crontabs of this server.
    crontabs: CrontabThread,
    /// For the task that compares the servers.
    drift_requests: mpsc::Sender<DriftRequest>,
    /// Ends the listener for claims.
    stop_claims: Arc<Notify>,

    /// When the state files are next compared with what was written.
    state_files_checked_at: BootTime,
    /// A directory whose check has not ended gets no further one.
    directories_being_checked: BTreeSet<PathBuf>,

    // For administrators.
    outage: Outage,
    watch: WatchStatus,
    /// The last message about why this node has no session, until it has one.
    session_failure: Option<String>,
    /// The last message about clusters.json or the saved session, so that a lasting fault is logged once.
    file_failure: Option<String>,
    /// The line that systemd has, so that it is notified only of changes.
    status_line: String,

    // Drains.
    /// Clients that wait until their clusters are released.
    drain_clients: Vec<DrainClient>,
    /// The number of the last client of `drain`.
    last_drain_client: u64,
    /// When to count running jobs again or to answer a client, while a drain is in progress.
    drain_wakes_at: Option<BootTime>,

    // Start and stop.
    started_at: BootTime,
    /// Whether systemd knows that the service is ready.
    is_ready: bool,
    /// Set by the first SIGTERM or SIGINT: when to exit even if not everything is released.
    exit_by: Option<BootTime>,
}

impl Daemon {
    /// Runs until a signal ends it.
    async fn run_loop(mut self, mut inputs: Inputs) {
        self.resume_drains();
        self.step(Input::Tick);
        loop {
            self.publish();
            let wakes = [
                self.drain_wakes_at,
                self.exit_by,
                Some(self.state_files_checked_at),
                self.claims_wake_at(),
            ];
            let next = wakes.into_iter().flatten().fold(self.machine_wakes_at, BootTime::min);
            let event = inputs.next_event(next).await;
            if matches!(event, Event::Exit) {
                log::info!("exiting on SIGUSR1 without releasing anything: the next rcrond resumes the session");
                break;
            }
            let is_claim = matches!(event, Event::Client(_));
            self.handle_event(event);
            if is_claim {
                self.handle_more_claims(&mut inputs.claims);
            }
            // All waiting events are handled before anything is published.
            while let Ok(event) = inputs.events.try_recv() {
                self.handle_event(event);
            }
            if self.must_exit() {
                break;
            }
            self.advance_claims();
            self.advance_drains();
            self.check_state_files(clock::boot_time());
        }
        if self.machine.is_finished() {
            self.run_dir.remove_identity();
        }
        // The lock stays until the process has exited, because a thread may still be writing.
        std::mem::forget(self.run_dir);
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::Read(call, answer) => {
                let reading = answer.map_err(|failure| self.outage.failed(failure)).ok();
                self.step(Input::Read(call, reading));
                self.log_store_failure();
            }
            Event::Changed(call, verdict, failure) => {
                if let Some(failure) = failure {
                    self.outage.failed(failure);
                }
                self.step(Input::Changed(call, verdict));
                self.log_store_failure();
            }
            Event::RecordsChanged => self.step(Input::Hint),
            Event::Watching(result) => {
                match result {
                    Ok(()) => self.watch_works(),
                    Err(failure) => self.watch_failed(failure),
                }
                self.step(Input::Watching(self.watch.works()));
            }
            Event::StoreWarnings(warnings) => warnings.iter().for_each(|warning| log::warn!("the store: {warning}")),
            Event::StateFileWritten(cluster, result) => self.state_file_written(cluster, result),
            Event::StateFilesChecked(directory, found) => self.state_files_checked(&directory, found),
            Event::ForeignWriteReplaced(foreign) => self.log_foreign_write(&foreign),
            Event::StateFileNotRestored(cluster, error) => self.state_file_not_restored(&cluster, &error),
            Event::PersistentStateWritten(save, result) => self.persistent_state_written(save, result),
            Event::SessionNotSaved(error) => self.session_not_saved(&error),
            Event::ConfigRead(reload, result) => self.finish_reload(reload, result),
            Event::JobsCounted(cluster, jobs) => self.jobs_counted(&cluster, jobs),
            Event::Request(pending) => self.handle_request(pending),
            Event::Claims(event) => self.handle_claims_event(event),
            Event::Client(event) => self.handle_claim(event),
            Event::Tick => self.step(Input::Tick),
            Event::Watchdog => systemd::notify_watchdog(),
            Event::Stop => self.begin_stop(),
            Event::Reload(client) => self.begin_reload(client),
            // The loop has ended.
            Event::Exit => {}
        }
    }

    /// Gives the machine an input, and executes its actions.
    fn step(&mut self, input: Input) {
        let now = clock::boot_time();
        let mut actions = Vec::new();
        self.machine.step(now, input, &mut actions);
        self.execute(actions);
    }
}
