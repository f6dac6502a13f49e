//! `[etcd]`, `[postgresql]`, `[redis]`: exactly one of them.

use super::keys::{self, Kind};
use super::sheet::{Refusal, Sheet};
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
pub(super) fn read(sheet: &mut Sheet, top: &Table, surroundings: &Surroundings) -> Option<Found> {
    let given: Vec<(&str, &'static Kind)> = STORES.into_iter().filter(|(key, _)| top.has(key)).collect();
    let [(key, kind)] = given[..] else {
        complain(sheet, top, &given);
        return None;
    };
    let table = top.table(sheet, key, kind)?;
    let store = match key {
        "etcd" => etcd(sheet, &table, surroundings).map(StoreConfig::Etcd),
        "postgresql" => postgresql(sheet, &table, surroundings).map(StoreConfig::PostgreSql),
        _ => redis(sheet, &table, surroundings).map(StoreConfig::Redis),
    };
    Some(Found {
        store: store?,
        has_literal_password: login::is_literal(&table),
    })
}

/// None is told of at the top of the file, the second of several at its place.
fn complain(sheet: &mut Sheet, top: &Table, given: &[(&str, &Kind)]) {
    let mut places: Vec<_> = given
        .iter()
        .filter_map(|(key, kind)| Some((top.place_of(key)?, kind.name)))
        .collect();
    places.sort_by_key(|(place, _)| place.start);
    match &places[..] {
        [(_, first), (second, name), ..] => {
            let found = format!("{name} beside {first}");
            let help = "a node has one store: two could say different things";
            sheet.refuse(second.clone(), Refusal::new(found, help));
        }
        _ => sheet.refuse(
            top.place.clone(),
            Refusal::new("there is no store", "write one of [etcd], [postgresql], [redis]"),
        ),
    }
}

fn etcd(sheet: &mut Sheet, table: &Table, surroundings: &Surroundings) -> Option<etcd::Settings> {
    let servers = servers(sheet, table, |text| value::server(text, 2379));
    let prefix = text_or(sheet, table, "prefix", "rcron/", value::prefix);
    let login = login::read(sheet, table, surroundings, None);
    let tls = tls::read(sheet, table, surroundings);
    let has_identity = tls.as_ref().is_some_and(|tls| tls.identity.is_some());
    if table.has("user") && !login::has_password(table) && !has_identity {
        let place = table.place_of("user").unwrap_or_default();
        let help = "add `password_file`, or a client certificate in [etcd.tls]";
        sheet.refuse(place, Refusal::new("etcd could not know this user", help));
    }
    Some(etcd::Settings {
        servers: servers?,
        prefix: prefix?,
        login,
        tls,
    })
}

fn postgresql(sheet: &mut Sheet, table: &Table, surroundings: &Surroundings) -> Option<postgresql::Settings> {
    const USER: &str = "rcron";
    let servers = servers(sheet, table, |text| value::local_or_server(text, 5432));
    let prefix = text_or(sheet, table, "prefix", "rcron/", value::prefix);
    let database = text_or(sheet, table, "database", "rcron", value::name);
    let relation = text_or(sheet, table, "table", "rcron", value::sql_table);
    let login = login::read(sheet, table, surroundings, Some(USER)).unwrap_or_else(|| Login {
        user: USER.into(),
        password: None,
    });
    let tls = tls::read(sheet, table, surroundings);
    Some(postgresql::Settings {
        servers: servers?,
        database: database?,
        table: relation?,
        prefix: prefix?,
        login: Some(login),
        tls,
    })
}

fn redis(sheet: &mut Sheet, table: &Table, surroundings: &Surroundings) -> Option<redis::Settings> {
    /// As many as redis.conf may be told to have.
    const LAST_DATABASE: u32 = 65_535;
    let servers = servers(sheet, table, |text| value::local_or_server(text, 6379));
    let prefix = text_or(sheet, table, "prefix", "rcron:", value::prefix);
    let database = table.number(sheet, "database", LAST_DATABASE);
    let is_good = database.is_some() || !table.has("database");
    // Without a user: the password of all, `requirepass`.
    let login = login::read(sheet, table, surroundings, Some(""));
    let tls = tls::read(sheet, table, surroundings);
    is_good.then_some(redis::Settings {
        servers: servers?,
        database: database.unwrap_or_default(),
        prefix: prefix?,
        login,
        tls,
    })
}

/// Its servers, each once: one that is there twice would be asked twice as often.
fn servers(sheet: &mut Sheet, table: &Table, read: impl Fn(&str) -> Result<String, Refusal>) -> Option<Vec<String>> {
    if !table.has("servers") {
        let help = "add servers = [\"HOST:PORT\"]";
        sheet.refuse(table.place.clone(), Refusal::new("`servers` is missing", help));
        return None;
    }
    let servers = table.texts(sheet, "servers", read)?;
    let mut seen = BTreeSet::new();
    for server in &servers {
        if !seen.insert(server.get_ref()) {
            let found = format!("`{}` is there twice", server.get_ref());
            sheet.refuse(server.span(), Refusal::bare(found));
        }
    }
    Some(servers.into_iter().map(Spanned::into_inner).collect())
}

/// The default where there is no such key; `None` where its value is refused.
fn text_or(
    sheet: &mut Sheet,
    table: &Table,
    key: &str,
    default: &str,
    read: impl FnOnce(&str) -> Result<String, Refusal>,
) -> Option<String> {
    if !table.has(key) {
        return Some(default.to_owned());
    }
    table.text(sheet, key, read).map(Spanned::into_inner)
}
