//! The machine: inputs with the time go in, actions come out as data.

mod decide;
mod draft;
mod floor;
mod outcome;
mod permit;
mod queue;
mod reading;
mod round;
mod run;
#[cfg(test)]
mod tests;

use crate::job::JobKey;
use crate::message::{Action, Call, Claim, Client, Due, Facts, Held, Input, Key, Now, Reopen, Start};
use crate::mutation::Mutation;
use crate::random::Random;
use crate::record::JobRecord;
use crate::sessions::Sessions;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;
use lease::{Incarnation, NodeName, Version};
use policy::claim::{Answer, Ended};
use policy::moment::BootTime;
use queue::Queue;
use round::{Phase, StoreState};
use run::{Run, RunKey, RunState};

/// The shortest time between two looks at all runs. With thousands of rcrons, a look at each input would take too long.
const ALL_RUNS_PAUSE: Duration = Duration::from_millis(10);

/// One node's part in the distribution of ticks: the claims of its own rcrons, and what it records for all nodes.
///
/// The machine does nothing by itself. Pass it each input with [`Machine::step`], execute the actions in their order, and answer
/// each read and change.
#[derive(Clone, Debug)]
pub struct Machine {
    /// This node's name.
    node: NodeName,
    /// How far the wall clocks of two nodes may differ.
    max_skew: Duration,
    /// When this process began: runs of an earlier process that have not connected since then are given up after a while.
    started: BootTime,
    /// What the lease machine knew at the last step.
    facts: Facts,
    /// The rcrons of this node, connected or not, as long as something must be decided or written for them.
    runs: BTreeMap<RunKey, Run>,
    /// The connections' runs.
    clients: BTreeMap<Client, RunKey>,
    /// The jobs that matter at the moment, as the last read of each found it.
    jobs: BTreeMap<JobKey, JobView>,
    /// The jobs that have a record, as far as this process has seen: they are in the list of jobs.
    listed: BTreeSet<JobKey>,
    /// Other nodes' sessions, and since when they are what they are.
    sessions: Sessions,
    /// Ticks that should have been started by now: the latest of each job.
    dues: BTreeMap<JobKey, PendingDue>,
    /// The clusters whose floor must be there before the first claim.
    expected: BTreeSet<lease::ClusterName>,
    /// Requests of administrators.
    reopens: Vec<Reopen>,
    /// The jobs that must be read.
    queue: Queue,
    /// What is known of the store, and when to call it next.
    store: StoreState,
    /// The clusters whose floor must be raised, because the store's revision went back.
    suspects: BTreeSet<lease::ClusterName>,
    /// The incarnation of the last read.
    incarnation: Option<Incarnation>,
    /// The highest revision that was read in this incarnation.
    revision: Option<u64>,
    /// The records that could not be read since this was reported.
    unreadable: BTreeSet<Key>,
    /// When all runs were last looked at.
    all_seen_at: BootTime,
    /// The call whose answer the machine waits for. There is at most one.
    phase: Phase,
    /// The number of the last call. An answer to an earlier call is ignored.
    last_call: Call,
    /// The source of jitter and of notifications.
    random: Random,
    /// The rule that the simulation leaves out.
    #[cfg(feature = "mutations")]
    mutation: Option<Mutation>,
}

/// A tick that should have been started by now.
#[derive(Clone, Debug)]
struct PendingDue {
    due: Due,
    /// Its time has come, and its job was queued.
    is_queued: bool,
    /// Not before this: the sessions of attempts are watched.
    turn: Option<BootTime>,
}

/// A job as a read found it.
#[derive(Clone, Debug)]
enum JobView {
    /// There is no record.
    Missing,
    /// A record that can be read.
    Readable(Version, JobRecord),
    /// Something else.
    Unreadable,
}

