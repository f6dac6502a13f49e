//! Reads the crontabs of this server, again when they change, in a thread of its own: they may be large, and a file system may hang.

use super::crontabs::{Crontabs, JobLine, LineSchedule, Lines};
use super::line_ticks::LineTicks;
use super::messages::ClaimsEvent;
use super::server_facts::Facts;
use super::server_record;
use crate::api::metrics::JobMetrics;
use crate::config::resolve_links;
use crate::event::{Event, EventSender};
use crate::threads;
use ::crontab::tick::Unmodelled;
use claims::JobKey;
use inputs::settings::DEFAULT_FILE;
use jobs::root::Root;
use jobs::{Jobs, Limits};
use lease::ClusterName;
use policy::claim::is_job_name;
use policy::moment::WallTime;
use policy::time_zone::Zone;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, UNIX_EPOCH};

/// Between two looks at the times of the files. cron notices a change at the next minute.
const PAUSE: Duration = Duration::from_secs(2);
/// After so many looks, what is published of the server besides its crontabs is examined again.
const FACTS_EVERY: u32 = 15;

/// The clusters of the configuration, with their state files: a line belongs to the cluster whose state file it reads.
pub(crate) type ClusterFiles = Vec<(ClusterName, PathBuf)>;

/// What the thread needs of the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) clusters: ClusterFiles,
    /// The keys of rcrond.toml that are published, by cluster.
    pub(crate) keys: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) max_skew: Duration,
    /// Where the rcron.conf of a cluster may be.
    pub(crate) conf_directories: Vec<PathBuf>,
}

/// Tells the thread which clusters there are. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct CrontabThread(Sender<Settings>);

impl CrontabThread {
    /// Starts the thread. The metrics of jobs use the crontabs, too.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn start(settings: Settings, events: EventSender, metrics: Option<JobMetrics>) -> io::Result<Self> {
        let (sender, receiver) = channel();
        threads::start("crontabs", move || {
            watch(settings, &receiver, &events, metrics.as_ref());
        })?;
        Ok(Self(sender))
    }

    /// The configuration has changed.
    pub(crate) fn set(&self, settings: Settings) {
        // An error means that the thread has ended, which it has logged.
        let _ = self.0.send(settings);
    }
}

