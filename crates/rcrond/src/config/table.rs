//! A table of the file, and its keys' values.

use super::sheet::{Refusal, Sheet};
use policy::config::Key;
use policy::escape::clipped;
use policy::suggest;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table, and what may stand in it.
pub(super) struct Table<'t> {
    kind: &'static Kind,
    /// Where it begins: for what is missing in it.
    pub(super) place: Range<usize>,
    entries: &'t DeTable<'t>,
}

/// What may stand in a table of this name.
#[derive(Debug)]
pub(super) struct Kind {
    /// As it stands in the file.
    pub(super) name: &'static str,
    /// Its keys.
    pub(super) keys: &'static [&'static str],
}

/// The file itself.
pub(super) const TOP: Kind = Kind {
    name: "",
    keys: &[
        "node",
        "run_dir",
        "state_dir",
        "etcd",
        "postgresql",
        "redis",
        "cluster",
        "metrics",
        "control",
    ],
};
pub(super) const ETCD: Kind = Kind {
    name: "[etcd]",
    keys: &[
        "servers",
        "prefix",
        "user",
        "password",
        "password_file",
        "password_credential",
        "tls",
    ],
};
pub(super) const POSTGRESQL: Kind = Kind {
    name: "[postgresql]",
    keys: &[
        "servers",
        "database",
        "table",
        "prefix",
        "user",
        "password",
        "password_file",
        "password_credential",
        "tls",
    ],
};
pub(super) const REDIS: Kind = Kind {
    name: "[redis]",
    keys: &[
        "servers",
        "database",
        "prefix",
        "user",
        "password",
        "password_file",
        "password_credential",
        "tls",
    ],
};
pub(super) const TLS: Kind = Kind {
    name: "tls",
    keys: &["ca_file", "cert_file", "key_file", "key_credential", "server_name"],
};
pub(super) const CLUSTER: Kind = Kind {
    name: "[[cluster]]",
    keys: &[
        "name",
        "conf",
        "state_file",
        "journal",
        "priority",
        "lease",
        "settle",
        "grace",
        "preempt_delay",
    ],
};
pub(super) const METRICS: Kind = Kind {
    name: "[metrics]",
    keys: &["listen"],
};
pub(super) const CONTROL: Kind = Kind {
    name: "[control]",
    keys: &["socket"],
};

/// Keys whose values look like numbers, and are texts for their units.
const SPANS: [&str; 4] = ["lease", "settle", "grace", "preempt_delay"];

const KINDS: [&Kind; 8] = [&TOP, &ETCD, &POSTGRESQL, &REDIS, &TLS, &CLUSTER, &METRICS, &CONTROL];

impl<'t> Table<'t> {
    /// Takes a table; refuses each key that it does not have.
    pub(super) fn open(sheet: &mut Sheet, kind: &'static Kind, place: Range<usize>, entries: &'t DeTable<'t>) -> Self {
        for (key, _) in entries {
            let name: &str = key.get_ref();
            if !kind.keys.contains(&name) {
                sheet.refuse(key.span(), unknown(kind, name));
            }
        }
        Self { kind, place, entries }
    }

    /// Whether the key is there, with a good value or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// The place of the key itself.
    pub(super) fn place_of(&self, key: &str) -> Option<Range<usize>> {
        self.entry(key).map(|(place, _)| place)
    }

    /// The key's value, whatever it is.
    pub(super) fn value(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.entry(key).map(|(_, value)| value)
    }

    fn entry(&self, key: &str) -> Option<(Range<usize>, &'t Spanned<DeValue<'t>>)> {
        debug_assert!(self.kind.keys.contains(&key), "{key}");
        let found = self.entries.iter().find(|(name, _)| *name.get_ref() == key);
        found.map(|(name, value)| (name.span(), value))
    }

    /// What the text of this key means, if it is there and good.
    pub(super) fn text<T>(
        &self,
        sheet: &mut Sheet,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<Spanned<T>> {
        let value = self.value(key)?;
        let meaning = match value.get_ref() {
            DeValue::String(text) => read(text),
            other => Err(no_text(key, other)),
        };
        good(sheet, value.span(), meaning)
    }

    /// The whole number of this key, if it is there and one from 0 to `most`.
    pub(super) fn number(&self, sheet: &mut Sheet, key: &str, most: u32) -> Option<u32> {
        let value = self.value(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix())
                .ok()
                .filter(|number| *number <= most)
                .ok_or_else(|| out_of_range(key, most)),
            DeValue::String(_) => Err(Refusal::new(
                format!("`{key}` is a number, not a text"),
                "write it without quotes",
            )),
            _ => Err(out_of_range(key, most)),
        };
        good(sheet, value.span(), number).map(Spanned::into_inner)
    }

