use super::*;
use jobs::Limits;
use jobs::root::Root;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tempfile::TempDir;

pub(crate) const WEB: &str = "web";

/// A system with a configuration and without crontabs.
pub(crate) struct Tree(TempDir);

impl Tree {
    pub(crate) fn new() -> Self {
        let tree = Self(tempfile::tempdir().expect("a directory"));
        tree.write(
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\nwww:x:33:33::/:/bin/sh\nflood:x:2000:2000::/:/bin/sh\n",
        );
        tree.write("etc/rcron/rcron.conf", "cluster_name = web\nonce_per_tick = no\n");
        tree.write("etc/rcron/other.conf", "cluster_name = other\n");
        // The text by which Debian's cron is recognized.
        tree.write("usr/sbin/cron", "this crontab file will be ignored");
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(&path, text).expect("written");
        // Whatever the umask: cron ignores other crontabs.
        let mode = if name.starts_with("var/spool") { 0o600 } else { 0o644 };
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
    }

    pub(crate) fn user_crontab(&self, user: &str, text: &str) {
        self.write(&format!("var/spool/cron/crontabs/{user}"), text);
    }

    pub(crate) fn read(&self) -> CrontabJobs {
        let root = Root::new(Some(self.0.path())).expect("a root");
        CrontabJobs::new(&Jobs::read(&root, &Limits::default()), &[WEB.to_owned()])
    }
}

fn find<'a>(crontabs: &'a CrontabJobs, uid: u32, job: &str) -> Option<&'a CrontabJob> {
    crontabs.find(uid, &JobName::new(&WEB.into(), job).expect("a name"))
}

fn minutes(crontabs: &CrontabJobs, uid: u32, job: &str) -> Option<u64> {
    find(crontabs, uid, job)?.period().map(|period| period.as_secs() / 60)
}

#[test]
fn jobs_have_their_periods() {
    let tree = Tree::new();
    tree.write(
        "etc/crontab",
        "*/5 * * * * root rcron -j often x\n0 3 * * * www rcron -j often x\n\
         @reboot root rcron -j boot x\n\
         0 3 * * * root rcron -j twice x\n0 4 * * 1-5 root rcron -j twice x\n\
         0 3 * * * root rcron -c /etc/rcron/other.conf -j other x\n\
         0 3 * * * root rcron -c /etc/rcron/none.conf -j lost x\n\
         0 3 * * * root rcron --dry-run -j dry x\n\
         0 3 * * * root rcron -o once_per_tick=yes -j once x\n",
    );
    let crontabs = tree.read();
    for (uid, job, expected) in [
        (0, "often", Some(5)),
        (33, "often", Some(24 * 60)),
        (0, "boot", None),
        (0, "twice", Some(24 * 60)),
        (0, "lost", Some(24 * 60)),
    ] {
        assert!(find(&crontabs, uid, job).is_some(), "{uid} {job}");
        assert_eq!(minutes(&crontabs, uid, job), expected, "{uid} {job}");
    }
    for (uid, job) in [(0, "other"), (0, "dry"), (33, "boot"), (1, "often")] {
        assert!(find(&crontabs, uid, job).is_none(), "{uid} {job}");
    }
    assert_eq!(crontabs.all().count(), 5, "the cluster of one is not known");
    assert!(find(&crontabs, 0, "once").is_some_and(|job| job.once_per_tick));
    assert!(find(&crontabs, 0, "often").is_some_and(|job| !job.once_per_tick));
}

#[test]
fn jobs_without_a_name_are_counted() {
    let tree = Tree::new();
    tree.write(
        "etc/cron.d/jobs",
        "0 3 * * * root rcron x\n0 4 * * * www rcron y\n0 3 * * * root rcron -c /etc/rcron/other.conf z\n\
         0 3 * * * root rcron --dry-run x\n0 3 * * * root rcron -j named x\n0 3 * * * root backup\n",
    );
    assert_eq!(tree.read().unnamed, 2);
}

#[test]
fn crontabs_of_users_are_not_the_administrators() {
    let tree = Tree::new();
    tree.write("etc/cron.d/jobs", "0 3 * * * www rcron -j system x\n");
    tree.user_crontab("www", "0 3 * * * rcron -j own x\n");
    let crontabs = tree.read();
    let is_system = ["system", "own"].map(|job| find(&crontabs, 33, job).map(|job| job.is_system));
    assert_eq!(is_system, [Some(true), Some(false)]);
}
