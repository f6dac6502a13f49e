//! Why keepalived has not reported the state of an instance.

use policy::moment::BootTime;
use policy::state::Reason;
use std::time::Duration;

/// How long keepalived may have the FIFO open before an instance that it has not reported is worth a warning. When it starts, it
/// reports all of them at once; when it is reloaded, none.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// `open_since` is the time since when keepalived has had the FIFO open. `None`: it may still report the instances.
pub(crate) fn reason(
    open_since: Option<BootTime>,
    events_were_lost: bool,
    patience: Duration,
    now: BootTime,
) -> Option<Reason> {
    match open_since {
        None => Some(Reason::NoKeepalived),
        Some(_) if events_were_lost => Some(Reason::EventsLost),
        Some(since) => (now.since(since) >= patience).then_some(Reason::NotReported),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_known_at_once_unless_keepalived_may_still_report() {
        let at = |seconds| BootTime(Duration::from_secs(seconds));
        for (open_since, events_were_lost, now, expected) in [
            (None, false, 100, Some(Reason::NoKeepalived)),
            (None, true, 100, Some(Reason::NoKeepalived)),
            (Some(100), false, 104, None),
            (Some(100), false, 105, Some(Reason::NotReported)),
            (Some(100), true, 100, Some(Reason::EventsLost)),
        ] {
            let found = reason(open_since.map(at), events_were_lost, PATIENCE, at(now));
            assert_eq!(found, expected, "{open_since:?} {events_were_lost} {now}");
        }
    }
}
