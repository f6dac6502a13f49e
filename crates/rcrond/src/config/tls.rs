//! The key `tls`: `true`, or a table of files.

use super::Surroundings;
use super::diagnostics::{Diagnostics, ValueError};
use super::file;
use super::keys;
use super::login::credential;
use super::table::{Table, good};
use super::value;
use std::path::{Path, PathBuf};
use store::tls::{Identity, Settings};
use toml::Spanned;
use toml::de::DeValue;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";
const ENCRYPTED: [&str; 2] = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED"];

/// Reads the store's TLS settings; `None` if TLS is not used.
pub(super) fn read(diagnostics: &mut Diagnostics, store: &Table, surroundings: &Surroundings) -> Option<Settings> {
    let value = store.value("tls")?;
    match value.get_ref() {
        DeValue::Boolean(true) => Some(Settings::default()),
        DeValue::Boolean(false) => None,
        DeValue::Table(_) => {
            let table = store.table(diagnostics, "tls", &keys::TLS)?;
            Some(settings(diagnostics, &table, surroundings))
        }
        _ => {
            let help = "write `true`, or a table of files";
            diagnostics.refuse(
                value.span(),
                ValueError::new("`tls` must be `true`, `false` or a table", help),
            );
            None
        }
    }
}

fn settings(diagnostics: &mut Diagnostics, table: &Table, surroundings: &Surroundings) -> Settings {
    Settings {
        authorities: path_of(diagnostics, table, "ca_file").and_then(|path| certificates(diagnostics, &path)),
        identity: identity(diagnostics, table, surroundings),
        server_name: table.text(diagnostics, "server_name", host).map(Spanned::into_inner),
    }
}

fn path_of(diagnostics: &mut Diagnostics, table: &Table, key: &str) -> Option<Spanned<PathBuf>> {
    table.text(diagnostics, key, value::path)
}

fn host(text: &str) -> Result<String, ValueError> {
    if text.is_empty() || text.contains(':') && text.parse::<std::net::Ipv6Addr>().is_err() {
        return Err(ValueError::new(
            "this is not the name of a server",
            "write the name in its certificate, without a port",
        ));
    }
    value::name(text)
}

/// Reads the certificate and its key. Neither may be without the other.
fn identity(diagnostics: &mut Diagnostics, table: &Table, surroundings: &Surroundings) -> Option<Identity> {
    let keys: Vec<&str> = ["key_file", "key_credential"]
        .into_iter()
        .filter(|key| table.has(key))
        .collect();
    let given = (
        table.place_of("cert_file"),
        keys.first().and_then(|key| table.place_of(key)),
    );
    match given {
        (None, None) => return None,
        (Some(place), None) => {
            diagnostics.refuse(place, ValueError::new("`cert_file` needs `key_file`", "add `key_file`"));
        }
        (None, Some(place)) => {
            diagnostics.refuse(place, ValueError::new("a key needs a certificate", "add `cert_file`"));
        }
        (Some(_), Some(_)) => {}
    }
    if let [first, second] = keys[..] {
        let place = table.place_of(second).unwrap_or_default();
        diagnostics.refuse(
            place,
            ValueError::new(
                format!("`{first}` and `{second}` cannot be used together"),
                "give the key in one way only",
            ),
        );
    }
    let certificates = path_of(diagnostics, table, "cert_file").and_then(|path| certificates(diagnostics, &path));
    let key = match keys.first()? {
        &"key_file" => path_of(diagnostics, table, "key_file"),
        other => table.text(diagnostics, other, |name| credential(surroundings, name)),
    };
    let key = key.and_then(|path| private_key(diagnostics, &path));
    Some(Identity {
        certificates: certificates?,
        key: key?,
    })
}

fn certificates(diagnostics: &mut Diagnostics, path: &Spanned<PathBuf>) -> Option<Vec<u8>> {
    let read = read_pem(path.get_ref()).and_then(|contents| {
        if holds(&contents.bytes, CERTIFICATE) {
            return Ok(contents.bytes);
        }
        let name = file::named(path.get_ref());
        Err(ValueError::new(
            format!("there is no certificate in {name}"),
            format!("write it as PEM: {CERTIFICATE}"),
        ))
    });
    good(diagnostics, path.span(), read).map(Spanned::into_inner)
}

fn private_key(diagnostics: &mut Diagnostics, path: &Spanned<PathBuf>) -> Option<Vec<u8>> {
    let name = file::named(path.get_ref());
    let read = read_pem(path.get_ref()).and_then(|contents| {
        if ENCRYPTED.iter().any(|mark| holds(&contents.bytes, mark)) {
            let help =
                "decrypt it, because no one can type the passphrase at boot; a systemd credential can protect it";
            return Err(ValueError::new(format!("the key in {name} is encrypted"), help));
        }
        if !holds(&contents.bytes, "PRIVATE KEY-----") {
            let help = "write it as PEM: -----BEGIN PRIVATE KEY-----";
            return Err(ValueError::new(format!("there is no private key in {name}"), help));
        }
        Ok(contents)
    });
    let contents = good(diagnostics, path.span(), read)?.into_inner();
    if let Some(who) = contents.access.readers() {
        diagnostics.warn(format!("{name} is a private key, and {who}: chmod 600 {name}"));
    }
    Some(contents.bytes)
}

fn read_pem(path: &Path) -> Result<file::Contents, ValueError> {
    file::read(path).map_err(|why| ValueError::bare(format!("cannot read {}: {why}", file::named(path))))
}

fn holds(pem: &[u8], mark: &str) -> bool {
    pem.windows(mark.len()).any(|part| part == mark.as_bytes())
}
