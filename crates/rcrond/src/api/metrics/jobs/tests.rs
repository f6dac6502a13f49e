use super::*;
use ::jobs::Limits;
use ::jobs::root::Root;
use claims::JobKey;
use lease::{ClusterName, RunOn, Timing};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use sys::environment::effective_user;
use tempfile::TempDir;

/// A system with a crontab of root's, and a journal of this user's.
struct Fixture {
    directory: TempDir,
    missed: MissedTicks,
    metrics: JobMetrics,
}

fn cluster(name: &str, journal: &Path) -> ClusterSettings {
    let [lease, short] = [10, 0].map(Duration::from_secs);
    ClusterSettings {
        name: ClusterName::new(name),
        state_file: "/run/rcron/state".into(),
        journal: Some(journal.to_owned()),
        priority: 100,
        timing: Timing::new(lease, short, short, short).expect("a timing"),
        run_on: RunOn::Active,
    }
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            fs::write(path, text).expect("written");
        };
        write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
        write(
            "etc/rcron/rcron.conf",
            "cluster_name = web\nstate_file = /s\nrequire_lease = yes\nonce_per_tick = yes\n",
        );
        write("usr/sbin/cron", "this crontab file will be ignored");
        write("etc/crontab", "0 3 * * * root rcron -j nightly x\n");
        fs::create_dir(directory.path().join("journal")).expect("made");
        let missed = MissedTicks::default();
        let clusters = [cluster("web", &directory.path().join("journal"))];
        let metrics = JobMetrics::start_with(&clusters, missed.clone(), |_| Duration::ZERO).expect("started");
        let fixture = Self {
            directory,
            missed,
            metrics,
        };
        fixture.read_crontabs();
        fixture
    }

    fn read_crontabs(&self) {
        let root = Root::new(Some(self.directory.path())).expect("a root");
        self.metrics
            .set_crontabs(&Jobs::read(&root, &Limits::default()), &["web".to_owned()]);
    }

    fn append(&self, cluster: &str, job: &str) {
        let name = format!("journal/{}-0.jsonl", effective_user());
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.directory.path().join(name));
        let now = jiff::Timestamp::now();
        let record = format!(
            "{{\"time\":\"{now:.6}\",\"event\":\"end\",\"run\":\"{job}\",\"node\":\"n\",\"cluster\":\"{cluster}\",\"job\":\"{job}\",\
             \"command\":\"x\",\"uid\":0,\"pid\":4,\"clock\":5.0,\"duration\":1.0,\"exit\":7}}\n"
        );
        file.expect("opened").write_all(record.as_bytes()).expect("written");
    }

    /// Asks until the text has this sample.
    fn shows(&self, sample: &str) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        testing::until(sample, || {
            let text = runtime.block_on(self.metrics.text());
            text.lines().any(|line| line.contains(sample)).then(|| text.to_string())
        })
    }
}

#[test]
fn are_read_again_when_somebody_asks() {
    let fixture = Fixture::new();
    fixture.append("web", "first");
    fixture.shows("job_name=\"first\"} 7");
    fixture.append("web", "second");
    let text = fixture.shows("job_name=\"second\"} 7");
    assert!(text.contains("job_name=\"first\"} 7\n"), "{text}");
    assert!(
        text.contains("rcron_job_period_seconds{cluster=\"web\",user=\"root\",job_name=\"nightly\"} 86400\n"),
        "{text}"
    );
    fs::write(fixture.directory.path().join("etc/crontab"), "").expect("written");
    fixture.read_crontabs();
    testing::until("the job to vanish with its line", || {
        (!fixture.shows("rcron_journal_unreadable_files 0").contains("nightly")).then_some(())
    });
}

#[test]
fn count_the_ticks_that_were_missed() {
    let fixture = Fixture::new();
    let sample =
        |count| format!("rcron_job_missed_ticks_total{{cluster=\"web\",user=\"root\",job_name=\"nightly\"}} {count}");
    fixture.shows(&sample(0));
    fixture
        .missed
        .add(&JobKey::new(ClusterName::new("web"), "root", "nightly"), 3);
    let text = fixture.shows(&sample(3));
    assert_eq!(text.matches("rcron_job_missed_ticks_total").count(), 1, "{text}");
}

#[test]
fn are_of_the_clusters_that_are_configured() {
    let fixture = Fixture::new();
    fixture.append("web", "first");
    fixture.append("db", "second");
    let text = fixture.shows("job_name=\"first\"} 7");
    assert!(!text.contains("job_name=\"second\""), "{text}");
    fixture
        .metrics
        .set_clusters(&[cluster("db", &fixture.directory.path().join("journal"))]);
    let text = fixture.shows("job_name=\"second\"} 7");
    assert!(!text.contains("job_name=\"first\""), "{text}");
}
