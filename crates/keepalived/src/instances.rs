//! What keepalived last said of each instance.

use crate::line::Line;
use policy::state::Word;

/// More than any site has. A writer of junk must not fill the memory.
const MOST: usize = 1000;

/// One `vrrp_instance`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) name: Vec<u8>,
    pub(crate) word: Word,
    /// When it became so, as RFC 3339 writes it.
    pub(crate) since: String,
}

/// All of them, the one that changed last at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Instances(Vec<Instance>);

/// What a line came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is now what it was not before.
    To(Word),
    /// It is what it was.
    None,
    /// There are too many to keep one more.
    TooMany,
}

impl Instances {
    /// Each is what it was before, and unchanged since then, if a line says the same again.
    pub(crate) fn apply(&mut self, line: &Line, now: &str) -> Change {
        let known = self.0.iter().position(|instance| instance.name == line.name);
        match known {
            Some(place) if self.0[place].word == line.word => return Change::None,
            Some(place) => drop(self.0.remove(place)),
            None if self.0.len() == MOST => return Change::TooMany,
            None => {}
        }
        self.0.push(Instance {
            name: line.name.to_vec(),
            word: line.word,
            since: now.to_owned(),
        });
        Change::To(line.word)
    }

    /// Nobody vouches for any of them any more. Returns those that were active.
    pub(crate) fn all_passive(&mut self, now: &str) -> Vec<Vec<u8>> {
        let active = self.0.iter_mut().filter(|instance| instance.word == Word::Active);
        let demoted = active.map(|instance| {
            instance.word = Word::Passive;
            now.clone_into(&mut instance.since);
            instance.name.clone()
        });
        demoted.collect()
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<&Instance> {
        self.0.iter().find(|instance| instance.name == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Instance> {
        self.0.iter()
    }

    /// One that was written down.
    pub(crate) fn restore(&mut self, instance: Instance) {
        self.0.push(instance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(instances: &mut Instances, name: &str, word: Word, now: &str) -> Change {
        let line = Line {
            name: name.as_bytes(),
            word,
            said: b"",
        };
        instances.apply(&line, now)
    }

    fn shown(instances: &Instances) -> Vec<String> {
        let text = |instance: &Instance| {
            let name = String::from_utf8_lossy(&instance.name).into_owned();
            format!("{name} {} {}", instance.word.as_str(), instance.since)
        };
        instances.iter().map(text).collect()
    }

    #[test]
    fn since_is_the_time_of_the_change_and_the_last_one_to_change_is_last() {
        let mut all = Instances::default();
        assert_eq!(say(&mut all, "A", Word::Active, "1"), Change::To(Word::Active));
        assert_eq!(say(&mut all, "B", Word::Passive, "2"), Change::To(Word::Passive));
        assert_eq!(say(&mut all, "A", Word::Active, "3"), Change::None);
        assert_eq!(shown(&all), ["A active 1", "B passive 2"]);
        assert_eq!(say(&mut all, "A", Word::Passive, "4"), Change::To(Word::Passive));
        assert_eq!(shown(&all), ["B passive 2", "A passive 4"]);
    }

    #[test]
    fn when_keepalived_is_gone_all_are_passive() {
        let mut all = Instances::default();
        say(&mut all, "A", Word::Active, "1");
        say(&mut all, "B", Word::Passive, "2");
        assert_eq!(all.all_passive("9"), [b"A".to_vec()]);
        assert_eq!(shown(&all), ["A passive 9", "B passive 2"]);
        assert!(all.all_passive("10").is_empty());
    }

    #[test]
    fn junk_does_not_fill_the_memory() {
        let mut all = Instances::default();
        for number in 0..MOST {
            say(&mut all, &number.to_string(), Word::Active, "1");
        }
        assert_eq!(say(&mut all, "one more", Word::Active, "1"), Change::TooMany);
        assert_eq!(say(&mut all, "7", Word::Passive, "1"), Change::To(Word::Passive));
    }
}
