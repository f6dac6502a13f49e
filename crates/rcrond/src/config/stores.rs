//! The table of the store. The file must have exactly one.

mod etcd;
mod mariadb;
mod postgresql;
mod redis;

use super::diagnostics::{Diagnostics, ValueError};
use super::keys::{self, Kind};
use super::table::Table;
use super::{Surroundings, login, tls, value};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Login, Settings};
use toml::Spanned;

/// How to read the table of a kind of store.
struct Reader {
    default_prefix: &'static str,
    /// Completes one of `servers`.
    server: fn(&str) -> Result<String, ValueError>,
    /// Reads who rcrond is in the store. TLS may show that with a certificate.
    login: fn(&mut Diagnostics, &Table, &Surroundings, Option<&store::tls::Settings>) -> Option<Login>,
    /// Reads the keys that only this kind has.
    kind: fn(&mut Diagnostics, &Table) -> Option<Arc<dyn store::Kind>>,
}

/// In the order of [`keys::STORES`].
const READERS: [&Reader; keys::STORES.len()] = [&etcd::READER, &postgresql::READER, &mariadb::READER, &redis::READER];

/// A store, and whether the file itself holds its password.
pub(super) struct Found {
    pub(super) store: Settings,
    pub(super) has_literal_password: bool,
}

/// Reads the one store of the file.
pub(super) fn read(diagnostics: &mut Diagnostics, top: &Table, surroundings: &Surroundings) -> Option<Found> {
    let known = keys::STORES.iter().zip(READERS);
    let given: Vec<_> = known.filter(|((key, _), _)| top.has(key)).collect();
    let [((key, kind), reader)] = given[..] else {
        let kinds: Vec<_> = given.iter().map(|((key, kind), _)| (*key, kind)).collect();
        refuse_number(diagnostics, top, &kinds);
        return None;
    };
    let table = top.table(diagnostics, key, kind)?;
    let servers = servers(diagnostics, &table, reader.server);
    let prefix = text_or(diagnostics, &table, "prefix", reader.default_prefix, value::prefix);
    let tls = tls::read(diagnostics, &table, surroundings);
    let login = (reader.login)(diagnostics, &table, surroundings, tls.as_ref());
    let kind = (reader.kind)(diagnostics, &table);
    Some(Found {
        store: Settings {
            kind: kind?,
            servers: servers?,
            prefix: prefix?,
            login,
            tls,
        },
        has_literal_password: login::is_literal(&table),
    })
}

/// Reports that no store is configured, or the second of several.
fn refuse_number(diagnostics: &mut Diagnostics, top: &Table, given: &[(&str, &Kind)]) {
    let mut places: Vec<_> = given
        .iter()
        .filter_map(|(key, kind)| Some((top.place_of(key)?, kind.name)))
        .collect();
    places.sort_by_key(|(place, _)| place.start);
    match &places[..] {
        [(_, first), (second, name), ..] => {
            let found = format!("{first} and {name} cannot be used together");
            let help = "configure one store only: two stores could disagree";
            diagnostics.refuse(second.clone(), ValueError::new(found, help));
        }
        _ => {
            let names: Vec<_> = keys::STORES.iter().map(|(_, kind)| kind.name).collect();
            let help = format!("write one of {}", names.join(", "));
            diagnostics.refuse(top.place.clone(), ValueError::new("no store is configured", help));
        }
    }
}

/// Reads the servers. A duplicate is refused, because it would be tried twice as often.
fn servers(
    diagnostics: &mut Diagnostics,
    table: &Table,
    read: fn(&str) -> Result<String, ValueError>,
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
            let found = format!("`{}` is listed twice", server.get_ref());
            diagnostics.refuse(server.span(), ValueError::bare(found));
        }
    }
    Some(servers.into_iter().map(Spanned::into_inner).collect())
}

/// The default if the key is missing; `None` if its value is refused.
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
