//! The names of a journal's files, for writer and reader: `UID-N.jsonl`, and `UID-N.jsonl.1` and so on after rotations.

use std::ffi::OsStr;
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

/// The user, the number and the age of a name that rcron writes; `None` for any other name, such as one with a leading zero.
#[must_use]
pub fn parse(name: &OsStr) -> Option<(u32, u32, u32)> {
    let (user, rest) = name.to_str()?.split_once('-')?;
    let (number, age) = rest.split_once(SUFFIX)?;
    let age = match age.strip_prefix('.') {
        Some(age) => decimal(age).filter(|age| (1..=OLDEST).contains(age))?,
        None => age.is_empty().then_some(0)?,
    };
    let number = decimal(number).filter(|number| *number <= LAST_NUMBER)?;
    // (uid_t)-1 stands for no user: chown(2).
    let user = decimal(user).filter(|user| *user != u32::MAX)?;
    Some((user, number, age))
}

/// A decimal number without a sign and without leading zeros.
fn decimal(text: &str) -> Option<u32> {
    let is_canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_names_are_parsed() {
        for (name, parsed) in [
            ("0-0.jsonl", Some((0, 0, 0))),
            ("1000-3.jsonl.4", Some((1000, 3, 4))),
            ("4294967294-8.jsonl.1", Some((u32::MAX - 1, 8, 1))),
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
            ("acknowledged", None),
            ("x-0.jsonl", None),
            ("0-.jsonl", None),
            ("0.jsonl", None),
            ("4294967296-0.jsonl", None),
            ("00-0.jsonl", None),
            ("01-0.jsonl", None),
            ("+1-0.jsonl", None),
            ("0-00.jsonl", None),
            ("0-9.jsonl", None),
            ("0-0.jsonl.0", None),
            ("0-0.jsonl.5", None),
            ("0-0.jsonl.01", None),
            ("0-0.jsonl.", None),
            ("0-0.jsonl1", None),
            ("0-0.jsonl.1.jsonl", None),
            ("0-0.jsonl.taken.0a1b2c", None),
        ] {
            assert_eq!(parse(OsStr::new(name)), parsed, "{name}");
        }
    }

    #[test]
    fn those_that_are_written_are_parsed() {
        for number in 0..=LAST_NUMBER {
            let path = path(Path::new("/"), 1000, number);
            for age in 0..=OLDEST {
                let rotated = rotated(&path, age);
                let name = rotated.file_name().expect("a name");
                assert_eq!(parse(name), Some((1000, number, age)));
            }
        }
    }
}
