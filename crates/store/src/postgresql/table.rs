//! The name of a table.

use crate::Error;

/// PostgreSQL silently cuts a longer identifier.
const LONGEST: usize = 63;

/// `TABLE` or `SCHEMA.TABLE`, quoted: its case counts, and a part may have any character except a dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table(String);

impl Table {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let parts: Vec<_> = text.split('.').collect();
        let good = |part: &&str| !part.is_empty() && part.len() <= LONGEST && !part.contains(char::is_control);
        if parts.len() > 2 || !parts.iter().all(good) {
            return Err(Error::Settings {
                setting: format!("table {text:?}"),
                problem: "not the name of a table".to_owned(),
                help: Some("write TABLE or SCHEMA.TABLE, without quotes, each of at most 63 bytes"),
            });
        }
        let quoted: Vec<_> = parts
            .iter()
            .map(|part| format!("\"{}\"", part.replace('"', "\"\"")))
            .collect();
        Ok(Self(quoted.join(".")))
    }

    /// The name as an identifier.
    pub(super) fn quoted(&self) -> &str {
        &self.0
    }

    /// A string with the identifier, for `::regclass`.
    pub(super) fn literal(&self) -> String {
        format!("'{}'", self.0.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_characters_are_quoted() {
        let quoted = |text| Table::parse(text).expect(text).quoted().to_owned();
        assert_eq!(quoted("rcron"), r#""rcron""#);
        assert_eq!(quoted("Ops.Leases"), r#""Ops"."Leases""#);
        assert_eq!(quoted(r#"x"; DROP TABLE y; --"#), r#""x""; DROP TABLE y; --""#);
        assert_eq!(Table::parse("it's").expect("a name").literal(), r#"'"it''s"'"#);
    }

    #[test]
    fn other_texts_are_rejected_with_the_form_to_write() {
        for wrong in ["", ".", "a.", ".a", "a.b.c", "a\nb", "a\0b", &"x".repeat(64)] {
            let error = Table::parse(wrong).expect_err(wrong);
            assert!(error.to_string().contains("SCHEMA.TABLE"), "{error}");
        }
    }
}
