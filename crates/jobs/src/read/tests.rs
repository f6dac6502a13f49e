use super::*;
use crate::{JobLine, Jobs, Limits, Unsettled};
use crontab::tick::Unmodelled;
use policy::moment::WallTime;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

/// A system below a directory.
struct Tree(tempfile::TempDir);

const PASSWD: &str = "root:x:0:0:::\nalice:x:4242:4242:::\nbob:x:4243:4243:::\n";
const ALICE: &str = "/var/spool/cron/crontabs/alice";

impl Tree {
    fn new(dialect: Dialect) -> Self {
        let tree = Self(tempfile::tempdir().expect("a directory"));
        fs::set_permissions(tree.0.path(), Permissions::from_mode(0o755)).expect("chmod");
        tree.write("/etc/passwd", PASSWD);
        tree.write(
            "/etc/rcron/rcron.conf",
            "cluster_name = web\nstate_file = /run/rcron/web\n",
        );
        if dialect == Dialect::Debian {
            tree.write("/etc/debian_version", "13.0\n");
        }
        tree
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        let mut directory = path.parent().expect("not the root");
        fs::create_dir_all(directory).expect("made");
        while directory != self.0.path() {
            fs::set_permissions(directory, Permissions::from_mode(0o755)).expect("chmod");
            directory = directory.parent().expect("below the tree");
        }
        fs::write(&path, text).expect("written");
        let mode = if path.starts_with(self.path("/var/spool")) {
            0o600
        } else {
            0o644
        };
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(&path[1..])
    }

    fn root(&self) -> Root {
        Root::new(Some(self.0.path())).expect("a root")
    }

    fn read(&self) -> Jobs {
        Jobs::read(&self.root(), &Limits::default())
    }
}

fn names(jobs: &Jobs) -> Vec<String> {
    let name = |line: &JobLine| {
        let name = line.name.as_deref().unwrap_or(b"-");
        let (name, user) = (String::from_utf8_lossy(name), String::from_utf8_lossy(&line.user));
        format!("{}:{} {user} {name}", line.file.display(), line.line)
    };
    jobs.lines().iter().map(name).collect()
}

#[test]
fn every_call_of_rcron_in_the_crontabs_is_found() {
    let tree = Tree::new(Dialect::Debian);
    tree.write(
        "/etc/crontab",
        "A=1\n0 3 * * * root cd / && rcron --job a x\n@daily root true\n@hourly bob rcron x | rcron -j b y\n",
    );
    tree.write("/etc/cron.d/jobs", "\n@reboot alice rcron -j c x\n");
    tree.write("/etc/cron.d/jobs.bak", "@daily root rcron -j old x\n");
    tree.write(ALICE, "# mine\n*/5 * * * * rcron -j d --dry-run x\n");
    tree.write("/var/spool/cron/crontabs/root", "0 4 * * * flock -n /x rcron -j e x\n");
    let jobs = tree.read();
    assert_eq!(
        names(&jobs),
        [
            "/etc/crontab:2 root a",
            "/etc/crontab:4 bob -",
            "/etc/crontab:4 bob b",
            "/etc/cron.d/jobs:2 alice c",
            "/var/spool/cron/crontabs/alice:2 alice d",
            "/var/spool/cron/crontabs/root:1 root e",
        ]
    );
    assert!(jobs.unread().is_empty(), "{:?}", jobs.unread());
    let line = &jobs.lines()[0];
    assert_eq!((line.schedule_text.as_slice(), line.uid), (&b"0 3 * * *"[..], Some(0)));
    assert_eq!(line.command_hash, crate::hash::of_command(b"cd / && rcron --job a x"));
    assert_eq!(jobs.lines()[4].uid, Some(4242));
}

