//! The two records, and the text they have in a store.

use super::name::{NodeName, SessionId};
use super::timing::LeaseDuration;
use alloc::format;
use alloc::string::{String, ToString};
use core::time::Duration;

/// No record is longer: two names, two identities and a few numbers.
pub const LONGEST: usize = 1024;

/// A node's session. Its key is the node's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Whose it is.
    pub id: SessionId,
    /// Grows with each write.
    pub beat: u64,
    /// Whether it can still hold anything.
    pub state: SessionState,
}

/// Whether a session can still hold anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// It can.
    Open,
    /// Never again. What it held for such a lease, or a shorter one, is over.
    Ended {
        /// The longest lease for which this is known.
        lease: LeaseDuration,
    },
}

/// A cluster: who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterRecord {
    /// Grows with each holder.
    pub epoch: u64,
    /// What those who wait must grant the holder.
    pub lease: LeaseDuration,
    /// Held or free.
    pub tenure: Ownership,
}

/// Whether a cluster is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// By that session.
    Held {
        /// The holder.
        by: SessionRef,
        /// A node of higher priority that would like to have it.
        ask: Option<SessionRef>,
    },
    /// By nobody: the last holder gave it back with its state file passive.
    Free {
        /// Who that was.
        last: NodeName,
        /// Whom it is meant for.
        handover_target: Option<NodeName>,
    },
}

/// A session as a cluster's record names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRef {
    /// The node, and with it the session's key.
    pub node: NodeName,
    /// Its session.
    pub session: SessionId,
    /// Its priority in this cluster.
    pub priority: u32,
}

/// The bytes in the store are not a record of this version of rcron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl SessionRecord {
    /// The record's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { id, beat, state } = self;
        match state {
            SessionState::Open => format!("session1 id={id} beat={beat} open"),
            SessionState::Ended { lease } => {
                format!("session1 id={id} beat={beat} ended lease={}", lease.milliseconds())
            }
        }
    }

    /// Reads what [`Self::to_text`] writes, and nothing else.
    ///
    /// # Errors
    /// [`Unreadable`] for all other bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut words = Words::begin(bytes, "session1")?;
        let id = words.value("id=").and_then(parse_id)?;
        let beat = words.value("beat=").and_then(parse_number)?;
        let state = match words.word()? {
            "open" => SessionState::Open,
            "ended" => SessionState::Ended {
                lease: words.value("lease=").and_then(parse_term)?,
            },
            _ => return Err(Unreadable),
        };
        words.end()?;
        Ok(Self { id, beat, state })
    }
}

impl ClusterRecord {
    /// Who holds it.
    #[must_use]
    pub const fn holder(&self) -> Option<&SessionRef> {
        match &self.tenure {
            Ownership::Held { by, .. } => Some(by),
            Ownership::Free { .. } => None,
        }
    }

    /// The record's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (epoch, lease) = (self.epoch, self.lease.milliseconds());
        match &self.tenure {
            Ownership::Held { by, ask } => {
                let SessionRef {
                    node,
                    session,
                    priority,
                } = by;
                let (node, ask) = (node.as_str(), ask.as_ref().map_or("-".to_string(), party_text));
                format!(
                    "cluster1 epoch={epoch} lease={lease} held node={node} session={session} priority={priority} ask={ask}"
                )
            }
            Ownership::Free { last, handover_target } => {
                let (last, handover_target) = (last.as_str(), handover_target.as_ref().map_or("-", NodeName::as_str));
                format!("cluster1 epoch={epoch} lease={lease} free last={last} handover_target={handover_target}")
            }
        }
    }

    /// Reads what [`Self::to_text`] writes, and nothing else.
    ///
    /// # Errors
    /// [`Unreadable`] for all other bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut words = Words::begin(bytes, "cluster1")?;
        let epoch = words.value("epoch=").and_then(parse_number)?;
        let lease = words.value("lease=").and_then(parse_term)?;
        let tenure = match words.word()? {
            "held" => Ownership::Held {
                by: SessionRef {
                    node: words.value("node=").and_then(parse_node)?,
                    session: words.value("session=").and_then(parse_id)?,
                    priority: words.value("priority=").and_then(parse_priority)?,
                },
                ask: words.value("ask=").and_then(|text| optional(text, parse_party))?,
            },
            "free" => Ownership::Free {
                last: words.value("last=").and_then(parse_node)?,
                handover_target: words
                    .value("handover_target=")
                    .and_then(|text| optional(text, parse_node))?,
            },
            _ => return Err(Unreadable),
        };
        words.end()?;
        Ok(Self { epoch, lease, tenure })
    }
}

/// Words with one blank between, in their order.
struct Words<'a>(core::str::Split<'a, char>);

impl<'a> Words<'a> {
    fn begin(bytes: &'a [u8], first: &str) -> Result<Self, Unreadable> {
        if bytes.len() > LONGEST {
            return Err(Unreadable);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| Unreadable)?;
        let mut words = Self(text.split(' '));
        if words.word()? == first {
            Ok(words)
        } else {
            Err(Unreadable)
        }
    }

    fn word(&mut self) -> Result<&'a str, Unreadable> {
        self.0.next().ok_or(Unreadable)
    }

    fn value(&mut self, name: &str) -> Result<&'a str, Unreadable> {
        self.word()?.strip_prefix(name).ok_or(Unreadable)
    }

    fn end(mut self) -> Result<(), Unreadable> {
        self.0.next().map_or(Ok(()), |_| Err(Unreadable))
    }
}

fn party_text(party: &SessionRef) -> String {
    format!("{}:{}:{}", party.node.as_str(), party.session, party.priority)
}

fn parse_party(text: &str) -> Result<SessionRef, Unreadable> {
    let mut parts = text.splitn(3, ':');
    let mut part = || parts.next().ok_or(Unreadable);
    Ok(SessionRef {
        node: part().and_then(parse_node)?,
        session: part().and_then(parse_id)?,
        priority: part().and_then(parse_priority)?,
    })
}

fn optional<T>(text: &str, parse: impl Fn(&str) -> Result<T, Unreadable>) -> Result<Option<T>, Unreadable> {
    if text == "-" { Ok(None) } else { parse(text).map(Some) }
}

fn parse_node(text: &str) -> Result<NodeName, Unreadable> {
    NodeName::new(text).ok_or(Unreadable)
}

fn parse_id(text: &str) -> Result<SessionId, Unreadable> {
    SessionId::parse(text).ok_or(Unreadable)
}

fn parse_priority(text: &str) -> Result<u32, Unreadable> {
    parse_number(text).and_then(|number| u32::try_from(number).map_err(|_| Unreadable))
}

fn parse_term(text: &str) -> Result<LeaseDuration, Unreadable> {
    let lease = Duration::from_millis(parse_number(text)?);
    LeaseDuration::new(lease).ok_or(Unreadable)
}

/// Digits as they are written: no sign, no zero in front.
fn parse_number(text: &str) -> Result<u64, Unreadable> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain {
        text.parse().map_err(|_| Unreadable)
    } else {
        Err(Unreadable)
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
