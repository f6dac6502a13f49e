//! What keepalived writes to its FIFO: keepalived.conf(5), "notify_fifo".

use policy::state::Word;

/// A longer line is none of keepalived's: it writes each with one write(2), which a pipe takes whole up to `PIPE_BUF`.
const LONGEST_LINE: usize = 4096;
/// A longer name is ignored with its line.
const LONGEST_NAME: usize = 255;

/// `INSTANCE "NAME" STATE PRIORITY`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// The instance's name in keepalived.conf.
    pub(crate) name: &'a [u8],
    /// What it is from now on.
    pub(crate) word: Word,
    /// keepalived's own word for it, for the log.
    pub(crate) said: &'a [u8],
}

impl<'a> Line<'a> {
    /// `None` for whatever says no instance's state: a group's, a virtual server's, an event, junk.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"INSTANCE \"")?;
        // keepalived does not escape a quote in a name. What follows the name never holds one.
        let end = rest.iter().rposition(|byte| *byte == b'"')?;
        let (name, rest) = (&rest[..end], &rest[end + 1..]);
        let mut words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let said = words.next()?;
        if name.is_empty() || name.len() > LONGEST_NAME || is_event(said) {
            return None;
        }
        let word = match said {
            b"MASTER" => Word::Active,
            _ => Word::Passive,
        };
        Some(Self { name, word, said })
    }
}

/// What happens to an instance without changing its state (`send_event_notify` and `send_instance_priority_notifies` in
/// keepalived's vrrp_notify.c). A master that hears a lower priority after a partition is still the master.
fn is_event(said: &[u8]) -> bool {
    said == b"MASTER_RX_LOWER_PRI" || said.ends_with(b"_PRIORITY")
}

/// Cuts what waits in the FIFO into lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The beginning of a line whose end has not come.
    torn: Vec<u8>,
    /// The line that is coming is too long; the rest of it is thrown away.
    is_overlong: bool,
}

impl Lines {
    /// The whole lines among the bytes that wait, and how many bytes to take out of the FIFO once they are dealt with.
    ///
    /// The beginning of a line after them stays in the FIFO, for a reader that is killed meanwhile. Only if nothing but a
    /// torn line waits is it taken in: it would be looked at again and again otherwise.
    pub(crate) fn take(&mut self, waiting: &[u8]) -> (Vec<Vec<u8>>, usize) {
        let Some(end) = waiting.iter().rposition(|byte| *byte == b'\n') else {
            self.keep(waiting);
            return (Vec::new(), waiting.len());
        };
        let mut text = std::mem::take(&mut self.torn);
        text.extend_from_slice(&waiting[..end]);
        let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        if std::mem::take(&mut self.is_overlong) {
            lines.remove(0);
        }
        (lines, end + 1)
    }

    /// Forgets a torn line: its writer is gone.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    fn keep(&mut self, torn: &[u8]) {
        self.torn.extend_from_slice(torn);
        if self.torn.len() > LONGEST_LINE {
            self.is_overlong = true;
        }
        if self.is_overlong {
            self.torn.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<(String, Word)> {
        Line::parse(line.as_bytes()).map(|line| (String::from_utf8_lossy(line.name).into_owned(), line.word))
    }

    #[test]
    fn only_master_is_active() {
        for (line, name, word) in [
            ("INSTANCE \"A\" MASTER 150", "A", Word::Active),
            ("INSTANCE \"A\" MASTER", "A", Word::Active),
            ("INSTANCE \"a b\" MASTER 1", "a b", Word::Active),
            ("INSTANCE \"a\"b\" MASTER 1", "a\"b", Word::Active),
            ("INSTANCE \"A\" BACKUP 100", "A", Word::Passive),
            ("INSTANCE \"A\" FAULT 100", "A", Word::Passive),
            ("INSTANCE \"A\" STOP 100", "A", Word::Passive),
            ("INSTANCE \"A\" DELETED 0", "A", Word::Passive),
            ("INSTANCE \"A\" MASTERY 0", "A", Word::Passive),
            ("INSTANCE \"A\" {UNKNOWN} 0", "A", Word::Passive),
        ] {
            assert_eq!(parsed(line), Some((name.to_owned(), word)), "{line}");
        }
    }

    #[test]
    fn what_changes_no_instance_is_no_line() {
        for line in [
            "",
            "GROUP \"G\" MASTER 0",
            "VS [192.168.201.15]:tcp:80 UP",
            "INSTANCE \"A\" MASTER_RX_LOWER_PRI 150",
            "INSTANCE \"A\" MASTER_PRIORITY 150",
            "INSTANCE \"A\" BACKUP_PRIORITY 150",
            "INSTANCE \"A\"",
            "INSTANCE \"A",
            "INSTANCE A MASTER 1",
            "INSTANCE \"\" MASTER 1",
            " INSTANCE \"A\" MASTER 1",
            "instance \"A\" MASTER 1",
        ] {
            assert_eq!(parsed(line), None, "{line}");
        }
        let long = format!("INSTANCE \"{}\" MASTER 1", "x".repeat(256));
        assert_eq!(parsed(&long), None);
    }

    #[test]
    fn lines_are_whole_however_they_come() {
        let mut lines = Lines::default();
        assert_eq!(
            lines.take(b"one\ntwo\nthr"),
            (vec![b"one".to_vec(), b"two".to_vec()], 8)
        );
        assert_eq!(lines.take(b"thr"), (vec![], 3));
        assert_eq!(lines.take(b"ee\n"), (vec![b"three".to_vec()], 3));
        assert_eq!(lines.take(b"torn"), (vec![], 4));
        lines.forget();
        assert_eq!(lines.take(b"new\n"), (vec![b"new".to_vec()], 4));
    }

    #[test]
    fn an_overlong_line_costs_only_itself() {
        let mut lines = Lines::default();
        for _ in 0..10 {
            assert_eq!(lines.take(&[b'x'; 1000]), (vec![], 1000));
        }
        assert_eq!(lines.take(b"x\nnext\n"), (vec![b"next".to_vec()], 7));
    }
}
