//! `[mariadb]`, also for MySQL

use super::{Reader, text_or};
use crate::config::diagnostics::{Diagnostics, ValueError};
use crate::config::table::Table;
use crate::config::{login, value};
use policy::display::clipped;
use std::sync::Arc;
use store::{Kind, Login, mariadb::MariaDb};

const USER: &str = "rcron";

pub(super) const READER: Reader = Reader {
    default_prefix: "rcron/",
    server: |text| value::local_or_server(text, 3306),
    login: |diagnostics, table, surroundings, _| {
        let given = login::read(diagnostics, table, surroundings, Some(USER));
        Some(given.unwrap_or_else(|| Login {
            user: USER.into(),
            password: None,
        }))
    },
    kind,
};

fn kind(diagnostics: &mut Diagnostics, table: &Table) -> Option<Arc<dyn Kind>> {
    let database = text_or(diagnostics, table, "database", "rcron", value::name);
    let relation = text_or(diagnostics, table, "table", "rcron", relation);
    Some(Arc::new(MariaDb {
        database: database?,
        table: relation?,
    }))
}

/// The same with and without quotes, whatever the server's `sql_mode` is.
fn relation(text: &str) -> Result<String, ValueError> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$' | '-');
    if !(1..=64).contains(&text.len()) || !text.chars().all(is_plain) {
        let found = format!("`{}` is not the name of a table", clipped(text.as_bytes()));
        let help = "write at most 64 letters, digits, `_`, `$` and `-`, without the name of the database";
        return Err(ValueError::new(found, help));
    }
    Ok(text.to_owned())
}
