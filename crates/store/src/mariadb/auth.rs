//! The proofs of a password. None of them reveals it; methods that send the password itself are used only where nobody else can
//! see it.

use super::error::Error;
use ring::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

/// The length of the server's random bytes.
pub(super) const CHALLENGE: usize = 20;

/// The name of a server's plugin for its users' passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// MariaDB's usual one: SHA-1.
    Native,
    /// MySQL's usual one: SHA-256. The server may ask for the password itself, if it has not seen it since its start.
    Sha2,
    /// The password itself, for the server's PAM.
    ClearText,
}

pub(super) const NATIVE: &str = "mysql_native_password";
const SHA2: &str = "caching_sha2_password";
const CLEAR_TEXT: &str = "mysql_clear_password";

impl Method {
    pub(super) fn of_plugin(name: &[u8]) -> Option<Self> {
        let known = [
            (NATIVE, Self::Native),
            (SHA2, Self::Sha2),
            (CLEAR_TEXT, Self::ClearText),
        ];
        let found = known.into_iter().find(|(plugin, _)| plugin.as_bytes() == name);
        found.map(|(_, method)| method)
    }

    pub(super) const fn plugin(self) -> &'static str {
        match self {
            Self::Native => NATIVE,
            Self::Sha2 => SHA2,
            Self::ClearText => CLEAR_TEXT,
        }
    }

    /// What the client sends for this challenge. `is_exposed` says whether others could see it.
    pub(super) fn response(self, password: &str, challenge: &[u8], is_exposed: bool) -> Result<Vec<u8>, Error> {
        match self {
            Self::ClearText => itself(password, is_exposed),
            // The server knows a user without a password by an empty response.
            _ if password.is_empty() => Ok(Vec::new()),
            Self::Native => Ok(native(password.as_bytes(), challenge)),
            Self::Sha2 => Ok(sha2(password.as_bytes(), challenge)),
        }
    }
}

/// The password itself, if nobody else can see it.
pub(super) fn itself(password: &str, is_exposed: bool) -> Result<Vec<u8>, Error> {
    if is_exposed {
        return Err(Error::ExposedPassword);
    }
    Ok([password.as_bytes(), b"\0"].concat())
}

/// SHA1(password) XOR SHA1(challenge, SHA1(SHA1(password))).
fn native(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    let once = digest(&SHA1_FOR_LEGACY_USE_ONLY, password);
    let twice = digest(&SHA1_FOR_LEGACY_USE_ONLY, once.as_ref());
    masked(&SHA1_FOR_LEGACY_USE_ONLY, once.as_ref(), [challenge, twice.as_ref()])
}

/// SHA256(password) XOR SHA256(SHA256(SHA256(password)), challenge).
fn sha2(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    let once = digest(&SHA256, password);
    let twice = digest(&SHA256, once.as_ref());
    masked(&SHA256, once.as_ref(), [twice.as_ref(), challenge])
}

fn masked(algorithm: &'static Algorithm, secret: &[u8], mask: [&[u8]; 2]) -> Vec<u8> {
    let mut context = Context::new(algorithm);
    for part in mask {
        context.update(part);
    }
    let mask = context.finish();
    secret
        .iter()
        .zip(mask.as_ref())
        .map(|(byte, mask)| byte ^ mask)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &[u8] = b"01234567890123456789";

    fn hexadecimal(bytes: &[u8]) -> String {
        let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    }

    /// The expected values were computed with Python's hashlib.
    #[test]
    fn proofs_are_those_of_the_protocol() {
        let native = Method::Native.response("secret", CHALLENGE, true).expect("a proof");
        assert_eq!(hexadecimal(&native), "7abe1a8776b59e931059451f81e596a60dbbf7a8");
        let sha2 = Method::Sha2.response("secret", CHALLENGE, true).expect("a proof");
        assert_eq!(
            hexadecimal(&sha2),
            "1a2da2573c2faa367e2afddb54cdfd11a95ed22eef0167151196a6fc8e3d3813"
        );
    }

    #[test]
    fn the_password_itself_is_sent_only_where_nobody_else_can_see_it() {
        assert!(Method::ClearText.response("secret", CHALLENGE, true).is_err());
        let sent = Method::ClearText.response("secret", CHALLENGE, false);
        assert_eq!(sent.expect("not exposed"), b"secret\0");
    }

    #[test]
    fn no_password_is_an_empty_proof() {
        for method in [Method::Native, Method::Sha2] {
            assert_eq!(method.response("", CHALLENGE, true).expect("a proof"), b"");
            assert_eq!(Method::of_plugin(method.plugin().as_bytes()), Some(method));
        }
        assert_eq!(Method::of_plugin(b"dialog"), None);
    }
}
