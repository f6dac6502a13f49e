//! What each state file should say now.

use crate::instances::Instances;
use crate::targets::Target;
use policy::state::Word;
use std::path::Path;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Desired<'a> {
    pub(crate) target: &'a Target,
    pub(crate) word: Word,
    /// The attribute `since`, in UTC as RFC 3339 writes it.
    pub(crate) since: &'a str,
}

/// In the order of the events; first the instances without one, which are passive since this service has started. With a hold, every
/// instance is passive, whatever keepalived's events say.
///
/// A file that was written by hand is left as it is until keepalived names its instance: it may belong to a cluster that is switched by
/// hand. A missing file does not.
pub(crate) fn desired<'a>(
    targets: &'a [Target],
    instances: &'a Instances,
    hold_since: Option<&'a str>,
    started: &'a str,
    is_by_hand: impl Fn(&Path) -> bool,
) -> Vec<Desired<'a>> {
    let place = |target: &Target| {
        let mut names = instances.iter().map(|instance| &instance.name);
        names.position(|name| *name == target.instance)
    };
    let mut placed: Vec<_> = targets.iter().map(|target| (place(target), target)).collect();
    placed.retain(|(place, target)| place.is_some() || !is_by_hand(&target.file));
    placed.sort_by_key(|(place, _)| *place);
    let desired = placed.into_iter().map(|(place, target)| {
        let known = place.and_then(|place| instances.iter().nth(place));
        let (word, since) = known.map_or((Word::Passive, started), |known| (known.word, &known.since));
        match hold_since {
            Some(since) if word == Word::Active => Desired {
                target,
                word: Word::Passive,
                since,
            },
            _ => Desired { target, word, since },
        }
    });
    desired.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instances::Instance;

    const TARGETS: [&str; 4] = ["A", "B", "C", "by-hand"];

    /// `A` is active, then `B` became passive, then `D`, which has no target, active.
    fn desired_lines(hold_since: Option<&str>) -> Vec<String> {
        let targets = TARGETS.map(|name| Target {
            instance: name.as_bytes().to_vec(),
            file: name.into(),
        });
        let mut instances = Instances::default();
        for (name, word, since) in [
            ("B", Word::Passive, "2"),
            ("A", Word::Active, "3"),
            ("D", Word::Active, "4"),
        ] {
            instances.restore(Instance {
                name: name.as_bytes().to_vec(),
                word,
                since: since.to_owned(),
            });
        }
        let is_by_hand = |file: &Path| file == Path::new("by-hand") || file == Path::new("A");
        let desired = desired(&targets, &instances, hold_since, "1", is_by_hand);
        let text = |desired: &Desired| {
            let file = desired.target.file.display();
            format!("{file} {} {}", desired.word.as_str(), desired.since)
        };
        desired.iter().map(text).collect()
    }

    #[test]
    fn is_what_keepalived_said_last_in_the_order_of_the_events() {
        assert_eq!(desired_lines(None), ["C passive 1", "B passive 2", "A active 3"]);
    }

    #[test]
    fn is_passive_during_a_hold() {
        assert_eq!(desired_lines(Some("9")), ["C passive 1", "B passive 2", "A passive 9"]);
    }
}
