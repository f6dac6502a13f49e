//! The key `tls`: `true`, or a table of files.

use super::Surroundings;
use super::file;
use super::keys;
use super::login::credential;
use super::sheet::{Refusal, Sheet};
use super::table::{Table, good};
use super::value;
use std::path::{Path, PathBuf};
use store::tls::{Identity, Settings};
use toml::Spanned;
use toml::de::DeValue;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";
const ENCRYPTED: [&str; 2] = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED"];

/// Reads the store's TLS settings; `None` if TLS is not used.
pub(super) fn read(sheet: &mut Sheet, store: &Table, surroundings: &Surroundings) -> Option<Settings> {
    let value = store.value("tls")?;
    match value.get_ref() {
        DeValue::Boolean(true) => Some(Settings::default()),
        DeValue::Boolean(false) => None,
        DeValue::Table(_) => {
            let table = store.table(sheet, "tls", &keys::TLS)?;
            Some(settings(sheet, &table, surroundings))
        }
        _ => {
            let help = "write `true`, or a table of files";
            sheet.refuse(
                value.span(),
                Refusal::new("`tls` must be `true`, `false` or a table", help),
            );
            None
        }
    }
}

fn settings(sheet: &mut Sheet, table: &Table, surroundings: &Surroundings) -> Settings {
    Settings {
        authorities: path_of(sheet, table, "ca_file").and_then(|path| certificates(sheet, &path)),
        identity: identity(sheet, table, surroundings),
        server_name: table.text(sheet, "server_name", host).map(Spanned::into_inner),
    }
}

fn path_of(sheet: &mut Sheet, table: &Table, key: &str) -> Option<Spanned<PathBuf>> {
    table.text(sheet, key, value::path)
}

fn host(text: &str) -> Result<String, Refusal> {
    if text.is_empty() || text.contains(':') && text.parse::<std::net::Ipv6Addr>().is_err() {
        return Err(Refusal::new(
            "this is not the name of a server",
            "write the name in its certificate, without a port",
        ));
    }
    value::name(text)
}

/// Reads the certificate and its key. Neither may be without the other.
fn identity(sheet: &mut Sheet, table: &Table, surroundings: &Surroundings) -> Option<Identity> {
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
        (Some(place), None) => sheet.refuse(place, Refusal::new("`cert_file` without its key", "add `key_file`")),
        (None, Some(place)) => sheet.refuse(place, Refusal::new("a key without its certificate", "add `cert_file`")),
        (Some(_), Some(_)) => {}
    }
    if let [first, second] = keys[..] {
        let place = table.place_of(second).unwrap_or_default();
        sheet.refuse(
            place,
            Refusal::new(format!("`{second}` beside `{first}`"), "give the key in one way only"),
        );
    }
    let certificates = path_of(sheet, table, "cert_file").and_then(|path| certificates(sheet, &path));
    let key = match keys.first()? {
        &"key_file" => path_of(sheet, table, "key_file"),
        other => table.text(sheet, other, |name| credential(surroundings, name)),
    };
    let key = key.and_then(|path| private_key(sheet, &path));
    Some(Identity {
        certificates: certificates?,
        key: key?,
    })
}

fn certificates(sheet: &mut Sheet, path: &Spanned<PathBuf>) -> Option<Vec<u8>> {
    let read = read_pem(path.get_ref()).and_then(|contents| {
        if holds(&contents.bytes, CERTIFICATE) {
            return Ok(contents.bytes);
        }
        let name = file::named(path.get_ref());
        Err(Refusal::new(
            format!("there is no certificate in {name}"),
            format!("write it as PEM: {CERTIFICATE}"),
        ))
    });
    good(sheet, path.span(), read).map(Spanned::into_inner)
}

fn private_key(sheet: &mut Sheet, path: &Spanned<PathBuf>) -> Option<Vec<u8>> {
    let name = file::named(path.get_ref());
    let read = read_pem(path.get_ref()).and_then(|contents| {
        if ENCRYPTED.iter().any(|mark| holds(&contents.bytes, mark)) {
            let help =
                "decrypt it, because no one can type the passphrase at boot; a systemd credential can protect it";
            return Err(Refusal::new(format!("the key in {name} is encrypted"), help));
        }
        if !holds(&contents.bytes, "PRIVATE KEY-----") {
            let help = "write it as PEM: -----BEGIN PRIVATE KEY-----";
            return Err(Refusal::new(format!("there is no private key in {name}"), help));
        }
        Ok(contents)
    });
    let contents = good(sheet, path.span(), read)?.into_inner();
    if let Some(who) = contents.access.readers() {
        sheet.warn(format!("{name} is a private key, and {who}: chmod 600 {name}"));
    }
    Some(contents.bytes)
}

fn read_pem(path: &Path) -> Result<file::Contents, Refusal> {
    file::read(path).map_err(|why| Refusal::bare(format!("cannot read {}: {why}", file::named(path))))
}

fn holds(pem: &[u8], mark: &str) -> bool {
    pem.windows(mark.len()).any(|part| part == mark.as_bytes())
}
