//! The same crontabs, read by Debian's cron itself and judged by the check: what one ignores, the other must call ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use testing::cron;
use testing::program::program;
use testing::wait::until;

/// The check runs first: cron needs a minute.
const PREPARE: &str = r#"
mount --bind "$DIR/spool" /var/spool/cron/crontabs
mount --bind "$DIR/cron.d" /etc/cron.d
"$RCRONCTL" check --json >"$DIR/report.new" || [ $? = 1 ]
mv "$DIR/report.new" "$DIR/report"
"#;

/// Lines of a system crontab.
const LINES: [&str; 104] = [
    "60 * * * * root true",
    "59 23 31 12 7 root true",
    "* 24 * * * root true",
    "* * 0 * * root true",
    "* * 32 * * root true",
    "* * * 0 * root true",
    "* * * 13 * root true",
    "* * * * 8 root true",
    "*/0 * * * * root true",
    "*/100 * * * * root true",
    "*/4294967296 * * * * root true",
    "4294967301 * * * * root true",
    "99999999999999999999 * * * * root true",
    "5/3 * * * * root true",
    "5-3 * * * * root true",
    "1-70 * * * * root true",
    "1-5/2 * * * * root true",
    "1-5/0 * * * * root true",
    "1-5x * * * * root true",
    "1-5- * * * * root true",
    "1- * * * * root true",
    "-5 * * * * root true",
    "- * * * * * root true",
    "-* * * * * root true",
    "5x * * * * root true",
    "1.5 * * * * root true",
    "1_2 * * * * root true",
    "*x * * * * root true",
    "** * * * * root true",
    "*/5x * * * * root true",
    "*/5/2 * * * * root true",
    "*/ * * * * root true",
    "*,5 * * * * root true",
    "5, * * * * root true",
    ",5 * * * * root true",
    "1,,2 * * * * root true",
    "000000005 * * * * root true",
    "~ * * * * root true",
    "0~5 * * * * root true",
    "H H * * * root true",
    "? * * * * root true",
    "* * L * * root true",
    "* * 15W * * root true",
    "* * * * 5L root true",
    "* * * * mon#2 root true",
    "* * * jan *  root true",
    "* * * JAN-mar,dec * root true",
    "* * * january * root true",
    "* * * jan-3/2 * root true",
    "* * * jan/2 * root true",
    "* * * mon * root true",
    "* * * * jan root true",
    "* * * * sunday root true",
    "* * * * sun-7 root true",
    "* * * * fri-sun root true",
    "* * * * mon,wed root true",
    "* * 1-2-3 * * root true",
    "* 1/2/3 * * * root true",
    "\\* * * * * root true",
    "\"*\" * * * * root true",
    "0\u{b}3 * * * root true",
    "@hourly root true",
    "@midnight\troot\ttrue",
    "@annually root true",
    "@fortnightly root true",
    "@Daily root true",
    "@daily* root true",
    "@daily * true",
    "@every_minute root true",
    "@ root true",
    "@reboot",
    "@reboot root",
    "0 0 3 * * * root true",
    "0 0 3 * * 2026 root true",
    "0 3 * * root true",
    "0 3 * *",
    "0 3 * * *",
    "0 3 * * * root",
    "0 3 * * * root ",
    "0 3 * * * root *x",
    "0 3 * * * root %x",
    "0 3 * * * cd /x && true",
    "0 3 * * * nobody-here true",
    "0 3 * * * 0 true",
    "0 3 * * * 'root' true",
    "0 3 * * * root\r",
    "0 3 * * * root true\r",
    "\r",
    "0 3 * * * root a\0b",
    "0 3 * * * root true \\\n  --more",
    "0 3 * * * root true \\\n* * * * * root true",
    "\u{feff}# comment",
    "\u{feff}0 3 * * * root true",
    "hello",
    "  \t# comment",
    "A=1\r",
    "A=",
    "A=''",
    "'A B' = 1",
    "A B = 1",
    "A='1",
    "A=\"1\" x",
    "=1",
    "export A=1",
];

