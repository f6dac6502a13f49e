//! `[postgresql]`

use super::{Reader, text_or};
use crate::config::sheet::Sheet;
use crate::config::table::Table;
use crate::config::{login, value};
use std::sync::Arc;
use store::{Kind, Login, postgresql::PostgreSql};

const USER: &str = "rcron";

pub(super) const READER: Reader = Reader {
    default_prefix: "rcron/",
    server: |text| value::local_or_server(text, 5432),
    login: |sheet, table, surroundings, _| {
        let given = login::read(sheet, table, surroundings, Some(USER));
        Some(given.unwrap_or_else(|| Login {
            user: USER.into(),
            password: None,
        }))
    },
    kind,
};

fn kind(sheet: &mut Sheet, table: &Table) -> Option<Arc<dyn Kind>> {
    let database = text_or(sheet, table, "database", "rcron", value::name);
    let relation = text_or(sheet, table, "table", "rcron", value::sql_table);
    Some(Arc::new(PostgreSql {
        database: database?,
        table: relation?,
    }))
}
