//! The grammar of the state file: its first line, what it says and how long it holds (rcron.conf(5), "STATE FILE").

use crate::moment::BootTime;
use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

/// A longer first line is not a state file. What `rcrond` writes is a tenth of it.
pub const LONGEST_LINE: usize = 4096;

/// `active` or `passive`, as the first word of a state file or as `default_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// This server runs the jobs.
    Active,
    /// Another one does.
    Passive,
}

/// What the first line of a state file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The first word.
    pub word: Word,
    /// How long it holds.
    pub lease: Lease,
    /// `draining`: running jobs go on, none is started.
    pub draining: bool,
    /// `epoch=`, the fencing token: grows with every change of the lease's holder.
    pub epoch: Option<u64>,
    /// `by=`, who wrote it.
    pub by: Option<Vec<u8>>,
    /// `since=`, for people.
    pub since: Option<Vec<u8>>,
}

/// The end of a state's validity, from its attributes `until` and `boot`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// Neither attribute: written by hand, valid until it is replaced.
    None,
    /// Both attributes.
    Until {
        /// `until=`, seconds of `CLOCK_BOOTTIME`.
        end: BootTime,
        /// `boot=`, the boot it counts on.
        boot: Vec<u8>,
    },
    /// One without the other, one given twice, or one that cannot be read (a broken `epoch` too).
    Malformed,
}

/// Why the content of a file is no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoState {
    /// Nothing in it.
    Empty,
    /// The first line has no word.
    BlankLine,
    /// The first word is neither `active` nor `passive`.
    OtherWord,
    /// The first line is longer than [`LONGEST_LINE`].
    LongLine,
}

impl Word {
    /// Reads the word, in any case.
    #[must_use]
    pub fn parse(word: &[u8]) -> Option<Self> {
        if word.eq_ignore_ascii_case(b"active") {
            Some(Self::Active)
        } else if word.eq_ignore_ascii_case(b"passive") {
            Some(Self::Passive)
        } else {
            None
        }
    }

    /// The word as it is logged.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
        }
    }
}

impl State {
    /// Reads the beginning of a state file: at least its first line, or [`LONGEST_LINE`] + 1 bytes of it.
    ///
    /// # Errors
    /// [`NoState`] where the first word is neither `active` nor `passive`.
    pub fn parse(beginning: &[u8]) -> Result<Self, NoState> {
        if beginning.is_empty() {
            return Err(NoState::Empty);
        }
        let line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if line.len() > LONGEST_LINE {
            return Err(NoState::LongLine);
        }
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let first = words.next().ok_or(NoState::BlankLine)?;
        let word = Word::parse(first).ok_or(NoState::OtherWord)?;
        Ok(Attributes::collect(words).into_state(word))
    }
}

impl State {
    /// The line of a state file that says it, with its newline.
    ///
    /// A malformed lease is written as an `until` without a `boot`, which reads as one again.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let mut line = self.word.as_str().as_bytes().to_vec();
        if self.draining {
            line.extend_from_slice(b" draining");
        }
        match &self.lease {
            Lease::None => {}
            Lease::Malformed => append(&mut line, "until", b"0"),
            Lease::Until { end, boot } => {
                let until = format!("{}.{:03}", end.0.as_secs(), end.0.subsec_millis());
                append(&mut line, "until", until.as_bytes());
                append(&mut line, "boot", boot);
            }
        }
        if let Some(epoch) = self.epoch {
            append(&mut line, "epoch", format!("{epoch}").as_bytes());
        }
        if let Some(by) = &self.by {
            append(&mut line, "by", by);
        }
        if let Some(since) = &self.since {
            append(&mut line, "since", since);
        }
        line.push(b'\n');
        line
    }
}

/// One attribute. Blanks would end its value.
fn append(line: &mut Vec<u8>, name: &str, value: &[u8]) {
    line.push(b' ');
    line.extend_from_slice(name.as_bytes());
    line.push(b'=');
    line.extend(
        value
            .iter()
            .map(|byte| if byte.is_ascii_graphic() { *byte } else { b'_' }),
    );
}

/// The attributes of a line as they come, before they are held against each other.
#[derive(Default)]
struct Attributes<'a> {
    until: Option<&'a [u8]>,
    boot: Option<&'a [u8]>,
    epoch: Option<&'a [u8]>,
    by: Option<&'a [u8]>,
    since: Option<&'a [u8]>,
    draining: bool,
    broken: bool,
}

