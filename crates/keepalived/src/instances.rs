//! The latest state of each instance.

use crate::event::Event;
use policy::state::Word;

/// More than any site has. Junk in the FIFO must not fill the memory.
pub(crate) const MAX_INSTANCES: usize = 1000;

/// A `vrrp_instance` of which keepalived has written an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) name: Vec<u8>,
    /// `None` if keepalived has not reported a state that still counts: another keepalived has the FIFO open now, or events were lost.
    pub(crate) reported: Option<Word>,
    /// Since when the state is what it is, in UTC as RFC 3339 writes it.
    pub(crate) since: String,
}

impl Instance {
    /// An instance without a report is passive.
    pub(crate) fn word(&self) -> Word {
        self.reported.unwrap_or(Word::Passive)
    }
}

/// In the order of their latest changes: so the files are written in the order of the events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Instances(Vec<Instance>);

/// What an event has changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    To(Word),
    Unchanged,
    /// The instance is new, and there are [`MAX_INSTANCES`] already: the event is ignored.
    TooMany,
}

impl Instances {
    /// An event that repeats the state of an instance also leaves `since` as it is.
    pub(crate) fn apply(&mut self, event: &Event, now: &str) -> Change {
        let known = self.0.iter().position(|known| known.name == event.instance);
        let reported = Some(event.word);
        let since = match known {
            Some(place) if self.0[place].reported == reported => return Change::Unchanged,
            Some(place) => {
                let known = self.0.remove(place);
                if known.word() == event.word {
                    known.since
                } else {
                    now.to_owned()
                }
            }
            None if self.0.len() == MAX_INSTANCES => return Change::TooMany,
            None => now.to_owned(),
        };
        self.restore(Instance {
            name: event.instance.to_vec(),
            reported,
            since,
        });
        Change::To(event.word)
    }

    /// What keepalived has reported no longer counts: every instance is passive until its next event. Returns the names of those that
    /// were active.
    pub(crate) fn forget_reports(&mut self, now: &str) -> Vec<Vec<u8>> {
        let mut demoted = Vec::new();
        for instance in &mut self.0 {
            if instance.reported.take() == Some(Word::Active) {
                now.clone_into(&mut instance.since);
                demoted.push(instance.name.clone());
            }
        }
        demoted
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Instance> {
        self.0.iter()
    }

    /// Adds an instance from the saved states, as the one that changed last.
    pub(crate) fn restore(&mut self, instance: Instance) {
        self.0.push(instance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(instances: &mut Instances, name: &str, word: Word, now: &str) -> Change {
        let event = Event {
            instance: name.as_bytes(),
            word,
            keepalived_state: b"",
        };
        instances.apply(&event, now)
    }

    fn text_of(instances: &Instances) -> Vec<String> {
        let text = |instance: &Instance| {
            let name = String::from_utf8_lossy(&instance.name).into_owned();
            let reported = instance.reported.map_or("unknown", Word::as_str);
            format!("{name} {reported} {}", instance.since)
        };
        instances.iter().map(text).collect()
    }

    #[test]
    fn since_is_the_time_of_the_change_and_the_latest_change_is_last() {
        let mut all = Instances::default();
        assert_eq!(apply(&mut all, "A", Word::Active, "1"), Change::To(Word::Active));
        assert_eq!(apply(&mut all, "B", Word::Passive, "2"), Change::To(Word::Passive));
        assert_eq!(apply(&mut all, "A", Word::Active, "3"), Change::Unchanged);
        assert_eq!(text_of(&all), ["A active 1", "B passive 2"]);
        assert_eq!(apply(&mut all, "A", Word::Passive, "4"), Change::To(Word::Passive));
        assert_eq!(text_of(&all), ["B passive 2", "A passive 4"]);
    }

    #[test]
    fn reports_are_forgotten_and_only_the_active_ones_change() {
        let mut all = Instances::default();
        apply(&mut all, "A", Word::Active, "1");
        apply(&mut all, "B", Word::Passive, "2");
        assert_eq!(all.forget_reports("9"), [b"A".to_vec()]);
        assert_eq!(text_of(&all), ["A unknown 9", "B unknown 2"]);
        assert!(all.iter().all(|instance| instance.word() == Word::Passive));
        assert!(all.forget_reports("10").is_empty());
    }

    #[test]
    fn report_of_a_forgotten_state_is_a_change_with_the_old_time() {
        let mut all = Instances::default();
        apply(&mut all, "A", Word::Active, "1");
        all.forget_reports("2");
        assert_eq!(apply(&mut all, "A", Word::Passive, "3"), Change::To(Word::Passive));
        assert_eq!(text_of(&all), ["A passive 2"]);
        all.forget_reports("4");
        assert_eq!(apply(&mut all, "A", Word::Active, "5"), Change::To(Word::Active));
        assert_eq!(text_of(&all), ["A active 5"]);
    }

    #[test]
    fn number_is_limited() {
        let mut all = Instances::default();
        for number in 0..MAX_INSTANCES {
            apply(&mut all, &number.to_string(), Word::Active, "1");
        }
        assert_eq!(apply(&mut all, "one more", Word::Active, "1"), Change::TooMany);
        assert_eq!(apply(&mut all, "7", Word::Passive, "1"), Change::To(Word::Passive));
    }
}
