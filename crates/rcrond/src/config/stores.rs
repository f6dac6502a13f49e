//! `[etcd]`, `[postgresql]`, `[redis]`: exactly one of them.

use super::diagnostics::{Diagnostics, ValueError};
use super::keys::{self, Kind};
use super::table::Table;
use super::{StoreConfig, Surroundings, login, tls, value};
use std::collections::BTreeSet;
use store::{Login, etcd, postgresql, redis};
use toml::Spanned;

const STORES: [(&str, &Kind); 3] = [
    ("etcd", &keys::ETCD),
    ("postgresql", &keys::POSTGRESQL),
    ("redis", &keys::REDIS),
];

/// A store, and whether its password stands in the file itself.
pub(super) struct Found {
    pub(super) store: StoreConfig,
    pub(super) has_literal_password: bool,
}

/// The one store of the file.
pub(super) fn read(diagnostics: &mut Diagnostics, top: &Table, surroundings: &Surroundings) -> Option<Found> {
    let given: Vec<(&str, &'static Kind)> = STORES.into_iter().filter(|(key, _)| top.has(key)).collect();
    let [(key, kind)] = given[..] else {
        complain(diagnostics, top, &given);
        return None;
    };
    let table = top.table(diagnostics, key, kind)?;
    let store = match key {
        "etcd" => etcd(diagnostics, &table, surroundings).map(StoreConfig::Etcd),
        "postgresql" => postgresql(diagnostics, &table, surroundings).map(StoreConfig::PostgreSql),
        _ => redis(diagnostics, &table, surroundings).map(StoreConfig::Redis),
    };
    Some(Found {
        store: store?,
        has_literal_password: login::is_literal(&table),
    })
}

/// None is told of at the top of the file, the second of several at its place.
fn complain(diagnostics: &mut Diagnostics, top: &Table, given: &[(&str, &Kind)]) {
    let mut places: Vec<_> = given
        .iter()
        .filter_map(|(key, kind)| Some((top.place_of(key)?, kind.name)))
        .collect();
    places.sort_by_key(|(place, _)| place.start);
    match &places[..] {
        [(_, first), (second, name), ..] => {
            let found = format!("{name} beside {first}");
            let help = "a node has one store: two could say different things";
            diagnostics.refuse(second.clone(), ValueError::new(found, help));
        }
        _ => diagnostics.refuse(
            top.place.clone(),
            ValueError::new("there is no store", "write one of [etcd], [postgresql], [redis]"),
        ),
    }
}

fn etcd(diagnostics: &mut Diagnostics, table: &Table, surroundings: &Surroundings) -> Option<etcd::Settings> {
    let servers = servers(diagnostics, table, |text| value::server(text, 2379));
    let prefix = text_or(diagnostics, table, "prefix", "rcron/", value::prefix);
    let login = login::read(diagnostics, table, surroundings, None);
    let tls = tls::read(diagnostics, table, surroundings);
    let has_identity = tls.as_ref().is_some_and(|tls| tls.identity.is_some());
    if table.has("user") && !login::has_password(table) && !has_identity {
        let place = table.place_of("user").unwrap_or_default();
        let help = "add `password_file`, or a client certificate in [etcd.tls]";
        diagnostics.refuse(place, ValueError::new("etcd could not know this user", help));
    }
    Some(etcd::Settings {
        servers: servers?,
        prefix: prefix?,
        login,
        tls,
    })
}

fn postgresql(
    diagnostics: &mut Diagnostics,
    table: &Table,
    surroundings: &Surroundings,
) -> Option<postgresql::Settings> {
    const USER: &str = "rcron";
    let servers = servers(diagnostics, table, |text| value::local_or_server(text, 5432));
    let prefix = text_or(diagnostics, table, "prefix", "rcron/", value::prefix);
    let database = text_or(diagnostics, table, "database", "rcron", value::name);
    let relation = text_or(diagnostics, table, "table", "rcron", value::sql_table);
    let login = login::read(diagnostics, table, surroundings, Some(USER)).unwrap_or_else(|| Login {
        user: USER.into(),
        password: None,
    });
    let tls = tls::read(diagnostics, table, surroundings);
    Some(postgresql::Settings {
        servers: servers?,
        database: database?,
        table: relation?,
        prefix: prefix?,
        login: Some(login),
        tls,
    })
}

fn redis(diagnostics: &mut Diagnostics, table: &Table, surroundings: &Surroundings) -> Option<redis::Settings> {
    /// As many as redis.conf may be told to have.
    const LAST_DATABASE: u32 = 65_535;
    let servers = servers(diagnostics, table, |text| value::local_or_server(text, 6379));
    let prefix = text_or(diagnostics, table, "prefix", "rcron:", value::prefix);
    let database = table.number(diagnostics, "database", LAST_DATABASE);
    let is_good = database.is_some() || !table.has("database");
    // Without a user: the password of all, `requirepass`.
    let login = login::read(diagnostics, table, surroundings, Some(""));
    let tls = tls::read(diagnostics, table, surroundings);
    is_good.then_some(redis::Settings {
        servers: servers?,
        database: database.unwrap_or_default(),
        prefix: prefix?,
        login,
        tls,
    })
}

/// Its servers, each once: one that is there twice would be asked twice as often.
fn servers(
    diagnostics: &mut Diagnostics,
    table: &Table,
    read: impl Fn(&str) -> Result<String, ValueError>,
) -> Option<Vec<String>> {
    if !table.has("servers") {
        let help = "add servers = [\"HOST:PORT\"]";
        diagnostics.refuse(table.place.clone(), ValueError::new("`servers` is missing", help));
        return None;
    }
    let servers = table.texts(diagnostics, "servers", read)?;
    let mut seen = BTreeSet::new();
    for server in &servers {
        if !seen.insert(server.get_ref()) {
            let found = format!("`{}` is there twice", server.get_ref());
            diagnostics.refuse(server.span(), ValueError::bare(found));
        }
    }
    Some(servers.into_iter().map(Spanned::into_inner).collect())
}

/// The default where there is no such key; `None` where its value is refused.
fn text_or(
    diagnostics: &mut Diagnostics,
    table: &Table,
    key: &str,
    default: &str,
    read: impl FnOnce(&str) -> Result<String, ValueError>,
) -> Option<String> {
    if !table.has(key) {
        return Some(default.to_owned());
    }
    table.text(diagnostics, key, read).map(Spanned::into_inner)
}