#[test]
fn crontabs_that_cron_ignores_have_no_jobs() {
    let tree = Tree::new(Dialect::Debian);
    let job = "@daily root rcron -j a x\n";
    tree.write("/etc/crontab", format!("{job}60 * * * * root true\n"));
    tree.write("/etc/cron.d/unfinished", job.trim_end());
    tree.write("/etc/cron.d/nobody", format!("{job}@daily nobody-here true\n"));
    tree.write("/etc/cron.d/with.dot", job);
    tree.write("/etc/cron.d/writable", job);
    fs::set_permissions(tree.path("/etc/cron.d/writable"), Permissions::from_mode(0o666)).expect("chmod");
    tree.write("/var/spool/cron/crontabs/carol", "@daily rcron -j a x\n");
    tree.write("/crontab", "@daily rcron -j a x\n");
    tree.write(ALICE, "");
    fs::remove_file(tree.path(ALICE)).expect("removed");
    symlink("/crontab", tree.path(ALICE)).expect("linked");
    assert_eq!(names(&tree.read()), [""; 0]);

    let tree = Tree::new(Dialect::Cronie);
    tree.write(
        "/etc/crontab",
        format!("{job}60 * * * * root rcron -j b x\n@daily root rcron -j c x"),
    );
    assert_eq!(names(&tree.read()), ["/etc/crontab:1 root a"]);
}

#[test]
fn lookup_needs_user_name_and_cluster() {
    let tree = Tree::new(Dialect::Debian);
    tree.write("/etc/rcron/other.conf", "state_file = /run/rcron/other\n");
    tree.write(
        "/etc/crontab",
        "1 * * * * root rcron -j a x\n2 * * * * alice rcron -j a x\n3 * * * * root rcron -j a -c /etc/rcron/other.conf x\n\
         4 * * * * root rcron -j a -o state_file=/run/rcron/third x\n5 * * * * root rcron -j b x\n6 * * * * root rcron -j b x\n\
         7 * * * * root rcron -n -j a x\n8 * * * * root rcron -j c -c $X x\n9 * * * * root rcron -j d -c /missing x\n",
    );
    let jobs = tree.read();
    let lines = |found: Vec<&JobLine>| -> Vec<usize> { found.iter().map(|line| line.line).collect() };
    for (user, name, state_file, expected) in [
        ("root", "a", "/run/rcron/web", &[1][..]),
        ("alice", "a", "/run/rcron/web", &[2]),
        ("root", "a", "/run/rcron/other", &[3]),
        ("root", "a", "/run/rcron/third", &[4]),
        ("root", "b", "/run/rcron/web", &[5, 6]),
        ("root", "c", "/run/rcron/web", &[8]), // it may be of this cluster
        ("root", "x", "/run/rcron/web", &[]),
        ("bob", "a", "/run/rcron/web", &[]),
    ] {
        let found = jobs.lookup(user.as_bytes(), name.as_bytes(), state_file.as_bytes());
        assert_eq!(lines(found), expected, "{user} {name} {state_file}");
    }
    assert_eq!(lines(jobs.lookup_by_uid(4242, b"a", b"/run/rcron/web")), [2]);
    let config = |line: usize| jobs.lines()[line - 1].config.clone();
    assert_eq!(config(1).expect("read").cluster_name, b"web");
    assert_eq!(config(8), Err(Unsettled::Expansion));
    assert_eq!(config(9), Err(Unsettled::Unreadable));
}

#[test]
fn a_configuration_is_read_only_if_the_jobs_user_may() {
    let tree = Tree::new(Dialect::Debian);
    for (file, mode) in [
        ("/home/a.conf", 0o644),
        ("/home/secret.conf", 0o600),
        ("/closed/a.conf", 0o644),
    ] {
        tree.write(file, "state_file = /x\n");
        fs::set_permissions(tree.path(file), Permissions::from_mode(mode)).expect("chmod");
    }
    fs::set_permissions(tree.path("/closed"), Permissions::from_mode(0o700)).expect("chmod");
    symlink("/closed/a.conf", tree.path("/home/link.conf")).expect("linked");
    symlink("/proc/self/environ", tree.path("/home/proc.conf")).expect("linked");
    tree.write("/home/bad.conf", "nonsense\n");
    for (conf, expected) in [
        ("/home/a.conf", Ok(b"/x".to_vec())),
        ("/home/secret.conf", Err(Unsettled::Denied)),
        ("/closed/a.conf", Err(Unsettled::Denied)),
        ("/home/link.conf", Err(Unsettled::Denied)),
        ("/home/bad.conf", Err(Unsettled::Rejected)),
        ("/home", Err(Unsettled::Unreadable)),
        ("a.conf", Err(Unsettled::Relative)),
    ] {
        tree.write(ALICE, format!("@daily rcron -c {conf} x\n"));
        let found = tree.read().lines()[0].config.clone();
        assert_eq!(found.map(|config| config.state_file.clone()), expected, "{conf}");
    }
    fs::remove_file(tree.path("/etc/rcron/rcron.conf")).expect("removed");
    tree.write(ALICE, "@daily rcron x\n@daily rcron -o nonsense=1 x\n");
    let jobs = tree.read();
    let configs: Vec<_> = jobs.lines().iter().map(|line| line.config.clone()).collect();
    assert_eq!(configs, [Ok(Arc::default()), Err(Unsettled::Rejected)]);
}