    /// The texts of this key's list, if it is there and all are good. An empty list is not.
    pub(super) fn texts<T>(
        &self,
        sheet: &mut Sheet,
        key: &str,
        read: impl Fn(&str) -> Result<T, Refusal>,
    ) -> Option<Vec<Spanned<T>>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            let help = format!("write it in brackets: {key} = [\"…\"]");
            sheet.refuse(value.span(), Refusal::new(format!("`{key}` is a list"), help));
            return None;
        };
        if items.is_empty() {
            sheet.refuse(value.span(), Refusal::bare(format!("`{key}` is empty")));
            return None;
        }
        let read_one = |item: &Spanned<DeValue>| {
            let meaning = match item.get_ref() {
                DeValue::String(text) => read(text),
                other => Err(no_text(key, other)),
            };
            good(sheet, item.span(), meaning)
        };
        let texts: Vec<Option<Spanned<T>>> = items.iter().map(read_one).collect();
        texts.into_iter().collect()
    }

    /// The table of this key, if it is there and one.
    pub(super) fn table(&self, sheet: &mut Sheet, key: &str, kind: &'static Kind) -> Option<Table<'t>> {
        let (place, value) = self.entry(key)?;
        let DeValue::Table(entries) = value.get_ref() else {
            let found = Refusal::new(
                format!("`{key}` is a table"),
                format!("write {} on a line of its own", kind.name),
            );
            sheet.refuse(place, found);
            return None;
        };
        Some(Self::open(sheet, kind, place, entries))
    }
}

/// The meaning with its place; or it is refused there.
pub(super) fn good<T>(sheet: &mut Sheet, place: Range<usize>, meaning: Result<T, Refusal>) -> Option<Spanned<T>> {
    match meaning {
        Ok(meaning) => Some(Spanned::new(place, meaning)),
        Err(refusal) => {
            sheet.refuse(place, refusal);
            None
        }
    }
}

fn no_text(key: &str, value: &DeValue) -> Refusal {
    match value {
        DeValue::Integer(number) if SPANS.contains(&key) => Refusal::new(
            format!("`{key}` is a span of time"),
            format!("write it with its unit, in quotes: \"{number}s\""),
        ),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            Refusal::new(format!("`{key}` is a text"), "put it in quotes")
        }
        DeValue::Array(_) => Refusal::new(format!("`{key}` is one text, not a list"), "leave out the brackets"),
        _ => Refusal::bare(format!("`{key}` is a text, not a table")),
    }
}

fn out_of_range(key: &str, most: u32) -> Refusal {
    Refusal::new(
        format!("`{key}` is not in its range"),
        format!("write a whole number from 0 to {most}"),
    )
}

fn unknown(kind: &Kind, name: &str) -> Refusal {
    let shown = clipped(name.as_bytes());
    let place = if kind.name.is_empty() {
        String::new()
    } else {
        format!(" in {}", kind.name)
    };
    let message = format!("unknown key `{shown}`{place}");
    Refusal::new(message, meant(kind, name))
}

/// Where the key belongs, if it is one; else which it may have been meant to be.
fn meant(kind: &Kind, name: &str) -> String {
    if TOP.keys.contains(&name) {
        return "it belongs before the first table".into();
    }
    let homes = KINDS.iter().filter(|home| home.keys.contains(&name));
    let homes: Vec<&str> = homes.map(|home| home.name).collect();
    if !homes.is_empty() {
        return format!("it belongs into {}", homes.join(" or "));
    }
    if Key::ALL.iter().any(|(key, _)| *key == name) {
        return "it is a key of the cluster's rcron.conf(5)".into();
    }
    let begun = || {
        kind.keys
            .iter()
            .copied()
            .find(|key| name.len() > 1 && key.starts_with(name))
    };
    suggest::nearest(name.as_bytes(), kind.keys.iter().copied())
        .or_else(begun)
        .map_or_else(
            || "rcrond.toml(5) lists the keys".into(),
            |key| format!("did you mean `{key}`?"),
        )
}