fn watch(mut settings: Settings, configured: &Receiver<Settings>, events: &EventSender, metrics: Option<&JobMetrics>) {
    let root = match Root::new(None) {
        Ok(root) => root,
        Err(error) => {
            log::error!(
                "cannot read the crontabs: {}; the ticks of jobs with once_per_tick are named by the minute of their start",
                sys::output::error_text(&error)
            );
            return;
        }
    };
    let mut jobs = Jobs::read(&root, &Limits::default());
    let mut unread = report_unread(&jobs, 0);
    let mut facts = Facts::default();
    let mut published = None;
    loop {
        let crontabs = Arc::new(crontabs(&jobs, &settings.clusters));
        events.send(Event::Claims(ClaimsEvent::CrontabsRead(crontabs)));
        if let Some(metrics) = metrics {
            let names = settings.clusters.iter().map(|(name, _)| name.as_str().to_owned());
            metrics.set_crontabs(&jobs, &names.collect::<Vec<_>>());
        }
        let mut looks = 0;
        loop {
            if looks % FACTS_EVERY == 0 {
                let record = server_record::record(&jobs, &settings, facts.look(&root));
                if published.as_ref() != Some(&record) {
                    published = Some(record.clone());
                    events.send(Event::Claims(ClaimsEvent::RecordChanged(Arc::new(record))));
                }
            }
            looks += 1;
            match configured.recv_timeout(PAUSE) {
                Ok(new) => {
                    settings = new;
                    break;
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if jobs.is_current(&root) => {}
                Err(RecvTimeoutError::Timeout) => {
                    jobs = Jobs::read(&root, &Limits::default());
                    unread = report_unread(&jobs, unread);
                    break;
                }
            }
        }
    }
}

/// Logs that some crontabs could not be read. Returns how many parts that are.
fn report_unread(jobs: &Jobs, before: usize) -> usize {
    let count = jobs.unread().len();
    if count != before && count > 0 {
        let what = match count {
            1 => "1 crontab or a part of it",
            _ => &format!("{count} crontabs or parts of them"),
        };
        log::warn!(
            "{what} cannot be read: ticks of jobs there are named by the minute of their start, and are \
             not reported if they are missed; `rcronctl check` names the files"
        );
    }
    count
}

/// The jobs with names, of the configured clusters.
fn crontabs(jobs: &Jobs, clusters: &ClusterFiles) -> Crontabs {
    let mut files = StateFiles::new(clusters);
    let zone = Arc::new(jobs.system_zone().clone());
    let mut crontabs = Crontabs::default();
    for line in jobs.lines() {
        let names = (
            line.name.as_deref().and_then(text).filter(|name| is_job_name(name)),
            text(&line.user),
        );
        let ((Some(name), Some(user)), false) = (names, line.is_dry_run) else {
            continue;
        };
        match &line.config {
            Ok(config) => {
                let Some(cluster) = files.cluster(&config.state_file) else {
                    continue;
                };
                let entry = crontabs.jobs.entry(JobKey::new(cluster, user, name));
                let known = || JobLine {
                    start_within: config.start_within,
                    once_per_tick: config.once_per_tick,
                    ..job_line(line, &zone)
                };
                entry
                    .and_modify(|lines| *lines = Lines::Several)
                    .or_insert_with(|| Lines::One(known()));
            }
            // Its cluster is not known: it may be each.
            Err(_) => {
                let entry = crontabs.unsettled.entry((user.to_owned(), name.to_owned()));
                entry
                    .and_modify(|lines| *lines = Lines::Several)
                    .or_insert_with(|| Lines::One(job_line(line, &zone)));
            }
        }
    }
    crontabs
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// A line whose settings are not known.
fn job_line(line: &jobs::JobLine, zone: &Arc<Zone>) -> JobLine {
    let schedule = match LineTicks::new(line, zone) {
        Ok(ticks) => LineSchedule::Known(Arc::new(ticks)),
        Err(Unmodelled::Reboot) => LineSchedule::Reboot,
        Err(_) => LineSchedule::Unknown,
    };
    let zone = line.zone.as_deref().map(String::from_utf8_lossy);
    JobLine {
        schedule,
        start_within: None,
        once_per_tick: false,
        text: String::from_utf8_lossy(&line.schedule_text).into_owned(),
        zone: zone.unwrap_or_default().into_owned(),
        changed: changed(line),
    }
}

/// When the files that the line depends on were last changed, as far as they say so.
fn changed(line: &jobs::JobLine) -> WallTime {
    let conf = line.conf.as_deref().unwrap_or(OsStr::new(DEFAULT_FILE));
    let files = [&*line.file, Path::new(conf)];
    let changed = files.into_iter().filter_map(|file| {
        let time = std::fs::metadata(file).ok()?.modified().ok()?;
        time.duration_since(UNIX_EPOCH).ok()
    });
    WallTime(changed.max().unwrap_or_default())
}

/// Finds the cluster of a state file. Several names may lead to the same file.
pub(super) struct StateFiles<'a> {
    clusters: &'a ClusterFiles,
    targets: Vec<PathBuf>,
    known: BTreeMap<PathBuf, Option<ClusterName>>,
}

impl<'a> StateFiles<'a> {
    /// How many names are looked up; users can write any into their crontabs.
    const MOST: usize = 1000;

    pub(super) fn new(clusters: &'a ClusterFiles) -> Self {
        Self {
            clusters,
            targets: clusters.iter().map(|(_, file)| resolve_links(file)).collect(),
            known: BTreeMap::new(),
        }
    }

    pub(super) fn cluster(&mut self, state_file: &[u8]) -> Option<ClusterName> {
        let path = Path::new(OsStr::from_bytes(state_file));
        if let Some((cluster, _)) = self.clusters.iter().find(|(_, file)| file == path) {
            return Some(cluster.clone());
        }
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        if self.known.len() >= Self::MOST {
            return None;
        }
        let target = resolve_links(path);
        let found = self.targets.iter().position(|known| *known == target);
        let cluster = found.map(|at| self.clusters[at].0.clone());
        self.known.insert(path.to_owned(), cluster.clone());
        cluster
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::tick::TickTime;
    use std::fs;
    use tempfile::TempDir;

    const CONF: &str = "cluster_name = web\nstate_file = /run/rcron/web\nrequire_lease = yes\nonce_per_tick = yes\n";

    /// A system with this /etc/crontab.
    fn read(crontab: &str) -> (TempDir, Crontabs) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        for name in ["etc/rcron", "etc/cron.d", "usr/sbin"] {
            fs::create_dir_all(path(name)).expect("made");
        }
        let write = |name: &str, text: &str| fs::write(path(name), text).expect("written");
        write("etc/crontab", crontab);
        write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
        write("etc/rcron/rcron.conf", CONF);
        write(
            "etc/rcron/other.conf",
            "cluster_name = other\nstate_file = /run/rcron/other\n",
        );
        // The text by which Debian's cron is recognized.
        write("usr/sbin/cron", "this crontab file will be ignored");
        let root = Root::new(Some(directory.path())).expect("a root");
        let jobs = Jobs::read(&root, &Limits::default());
        let clusters = vec![(ClusterName::new("web"), PathBuf::from("/run/rcron/web"))];
        let crontabs = crontabs(&jobs, &clusters);
        (directory, crontabs)
    }

    fn lines<'a>(crontabs: &'a Crontabs, name: &str) -> Option<&'a Lines> {
        crontabs.find(&JobKey::new(ClusterName::new("web"), "root", name))
    }

    #[test]
    fn jobs_of_configured_clusters_are_found_with_their_ticks() {
        let (_directory, crontabs) = read(
            "0 3 * * * root rcron --job nightly backup\n\
             */5 * * * * root rcron -o once_per_tick=no -j often check\n\
             @reboot root rcron -j boot start\n\
             0 1 * * * root rcron -c /etc/rcron/other.conf -j other backup\n\
             0 1 * * * root rcron -j twice one\n0 2 * * * root rcron -j twice two\n\
             0 4 * * * root rcron -c /none -j lost one\n",
        );
        assert_eq!(crontabs.jobs.len(), 4);
        let Some(Lines::One(nightly)) = lines(&crontabs, "nightly") else {
            panic!("{crontabs:?}")
        };
        assert!(nightly.once_per_tick);
        assert_eq!(nightly.text, "0 3 * * *");
        let LineSchedule::Known(ticks) = &nightly.schedule else {
            panic!("{nightly:?}")
        };
        let midnight = TickTime(20_000 * 86_400);
        let three = TickTime(midnight.0 + 3 * 3600);
        assert_eq!(ticks.next(midnight, TickTime(u64::MAX)), Some(three));
        assert!(matches!(lines(&crontabs, "often"), Some(Lines::One(line)) if !line.once_per_tick));
        assert!(
            matches!(lines(&crontabs, "boot"), Some(Lines::One(line)) if matches!(line.schedule, LineSchedule::Reboot))
        );
        assert!(matches!(lines(&crontabs, "twice"), Some(Lines::Several)));
        assert!(matches!(lines(&crontabs, "lost"), Some(Lines::One(line)) if !line.once_per_tick));
        assert!(lines(&crontabs, "other").is_none());
        assert_eq!(crontabs.once_per_tick().count(), 1);
    }
}
