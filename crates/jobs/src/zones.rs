//! The time zones of cron and of its jobs.

use crate::root::Root;
use policy::time_zone::{self, Zone};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use sys::file::Unreadable;

const LOCAL_TIME: &str = "/etc/localtime";
const ZONES: &str = "/usr/share/zoneinfo";
/// The environment of cron's service: Debian's and cronie's.
pub(crate) const ENVIRONMENTS: [&str; 2] = ["/etc/default/cron", "/etc/sysconfig/crond"];
/// In bytes; the longest file of zoneinfo has 3,500.
const LONGEST_ZONE: usize = 64 << 10;
/// In bytes. Names in zoneinfo have up to 32.
const LONGEST_NAME: usize = 255;
/// How many zones are kept. There are about 600 names.
const MOST_ZONES: usize = 1000;
/// In bytes, of the file with the environment of cron.
const LONGEST_ENVIRONMENT: usize = 64 << 10;

/// The zones that were read, by their names. `None`: it is not a zone of the system.
#[derive(Debug, Default)]
pub(crate) struct Zones(BTreeMap<Vec<u8>, Option<Arc<Zone>>>);

impl Zones {
    /// The zone that the value of `CRON_TZ` names.
    pub(crate) fn named(&mut self, root: &Root, name: &[u8]) -> Option<Arc<Zone>> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        if self.0.len() == MOST_ZONES {
            return None;
        }
        let zone = named(root, name).map(Arc::new);
        self.0.insert(name.to_owned(), zone.clone());
        zone
    }
}

/// The zone of cron itself: that of `TZ` in the environment of its service, otherwise the system's.
pub(crate) fn of_system(root: &Root) -> Zone {
    let texts = ENVIRONMENTS.iter().filter_map(|file| {
        let located = root.locate(Path::new(file)).ok()?;
        Some(located.read(LONGEST_ENVIRONMENT).ok()?.bytes)
    });
    let mut values = texts.filter_map(|text| value_of_tz(&text).map(<[u8]>::to_vec));
    let zone = match values.next() {
        Some(name) => named(root, &name),
        None => of_file(root, Path::new(LOCAL_TIME)).ok().flatten(),
    };
    zone.unwrap_or(Zone::Utc)
}

/// The last `TZ=…` in a file of assignments.
fn value_of_tz(text: &[u8]) -> Option<&[u8]> {
    let mut lines = text.split(|byte| *byte == b'\n').rev();
    let value = lines.find_map(|line| line.trim_ascii().strip_prefix(b"TZ="))?;
    let unquoted = [b'"', b'\''].iter().find_map(|quote| {
        let inside = value.strip_prefix(&[*quote])?;
        inside.strip_suffix(&[*quote])
    });
    Some(unquoted.unwrap_or(value))
}

/// The zone of a value of `TZ`, as tzset(3) reads it. A file elsewhere than among the system's zones is not opened: `None`.
fn named(root: &Root, name: &[u8]) -> Option<Zone> {
    let name = name.strip_prefix(b":").unwrap_or(name);
    if name.is_empty() {
        return Some(Zone::Utc);
    }
    if name.len() > LONGEST_NAME {
        return None;
    }
    let file = file_of(name)?;
    match of_file(root, &file) {
        Ok(zone) => zone,
        // The C library takes a text that is neither a file nor a rule for UTC.
        Err(Unreadable::Missing) if time_zone::by_rule(name, 0).is_some() => Some(Zone::Rule(name.to_vec())),
        Err(Unreadable::Missing) => Some(Zone::Utc),
        Err(_) => None,
    }
}

fn file_of(name: &[u8]) -> Option<PathBuf> {
    let file = Path::new(ZONES).join(OsStr::from_bytes(name));
    let goes_up = name.split(|byte| *byte == b'/').any(|part| part == b"..");
    let is_systems = file.starts_with(ZONES) || file == Path::new(LOCAL_TIME);
    (is_systems && !goes_up).then_some(file)
}

/// `None` if the file is not one of zoneinfo.
fn of_file(root: &Root, file: &Path) -> Result<Option<Zone>, Unreadable> {
    let bytes = root.locate(file)?.read(LONGEST_ZONE)?.bytes;
    Ok(bytes.starts_with(time_zone::MAGIC).then_some(Zone::File(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn zones_are_files_of_the_system_or_rules() {
        let tree = tempfile::tempdir().expect("a directory");
        let at = |name: &str| tree.path().join(name);
        fs::create_dir_all(at("usr/share/zoneinfo/Europe")).expect("made");
        fs::create_dir_all(at("etc/default")).expect("made");
        let (berlin, file) = (b"TZif2 of Berlin".to_vec(), "usr/share/zoneinfo/Europe/Berlin");
        fs::write(at(file), &berlin).expect("written");
        fs::write(at("usr/share/zoneinfo/zone.tab"), "text").expect("written");
        fs::write(at("zone"), &berlin).expect("written");
        symlink("/usr/share/zoneinfo/Europe/Berlin", at("etc/localtime")).expect("linked");
        let root = Root::new(Some(tree.path())).expect("a root");
        let berlin = Some(Zone::File(berlin));
        let rule = Some(Zone::Rule(b"EST5".to_vec()));
        for (name, expected) in [
            ("Europe/Berlin", berlin.clone()),
            (":Europe/Berlin", berlin.clone()),
            ("/etc/localtime", berlin.clone()),
            ("/usr/share/zoneinfo/Europe/Berlin", berlin.clone()),
            ("EST5", rule.clone()),
            ("", Some(Zone::Utc)),
            ("Europe/Nowhere", Some(Zone::Utc)),
            ("/zone", None),
            ("../../../zone", None),
            ("Europe", None),
            ("zone.tab", None),
        ] {
            assert_eq!(named(&root, name.as_bytes()), expected, "{name}");
        }
        assert_eq!(Some(of_system(&root)), berlin);
        fs::write(at("etc/default/cron"), "# TZ=UTC\nEXTRA_OPTS=\nTZ=\"EST5\"\n").expect("written");
        assert_eq!(Some(of_system(&root)), rule);
    }
}
