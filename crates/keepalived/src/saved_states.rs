//! What the next process resumes from if this one is killed: a small file in /run.

use crate::fifo::Identity;
use crate::instances::{Instance, Instances};
use inputs::diagnostic::shown;
use policy::state::Word;
use std::fmt;
use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use sys::process_tree::Process;
use sys::{file, replace};

/// Only root can read it: a process that can open the FIFO can consume keepalived's events. So the FIFO can be here, too.
pub(crate) const DIRECTORY: &str = "/run/rcron/keepalived";

/// Format and version. A file that begins otherwise is ignored.
const HEAD: &str = "rcron-keepalived 1";
/// Space for all instances with the longest names.
const MAX_SIZE: usize = 1 << 20;

/// Written before any event is consumed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SavedStates {
    /// The boot on which the pid and the start time of the writer are valid.
    pub(crate) boot: Vec<u8>,
    /// keepalived and the FIFO that it has open. Without them, nothing can be resumed.
    pub(crate) writer: Option<(Process, Identity)>,
    pub(crate) instances: Instances,
    /// Instances without a report are passive because events were lost.
    pub(crate) events_were_lost: bool,
}

/// Instead of the word of an instance whose state is not reported.
const UNKNOWN: &str = "unknown";

/// The file with the saved states of one FIFO.
pub(crate) struct SavedStatesFile {
    path: PathBuf,
    /// This boot.
    boot: Vec<u8>,
}

impl SavedStatesFile {
    /// Creates the directory if it is missing, for root only, and the ones above it for everybody.
    pub(crate) fn new(directory: &Path, fifo: &Path, boot: Vec<u8>) -> io::Result<Self> {
        let above = directory.parent().unwrap_or(directory);
        DirBuilder::new().recursive(true).mode(0o755).create(above)?;
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let path = directory.join(format!("{}.states", file_name(fifo)));
        Ok(Self { path, boot })
    }

    /// Whoever has the lock of this file may read the FIFO.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.path.with_extension("lock")
    }

    /// Empty if there is no file of this boot that can be used.
    pub(crate) fn load(&self) -> SavedStates {
        let contents = file::read_beginning(self.path.as_os_str(), MAX_SIZE).ok();
        let saved = contents.and_then(|contents| SavedStates::parse(&contents.bytes));
        saved.filter(|saved| saved.boot == self.boot).unwrap_or_default()
    }

    /// If it fails, the old file is removed: its states must not be resumed either.
    pub(crate) fn save(
        &self,
        writer: Option<(Process, Identity)>,
        instances: &Instances,
        events_were_lost: bool,
    ) -> io::Result<()> {
        let states = SavedStates {
            boot: self.boot.clone(),
            writer,
            instances: instances.clone(),
            events_were_lost,
        };
        let saved = replace::replace(&self.path, &states.text(), 0o600);
        if saved.is_err() {
            let _ = std::fs::remove_file(&self.path);
        }
        saved
    }
}

impl fmt::Display for SavedStatesFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&shown(self.path.as_os_str()))
    }
}

/// A different one for each path.
fn file_name(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    let letter = |byte: &u8| match byte {
        b'/' => "-".to_owned(),
        b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(*byte).to_string(),
        _ => format!("%{byte:02x}"),
    };
    bytes.strip_prefix(b"/").unwrap_or(bytes).iter().map(letter).collect()
}

impl SavedStates {
    fn text(&self) -> Vec<u8> {
        let mut text = format!("{HEAD}\nboot {}\n", String::from_utf8_lossy(&self.boot)).into_bytes();
        if let Some((process, fifo)) = self.writer {
            let (pid, born) = (process.pid, process.born);
            let _ = writeln!(text, "writer {pid} {born} {} {}", fifo.device, fifo.inode);
        }
        if self.events_were_lost {
            text.extend_from_slice(b"lost events\n");
        }
        for instance in self.instances.iter() {
            let word = instance.reported.map_or(UNKNOWN, Word::as_str);
            let _ = write!(text, "{word} {} ", instance.since);
            text.extend_from_slice(&instance.name);
            text.push(b'\n');
        }
        text
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut saved = Self::default();
        let mut lines = text.strip_suffix(b"\n")?.split(|byte| *byte == b'\n');
        if lines.next()? != HEAD.as_bytes() {
            return None;
        }
        for line in lines {
            let (first, rest) = split_at_blank(line)?;
            match first {
                b"boot" => saved.boot = rest.to_vec(),
                b"writer" => saved.writer = Some(parse_writer(rest)?),
                b"lost" => saved.events_were_lost = true,
                word => {
                    let (since, name) = split_at_blank(rest)?;
                    let is_unknown = word == UNKNOWN.as_bytes();
                    saved.instances.restore(Instance {
                        name: name.to_vec(),
                        reported: if is_unknown { None } else { Some(Word::parse(word)?) },
                        since: String::from_utf8(since.to_vec()).ok()?,
                    });
                }
            }
        }
        Some(saved)
    }
}

