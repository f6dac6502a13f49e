//! The grammar of the state file: the state in its first line, and how long it is valid (rcron.conf(5), "STATE FILE").

use crate::moment::BootTime;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

/// In bytes. A state file is read up to here. The first word decides however long the first line is; but where it is longer than
/// this, attributes may follow that were not read, and `active` is stale. What `rcrond` writes has a few hundred bytes.
pub const LONGEST_LINE: usize = 2 << 20;

/// The digits of `session=`. An epoch never has so many, so that an [identity](State::identity) is one or the other.
const SESSION_DIGITS: usize = 32;

/// In bytes. The values of `by=` and `since=` are cut here.
const LONGEST_REMARK: usize = 1024;

/// `active` or `passive`, as the first word of a state file or as `default_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// This server runs the jobs.
    Active,
    /// This server does not run the jobs.
    Passive,
}

/// Why a state that follows another program is passive although that program has not said so: the attribute `reason`, for people and for
/// `rcronctl check`. It decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// keepalived is not running, or its configuration does not name the FIFO.
    NoKeepalived,
    /// keepalived has had the FIFO open for some time, and has not reported a state of this instance.
    NotReported,
    /// Events of keepalived were lost, and it has not reported a state of this instance since then.
    EventsLost,
}

/// The first line of a state file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The first word.
    pub word: Word,
    /// How long the state is valid.
    pub lease: Lease,
    /// `draining`: running jobs continue, no job is started.
    pub draining: bool,
    /// `epoch=`, the fencing token: it grows with every change of the lease's holder.
    pub epoch: Option<u64>,
    /// `shared`: the servers of the cluster share its jobs, and this one may start a tick that rcrond grants. The value is that of
    /// `session=`, the writer's session: 32 hexadecimal digits in lower case. Present only if the word is [`Word::Passive`], the
    /// lease is [`Lease::Until`], and there is no epoch.
    pub shared: Option<String>,
    /// `by=`, the writer.
    pub by: Option<Vec<u8>>,
    /// `since=`, for people.
    pub since: Option<Vec<u8>>,
    /// `reason=`; an unknown one is ignored.
    pub reason: Option<Reason>,
}

/// The end of a state's validity, from its attributes `until` and `boot`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// Neither attribute: written by hand, valid until the file is replaced.
    None,
    /// Both attributes, well-formed.
    Until {
        /// `until=`, seconds of `CLOCK_BOOTTIME`.
        end: BootTime,
        /// `boot=`, the id of the boot that `end` belongs to.
        boot: Vec<u8>,
    },
    /// One is missing, malformed or given twice, or `epoch` is malformed, or the line is longer than [`LONGEST_LINE`].
    Malformed,
}

/// Why the content of a file is not a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoState {
    /// The file is empty.
    Empty,
    /// The first line is blank.
    BlankLine,
    /// The first word is neither `active` nor `passive`.
    OtherWord,
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

impl Reason {
    const ALL: [Self; 3] = [Self::NoKeepalived, Self::NotReported, Self::EventsLost];

    /// The value of the attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoKeepalived => "no-keepalived",
            Self::NotReported => "not-reported",
            Self::EventsLost => "events-lost",
        }
    }

    /// The same for people.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::NoKeepalived => "keepalived is not running, or does not have the FIFO open",
            Self::NotReported => "keepalived has not reported a state of this instance",
            Self::EventsLost => "events of keepalived were lost",
        }
    }

    fn parse(value: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str().as_bytes() == value)
    }
}

impl State {
    /// The word without attributes.
    #[must_use]
    pub const fn new(word: Word) -> Self {
        Self {
            word,
            lease: Lease::None,
            draining: false,
            epoch: None,
            shared: None,
            by: None,
            since: None,
            reason: None,
        }
    }

    /// What a job with `rerun` must find unchanged while it runs: the epoch of an active state as text, or the session of a shared one.
    /// `None` if the state has neither.
    ///
    /// It changes when another server has held the cluster, or when this server has lost its session. The time of its lease plays no
    /// part: that is for [`decide`](crate::decide::decide).
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        match self.word {
            Word::Active => self.epoch.map(|epoch| epoch.to_string()),
            Word::Passive => self.shared.clone(),
        }
    }

    /// Parses the beginning of a state file: at least its first line, or [`LONGEST_LINE`] + 1 bytes.
    ///
    /// # Errors
    /// [`NoState`] where the first word is neither `active` nor `passive`.
    pub fn parse(beginning: &[u8]) -> Result<Self, NoState> {
        if beginning.is_empty() {
            return Err(NoState::Empty);
        }
        let line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let first = words.next().ok_or(NoState::BlankLine)?;
        let word = Word::parse(first).ok_or(NoState::OtherWord)?;
        let mut state = Attributes::collect(words).into_state(word);
        if line.len() > LONGEST_LINE {
            state.shared = None;
            if word == Word::Active {
                state.lease = Lease::Malformed;
            }
        }
        Ok(state)
    }

    /// The line for a state file, with its newline. A malformed lease is written as an `until` without a `boot`, which is malformed, too.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let mut line = self.word.as_str().as_bytes().to_vec();
        if self.shared.is_some() {
            line.extend_from_slice(b" shared");
        }
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
        if let Some(session) = &self.shared {
            append(&mut line, "session", session.as_bytes());
        }
        if let Some(by) = &self.by {
            append(&mut line, "by", by);
        }
        if let Some(since) = &self.since {
            append(&mut line, "since", since);
        }
        if let Some(reason) = self.reason {
            append(&mut line, "reason", reason.as_str().as_bytes());
        }
        line.push(b'\n');
        line
    }
}

