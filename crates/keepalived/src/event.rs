//! One line of keepalived's FIFO as an event: keepalived.conf(5), "notify_fifo".

use policy::state::Word;

/// An event of an instance with a longer name is ignored.
const LONGEST_NAME: usize = 255;

/// `INSTANCE "NAME" STATE PRIORITY`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event<'a> {
    /// The name of the `vrrp_instance` in keepalived.conf.
    pub(crate) instance: &'a [u8],
    /// Its state from this event on.
    pub(crate) word: Word,
    /// The same as keepalived writes it, for the log: `MASTER`, `BACKUP`, `FAULT`, `STOP`, ….
    pub(crate) keepalived_state: &'a [u8],
}

impl<'a> Event<'a> {
    /// `None` for every line that does not contain the state of an instance: of a group or a virtual server, about a priority,
    /// junk.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"INSTANCE \"")?;
        // keepalived does not escape a quote in a name. What follows the name never contains one.
        let end = rest.iter().rposition(|byte| *byte == b'"')?;
        let (instance, rest) = (&rest[..end], &rest[end + 1..]);
        let keepalived_state = rest.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?;
        if instance.is_empty() || instance.len() > LONGEST_NAME || changes_nothing(keepalived_state) {
            return None;
        }
        let word = match keepalived_state {
            b"MASTER" => Word::Active,
            _ => Word::Passive,
        };
        Some(Self {
            instance,
            word,
            keepalived_state,
        })
    }
}

/// keepalived also reports what happens to an instance without changing its state (`send_event_notify` and
/// `send_instance_priority_notifies` in its vrrp_notify.c). A master that hears a lower priority after a partition is still the
/// master.
fn changes_nothing(keepalived_state: &[u8]) -> bool {
    keepalived_state == b"MASTER_RX_LOWER_PRI" || keepalived_state.ends_with(b"_PRIORITY")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<(String, Word)> {
        Event::parse(line.as_bytes()).map(|event| (String::from_utf8_lossy(event.instance).into_owned(), event.word))
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
    fn other_lines_are_ignored() {
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
}
