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

#[cfg(all(test, feature = "read"))]
mod tests {
    use super::*;

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
