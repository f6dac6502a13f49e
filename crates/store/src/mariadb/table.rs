//! The name of a table.

use crate::Error;

/// In characters, which are bytes here.
const LONGEST: usize = 64;

/// A name that is the same with and without quotes, whatever `sql_mode` says: letters, digits, `_`, `$` and `-`. The database
/// is the connection's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table(String);

impl Table {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$' | '-');
        if text.is_empty() || text.len() > LONGEST || !text.chars().all(is_plain) {
            return Err(Error::Settings {
                setting: format!("table {text:?}"),
                problem: "not the name of a table".to_owned(),
                help: Some(
                    "write a name of at most 64 letters, digits, `_`, `$` and `-`, without the name of the database",
                ),
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as an identifier.
    pub(super) fn quoted(&self) -> String {
        format!("`{}`", self.0)
    }

    /// The name as a string.
    pub(super) fn literal(&self) -> String {
        format!("'{}'", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_quoted() {
        let table = Table::parse("cron-leases_$2").expect("a name");
        assert_eq!(table.quoted(), "`cron-leases_$2`");
        assert_eq!(table.literal(), "'cron-leases_$2'");
    }

    #[test]
    fn other_texts_are_rejected_with_the_form_to_write() {
        for wrong in ["", "ops.rcron", "a b", "a`b", "a'b", "a\\b", "ü", &"x".repeat(65)] {
            let error = Table::parse(wrong).expect_err(wrong);
            assert!(
                error.to_string().contains("without the name of the database"),
                "{error}"
            );
        }
    }
}