impl Machine {
    /// Creates the machine.
    #[must_use]
    pub fn new(start: Start, now: Now) -> Self {
        Self {
            node: start.node,
            max_skew: start.max_skew,
            started: now.boot,
            facts: Facts::default(),
            runs: BTreeMap::new(),
            clients: BTreeMap::new(),
            jobs: BTreeMap::new(),
            listed: BTreeSet::new(),
            sessions: Sessions::default(),
            dues: BTreeMap::new(),
            expected: BTreeSet::new(),
            reopens: Vec::new(),
            queue: Queue::default(),
            store: StoreState::new(now.boot),
            suspects: BTreeSet::new(),
            incarnation: None,
            revision: None,
            unreadable: BTreeSet::new(),
            all_seen_at: BootTime(Duration::ZERO),
            phase: Phase::Idle,
            last_call: 0,
            random: Random::new(start.seed),
            #[cfg(feature = "mutations")]
            mutation: None,
        }
    }

    /// Leaves a rule out.
    #[cfg(feature = "mutations")]
    #[must_use]
    pub fn mutated(mut self, mutation: Option<Mutation>) -> Self {
        self.mutation = mutation;
        self
    }

    #[cfg(feature = "mutations")]
    fn is_mutated(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    #[cfg(not(feature = "mutations"))]
    #[expect(clippy::unused_self, reason = "as with the feature, where it is a field")]
    const fn is_mutated(&self, _: Mutation) -> bool {
        false
    }

    /// How many rcrons of this node wait for a grant.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.runs
            .values()
            .filter(|run| run.is_waiting() && run.client.is_some())
            .count()
    }

    /// Whether the store answered the last call that has ended.
    #[must_use]
    pub const fn is_answered(&self) -> bool {
        self.store.is_answering
    }

    /// `max_skew` is configured anew.
    pub const fn set_max_skew(&mut self, max_skew: Duration) {
        self.max_skew = max_skew;
    }

    /// Takes in an event, with a time that was read *after* it and what the lease machine knows at this time, and appends what is
    /// to be done.
    pub fn step(&mut self, now: Now, facts: &Facts, input: Input, out: &mut Vec<Action>) {
        self.take_facts(facts);
        self.take_input(now, input, out);
        self.give_up_waiting(now, out);
        let looks_at_all = now.boot >= self.all_seen_at.after(ALL_RUNS_PAUSE);
        if looks_at_all {
            self.all_seen_at = now.boot;
            self.expire(now, out);
        }
        self.begin_round_if_due(now, out);
        let wake_at = if looks_at_all {
            self.forget_idle_jobs();
            self.wake_at(now)
        } else {
            // What this step has changed is found by the next look at all runs.
            Some(self.all_seen_at.after(ALL_RUNS_PAUSE))
        };
        out.extend(wake_at.map(Action::WakeAt));
    }

    /// A permission that has come or gone, or another session, may decide what waits.
    fn take_facts(&mut self, facts: &Facts) {
        if self.facts == *facts {
            return;
        }
        let session_changed = self.facts.session != facts.session;
        let changed = |job: &JobKey| {
            let (before, after) = (self.facts.clusters.get(&job.cluster), facts.clusters.get(&job.cluster));
            session_changed || before.map(permit::kind) != after.map(permit::kind)
        };
        let waiting = self
            .runs
            .iter()
            .filter(|(_, run)| run.is_waiting())
            .map(|(key, _)| &key.job);
        let due = self.dues.keys().filter(|_| session_changed);
        let jobs: Vec<JobKey> = waiting.chain(due).filter(|job| changed(job)).cloned().collect();
        self.queue.extend(jobs);
        self.facts = facts.clone();
    }

    fn take_input(&mut self, now: Now, input: Input, out: &mut Vec<Action>) {
        match input {
            Input::Tick => {}
            Input::Read(call, reading) => self.take_reading(now, call, reading, out),
            Input::Changed(call, verdict) => self.take_verdict(now, call, verdict, out),
            Input::Hint => self.store.is_hinted = true,
            Input::Watching(watching) => {
                self.store.is_watching = watching;
                self.store.is_hinted = true;
            }
            Input::Expect(cluster) => {
                self.expected.insert(cluster);
            }
            Input::Claim(claim) => self.take_claim(now, *claim, out),
            Input::Held(held) => self.take_held(&held),
            Input::NotStarted(client) => self.take_not_started(now, client),
            Input::Ended(client, ended) => self.take_ended(client, ended, out),
            Input::HungUp(client) => self.take_hang_up(now, client),
            Input::Due(due) => self.take_due(*due),
            Input::Reopen(reopen) => {
                self.queue.push(reopen.job.clone());
                self.reopens.push(reopen);
            }
        }
    }

