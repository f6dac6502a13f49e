//! The user and the password for the store, and the places where the password can be.

use super::Surroundings;
use super::diagnostics::{Diagnostics, ValueError};
use super::file;
use super::table::{Table, good};
use super::value;
use std::path::{Path, PathBuf};
use store::{Login, Secret};
use toml::Spanned;
use toml::de::DeValue;

const FORMS: [&str; 3] = ["password", "password_file", "password_credential"];

/// Reads the login. A password without a user is for `default_user`.
pub(super) fn read(
    diagnostics: &mut Diagnostics,
    table: &Table,
    surroundings: &Surroundings,
    default_user: Option<&str>,
) -> Option<Login> {
    let user = table.text(diagnostics, "user", value::name).map(Spanned::into_inner);
    let given: Vec<&str> = FORMS.into_iter().filter(|form| table.has(form)).collect();
    if let [first, second, ..] = given[..] {
        let place = table.place_of(second).unwrap_or_default();
        let found = format!("`{first}` and `{second}` cannot be used together");
        diagnostics.refuse(place, ValueError::new(found, "give the password in one way only"));
        return None;
    }
    let password = given
        .first()
        .and_then(|form| password(diagnostics, table, surroundings, form));
    match (user, table.has("user"), default_user) {
        (Some(user), _, _) => Some(Login { user, password }),
        (None, false, Some(user)) => password.map(|password| Login {
            user: user.to_owned(),
            password: Some(password),
        }),
        (None, false, None) => {
            if let Some(form) = given.first() {
                let place = table.place_of(form).unwrap_or_default();
                diagnostics.refuse(place, ValueError::new("a password needs a user", "add `user`"));
            }
            None
        }
        (None, true, _) => None,
    }
}

fn password(diagnostics: &mut Diagnostics, table: &Table, surroundings: &Surroundings, form: &str) -> Option<Secret> {
    let found = match form {
        "password" => table.text(diagnostics, form, |text| secret(text, "the password")),
        "password_file" => {
            let path = table.text(diagnostics, form, value::path)?;
            let secret = from_file(diagnostics, path.get_ref());
            good(diagnostics, path.span(), secret)
        }
        _ => {
            let path = table.text(diagnostics, form, |name| credential(surroundings, name))?;
            let secret = from_file(diagnostics, path.get_ref());
            good(diagnostics, path.span(), secret)
        }
    };
    found.map(Spanned::into_inner)
}

/// The path of a systemd credential.
pub(super) fn credential(surroundings: &Surroundings, name: &str) -> Result<PathBuf, ValueError> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
    if name.is_empty() || name == "." || name == ".." || !name.bytes().all(is_plain) {
        return Err(ValueError::new(
            "this is not the name of a credential",
            "write the NAME of LoadCredential=NAME:PATH in the unit",
        ));
    }
    let directory = surroundings.credentials.as_ref().ok_or_else(|| {
        ValueError::new(
            "there are no credentials: CREDENTIALS_DIRECTORY is not set",
            "systemd sets it only for a unit with LoadCredential= or LoadCredentialEncrypted=; see systemd.exec(5)",
        )
    })?;
    Ok(directory.join(name))
}

fn from_file(diagnostics: &mut Diagnostics, path: &Path) -> Result<Secret, ValueError> {
    let name = file::named(path);
    let contents = file::read(path).map_err(|why| ValueError::bare(format!("cannot read {name}: {why}")))?;
    if let Some(who) = contents.access.readers() {
        diagnostics.warn(format!("{name} holds a password, and {who}: chmod 600 {name}"));
    }
    let text = String::from_utf8(contents.bytes);
    let text = text.map_err(|_| ValueError::bare(format!("{name} is not UTF-8")))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    secret(line.strip_suffix('\r').unwrap_or(line), &name)
}

fn secret(text: &str, origin: &str) -> Result<Secret, ValueError> {
    if text.is_empty() {
        return Err(ValueError::bare(format!("{origin} is empty")));
    }
    if text.contains(char::is_control) {
        return Err(ValueError::new(
            format!("{origin} has a control character"),
            "write one line with only the password",
        ));
    }
    Ok(Secret::new(text.to_owned()))
}

/// Whether the table has a password, valid or not.
pub(super) fn has_password(table: &Table) -> bool {
    FORMS.iter().any(|form| table.has(form))
}

/// Whether the file itself holds the password.
pub(super) fn is_literal(table: &Table) -> bool {
    table
        .value("password")
        .is_some_and(|value| matches!(value.get_ref(), DeValue::String(_)))
}