impl<'a> Attributes<'a> {
    /// Words that are no attribute are a person's remark (`active since monday`), and ignored as 0.1.0 did.
    fn collect(words: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut all = Self::default();
        for word in words {
            if is_draining(word) {
                all.draining = true;
            } else if is_misspelt(word) {
                all.broken = true;
            } else if let Some(value) = word.strip_prefix(b"until=") {
                all.broken |= all.until.replace(value).is_some();
            } else if let Some(value) = word.strip_prefix(b"boot=") {
                all.broken |= all.boot.replace(value).is_some();
            } else if let Some(value) = word.strip_prefix(b"epoch=") {
                all.broken |= all.epoch.replace(value).is_some();
            } else if let Some(value) = word.strip_prefix(b"by=") {
                all.by = Some(value);
            } else if let Some(value) = word.strip_prefix(b"since=") {
                all.since = Some(value);
            }
        }
        all
    }

    fn into_state(self, word: Word) -> State {
        let epoch = self.epoch.and_then(parse_epoch);
        let broken = self.broken || (self.epoch.is_some() && epoch.is_none());
        let lease = match (self.until.map(parse_seconds), self.boot) {
            _ if broken => Lease::Malformed,
            (None, None) => Lease::None,
            (Some(Some(end)), Some(boot)) if !boot.is_empty() => Lease::Until {
                end,
                boot: boot.to_vec(),
            },
            _ => Lease::Malformed,
        };
        State {
            word,
            lease,
            draining: self.draining,
            epoch,
            by: self.by.map(<[u8]>::to_vec),
            since: self.since.map(<[u8]>::to_vec),
        }
    }
}

/// `draining`, also where a person wrote it: in doubt no job is started.
fn is_draining(word: &[u8]) -> bool {
    let letters = word.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    word[..letters].eq_ignore_ascii_case(b"draining")
}

/// `Until=`: somebody meant an end, and it must not be overlooked.
fn is_misspelt(word: &[u8]) -> bool {
    [&b"until="[..], b"boot=", b"epoch="].iter().any(|name| {
        word.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name) && start != *name)
    })
}

/// `83125.402`: whole seconds and up to nine decimals.
fn parse_seconds(text: &[u8]) -> Option<BootTime> {
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let seconds = parse_number(parts.next()?)?;
    let nanoseconds = match parts.next() {
        None => 0,
        Some(decimals) if decimals.len() <= 9 => {
            let scale = 10u64.pow(9 - u32::try_from(decimals.len()).ok()?);
            u32::try_from(parse_number(decimals)? * scale).ok()?
        }
        Some(_) => return None,
    };
    Some(BootTime(Duration::new(seconds, nanoseconds)))
}

fn parse_epoch(text: &[u8]) -> Option<u64> {
    parse_number(text)
}