    /// A claim of a run that is known is the same rcron with a new connection. It has not got its grant, or it would say `held`.
    fn take_claim(&mut self, now: Now, claim: Claim, out: &mut Vec<Action>) {
        let key = RunKey::new(&claim.job, claim.run);
        self.attach(claim.client, &key);
        self.queue.push(claim.job.clone());
        match self.runs.get_mut(&key) {
            Some(run) => run.claim_again(claim, now.boot),
            None => {
                self.runs.insert(key.clone(), Run::claiming(claim, now.boot));
            }
        }
        self.tell(now, &key, policy::claim::WaitReason::Claiming, None, out);
    }

    fn take_held(&mut self, held: &Held) {
        let key = RunKey::new(&held.job, held.run);
        self.attach(held.client, &key);
        self.queue.push(held.job.clone());
        let client = held.client;
        let run = self.runs.entry(key).or_insert_with(|| Run::held(held));
        run.client = Some(client);
        if run.is_waiting() {
            *run = Run::held(held);
        }
    }

    /// From now on this connection is the run's only one.
    fn attach(&mut self, client: Client, key: &RunKey) {
        if let Some(old) = self.runs.get(key).and_then(|run| run.client) {
            self.clients.remove(&old);
        }
        self.clients.insert(client, key.clone());
    }

    fn take_not_started(&mut self, now: Now, client: Client) {
        let Some(run) = self.run_of(client) else { return };
        if let RunState::Granted = run.state {
            run.state = RunState::GivingBack { is_asked: true };
            // The state file did not permit the start. It may take a moment until that changes.
            run.not_before = run.not_before.max(now.boot.after(Duration::from_secs(1)));
            self.queue_run_of(client);
        }
    }

    fn take_ended(&mut self, client: Client, ended: Ended, out: &mut Vec<Action>) {
        let Some(run) = self.run_of(client) else {
            out.push(Action::Answer(client, Answer::Noted));
            return;
        };
        run.state = RunState::Ending(ended);
        self.queue_run_of(client);
    }

    fn take_hang_up(&mut self, now: Now, client: Client) {
        let Some(key) = self.clients.remove(&client) else {
            return;
        };
        let Some(run) = self.runs.get_mut(&key) else { return };
        run.client = None;
        run.hung_up = Some(now.boot);
        // A claim that was sent may be done later, and must then be given back.
        if run.is_waiting() && run.sent.is_none() {
            self.runs.remove(&key);
        }
    }

    /// Of several ticks of a job, the latest stands for all: the earlier ones are found as a gap.
    fn take_due(&mut self, due: Due) {
        let pending = PendingDue {
            due,
            is_queued: false,
            turn: None,
        };
        self.dues.insert(pending.due.job.clone(), pending);
    }

    fn run_of(&mut self, client: Client) -> Option<&mut Run> {
        self.runs.get_mut(self.clients.get(&client)?)
    }

    fn queue_run_of(&mut self, client: Client) {
        if let Some(key) = self.clients.get(&client) {
            self.queue.push(key.job.clone());
        }
    }

    /// The runs of a job.
    fn runs_of<'a>(&'a self, job: &'a JobKey) -> impl Iterator<Item = (&'a RunKey, &'a Run)> {
        let first = RunKey::new(job, policy::claim::ClaimId::FIRST);
        self.runs.range(first..).take_while(move |(key, _)| key.job == *job)
    }

    /// What nobody waits for needs not be remembered: it is read again when it matters.
    fn forget_idle_jobs(&mut self) {
        if !matches!(self.phase, Phase::Idle) {
            return;
        }
        let (runs, dues) = (&self.runs, &self.dues);
        let used: BTreeSet<&JobKey> = runs.keys().map(|key| &key.job).chain(dues.keys()).collect();
        self.jobs.retain(|job, _| used.contains(job));
        let views = self.jobs.values();
        let entries = views.filter_map(|view| match view {
            JobView::Readable(_, record) => Some(&record.entries),
            _ => None,
        });
        self.sessions
            .retain(&entries.flatten().map(|entry| (&entry.node, entry.session)).collect());
    }
}
