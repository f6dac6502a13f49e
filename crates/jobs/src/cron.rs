//! The program that reads the crontabs: Debian's cron, cronie, or another one, whose rules are not known here.

use crate::root::Root;
use crontab::schedule::Dialect;
use std::path::Path;

/// Where packages put it.
const PROGRAMS: [&str; 2] = ["/usr/sbin/cron", "/usr/sbin/crond"];
/// How much of a program is searched, in bytes.
const LARGEST: usize = 4 << 20;

/// The cron of a system.
#[derive(Debug)]
pub struct Cron {
    /// The first of them that exists, as a path of the examined system.
    pub program: Option<&'static str>,
    /// Whose rules apply. `None` if this is another cron.
    pub dialect: Option<Dialect>,
    /// Whether cron(8) has the option `-l`, with which Debian's cron reads more names in /etc/cron.d.
    pub has_lsb_names: bool,
}

impl Cron {
    /// Looks for it.
    #[must_use]
    pub fn find(root: &Root) -> Self {
        let is_there = |path: &str| root.locate(Path::new(path)).is_ok_and(|located| located.exists());
        let program = installed(root);
        let dialect = match program {
            Some(program) => dialect(&text(root, program)),
            // An image may lack it. The rules are then those of the distribution.
            None if is_there("/etc/debian_version") => Some(Dialect::Debian),
            None => Some(Dialect::Cronie),
        };
        let options = text(root, "/etc/default/cron");
        let mut lines = options.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let has_lsb_names = lines.any(|line| !line.starts_with(b"#") && line.windows(2).any(|part| part == b"-l"));
        Self {
            program,
            dialect,
            has_lsb_names,
        }
    }
}

/// The program, as a path of the examined system.
#[must_use]
pub fn installed(root: &Root) -> Option<&'static str> {
    let is_there = |path: &&str| root.locate(Path::new(path)).is_ok_and(|located| located.exists());
    PROGRAMS.into_iter().find(is_there)
}

fn text(root: &Root, path: &str) -> Vec<u8> {
    let contents = root
        .locate(Path::new(path))
        .ok()
        .and_then(|located| located.read(LARGEST).ok());
    contents.map(|contents| contents.bytes).unwrap_or_default()
}

/// By a message that only this program has: distributions use the same file names for different crons.
fn dialect(program: &[u8]) -> Option<Dialect> {
    let has = |text: &str| program.windows(text.len()).any(|part| part == text.as_bytes());
    if has("this crontab file will be ignored") {
        Some(Dialect::Debian)
    } else if has("cronie") {
        Some(Dialect::Cronie)
    } else {
        None
    }
}