/// Lines of a user's own crontab, where the rules differ.
const USERS_LINES: [(&str, &str); 9] = [
    ("bin", "0 3 * * *"),
    ("sys", "@daily"),
    ("games", "0 3 * * "),
    ("man", "0 3 * * * * true"),
    ("lp", "0 3 * * * %x"),
    ("mail", "-* * * * * true"),
    ("news", "0 3 * * *\r"),
    ("uucp", "0 3 * *\n* true"),
    ("proxy", "0 3 * * * root true"),
];

/// The crontabs, each with a job that leaves a mark.
struct Crontabs {
    directory: tempfile::TempDir,
    names: BTreeMap<PathBuf, String>,
}

impl Crontabs {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, mode) in [("", 0o755), ("cron.d", 0o755), ("spool", 0o755), ("marks", 0o777)] {
            let path = directory.path().join(name);
            let _ = fs::create_dir(&path);
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
        }
        Self {
            directory,
            names: BTreeMap::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Adds a file. Its mark has a number for a name. The first line is left to the caller: it may be special.
    fn add(&mut self, name: &str, user: &str, before: &str, after: &str) -> PathBuf {
        let is_system = !user.is_empty();
        let (holder, inside) = if is_system {
            ("cron.d", "/etc/cron.d")
        } else {
            ("spool", "/var/spool/cron/crontabs")
        };
        let mark = self.names.len().to_string();
        let touch = format!("* * * * * {user} touch {}\n", self.path("marks").join(&mark).display());
        let text = format!("{before}{touch}@yearly {user} rcron true\n{after}");
        let path = self.path(holder).join(name);
        fs::write(&path, text).expect("written");
        set_mode(&path, if is_system { 0o644 } else { 0o600 });
        self.names.insert(Path::new(inside).join(name), mark);
        path
    }

    fn add_system(&mut self, name: &str, line: &str) -> PathBuf {
        self.add(name, "root", "", line)
    }

    fn add_users(&mut self, user: &str, line: &str) -> PathBuf {
        let path = self.add(user, "", "", line);
        let user = nix::unistd::User::from_name(user).expect("asked");
        chown(&path, user.map(|user| user.uid.as_raw()), None).expect("chown");
        path
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

fn add_lines(crontabs: &mut Crontabs) {
    for (index, line) in LINES.iter().enumerate() {
        // A byte order mark counts on the first line only as such, and the others do not care.
        crontabs.add(&format!("line{index}"), "root", &format!("{line}\n"), "");
    }
    for (index, line) in ["0 3 * * * root true", "# comment", "A=1", " \t", ""]
        .iter()
        .enumerate()
    {
        crontabs.add_system(&format!("unfinished{index}"), line);
    }
    for length in [997, 998, 999, 1000] {
        crontabs.add_system(
            &format!("long{length}"),
            &format!("0 3 * * * root {}\n", "x".repeat(length)),
        );
        let blanks = format!("0 3 * * * root  {}\n", "x".repeat(length - 1));
        crontabs.add_system(&format!("blank{length}"), &blanks);
        crontabs.add_system(
            &format!("percent{length}"),
            &format!("0 3 * * * root {}\n", "%".repeat(length)),
        );
    }
    crontabs.add_system("longvariable", &format!("A={}\n", "x".repeat(2000)));
    crontabs.add_system("longquoted", &format!("A='{}'\n", "x".repeat(2000)));
    for (user, line) in USERS_LINES {
        crontabs.add_users(user, &format!("{line}\n"));
    }
    crontabs.add_users("daemon", &format!("0 3 * * *   {}\n", "x".repeat(998)));
    crontabs.add_users("nobody", &format!("0 3 * * *   {}\n", "x".repeat(999)));
}

fn add_files(crontabs: &mut Crontabs) {
    for name in ["with.dot", "with blank", "tilde~x", "good_name-1"] {
        crontabs.add_system(name, "");
    }
    for mode in [0o600, 0o664, 0o646, 0o755, 0o4644, 0o444] {
        let file = crontabs.add_system(&format!("mode{mode:o}"), "");
        set_mode(&file, mode);
    }
    let file = crontabs.add_system("foreign", "");
    chown(file, Some(1), None).expect("chown");
    let file = crontabs.add_system("linked", "");
    fs::hard_link(file, crontabs.path("another")).expect("linked");
    for (name, of_link, of_file) in [("link", 0, 0), ("foreignlink", 1, 0), ("linktoforeign", 0, 1)] {
        let file = crontabs.add_system(name, "");
        let target = crontabs.path(name);
        fs::rename(&file, &target).expect("renamed");
        symlink(&target, &file).expect("linked");
        chown(target, Some(of_file), None).expect("chown");
        lchown(file, Some(of_link), None).expect("chown");
    }
    crontabs.add_users("root", "");
    let file = crontabs.add_users("www-data", "");
    set_mode(&file, 0o640);
    let file = crontabs.add_users("backup", "");
    chown(file, Some(0), None).expect("chown");
    let file = crontabs.add_users("list", "");
    chown(file, Some(1), None).expect("chown");
    let file = crontabs.add_users("irc", "");
    fs::hard_link(file, crontabs.path("third")).expect("linked");
    crontabs.add_users("nobody-here", "");
}

/// The files that the check calls ignored.
fn ignored(report: &Path) -> BTreeSet<PathBuf> {
    let text = fs::read_to_string(report).expect("a report");
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(!document["not_seen"].to_string().contains("more findings"), "{text}");
    let findings = document["findings"].as_array().expect("a list");
    let is_meant = |finding: &&serde_json::Value| {
        let kind = finding["kind"].as_str();
        matches!(kind, Some("crontab-ignored" | "crontab-no-newline"))
    };
    let file = |finding: &serde_json::Value| PathBuf::from(finding["file"].as_str().expect("a path"));
    findings.iter().filter(is_meant).map(file).collect()
}

#[test]
#[ignore = "needs root, Debian's cron and libfaketime: `make test` installs them and runs it"]
fn crontabs_are_judged_as_debians_cron_judges_them() {
    let mut crontabs = Crontabs::new();
    add_lines(&mut crontabs);
    add_files(&mut crontabs);
    let minutes = crontabs.path("minutes");
    let clock = format!("* * * * * root echo >>{}\n", minutes.display());
    fs::write(crontabs.path("cron.d/zclock"), clock).expect("written");
    let (directory, rcronctl) = (crontabs.directory.path(), program("rcronctl"));
    let _cron = cron::start(
        PREPARE,
        &[("DIR", directory.as_os_str()), ("RCRONCTL", rcronctl.as_os_str())],
    );

    let report = crontabs.path("report");
    until("the report", || report.exists().then_some(()));
    let ignored = ignored(&report);
    let expected: BTreeSet<&PathBuf> = crontabs.names.keys().filter(|file| !ignored.contains(*file)).collect();
    let marks = || -> BTreeSet<&PathBuf> {
        let has_mark = |mark: &str| crontabs.path("marks").join(mark).exists();
        let marked = crontabs.names.iter().filter(|(_, mark)| has_mark(mark));
        marked.map(|(file, _)| file).collect()
    };
    let count = || fs::read_to_string(&minutes).unwrap_or_default().lines().count();
    // Everything that cron has read ran in the first minute. Jobs of the third one show that nothing else is to come.
    until("three minutes of cron", || (count() >= 3).then_some(()));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while marks() != expected && std::time::Instant::now() < deadline {
        std::thread::yield_now(); // a job that cron has started may not have run yet
    }
    let (read, text) = (marks(), fs::read_to_string(&report).expect("there"));
    let missed: Vec<_> = expected.difference(&read).map(|file| shown(&crontabs, file)).collect();
    assert!(
        missed.is_empty(),
        "cron ignores these, the check says nothing: {missed:#?}"
    );
    let invented: Vec<_> = read.difference(&expected).map(|file| shown(&crontabs, file)).collect();
    assert!(
        invented.is_empty(),
        "cron reads these, the check calls them ignored: {invented:#?}\n{text}"
    );
    assert!(
        read.len() > 50 && ignored.len() > 50,
        "{} {}",
        read.len(),
        ignored.len()
    );
}

/// A file with its text.
fn shown(crontabs: &Crontabs, file: &Path) -> String {
    let holder = if file.starts_with("/etc") { "cron.d" } else { "spool" };
    let name = file.file_name().expect("a name").to_str().expect("text");
    let text = fs::read_to_string(crontabs.path(holder).join(name)).unwrap_or_default();
    format!("{}: {:?}", file.display(), text.lines().next().unwrap_or_default())
}
