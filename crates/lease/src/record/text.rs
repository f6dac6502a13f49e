//! The records' text: a version, then fields and one bare word in a fixed order, with one blank between them.
//!
//! A reader ignores fields that it does not know at the end of a record. So a later version of rcron can append fields while
//! nodes of both versions take part (docs/design/lease.md, "Records").

use super::{ClusterRecord, Ownership, SessionRecord, SessionRef, SessionState};
use crate::name::{NodeName, SessionId};
use crate::timing::LeaseDuration;
use alloc::format;
use alloc::string::{String, ToString};
use core::str::Split;
use core::time::Duration;

/// The longest record in bytes, appended fields included. The longest that this version writes has about 700.
pub const LONGEST: usize = 1024;

const SESSION_VERSION: &str = "session1";
const CLUSTER_VERSION: &str = "cluster1";

/// The versions of the records' formats.
pub const FORMATS: [&str; 2] = [CLUSTER_VERSION, SESSION_VERSION];

/// The names that an appended field cannot have.
const SESSION_FIELDS: &[&str] = &["id", "heartbeat", "lease"];
const CLUSTER_FIELDS: &[&str] = &[
    "epoch",
    "lease",
    "node",
    "session",
    "priority",
    "ask",
    "last",
    "handover_target",
];

/// The bytes in the store are not a record that this version of rcron can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl SessionRecord {
    /// The record's text, without a newline.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { id, heartbeat, state } = self;
        let state = match state {
            SessionState::Open => "open".to_string(),
            SessionState::Ended { lease } => format!("ended lease={}", lease.milliseconds()),
        };
        format!("{SESSION_VERSION} id={id} heartbeat={heartbeat} {state}")
    }

    /// Reads what [`Self::to_text`] writes. Unknown fields at the end are ignored.
    ///
    /// # Errors
    /// [`Unreadable`] for all other bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        parse_session(bytes).ok_or(Unreadable)
    }
}

impl ClusterRecord {
    /// The record's text, without a newline.
    #[must_use]
    pub fn to_text(&self) -> String {
        let ownership = match &self.ownership {
            Ownership::Held { by, ask } => {
                let ask = ask.as_ref().map_or("-".to_string(), asker_text);
                let (node, session, priority) = (by.node.as_str(), by.session, by.priority);
                format!("held node={node} session={session} priority={priority} ask={ask}")
            }
            Ownership::Free { last, handover_target } => {
                let target = handover_target.as_ref().map_or("-", NodeName::as_str);
                format!("free last={} handover_target={target}", last.as_str())
            }
        };
        let (epoch, lease) = (self.epoch, self.lease.milliseconds());
        format!("{CLUSTER_VERSION} epoch={epoch} lease={lease} {ownership}")
    }

    /// Reads what [`Self::to_text`] writes. Unknown fields at the end are ignored.
    ///
    /// # Errors
    /// [`Unreadable`] for all other bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        parse_cluster(bytes).ok_or(Unreadable)
    }
}

fn parse_session(bytes: &[u8]) -> Option<SessionRecord> {
    let mut words = Words::begin(bytes, SESSION_VERSION)?;
    let id = words.field("id", SessionId::parse)?;
    let heartbeat = words.field("heartbeat", parse_number)?;
    let state = match words.next()? {
        "open" => SessionState::Open,
        "ended" => SessionState::Ended {
            lease: words.field("lease", parse_lease)?,
        },
        _ => return None,
    };
    words.end(SESSION_FIELDS)?;
    Some(SessionRecord { id, heartbeat, state })
}

fn parse_cluster(bytes: &[u8]) -> Option<ClusterRecord> {
    let mut words = Words::begin(bytes, CLUSTER_VERSION)?;
    let epoch = words.field("epoch", parse_number)?;
    let lease = words.field("lease", parse_lease)?;
    let ownership = match words.next()? {
        "held" => Ownership::Held {
            by: SessionRef {
                node: words.field("node", NodeName::new)?,
                session: words.field("session", SessionId::parse)?,
                priority: words.field("priority", parse_priority)?,
            },
            ask: words.field("ask", |text| parse_optional(text, parse_asker))?,
        },
        "free" => Ownership::Free {
            last: words.field("last", NodeName::new)?,
            handover_target: words.field("handover_target", |text| parse_optional(text, NodeName::new))?,
        },
        _ => return None,
    };
    words.end(CLUSTER_FIELDS)?;
    Some(ClusterRecord {
        epoch,
        lease,
        ownership,
    })
}

/// What is left to read of a record.
struct Words<'a>(Split<'a, char>);

impl<'a> Words<'a> {
    fn begin(bytes: &'a [u8], version: &str) -> Option<Self> {
        if bytes.len() > LONGEST {
            return None;
        }
        let mut words = Self(core::str::from_utf8(bytes).ok()?.split(' '));
        (words.next()? == version).then_some(words)
    }

    fn next(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn field<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        parse(self.next()?.strip_prefix(name)?.strip_prefix('=')?)
    }

    /// Only fields with names that are not among `known` may follow. A known one here is a duplicate or misplaced.
    fn end(mut self, known: &[&str]) -> Option<()> {
        let is_unknown_field = |word: &str| {
            word.split_once('=').is_some_and(|(name, value)| {
                let plain = name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
                let visible = value.bytes().all(|byte| byte.is_ascii_graphic());
                plain && visible && !name.is_empty() && !value.is_empty() && !known.contains(&name)
            })
        };
        self.0.all(is_unknown_field).then_some(())
    }
}

fn asker_text(asker: &SessionRef) -> String {
    format!("{}:{}:{}", asker.node.as_str(), asker.session, asker.priority)
}

fn parse_asker(text: &str) -> Option<SessionRef> {
    let mut parts = text.splitn(3, ':');
    Some(SessionRef {
        node: NodeName::new(parts.next()?)?,
        session: SessionId::parse(parts.next()?)?,
        priority: parse_priority(parts.next()?)?,
    })
}

#[expect(
    clippy::option_option,
    reason = "the outer one is for text that cannot be read, the inner one for `-`"
)]
fn parse_optional<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text == "-" { Some(None) } else { parse(text).map(Some) }
}

fn parse_priority(text: &str) -> Option<u32> {
    parse_number(text).and_then(|number| u32::try_from(number).ok())
}

fn parse_lease(text: &str) -> Option<LeaseDuration> {
    LeaseDuration::new(Duration::from_millis(parse_number(text)?))
}

/// Digits only: no sign and no leading zero, so that each number has one text.
fn parse_number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}
