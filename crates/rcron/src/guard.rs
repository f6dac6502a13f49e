//! `on_demotion = terminate`: watching the state while the job runs.

use inputs::clock;
use inputs::observe;
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

/// Without inotify, and before it. With the doubt below: within 100 ms.
const POLLING: Duration = Duration::from_millis(80);
/// With inotify, which does not see what another host writes (NFS), what is mounted over, nor a wall clock that is set.
const SAFETY_NET: Duration = Duration::from_secs(1);
/// A file that says nothing must stay as it is for so long before a job is ended for it: `echo active >state` empties it
/// first.
const DOUBT: Duration = Duration::from_millis(20);
/// One that is written again and again gets no more than this.
const LONGEST_DOUBT: Duration = Duration::from_millis(80);
/// How often to look whether a job's last process is gone, once it was told to end.
const LINGERING: Duration = Duration::from_millis(50);

/// The watch over one job.
pub(crate) struct Guard<'a> {
    config: &'a Config,
    basis: Basis,
    /// `None` before `watch_from`, and where inotify is refused: then the file is read again and again.
    watch: Option<Watch>,
    /// Closing an inotify instance takes the kernel some 20 ms, which a short job need not pay.
    watch_from: BootTime,
    alarm: Alarm,
    next_reading: BootTime,
    doubt: Option<Doubt>,
    /// Why there is no state any more, where a job is ended for that.
    obstacle: Option<String>,
    demotion: Demotion,
}

/// The file says nothing, perhaps only for a moment.
#[derive(Clone, Copy)]
struct Doubt {
    since: BootTime,
    ends: BootTime,
}

impl<'a> Guard<'a> {
    /// Begins to watch, before the job is started. The first look reads the state once more: it may have changed
    /// between the decision and now.
    pub(crate) fn new(config: &'a Config, basis: Basis) -> io::Result<Self> {
        let now = clock::boot_time();
        let alarm = Alarm::new()?;
        alarm.set(Some(now.0));
        Ok(Self {
            config,
            basis,
            watch: None,
            watch_from: now.after(POLLING),
            alarm,
            next_reading: now,
            doubt: None,
            obstacle: None,
            demotion: Demotion::None,
        })
    }

    /// What to wait for before the next look.
    pub(crate) fn waits_for(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let watch = self.watch.as_ref().filter(|_| !self.demotion.has_begun());
        watch.map(AsFd::as_fd).into_iter().chain([self.alarm.as_fd()])
    }

    pub(crate) fn demotion(&self) -> Demotion {
        self.demotion
    }

    /// Why the state could not be read, once, where that ended the job: no other line would tell it.
    pub(crate) fn take_obstacle(&mut self) -> Option<String> {
        self.obstacle.take()
    }

    /// Looks at the state if it is time to, and says what the job is to get.
    pub(crate) fn look(&mut self) -> Option<KillStep> {
        self.alarm.acknowledge();
        let may_go_on = self.demotion.has_begun() || self.state_lets_it_run();
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

    fn state_lets_it_run(&mut self) -> bool {
        let changed = self.has_changed();
        let due = clock::boot_time() >= self.next_reading;
        !(changed || due) || self.read(changed)
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

    /// Reads the state; whether the job may go on.
    fn read(&mut self, changed: bool) -> bool {
        if self.watch.is_none() && clock::boot_time() >= self.watch_from {
            // Before the reading, so that no change falls between the two.
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
        let may_go_on = decide::may_go_on(self.basis, observation.decision);
        if may_go_on || observation.is_clear() {
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