#[test]
fn ticks_are_named_by_the_zone_of_cron_or_of_the_job() {
    let at = |seconds: u64| WallTime(Duration::from_secs(seconds));
    let (tree, five_minutes) = (Tree::new(Dialect::Cronie), Duration::from_secs(300));
    tree.write("/etc/sysconfig/crond", "TZ=EST5\n");
    tree.write(
        "/etc/crontab",
        "30 3 * * * root rcron x\nCRON_TZ=IST-5:30\n30 3 * * * root rcron x\nCRON_TZ=/etc/passwd\n30 3 * * * root rcron x\n\
         CRON_TZ=''\nRANDOM_DELAY=5\n30 3 * * * root rcron x\nRANDOM_DELAY=0\n0~9 3 * * * root rcron x\n@reboot root rcron x\n",
    );
    let jobs = tree.read();
    let name = |line: usize, start| {
        let ticks = jobs.lines()[line].ticks(jobs.system_zone())?;
        let named = ticks.name(start, five_minutes);
        Ok(named.map_or_else(|| "too late".to_owned(), |tick| tick.to_string()))
    };
    // 2026-12-01 08:30:01 and 2026-11-30 22:00:01 UTC
    assert_eq!(name(0, at(1_796_113_801)), Ok("2026-12-01T08:30:00Z".to_owned()));
    assert_eq!(name(1, at(1_796_113_801)), Ok("too late".to_owned()));
    assert_eq!(name(1, at(1_796_076_001)), Ok("2026-11-30T22:00:00Z".to_owned()));
    assert_eq!(name(2, at(1_796_113_801)), Err(Unmodelled::UnknownZone));
    assert_eq!(name(3, at(1_796_113_801)), Err(Unmodelled::RandomDelay));
    assert_eq!(name(4, at(1_796_113_801)), Err(Unmodelled::RandomTime));
    assert_eq!(name(5, at(1_796_113_801)), Err(Unmodelled::Reboot));
    // Debian's cron has one zone for all jobs, and TZ in a crontab is the job's.
    tree.write("/etc/debian_version", "13.0\n");
    tree.write(
        "/etc/crontab",
        "TZ=IST-5:30\nCRON_TZ=IST-5:30\nRANDOM_DELAY=5\n30 3 * * * root rcron x\n",
    );
    let jobs = tree.read();
    assert_eq!(
        (jobs.lines()[0].zone.as_ref(), jobs.lines()[0].is_delayed),
        (None, false)
    );
    // A cron whose rules are not known.
    tree.write("/usr/sbin/cron", "another program");
    let jobs = tree.read();
    let ticks = jobs.lines()[0].ticks(jobs.system_zone());
    assert_eq!(ticks.err(), Some(Unmodelled::OtherCron));
}

#[test]
fn a_delay_of_cronie_is_a_number_of_minutes() {
    for (value, expected) in [
        ("5", true),
        ("45 minutes", true),
        ("1440", true),
        ("1441", false),
        ("1", false),
        ("0", false),
        ("-5", false),
        ("x", false),
        ("99999999999", false),
    ] {
        assert_eq!(is_delay(value.as_bytes()), expected, "{value}");
    }
}

