//! What the tasks share that read the other nodes' records again and again.

use super::codec;
use crate::session_seen::SessionSeen;
use inputs::clock;
use lease::SessionState;
use policy::moment::WallTime;
use std::sync::Arc;
use std::time::Duration;
use store::{Connection, Error, Item, Store};

/// A step of the wall clock against the boot clock.
const STEP: Duration = Duration::from_secs(1);

/// Notices if this server's wall clock is set between two reads.
#[derive(Debug, Default)]
pub(super) struct WallClock {
    /// How far it was ahead of the boot clock.
    offset: Option<Duration>,
}

impl WallClock {
    /// The time before a read, and whether the clock was set since the read before.
    pub(super) fn begin_read(&mut self) -> (WallTime, bool) {
        let begun = clock::wall_time();
        let offset = begun.0.saturating_sub(clock::boot_time().0);
        let last = self.offset.replace(offset);
        (begun, last.is_some_and(|last| last.abs_diff(offset) > STEP))
    }
}

/// The connection of the read before, or a new one. It must be taken out before the call, so that one that fails is not used again.
pub(super) async fn connect<'a>(
    connection: &'a mut Option<Box<dyn Connection>>,
    store: &Arc<dyn Store>,
) -> Result<&'a mut dyn Connection, Error> {
    let connected = match connection.take() {
        Some(connected) => connected,
        None => store.connect().await?,
    };
    Ok(&mut **connection.insert(connected))
}

/// `None` if the record is not a session's.
pub(super) fn session_seen(item: &Item) -> Option<SessionSeen> {
    let (record, date) = codec::dated_session(&item.value)?;
    Some(SessionSeen {
        is_open: record.state == SessionState::Open,
        version: item.version,
        date: date.as_deref().and_then(parse_date),
    })
}

/// RFC 3339.
pub(super) fn parse_date(date: &str) -> Option<WallTime> {
    let time: jiff::Timestamp = date.parse().ok()?;
    Duration::try_from(time.as_duration()).ok().map(WallTime)
}
