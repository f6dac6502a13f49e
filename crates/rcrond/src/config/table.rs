//! A table of the file, and the values of its keys.

use super::diagnostics::{Diagnostics, ValueError};
use super::keys::{DURATIONS, Kind, unknown};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table, and the keys that it may have.
pub(super) struct Table<'t> {
    kind: &'static Kind,
    /// The place of its header, for diagnostics about missing keys.
    pub(super) place: Range<usize>,
    entries: &'t DeTable<'t>,
}

impl<'t> Table<'t> {
    /// Reports each unknown key.
    pub(super) fn open(
        diagnostics: &mut Diagnostics,
        kind: &'static Kind,
        place: Range<usize>,
        entries: &'t DeTable<'t>,
    ) -> Self {
        for (key, _) in entries {
            let name: &str = key.get_ref();
            if !kind.has(name) {
                diagnostics.refuse(key.span(), unknown(kind, name));
            }
        }
        Self { kind, place, entries }
    }

    /// Whether the table contains the key, with a valid value or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// The place of the key itself.
    pub(super) fn place_of(&self, key: &str) -> Option<Range<usize>> {
        self.entry(key).map(|(place, _)| place)
    }

    /// The value of the key, of any type.
    pub(super) fn value(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.entry(key).map(|(_, value)| value)
    }

    fn entry(&self, key: &str) -> Option<(Range<usize>, &'t Spanned<DeValue<'t>>)> {
        debug_assert!(self.kind.has(key), "{key}");
        let found = self.entries.iter().find(|(name, _)| *name.get_ref() == key);
        found.map(|(name, value)| (name.span(), value))
    }

    /// The parsed string of this key, if it is there and valid.
    pub(super) fn text<T>(
        &self,
        diagnostics: &mut Diagnostics,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, ValueError>,
    ) -> Option<Spanned<T>> {
        let value = self.value(key)?;
        let meaning = match value.get_ref() {
            DeValue::String(text) => read(text),
            other => Err(not_a_string(key, other)),
        };
        good(diagnostics, value.span(), meaning)
    }

    /// The integer of this key, if it is there and from 0 to `most`.
    pub(super) fn number(&self, diagnostics: &mut Diagnostics, key: &str, most: u32) -> Option<u32> {
        let value = self.value(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix())
                .ok()
                .filter(|number| *number <= most)
                .ok_or_else(|| out_of_range(key, most)),
            DeValue::String(_) => Err(ValueError::new(
                format!("`{key}` must be a number, not a string"),
                "write it without quotes",
            )),
            _ => Err(out_of_range(key, most)),
        };
        good(diagnostics, value.span(), number).map(Spanned::into_inner)
    }

    /// The truth value of this key, if it is there and valid.
    pub(super) fn flag(&self, diagnostics: &mut Diagnostics, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        let flag = match value.get_ref() {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => Err(ValueError::new(
                format!("`{key}` must be true or false"),
                "write it without quotes",
            )),
        };
        good(diagnostics, value.span(), flag).map(Spanned::into_inner)
    }

    /// The parsed strings of this key's list, if it is there and all are valid. An empty list is not valid.
    pub(super) fn texts<T>(
        &self,
        diagnostics: &mut Diagnostics,
        key: &str,
        read: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Option<Vec<Spanned<T>>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            let help = format!("write it in brackets: {key} = [\"…\"]");
            diagnostics.refuse(value.span(), ValueError::new(format!("`{key}` must be a list"), help));
            return None;
        };
        if items.is_empty() {
            diagnostics.refuse(value.span(), ValueError::bare(format!("`{key}` is empty")));
            return None;
        }
        let read_one = |item: &Spanned<DeValue>| {
            let meaning = match item.get_ref() {
                DeValue::String(text) => read(text),
                other => Err(not_a_string(key, other)),
            };
            good(diagnostics, item.span(), meaning)
        };
        let texts: Vec<Option<Spanned<T>>> = items.iter().map(read_one).collect();
        texts.into_iter().collect()
    }

    /// The table of this key, if it is there and a table.
    pub(super) fn table(&self, diagnostics: &mut Diagnostics, key: &str, kind: &'static Kind) -> Option<Table<'t>> {
        let (place, value) = self.entry(key)?;
        let DeValue::Table(entries) = value.get_ref() else {
            let found = ValueError::new(
                format!("`{key}` must be a table"),
                format!("write {} on a line of its own", kind.name),
            );
            diagnostics.refuse(place, found);
            return None;
        };
        Some(Self::open(diagnostics, kind, place, entries))
    }
}

/// The value with its place; an error is reported at this place.
pub(super) fn good<T>(
    diagnostics: &mut Diagnostics,
    place: Range<usize>,
    meaning: Result<T, ValueError>,
) -> Option<Spanned<T>> {
    match meaning {
        Ok(meaning) => Some(Spanned::new(place, meaning)),
        Err(refusal) => {
            diagnostics.refuse(place, refusal);
            None
        }
    }
}

fn not_a_string(key: &str, value: &DeValue) -> ValueError {
    match value {
        DeValue::Integer(number) if DURATIONS.contains(&key) => ValueError::new(
            format!("`{key}` must be a duration"),
            format!("write it with its unit, in quotes: \"{number}s\""),
        ),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            ValueError::new(format!("`{key}` must be a string"), "put it in quotes")
        }
        DeValue::Array(_) => ValueError::new(format!("`{key}` must be one string, not a list"), "remove the brackets"),
        _ => ValueError::bare(format!("`{key}` must be a string, not a table")),
    }
}

fn out_of_range(key: &str, most: u32) -> ValueError {
    ValueError::new(
        format!("`{key}` is out of range"),
        format!("write an integer from 0 to {most}"),
    )
}
