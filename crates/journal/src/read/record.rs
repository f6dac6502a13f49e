//! Parsing a record of the journal.

use crate::format::{Event, microseconds};
use crate::run::{End, Outcome};
use jiff::Timestamp;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A record as it is in the file. Unknown fields are ignored: a later version may write more.
#[derive(Debug, Deserialize)]
pub(crate) struct Record<'a> {
    #[serde(deserialize_with = "time")]
    pub(crate) time: Timestamp,
    pub(crate) event: Event,
    #[serde(borrow)]
    pub(crate) run: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) node: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) cluster: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) job: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) command: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) user: Option<Cow<'a, str>>,
    pub(crate) uid: u32,
    pub(crate) pid: u32,
    pub(crate) born: Option<u64>,
    pub(crate) job_pid: Option<u32>,
    pub(crate) job_born: Option<u64>,
    #[serde(borrow)]
    pub(crate) boot: Option<Cow<'a, str>>,
    pub(crate) pidns: Option<u64>,
    pub(crate) clock: f64,
    pub(crate) epoch: Option<u64>,
    #[serde(default)]
    pub(crate) escaped: bool,
    #[serde(default)]
    pub(crate) cut: bool,
    #[serde(default, deserialize_with = "optional_time")]
    started: Option<Timestamp>,
    duration: Option<f64>,
    exit: Option<u8>,
    #[serde(borrow)]
    signal: Option<Cow<'a, str>>,
    #[serde(default)]
    demoted: bool,
    /// What became of a run without an end, and for how many seconds it had been running: only in an export, and only believed there.
    #[serde(borrow)]
    pub(crate) fate: Option<Cow<'a, str>>,
    pub(crate) lasted: Option<f64>,
    #[serde(default)]
    pub(crate) seen: bool,
}

impl<'a> Record<'a> {
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        // One look at the bytes of the whole line is quicker than one at each of its texts.
        serde_json::from_str(std::str::from_utf8(line).ok()?).ok()
    }

    /// What people call the job: its name, or its command if it has none.
    pub(crate) fn name(&self) -> &str {
        self.job.as_deref().unwrap_or(&self.command)
    }

    /// The start of the run.
    pub(crate) fn started(&self) -> Timestamp {
        self.started.unwrap_or(self.time)
    }

    /// The end of the run; `None` in the record of a start.
    pub(crate) fn end(&self) -> Option<End> {
        let outcome = match (self.event, self.exit, &self.signal) {
            (Event::End, Some(status), _) => Outcome::Exited(status),
            (Event::End, None, Some(signal)) => Outcome::Killed(signal.clone().into_owned()),
            _ => return None,
        };
        Some(End {
            at: self.time,
            lasted: Duration::try_from_secs_f64(self.duration.unwrap_or_default()).unwrap_or_default(),
            outcome,
            demoted: self.demoted,
        })
    }
}

/// A time as rcron writes it, which is read three times as fast, or as another program may.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    struct Time;

    impl Visitor<'_> for Time {
        type Value = Timestamp;

        fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
            out.write_str("a time")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
            // A date that does not exist is rejected.
            let own = microseconds(text.as_bytes()).and_then(|time| Timestamp::from_microsecond(time).ok());
            match own.filter(|_| text.get(8..10).is_some_and(|day| day <= "28")) {
                Some(time) => Ok(time),
                None => text.parse().map_err(E::custom),
            }
        }
    }

    deserializer.deserialize_str(Time)
}

fn optional_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    struct Time(#[serde(deserialize_with = "time")] Timestamp);

    Ok(Option::<Time>::deserialize(deserializer)?.map(|time| time.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Entry, Head, LONGEST_COMMAND, Process};
    use policy::event::Ending;
    use policy::moment::{BootTime, WallTime};
    use policy::run_id::RunId;
    use proptest::prelude::*;

    fn entry(command: &[u8], seconds: u64) -> Entry<'_> {
        let started = WallTime(Duration::from_secs(seconds));
        Entry {
            run: RunId::new(started, [7; 10]),
            node: b"server1",
            cluster: b"web",
            job: Some(command),
            command,
            user: None,
            uid: 7,
            wrapper: Process { pid: 10, born: Some(1) },
            leader: None,
            boot: None,
            pid_namespace: None,
            by_default: true,
            epoch: Some(u64::MAX),
            attempt: None,
            started,
            began: BootTime(Duration::from_millis(83_125_402)),
        }
    }

    /// Reverses the escaping of `escaped` in rcron(8).
    fn unescaped(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, tail @ ..] = rest {
            (rest, ()) = match (first, tail) {
                (b'\\', [b'\\', tail @ ..]) => (tail, bytes.push(b'\\')),
                (b'\\', [b'x', high, low, tail @ ..]) => {
                    let digit = |digit: &u8| char::from(*digit).to_digit(16).expect("hexadecimal");
                    (
                        tail,
                        bytes.push(u8::try_from(digit(high) * 16 + digit(low)).expect("a byte")),
                    )
                }
                _ => (tail, bytes.push(*first)),
            };
        }
        bytes
    }

    proptest! {
        #[test]
        fn what_rcron_writes_is_read_without_loss(command: Vec<u8>, seconds in 0u64..200_000_000_000, exit: u8) {
            let entry = entry(&command, seconds);
            let ending = Ending {
                outcome: policy::exit::Outcome::Exited(exit),
                signal: "",
                lasted: Duration::from_millis(1500),
                demoted: false,
            };
            let at = WallTime(entry.started.0 + ending.lasted);
            for (text, event) in [(entry.start(), Event::Start), (entry.end(&ending, at), Event::End)] {
                let line = text.strip_suffix(b"\n").expect("a line");
                let head = Head::parse(line).expect("a head");
                prop_assert_eq!((head.event, head.run), (event, entry.run.as_bytes()));
                let record = Record::parse(line).expect("a record");
                let kept = if record.escaped { unescaped(&record.command) } else { record.command.clone().into_owned().into_bytes() };
                prop_assert_eq!(&kept[..], &command[..command.len().min(LONGEST_COMMAND)]);
                prop_assert_eq!(record.started().as_second(), i64::try_from(seconds).expect("small"));
                prop_assert_eq!(record.end().is_some(), event == Event::End);
            }
        }
    }
}
