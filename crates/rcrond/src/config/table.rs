//! A table of the file, and its keys' values.

use super::keys::{Kind, SPANS, unknown};
use super::sheet::{Refusal, Sheet};
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

impl<'t> Table<'t> {
    /// Takes a table; refuses each key that it does not have.
    pub(super) fn open(sheet: &mut Sheet, kind: &'static Kind, place: Range<usize>, entries: &'t DeTable<'t>) -> Self {
        for (key, _) in entries {
            let name: &str = key.get_ref();
            if !kind.has(name) {
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
        debug_assert!(self.kind.has(key), "{key}");
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
