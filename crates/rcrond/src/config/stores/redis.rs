//! `[redis]`

use super::Reader;
use crate::config::diagnostics::Diagnostics;
use crate::config::table::Table;
use crate::config::{login, value};
use std::sync::Arc;
use store::{Kind, redis::Redis};

/// The most that `databases` in redis.conf may be set to.
const LAST_DATABASE: u32 = 65_535;

pub(super) const READER: Reader = Reader {
    default_prefix: "rcron:",
    server: |text| value::local_or_server(text, 6379),
    // A password without a user is the server's own, `requirepass`.
    login: |diagnostics, table, surroundings, _| login::read(diagnostics, table, surroundings, Some("")),
    kind,
};

fn kind(diagnostics: &mut Diagnostics, table: &Table) -> Option<Arc<dyn Kind>> {
    let database = table.number(diagnostics, "database", LAST_DATABASE);
    if database.is_none() && table.has("database") {
        return None;
    }
    Some(Arc::new(Redis {
        database: database.unwrap_or_default(),
    }))
}