fn parse_writer(text: &[u8]) -> Option<(Process, Identity)> {
    let text = std::str::from_utf8(text).ok()?;
    let [pid, born, device, inode] = text.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let process = Process {
        pid: pid.parse().ok()?,
        born: born.parse().ok()?,
    };
    let identity = Identity {
        device: device.parse().ok()?,
        inode: inode.parse().ok()?,
    };
    Some((process, identity))
}

fn split_at_blank(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = line.iter().position(|byte| *byte == b' ')?;
    Some((&line[..blank], &line[blank + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved_states() -> SavedStates {
        let mut instances = Instances::default();
        for (name, reported) in [
            (&b"old"[..], None),
            (b"web", Some(Word::Active)),
            (b"a \xff\"name", Some(Word::Passive)),
        ] {
            instances.restore(Instance {
                name: name.to_vec(),
                reported,
                since: "2026-11-23T09:15:02Z".to_owned(),
            });
        }
        let fifo = Identity { device: 25, inode: 7 };
        SavedStates {
            boot: b"7c1e".to_vec(),
            writer: Some((Process { pid: 812, born: 4242 }, fifo)),
            instances,
            events_were_lost: true,
        }
    }

    #[test]
    fn are_read_again_as_they_were_written() {
        for saved in [
            saved_states(),
            SavedStates {
                writer: None,
                events_were_lost: false,
                ..saved_states()
            },
        ] {
            assert_eq!(SavedStates::parse(&saved.text()), Some(saved));
        }
    }

    #[test]
    fn are_rejected_if_the_end_is_missing() {
        let text = saved_states().text();
        for end in 0..text.len() {
            if let Some(part) = SavedStates::parse(&text[..end]) {
                assert!(part.instances.iter().count() < 3, "cut at {end}");
            }
        }
        assert_eq!(SavedStates::parse(b"something else\n"), None);
        assert_eq!(SavedStates::parse(b"rcron-keepalived 1\nboot b\nperhaps 1 web\n"), None);
    }

    #[test]
    fn of_another_boot_are_ignored() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = |boot: &[u8]| {
            let fifo = Path::new("/run/fifo");
            SavedStatesFile::new(directory.path(), fifo, boot.to_vec()).expect("a directory")
        };
        let saved = saved_states();
        file(b"7c1e")
            .save(saved.writer, &saved.instances, saved.events_were_lost)
            .expect("saved");
        assert_eq!(file(b"7c1e").load(), saved);
        assert_eq!(file(b"other").load(), SavedStates::default());
    }

    #[test]
    fn that_cannot_be_saved_are_not_resumed_later() {
        let directory = tempfile::tempdir().expect("a directory");
        // No file can be created beside a name of this length.
        let fifo = PathBuf::from("f".repeat(240));
        let file = SavedStatesFile::new(directory.path(), &fifo, b"7c1e".to_vec()).expect("a directory");
        let saved = saved_states();
        std::fs::write(&file.path, saved.text()).expect("written");
        assert_eq!(file.load(), saved);
        assert!(
            file.save(saved.writer, &saved.instances, saved.events_were_lost)
                .is_err()
        );
        assert_eq!(file.load(), SavedStates::default());
    }

    #[test]
    fn have_a_file_of_their_own_for_each_fifo() {
        assert_eq!(
            file_name(Path::new("/run/rcron/keepalived/fifo")),
            "run-rcron-keepalived-fifo"
        );
        assert_ne!(file_name(Path::new("/run/a-b")), file_name(Path::new("/run/a/b")));
    }
}