/// Appends an attribute. Bytes that would end or hide its value become `_`.
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

/// The attributes of a line, before they are checked together.
#[derive(Default)]
struct Attributes<'a> {
    until: Option<&'a [u8]>,
    boot: Option<&'a [u8]>,
    epoch: Option<&'a [u8]>,
    /// `session=`; empty, and so malformed, if it is given twice.
    session: Option<&'a [u8]>,
    by: Option<&'a [u8]>,
    since: Option<&'a [u8]>,
    reason: Option<&'a [u8]>,
    draining: bool,
    shared: bool,
    /// One is given twice or misspelt.
    broken: bool,
}

impl<'a> Attributes<'a> {
    /// Other words are a person's remark (`active since monday`) and are ignored, as in 0.1.0.
    fn collect(words: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut all = Self::default();
        for word in words {
            if is_draining(word) {
                all.draining = true;
            } else if is_misspelt(word) {
                all.broken = true;
            } else if word == b"shared" {
                all.shared = true;
            } else if let Some(value) = word.strip_prefix(b"session=") {
                all.session = Some(if all.session.is_none() { value } else { b"" });
            } else if let Some(value) = word.strip_prefix(b"until=") {
                all.broken |= all.until.replace(value).is_some();
            } else if let Some(value) = word.strip_prefix(b"boot=") {
                all.broken |= all.boot.replace(value).is_some();
            } else if let Some(value) = word.strip_prefix(b"epoch=") {
                all.broken |= all.epoch.replace(value).is_some();
            } else if let Some(value) = word.strip_prefix(b"by=") {
                all.by = Some(shortened(value));
            } else if let Some(value) = word.strip_prefix(b"since=") {
                all.since = Some(shortened(value));
            } else if let Some(value) = word.strip_prefix(b"reason=") {
                all.reason = Some(shortened(value));
            }
        }
        all
    }

    fn into_state(self, word: Word) -> State {
        let epoch = self.epoch.and_then(parse_number);
        // No writer writes `active shared`: what it means is not known.
        let is_contradiction = self.shared && word == Word::Active;
        let broken = self.broken || is_contradiction || (self.epoch.is_some() && epoch.is_none());
        let lease = match (self.until.map(parse_seconds), self.boot) {
            _ if broken => Lease::Malformed,
            (None, None) => Lease::None,
            (Some(Some(end)), Some(boot)) if !boot.is_empty() => Lease::Until {
                end,
                boot: boot.to_vec(),
            },
            _ => Lease::Malformed,
        };
        let is_shared = self.shared && word == Word::Passive && epoch.is_none() && matches!(lease, Lease::Until { .. });
        State {
            word,
            lease,
            draining: self.draining,
            epoch,
            shared: self.session.filter(|_| is_shared).and_then(parse_session),
            by: self.by.map(<[u8]>::to_vec),
            since: self.since.map(<[u8]>::to_vec),
            reason: self.reason.and_then(Reason::parse),
        }
    }
}

/// A value that is only shown to people.
fn shortened(value: &[u8]) -> &[u8] {
    &value[..value.len().min(LONGEST_REMARK)]
}

/// `draining`, in any case and with punctuation behind it, as people write it: when in doubt, no job is started.
fn is_draining(word: &[u8]) -> bool {
    let letters = word.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    word[..letters].eq_ignore_ascii_case(b"draining")
}

/// `Until=`: whoever wrote it meant the attribute, so that it is not ignored as a remark.
fn is_misspelt(word: &[u8]) -> bool {
    [&b"until="[..], b"boot=", b"epoch="].iter().any(|name| {
        word.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name) && start != *name)
    })
}

/// Parses the value of `session=`.
fn parse_session(digits: &[u8]) -> Option<String> {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let fits = digits.len() == SESSION_DIGITS && digits.iter().all(is_digit);
    core::str::from_utf8(digits).ok().filter(|_| fits).map(String::from)
}

/// Parses whole seconds with up to nine decimals: `83125.402`.
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

/// Parses digits without sign or blank.
fn parse_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
