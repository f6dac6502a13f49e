//! `[etcd]`

use super::Reader;
use crate::config::diagnostics::{Diagnostics, ValueError};
use crate::config::table::Table;
use crate::config::{Surroundings, login, value};
use std::sync::Arc;
use store::{Login, etcd::Etcd};

pub(super) const READER: Reader = Reader {
    default_prefix: "rcron/",
    server: |text| value::server(text, 2379),
    login,
    kind: |_, _| Some(Arc::new(Etcd)),
};

/// etcd knows a user by a password or by a certificate; with neither, the user would not count.
fn login(
    diagnostics: &mut Diagnostics,
    table: &Table,
    surroundings: &Surroundings,
    tls: Option<&store::tls::Settings>,
) -> Option<Login> {
    let has_identity = tls.is_some_and(|tls| tls.identity.is_some());
    if table.has("user") && !login::has_password(table) && !has_identity {
        let place = table.place_of("user").unwrap_or_default();
        let help = "add `password_file`, or a client certificate in [etcd.tls]";
        diagnostics.refuse(place, ValueError::new("etcd cannot authenticate this user", help));
    }
    login::read(diagnostics, table, surroundings, None)
}
