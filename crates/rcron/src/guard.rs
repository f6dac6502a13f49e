//! `on_demotion = terminate`: watching the state while the job runs.

use crate::observe;
use platform::alarm::Alarm;
use platform::clock;
use platform::poll::Wait;
use platform::watch::Watch;
use policy::config::Config;
use policy::decide::{self, Decision, Grounds};
use policy::demotion::{Blow, Demotion};
use policy::moment::BootTime;
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// Without inotify. With the doubt below: within 100 ms.
const POLLING: Duration = Duration::from_millis(80);
/// With inotify, which does not see what another host writes (NFS), what is mounted over, nor a wall clock that is set.
const SAFETY_NET: Duration = Duration::from_secs(1);
/// A file that says nothing is read again before a job is ended for it: `echo active >state` empties it first.
const DOUBT: Duration = Duration::from_millis(20);
/// How often to look whether a job's last process is gone, once it was told to end.
const LINGERING: Duration = Duration::from_millis(50);

/// The watch over one job.
pub(crate) struct Guard<'a> {
    config: &'a Config,
    grounds: Grounds,
    /// `None` where inotify is refused: then the file is read again and again.
    watch: Option<Watch>,
    alarm: Alarm,
    next_reading: BootTime,
    doubted_since: Option<BootTime>,
    demotion: Demotion,
}

impl<'a> Guard<'a> {
    /// Begins to watch, before the job is started. The first look reads the state once more: it may have changed
    /// between the decision and now.
    pub(crate) fn new(config: &'a Config, grounds: Grounds) -> io::Result<Self> {
        let watch = Watch::new(OsStr::from_bytes(&config.state_file)).ok();
        let now = clock::boot_time();
        let alarm = Alarm::new()?;
        alarm.set(Some(now));
        Ok(Self {
            config,
            grounds,
            watch,
            alarm,
            next_reading: now,
            doubted_since: None,
            demotion: Demotion::None,
        })
    }

    /// What to wait for before the next look.
    pub(crate) fn waits_for(&self) -> impl Iterator<Item = Wait<'_>> {
        let watch = self.watch.as_ref().filter(|_| !self.demotion.has_begun());
        watch
            .map(|watch| Wait::Readable(watch.as_fd()))
            .into_iter()
            .chain([Wait::Readable(self.alarm.as_fd())])
    }

    pub(crate) fn demotion(&self) -> Demotion {
        self.demotion
    }

    /// Looks at the state if it is time to, and says what the job is to get.
    pub(crate) fn look(&mut self) -> Option<Blow> {
        self.alarm.acknowledge();
        let may_go_on = self.demotion.has_begun() || !self.must_read() || self.read();
        let now = clock::boot_time();
        let blow = self.demotion.step(may_go_on, self.config.kill_after, now);
        self.alarm.set(Some(match self.demotion {
            Demotion::None => self.next_reading,
            Demotion::Asked { kill_at } => kill_at.min(now.after(LINGERING)),
            Demotion::Forced => now.after(LINGERING),
        }));
        blow
    }

    fn must_read(&mut self) -> bool {
        let changed = match self.watch.as_mut().map(Watch::changed) {
            None => false,
            Some(Ok(changed)) => changed,
            Some(Err(_)) => {
                self.watch = None;
                true
            }
        };
        changed || clock::boot_time() >= self.next_reading
    }

    /// Reads the state; whether the job may go on.
    fn read(&mut self) -> bool {
        let observation = observe::observe(self.config);
        let now = observation.moment.boot;
        let interval = if self.watch.is_some() { SAFETY_NET } else { POLLING };
        self.next_reading = match observation.decision {
            Decision::Run(Grounds::State {
                expires: Some(expires), ..
            }) => expires.min(now.after(interval)),
            _ => now.after(interval),
        };
        let may_go_on = decide::may_go_on(self.grounds, observation.decision);
        if may_go_on || observation.is_clear() {
            self.doubted_since = None;
            return may_go_on;
        }
        let doubt_ends = self.doubted_since.get_or_insert(now).after(DOUBT);
        self.next_reading = doubt_ends;
        now < doubt_ends
    }
}
