//! `[postgresql]`

use super::{Reader, text_or};
use crate::config::diagnostics::Diagnostics;
use crate::config::table::Table;
use crate::config::{login, value};
use std::sync::Arc;
use store::{Kind, Login, postgresql::PostgreSql};

const USER: &str = "rcron";

pub(super) const READER: Reader = Reader {
    default_prefix: "rcron/",
    server: |text| value::local_or_server(text, 5432),
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
    let relation = text_or(diagnostics, table, "table", "rcron", value::sql_table);
    Some(Arc::new(PostgreSql {
        database: database?,
        table: relation?,
    }))
}
