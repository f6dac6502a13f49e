//! The names of a journal's files, for writer and reader: `UID-N.jsonl`, and `UID-N.jsonl.1` and so on after rotations.

use std::path::{Path, PathBuf};

/// `UID-0.jsonl` to `UID-8.jsonl`: the next name is used if another user took the one before.
pub const LAST_NUMBER: u32 = 8;
/// `.1` to `.4` are kept.
pub const OLDEST: u32 = 4;

const SUFFIX: &str = ".jsonl";

/// A user's file: `UID-N.jsonl`.
#[must_use]
pub fn path(directory: &Path, uid: u32, number: u32) -> PathBuf {
    directory.join(format!("{uid}-{number}{SUFFIX}"))
}

/// The name of a file after `age` rotations: `UID-N.jsonl.1`; the file itself for 0.
#[must_use]
pub fn rotated(path: &Path, age: u32) -> PathBuf {
    if age == 0 {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{age}"));
    name.into()
}

/// `UID-N.jsonl`, and its user, of this name or of `UID-N.jsonl.1`, which may exist alone. `None` for another file's name.
#[cfg(feature = "read")]
pub(crate) fn parse(name: &str) -> Option<(&str, u32)> {
    let end = name.find(SUFFIX)?;
    let (uid, number) = name[..end].split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let name = &name[..end + SUFFIX.len()];
    (is_number(uid) && is_number(number)).then_some((name, uid.parse().ok()?))
}

/// The parts of a name that rcron itself gives.
#[cfg(feature = "read")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// The number of the user, who alone may own the file.
    pub user: u32,
    /// 0 to [`LAST_NUMBER`].
    pub number: u32,
    /// How often it was rotated: 0 to [`OLDEST`].
    pub age: u32,
}

/// Parses `UID-N.jsonl`, or this with `.1` to `.4`. Any user can make a file of another name: `None` if rcron would never give it,
/// as `00-0.jsonl`, `4294967296-0.jsonl` or `0-9.jsonl`.
#[cfg(feature = "read")]
#[must_use]
pub fn canonical(name: &str) -> Option<Canonical> {
    let (user, rest) = name.split_once('-')?;
    let (number, age) = rest.split_once(SUFFIX)?;
    let parsed = Canonical {
        user: user.parse().ok()?,
        number: number.parse().ok().filter(|number| *number <= LAST_NUMBER)?,
        age: match age {
            "" => 0,
            age => age
                .strip_prefix('.')?
                .parse()
                .ok()
                .filter(|age| (1..=OLDEST).contains(age))?,
        },
    };
    // (uid_t)-1 stands for no user: chown(2).
    let is_user = parsed.user != u32::MAX;
    let written = rotated(&path(Path::new(""), parsed.user, parsed.number), parsed.age);
    (is_user && written == Path::new(name)).then_some(parsed)
}

#[cfg(all(test, feature = "read"))]
mod tests {
    use super::*;

    #[test]
    fn only_those_that_rcron_gives_are_canonical() {
        let found = |user, number, age| Some(Canonical { user, number, age });
        for (name, parsed) in [
            ("0-0.jsonl", found(0, 0, 0)),
            ("1000-8.jsonl.4", found(1000, 8, 4)),
            ("4294967294-1.jsonl.1", found(u32::MAX - 1, 1, 1)),
            ("4294967295-0.jsonl", None),
            ("4294967296-0.jsonl", None),
            ("00-0.jsonl", None),
            ("+0-0.jsonl", None),
            ("0-00.jsonl", None),
            ("0-9.jsonl", None),
            ("0-0.jsonl.0", None),
            ("0-0.jsonl.01", None),
            ("0-0.jsonl.5", None),
            ("0-0.jsonl.", None),
            ("0-0.jsonl.1.1", None),
            ("0-0.jsonlx", None),
            ("x-0.jsonl", None),
            ("0.jsonl", None),
            ("0-marks", None),
            ("", None),
        ] {
            assert_eq!(canonical(name), parsed, "{name}");
        }
    }

    #[test]
    fn those_of_journals_alone_are_parsed() {
        for (name, parsed) in [
            ("0-0.jsonl", Some(("0-0.jsonl", 0))),
            ("1000-3.jsonl.4", Some(("1000-3.jsonl", 1000))),
            ("acknowledged", None),
            ("x-0.jsonl", None),
            ("0-.jsonl", None),
            ("0.jsonl", None),
            ("4294967296-0.jsonl", None),
        ] {
            assert_eq!(parse(name), parsed, "{name}");
        }
    }

    #[test]
    fn those_that_are_written_are_parsed() {
        let path = path(Path::new("/"), 1000, LAST_NUMBER);
        for age in 0..=OLDEST {
            let rotated = rotated(&path, age);
            let name = rotated.file_name().and_then(|name| name.to_str()).expect("text");
            assert_eq!(parse(name), Some(("1000-8.jsonl", 1000)));
        }
    }
}
