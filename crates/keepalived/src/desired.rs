//! What each state file should say now.

use crate::instances::Instances;
use crate::targets::Target;
use policy::state::{Reason, Word};
use std::path::Path;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Desired<'a> {
    pub(crate) target: &'a Target,
    pub(crate) word: Word,
    /// The attribute `since`, in UTC as RFC 3339 writes it.
    pub(crate) since: &'a str,
    /// Why it is passive although keepalived has not reported that.
    pub(crate) reason: Option<Reason>,
}

/// What counts besides the states of the instances.
pub(crate) struct Circumstances<'a> {
    /// Since when every instance is passive, whatever keepalived's events say.
    pub(crate) hold_since: Option<&'a str>,
    /// Since when instances without an event are passive: the start of this service.
    pub(crate) started: &'a str,
    /// Why an instance is passive of which no state is reported. `None`: it may still be reported.
    pub(crate) unreported: Option<Reason>,
}

/// In the order of the events; first the instances without one.
///
/// A file that another program or a person has written is left as it is until keepalived reports its instance: it may belong to a
/// cluster that keepalived does not switch. A missing file does not.
pub(crate) fn desired<'a>(
    targets: &'a [Target],
    instances: &'a Instances,
    circumstances: &Circumstances<'a>,
    is_foreign: impl Fn(&Path) -> bool,
) -> Vec<Desired<'a>> {
    let place = |target: &Target| {
        let mut names = instances.iter().map(|instance| &instance.name);
        names.position(|name| *name == target.instance)
    };
    let mut placed: Vec<_> = targets.iter().map(|target| (place(target), target)).collect();
    placed.retain(|(place, target)| place.is_some() || !is_foreign(&target.file));
    placed.sort_by_key(|(place, _)| *place);
    let desired = placed.into_iter().map(|(place, target)| {
        let known = place.and_then(|place| instances.iter().nth(place));
        let (word, since) = known.map_or((Word::Passive, circumstances.started), |known| {
            (known.word(), known.since.as_str())
        });
        let is_reported = known.is_some_and(|known| known.reported.is_some());
        let held = circumstances.hold_since.filter(|_| word == Word::Active);
        Desired {
            target,
            word: if held.is_some() { Word::Passive } else { word },
            since: held.unwrap_or(since),
            reason: circumstances.unreported.filter(|_| !is_reported),
        }
    });
    desired.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instances::Instance;

    const TARGETS: [&str; 5] = ["A", "B", "C", "E", "foreign"];

    /// `E` was passive before events were lost; `A` is active, then `B` became passive, then `D`, which has no target, active.
    fn desired_lines(hold_since: Option<&str>, unreported: Option<Reason>) -> Vec<String> {
        let targets = TARGETS.map(|name| Target {
            instance: name.as_bytes().to_vec(),
            file: name.into(),
        });
        let mut instances = Instances::default();
        for (name, reported, since) in [
            ("E", None, "1"),
            ("B", Some(Word::Passive), "2"),
            ("A", Some(Word::Active), "3"),
            ("D", Some(Word::Active), "4"),
        ] {
            instances.restore(Instance {
                name: name.as_bytes().to_vec(),
                reported,
                since: since.to_owned(),
            });
        }
        let circumstances = Circumstances {
            hold_since,
            started: "0",
            unreported,
        };
        let is_foreign = |file: &Path| file == Path::new("foreign") || file == Path::new("A");
        let desired = desired(&targets, &instances, &circumstances, is_foreign);
        let text = |desired: &Desired| {
            let (file, word, since) = (desired.target.file.display(), desired.word.as_str(), desired.since);
            let reason = desired.reason.map_or("", Reason::as_str);
            format!("{file} {word} {since} {reason}").trim_end().to_owned()
        };
        desired.iter().map(text).collect()
    }

    #[test]
    fn is_what_keepalived_said_last_in_the_order_of_the_events() {
        assert_eq!(
            desired_lines(None, None),
            ["C passive 0", "E passive 1", "B passive 2", "A active 3"]
        );
    }

    #[test]
    fn is_passive_during_a_hold() {
        assert_eq!(
            desired_lines(Some("9"), None),
            ["C passive 0", "E passive 1", "B passive 2", "A passive 9"]
        );
    }

    #[test]
    fn has_the_reason_where_no_state_is_reported() {
        assert_eq!(
            desired_lines(None, Some(Reason::NotReported)),
            [
                "C passive 0 not-reported",
                "E passive 1 not-reported",
                "B passive 2",
                "A active 3"
            ]
        );
    }
}
