//! `on_demotion = terminate`: watching the state while the job runs.

use inputs::clock;
use inputs::observe::{self, Obstacle};
use policy::config::Config;
use policy::decide::{self, Basis, Decision};
use policy::demotion::{Demotion, KillStep};
use policy::moment::BootTime;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;
use sys::alarm::Alarm;
use sys::watch::Watch;

/// The interval of readings while there is no inotify watch. With [`DOUBT`], a change takes effect within 100 ms.
const POLLING: Duration = Duration::from_millis(80);
/// The interval of readings beside inotify, which reports neither another host's writes (NFS), nor mounts, nor a changed wall clock.
const SAFETY_NET: Duration = Duration::from_secs(1);
/// How long a file must contain no state before the job is ended: `echo active >state` empties the file first.
const DOUBT: Duration = Duration::from_millis(20);
/// The same for a file that keeps changing.
const LONGEST_DOUBT: Duration = Duration::from_millis(80);
/// How often to check whether the job's last process is gone after SIGTERM.
const LINGERING: Duration = Duration::from_millis(50);

/// Watches the state for one job, and decides when to end the job.
pub(crate) struct Guard<'a> {
    config: &'a Config,
    /// What the job's start rested on.
    basis: Basis,
    /// With `rerun`: the lease of the grant. If the server has another one, this attempt counts as lost.
    lease: Option<String>,
    /// `None` before `watch_from`, and where inotify is not available: then the file is read at intervals.
    watch: Option<Watch>,
    /// When to start using inotify. Closing an instance takes the kernel some 20 ms, which a short job is spared.
    watch_from: BootTime,
    /// Wakes rcron for the next reading, or for the next step of the demotion.
    alarm: Alarm,
    next_reading: BootTime,
    doubt: Option<Doubt>,
    /// Why the state cannot be read, if the job is ended for that reason.
    obstacle: Option<Obstacle>,
    demotion: Demotion,
}

/// The file contains no state, perhaps only for a moment.
#[derive(Clone, Copy)]
struct Doubt {
    since: BootTime,
    ends: BootTime,
}

impl<'a> Guard<'a> {
    /// Begins to watch, before the job is started. The first check reads the state once more: it may have changed since the
    /// decision.
    pub(crate) fn new(config: &'a Config, basis: Basis, lease: Option<String>) -> io::Result<Self> {
        let now = clock::boot_time();
        let alarm = Alarm::new()?;
        alarm.set(Some(now.0));
        Ok(Self {
            config,
            basis,
            lease,
            watch: None,
            watch_from: now.after(POLLING),
            alarm,
            next_reading: now,
            doubt: None,
            obstacle: None,
            demotion: Demotion::None,
        })
    }

    /// The files to poll before the next [`Guard::check_state`].
    pub(crate) fn waits_for(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let watch = self.watch.as_ref().filter(|_| !self.demotion.has_begun());
        watch.map(AsFd::as_fd).into_iter().chain([self.alarm.as_fd()])
    }

    pub(crate) fn demotion(&self) -> Demotion {
        self.demotion
    }

    /// Why the state cannot be read, if the job is ended for that reason. Returned once, to be logged.
    pub(crate) fn take_obstacle(&mut self) -> Option<Obstacle> {
        self.obstacle.take()
    }

    /// Reads the state if it changed or is due, and returns the signal that the job must get now.
    pub(crate) fn check_state(&mut self) -> Option<KillStep> {
        self.alarm.acknowledge();
        let may_go_on = self.demotion.has_begun() || self.job_may_go_on();
        let now = clock::boot_time();
        let step = self.demotion.step(may_go_on, self.config.kill_after, now);
        let next = match self.demotion {
            Demotion::None => self.next_reading,
            Demotion::Asked { kill_at } => kill_at.min(now.after(LINGERING)),
            Demotion::Forced => now.after(LINGERING),
        };
        self.alarm.set(Some(next.0));
        step
    }

    fn job_may_go_on(&mut self) -> bool {
        let changed = self.has_changed();
        let due = clock::boot_time() >= self.next_reading;
        !(changed || due) || self.read_state(changed)
    }

    fn has_changed(&mut self) -> bool {
        match self.watch.as_mut().map(Watch::changed) {
            None => false,
            Some(Ok(changed)) => changed,
            Some(Err(_)) => {
                self.watch = None;
                true
            }
        }
    }

    /// Reads the state. Returns whether the job may go on.
    fn read_state(&mut self, changed: bool) -> bool {
        if self.watch.is_none() && clock::boot_time() >= self.watch_from {
            // Before the reading, so that no change between the two is missed.
            self.watch = Watch::new(OsStr::from_bytes(&self.config.state_file)).ok();
        }
        let observation = observe::observe(self.config);
        let now = observation.moment.boot;
        let interval = if self.watch.is_some() { SAFETY_NET } else { POLLING };
        self.next_reading = match observation.decision {
            Decision::Run(Basis::State {
                expires: Some(expires), ..
            }) => expires.min(now.after(interval)),
            _ => now.after(interval),
        };
        let may_go_on = match &self.lease {
            Some(lease) => decide::grant_lasts(self.basis, observation.decision, &observation.reading, lease),
            None => decide::may_go_on(self.basis, observation.decision),
        };
        if may_go_on || observation.has_state() {
            self.doubt = None;
            return may_go_on;
        }
        let doubt = self.doubt_at(now, changed);
        self.doubt = Some(doubt);
        self.next_reading = doubt.ends;
        let in_doubt = now < doubt.ends;
        if !in_doubt {
            self.obstacle = observation.obstacle;
        }
        in_doubt
    }

    fn doubt_at(&self, now: BootTime, changed: bool) -> Doubt {
        match self.doubt {
            None => Doubt {
                since: now,
                ends: now.after(DOUBT),
            },
            Some(Doubt { since, .. }) if changed => Doubt {
                since,
                ends: now.after(DOUBT).min(since.after(LONGEST_DOUBT)),
            },
            Some(doubt) => doubt,
        }
    }
}
