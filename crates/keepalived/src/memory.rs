//! What a reader leaves for the next one, should it be killed: a small file in /run.

use crate::failure::Failure;
use crate::fifo::Identity;
use crate::instances::{Instance, Instances};
use inputs::diagnostic::shown;
use policy::state::Word;
use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use sys::file;
use sys::process_tree::Process;

/// Only root may look in: whoever can read a FIFO can take keepalived's words out of it. So this is the place for the FIFO,
/// too.
pub(crate) const DIRECTORY: &str = "/run/rcron/keepalived";

/// A file that is not of this form says nothing.
const HEAD: &str = "rcron-keepalived 1";
/// A thousand instances with the longest names.
const LARGEST: usize = 1 << 20;

/// What is written down before anything is taken out of the FIFO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// The boot on which a pid and its start time mean something.
    pub(crate) boot: Vec<u8>,
    /// keepalived, and the FIFO that it has open.
    pub(crate) writer: Option<(Process, Identity)>,
    pub(crate) instances: Instances,
}

/// Where the memory of one FIFO is kept.
pub(crate) struct Store {
    file: PathBuf,
}

impl Store {
    /// Makes the directory, too.
    pub(crate) fn new(fifo: &Path) -> Result<Self, Failure> {
        let made = DirBuilder::new().recursive(true).mode(0o755).create("/run/rcron");
        let made = made.and_then(|()| DirBuilder::new().recursive(true).mode(0o700).create(DIRECTORY));
        made.map_err(|error| Failure::of(format!("make {DIRECTORY}"), &error))?;
        let file = Path::new(DIRECTORY).join(format!("{}.states", name(fifo)));
        Ok(Self { file })
    }

    /// The lock that keeps a second reader of the same FIFO out.
    pub(crate) fn lock(&self) -> PathBuf {
        self.file.with_extension("lock")
    }

    /// Empty if there is nothing that can be used.
    pub(crate) fn load(&self) -> Memory {
        let contents = file::read_beginning(self.file.as_os_str(), LARGEST);
        contents
            .ok()
            .and_then(|contents| Memory::parse(&contents.bytes))
            .unwrap_or_default()
    }

    /// What cannot be written down must not be believed later, either: then the old memory goes.
    pub(crate) fn save(&self, memory: &Memory) -> io::Result<()> {
        let saved = sys::replace::replace(&self.file, &memory.text(), 0o600);
        if saved.is_err() {
            let _ = std::fs::remove_file(&self.file);
        }
        saved
    }
}

impl std::fmt::Display for Store {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&shown(self.file.as_os_str()))
    }
}

/// A file name for a path, different for each.
fn name(fifo: &Path) -> String {
    let bytes = fifo.as_os_str().as_bytes();
    let letter = |byte: &u8| match byte {
        b'/' => "-".to_owned(),
        b'.' | b'_' => char::from(*byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        _ => format!("%{byte:02x}"),
    };
    bytes.strip_prefix(b"/").unwrap_or(bytes).iter().map(letter).collect()
}

impl Memory {
    fn text(&self) -> Vec<u8> {
        let mut text = format!("{HEAD}\nboot {}\n", String::from_utf8_lossy(&self.boot)).into_bytes();
        if let Some((process, fifo)) = self.writer {
            let (pid, born) = (process.pid, process.born);
            let _ = writeln!(text, "writer {pid} {born} {} {}", fifo.device, fifo.inode);
        }
        for instance in self.instances.iter() {
            let _ = write!(text, "{} {} ", instance.word.as_str(), instance.since);
            text.extend_from_slice(&instance.name);
            text.push(b'\n');
        }
        text
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut memory = Self::default();
        let mut lines = text.strip_suffix(b"\n")?.split(|byte| *byte == b'\n');
        if lines.next()? != HEAD.as_bytes() {
            return None;
        }
        for line in lines {
            let (first, rest) = cut(line)?;
            match first {
                b"boot" => memory.boot = rest.to_vec(),
                b"writer" => memory.writer = Some(writer(rest)?),
                word => {
                    let (since, name) = cut(rest)?;
                    memory.instances.restore(Instance {
                        name: name.to_vec(),
                        word: Word::parse(word)?,
                        since: String::from_utf8(since.to_vec()).ok()?,
                    });
                }
            }
        }
        Some(memory)
    }
}

fn writer(text: &[u8]) -> Option<(Process, Identity)> {
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

fn cut(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = line.iter().position(|byte| *byte == b' ')?;
    Some((&line[..blank], &line[blank + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Memory {
        let mut instances = Instances::default();
        for (name, word) in [(&b"web"[..], Word::Active), (b"a \xff\"name", Word::Passive)] {
            instances.restore(Instance {
                name: name.to_vec(),
                word,
                since: "2026-11-23T09:15:02Z".to_owned(),
            });
        }
        let fifo = Identity { device: 25, inode: 7 };
        Memory {
            boot: b"7c1e".to_vec(),
            writer: Some((Process { pid: 812, born: 4242 }, fifo)),
            instances,
        }
    }

    #[test]
    fn what_is_written_down_is_read_again() {
        for memory in [
            memory(),
            Memory {
                writer: None,
                ..memory()
            },
        ] {
            assert_eq!(Memory::parse(&memory.text()), Some(memory));
        }
    }

    #[test]
    fn half_a_memory_is_none() {
        let text = memory().text();
        for end in 0..text.len() {
            if let Some(part) = Memory::parse(&text[..end]) {
                assert!(part.instances.iter().count() < 2, "cut at {end}");
            }
        }
        assert_eq!(Memory::parse(b"something else\n"), None);
        assert_eq!(Memory::parse(b"rcron-keepalived 1\nboot b\nperhaps 1 web\n"), None);
    }

    #[test]
    fn each_fifo_has_a_memory_of_its_own() {
        assert_eq!(
            name(Path::new("/run/rcron/keepalived/fifo")),
            "run-rcron-keepalived-fifo"
        );
        assert_ne!(name(Path::new("/run/a-b")), name(Path::new("/run/a/b")));
    }
}
