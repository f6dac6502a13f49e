//! A table's name.

use crate::Failure;

/// The longest identifier that PostgreSQL does not cut.
const LONGEST: usize = 63;

/// `TABLE` or `SCHEMA.TABLE`, exactly as it is called: upper case counts, and any character but a dot may be in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table(String);

impl Table {
    /// From the configuration.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let parts: Vec<_> = text.split('.').collect();
        let good = |part: &&str| !part.is_empty() && part.len() <= LONGEST && !part.contains(char::is_control);
        if parts.len() > 2 || !parts.iter().all(good) {
            return Err(Failure::new("", format_args!("not a table's name: {text:?}"))
                .with_help("write TABLE or SCHEMA.TABLE, without quotes, each of at most 63 bytes"));
        }
        let quoted: Vec<_> = parts
            .iter()
            .map(|part| format!("\"{}\"", part.replace('"', "\"\"")))
            .collect();
        Ok(Self(quoted.join(".")))
    }

    /// As an identifier.
    pub(super) fn quoted(&self) -> &str {
        &self.0
    }

    /// As a string that holds the identifier, for `::regclass`.
    pub(super) fn literal(&self) -> String {
        format!("'{}'", self.0.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_whatever_is_in_them() {
        let quoted = |text| Table::parse(text).expect(text).quoted().to_owned();
        assert_eq!(quoted("rcron"), r#""rcron""#);
        assert_eq!(quoted("Ops.Leases"), r#""Ops"."Leases""#);
        assert_eq!(quoted(r#"x"; DROP TABLE y; --"#), r#""x""; DROP TABLE y; --""#);
        assert_eq!(Table::parse("it's").expect("a name").literal(), r#"'"it''s"'"#);
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        for wrong in ["", ".", "a.", ".a", "a.b.c", "a\nb", "a\0b", &"x".repeat(64)] {
            let failure = Table::parse(wrong).expect_err(wrong);
            assert!(failure.to_string().contains("SCHEMA.TABLE"), "{failure}");
        }
    }
}
