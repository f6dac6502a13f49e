//! What each state file should say now.

use crate::instances::{Instance, Instances};
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

/// What is known when the files are written.
pub(crate) struct Known<'a> {
    pub(crate) targets: &'a [Target],
    pub(crate) instances: &'a Instances,
    /// Since when every instance is passive, whatever keepalived's events say.
    pub(crate) hold_since: Option<&'a str>,
    /// When this service started. Nothing is known of an instance before its first event, so it is passive since then.
    pub(crate) started: &'a str,
}

impl<'a> Known<'a> {
    /// In the order of the events; first the instances without one.
    ///
    /// A file that was written by hand is left as it is until keepalived names its instance: it may belong to a cluster that is
    /// switched by hand. A missing file does not.
    pub(crate) fn desired(&self, is_by_hand: impl Fn(&Path) -> bool) -> Vec<Desired<'a>> {
        let named = |target: &Target| self.instances.iter().any(|instance| instance.name == target.instance);
        let unnamed = self
            .targets
            .iter()
            .filter(|target| !named(target) && !is_by_hand(&target.file));
        let unnamed = unnamed.map(|target| Desired {
            target,
            word: Word::Passive,
            since: self.started,
        });
        unnamed
            .chain(self.instances.iter().flat_map(|instance| self.of_instance(instance)))
            .collect()
    }

    fn of_instance(&self, instance: &'a Instance) -> impl Iterator<Item = Desired<'a>> {
        let (word, since) = match (instance.word, self.hold_since) {
            (Word::Active, Some(since)) => (Word::Passive, since),
            (word, _) => (word, instance.since.as_str()),
        };
        let targets = self.targets.iter().filter(|target| target.instance == instance.name);
        targets.map(move |target| Desired { target, word, since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: [&str; 4] = ["A", "B", "C", "by-hand"];

    /// `A` is active, then `B` became passive, then `D`, which has no target, active.
    fn desired(hold_since: Option<&str>) -> Vec<String> {
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
        let known = Known {
            targets: &targets,
            instances: &instances,
            hold_since,
            started: "1",
        };
        let desired = known.desired(|file| file == Path::new("by-hand") || file == Path::new("A"));
        let text = |desired: &Desired| {
            let file = desired.target.file.display();
            format!("{file} {} {}", desired.word.as_str(), desired.since)
        };
        desired.iter().map(text).collect()
    }

    #[test]
    fn is_what_keepalived_said_last_in_the_order_of_the_events() {
        assert_eq!(desired(None), ["C passive 1", "B passive 2", "A active 3"]);
    }

    #[test]
    fn is_passive_during_a_hold() {
        assert_eq!(desired(Some("9")), ["C passive 1", "B passive 2", "A passive 9"]);
    }
}