/// Digits only: no sign, no blank.
fn parse_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word(text: &[u8]) -> Result<Word, NoState> {
        State::parse(text).map(|state| state.word)
    }

    fn lease(text: &str) -> Lease {
        State::parse(text.as_bytes()).expect("a state").lease
    }

    #[test]
    fn the_first_word_of_the_first_line_decides() {
        for text in [
            "active",
            "active\n",
            "Active\n",
            "ACTIVE\r\n",
            " active\n",
            "\tactive",
            "active   \n",
            "active since monday\n",
            "active\npassive\n",
            "active\u{c}",
            "active draining the swamp?",
        ] {
            assert_eq!(word(text.as_bytes()), Ok(Word::Active), "{text:?}");
        }
        for text in ["passive", "PASSIVE\r\n", "passive since monday\n", "passive\nactive\n"] {
            assert_eq!(word(text.as_bytes()), Ok(Word::Passive), "{text:?}");
        }
    }

    #[test]
    fn nothing_else_counts_as_a_state() {
        for (text, why) in [
            (&b""[..], NoState::Empty),
            (b"\n", NoState::BlankLine),
            (b"\nactive\n", NoState::BlankLine),
            (b"   \r\n", NoState::BlankLine),
            (b"inactive\n", NoState::OtherWord),
            (b"proactive", NoState::OtherWord),
            (b"activepassive", NoState::OtherWord),
            (b"xpassive", NoState::OtherWord),
            (b"actively", NoState::OtherWord),
            (b"active,passive", NoState::OtherWord),
            (b"not active", NoState::OtherWord),
            (b"\0active", NoState::OtherWord),
            (b"active\0", NoState::OtherWord),
            (b"\xef\xbb\xbfactive\n", NoState::OtherWord),
            (b"a\xffctive", NoState::OtherWord),
        ] {
            assert_eq!(word(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn a_line_may_be_as_long_as_4096_bytes() {
        let mut text = b"active".to_vec();
        text.resize(LONGEST_LINE, b' ');
        assert_eq!(word(&text), Ok(Word::Active));
        text.push(b' ');
        assert_eq!(word(&text), Err(NoState::LongLine));
        text.truncate(LONGEST_LINE);
        text.extend_from_slice(b"\nlater lines do not count");
        assert_eq!(word(&text), Ok(Word::Active));
    }

    #[test]
    fn attributes_are_read() {
        let state = State::parse(b"active until=83125.402 boot=7c1e epoch=42 by=server1 since=2026-11-23T09:15:02Z\n");
        let end = BootTime(Duration::from_millis(83_125_402));
        assert_eq!(
            state,
            Ok(State {
                word: Word::Active,
                lease: Lease::Until {
                    end,
                    boot: b"7c1e".to_vec()
                },
                draining: false,
                epoch: Some(42),
                by: Some(b"server1".to_vec()),
                since: Some(b"2026-11-23T09:15:02Z".to_vec()),
            })
        );
        for line in [
            "active epoch=1 draining",
            "active Draining",
            "active draining, says Bob",
            "active draining=1",
        ] {
            assert!(
                State::parse(line.as_bytes()).is_ok_and(|state| state.draining),
                "{line}"
            );
        }
        assert!(State::parse(b"active since the drainings").is_ok_and(|state| !state.draining));
    }

    #[test]
    fn a_lease_is_whole_or_malformed() {
        let until = |milliseconds| Lease::Until {
            end: BootTime(Duration::from_millis(milliseconds)),
            boot: b"b".to_vec(),
        };
        for (line, expected) in [
            ("active", Lease::None),
            ("active Until=5", Lease::Malformed),
            ("active BOOT=b", Lease::Malformed),
            ("active until=5 boot=b Epoch=1", Lease::Malformed),
            ("active until monday", Lease::None),
            ("active by=x epoch=3", Lease::None),
            ("active until=5 boot=b", until(5000)),
            ("active boot=b until=5.25", until(5250)),
            (
                "active until=0.000000001 boot=b",
                Lease::Until {
                    end: BootTime(Duration::from_nanos(1)),
                    boot: b"b".to_vec(),
                },
            ),
            ("active until=5", Lease::Malformed),
            ("active boot=b", Lease::Malformed),
            ("active until= boot=b", Lease::Malformed),
            ("active until=5 boot=", Lease::Malformed),
            ("active until=5. boot=b", Lease::Malformed),
            ("active until=.5 boot=b", Lease::Malformed),
            ("active until=5.0000000001 boot=b", Lease::Malformed),
            ("active until=-5 boot=b", Lease::Malformed),
            ("active until=+5 boot=b", Lease::Malformed),
            ("active until=5s boot=b", Lease::Malformed),
            ("active until=1e9 boot=b", Lease::Malformed),
            ("active until=99999999999999999999 boot=b", Lease::Malformed),
            ("active until=5 until=6 boot=b", Lease::Malformed),
            ("active until=5 boot=b boot=c", Lease::Malformed),
            ("active until=5 boot=b epoch=x", Lease::Malformed),
            ("active epoch=", Lease::Malformed),
            ("active epoch=1 epoch=2", Lease::Malformed),
        ] {
            assert_eq!(lease(line), expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_state_only_if_their_first_word_is_one(bytes: Vec<u8>) {
            if let Ok(state) = State::parse(&bytes) {
                let start = bytes.trim_ascii_start();
                prop_assert!(start[..state.word.as_str().len()].eq_ignore_ascii_case(state.word.as_str().as_bytes()));
            }
        }

        #[test]
        fn a_written_lease_is_read_back(seconds in 0u64..u64::MAX / 2, milliseconds in 0u32..1000, boot in "[0-9a-f-]{1,36}") {
            let line = alloc::format!("active until={seconds}.{milliseconds:03} boot={boot}");
            let end = BootTime(Duration::new(seconds, milliseconds * 1_000_000));
            prop_assert_eq!(lease(&line), Lease::Until { end, boot: boot.into_bytes() });
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(milliseconds in 0u64..1 << 45, epoch: Option<u64>, by in proptest::option::of("[!-~]{1,20}"), draining: bool) {
            for lease in [Lease::None, Lease::Malformed, Lease::Until { end: BootTime(Duration::from_millis(milliseconds)), boot: b"b".to_vec() }] {
                let by = by.as_ref().map(|by| by.as_bytes().to_vec());
                let state = State { word: Word::Active, lease, draining, epoch, by: by.clone(), since: by };
                prop_assert_eq!(State::parse(&state.line()), Ok(state));
            }
        }
    }
}