#[test]
fn a_hostile_crontab_fills_neither_memory_nor_time() {
    let tree = Tree::new(Dialect::Debian);
    let limits = Limits::default();
    let conf = |number: usize| format!("@daily rcron -c /home/{number}.conf x\n");
    tree.write(ALICE, (0..limits.lines_of_user + 10).map(conf).collect::<String>());
    tree.write("/var/spool/cron/crontabs/bob", "@daily rcron -j b x\n");
    let jobs = tree.read();
    assert_eq!(jobs.lines().len(), limits.lines_of_user + 1);
    assert_eq!(jobs.lines().last().expect("one").name.as_deref(), Some(&b"b"[..]));
    let too_many = |line: &&JobLine| line.config == Err(Unsettled::TooMany);
    let count = jobs.lines().iter().filter(too_many).count();
    assert_eq!(count, limits.lines_of_user - limits.configurations_of_user);
    assert!(matches!(jobs.unread(), [Unread::Lines(_, 1001)]), "{:?}", jobs.unread());

    // Each of these names leads through a chain of links to the same file, over some 50,000 directories.
    fs::create_dir(tree.path("/home")).expect("made");
    for link in 0..39 {
        let target = format!("{}home/{}", "../".repeat(1300), link + 1);
        symlink(target, tree.path(&format!("/home/{link}"))).expect("linked");
    }
    tree.write("/home/39", "");
    let names: Vec<String> = (0..39)
        .map(|link| format!("@daily rcron -c /home/{link} x\n"))
        .collect();
    tree.write(ALICE, names.concat());
    let root = tree.root();
    let jobs = Jobs::read(&root, &limits);
    assert!(
        root.lookups.get() < 2 * limits.lookups_of_user,
        "{}",
        root.lookups.get()
    );
    assert_eq!(jobs.lines().len(), 39 + 1);
    let before = root.lookups.get();
    assert!(jobs.is_current(&root));
    assert!(root.lookups.get() - before < 1000, "{}", root.lookups.get() - before);

    tree.write(
        ALICE,
        [b"@daily rcron x\n".as_slice(), &b"\0\n%'".repeat(700_000)].concat(),
    );
    assert!(tree.read().lines().len() <= 2);
    let few = Limits { bytes: 100, ..limits };
    tree.write(ALICE, conf(1).repeat(4));
    assert!(matches!(Jobs::read(&tree.root(), &few).unread(), [Unread::Lines(_, 1)]));
}

#[test]
fn large_crontabs_take_no_place_of_small_ones() {
    let tree = Tree::new(Dialect::Debian);
    let job = "@daily rcron -j a x\n";
    tree.write(ALICE, [job, &"# much\n".repeat(20_000)].concat());
    tree.write("/var/spool/cron/crontabs/bob", job);
    assert_eq!(names(&tree.read()).len(), 2);
    let few = Limits {
        bytes: 1000,
        ..Limits::default()
    };
    let jobs = Jobs::read(&tree.root(), &few);
    assert_eq!(names(&jobs), ["/var/spool/cron/crontabs/bob:1 bob a"]);
    assert!(matches!(jobs.unread(), [Unread::Lines(_, 1)]), "{:?}", jobs.unread());
}

#[test]
fn fifos_are_not_waited_for() {
    let tree = Tree::new(Dialect::Debian);
    tree.write(ALICE, "");
    for path in [ALICE, "/home/fifo"] {
        let _ = fs::remove_file(tree.path(path));
        let _ = fs::create_dir_all(tree.path(path).parent().expect("a directory"));
        nix::unistd::mkfifo(&tree.path(path), nix::sys::stat::Mode::from_bits_truncate(0o644)).expect("made");
    }
    tree.write("/etc/crontab", "@daily root rcron -c /home/fifo x\n");
    let jobs = tree.read();
    assert_eq!(jobs.lines()[0].config, Err(Unsettled::Unreadable));
    assert!(
        matches!(jobs.unread(), [Unread::File(_, Unreadable::NotRegular(_))]),
        "{:?}",
        jobs.unread()
    );
}

#[test]
fn changes_are_noticed_without_reading() {
    let tree = Tree::new(Dialect::Debian);
    tree.write("/etc/crontab", "@daily root rcron -c /etc/rcron/x.conf x\n");
    tree.write(ALICE, "@daily rcron x\n");
    let more_users = format!("{PASSWD}carol:x:4244:4244:::\n");
    for (path, text) in [
        ("/etc/crontab", "@daily root rcron -c /etc/rcron/x.conf longer\n"),
        (ALICE, "@daily rcron longer\n"),
        ("/etc/cron.d/new", ""),
        ("/etc/rcron/x.conf", ""),
        ("/etc/rcron/rcron.conf", "cluster_name = longer\n"),
        ("/etc/passwd", &more_users),
        ("/etc/localtime", "TZif"),
    ] {
        let jobs = tree.read();
        assert!(jobs.is_current(&tree.root()), "{path}");
        tree.write(path, text);
        assert!(!jobs.is_current(&tree.root()), "{path}");
    }
}
