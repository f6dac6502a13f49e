//! The log-in.

use super::Primary;
use super::answer::{DONE, END, ERROR, reply};
use super::auth::{self, CHALLENGE, Method};
use super::bytes::Bytes;
use super::error::Error;
use super::wire::Wire;
use crate::Secret;
use crate::dial::{Address, Server, Stream};
use tokio::io::BufReader;

const VERSION: u8 = 10;

/// What both sides can do.
mod capability {
    /// MariaDB leaves it out, to say that it is not MySQL.
    pub(super) const LONG_PASSWORD: u64 = 1;
    pub(super) const CONNECT_WITH_DATABASE: u64 = 1 << 3;
    pub(super) const PROTOCOL_41: u64 = 1 << 9;
    pub(super) const TLS: u64 = 1 << 11;
    pub(super) const TRANSACTIONS: u64 = 1 << 13;
    pub(super) const SECURE_CONNECTION: u64 = 1 << 15;
    pub(super) const PLUGIN: u64 = 1 << 19;

    /// What a server must be able to do, as all versions since 5.5 can. Files and several statements at once are left out.
    pub(super) const NEEDED: u64 = CONNECT_WITH_DATABASE | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | PLUGIN;
}

/// The longest packet that the client would receive, as it says to the server.
const LONGEST: u32 = 16 << 20;
/// utf8mb4_general_ci. The statements have only ASCII characters; the server's messages may have others.
const COLLATION: u8 = 45;
/// How many packets a log-in may have. The longest has some three.
const MOST_STEPS: usize = 10;

/// A connection after the log-in.
pub(super) type Connected = Wire<BufReader<Stream>>;

/// The server's first packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) capabilities: u64,
    pub(super) challenge: Vec<u8>,
    pub(super) plugin: Vec<u8>,
}

impl Greeting {
    pub(super) fn parse(packet: &[u8]) -> Result<Self, crate::Error> {
        if packet.first() == Some(&ERROR) {
            return Err(reply(packet));
        }
        let mut bytes = Bytes(packet);
        if bytes.byte()? != VERSION {
            return Err(Error::NotMariaDb.into());
        }
        bytes.until_zero(); // the server's version
        bytes.number(4)?; // the connection's number
        let first = bytes.take(8)?;
        bytes.byte()?;
        let low = bytes.number(2)?;
        bytes.number(3)?; // collation and status
        let capabilities = low | bytes.number(2)? << 16;
        bytes.take(11)?; // a length that is always the same, and nothing
        if capabilities & capability::NEEDED != capability::NEEDED {
            return Err(Error::NotMariaDb.into());
        }
        let rest = bytes.take(CHALLENGE - first.len())?;
        bytes.byte()?;
        Ok(Self {
            capabilities,
            challenge: [first, rest].concat(),
            plugin: bytes.until_zero().to_vec(),
        })
    }
}

/// Connects and logs in.
pub(super) async fn log_in(primary: &Primary, server: &Server) -> Result<Connected, crate::Error> {
    let mut wire = Wire::new(server.connect_plain().await?);
    let greeting = Greeting::parse(&wire.receive().await?)?;
    let mut is_exposed = matches!(server.address, Address::Tcp { .. });
    let mut capabilities = capability::NEEDED | capability::LONG_PASSWORD;
    // There is no TLS over a socket in the file system, to which no network can listen.
    if let (Some(tls), Address::Tcp { host, .. }) = (&primary.tls, &server.address) {
        if greeting.capabilities & capability::TLS == 0 {
            return Err(Error::NoTls.into());
        }
        capabilities |= capability::TLS;
        wire.send(&preface(capabilities)).await?;
        wire = wire.upgraded(|stream| tls.wrap(host, stream)).await?;
        is_exposed = false;
    }
    let mut wire = wire.upgraded(async |stream| Ok(BufReader::new(stream))).await?;
    let login = primary.login.as_ref();
    let user = login.map_or("", |login| login.user.as_str());
    let password = login
        .and_then(|login| login.password.as_ref())
        .map_or("", Secret::reveal);
    // With another plugin, the server asks for another response. The password itself is only sent when it does so.
    let method = Method::of_plugin(&greeting.plugin).filter(|method| *method != Method::ClearText);
    let method = method.unwrap_or(Method::Native);
    let response = method.response(password, &greeting.challenge, is_exposed)?;
    let mut packet = preface(capabilities);
    packet.extend(terminated(user)?);
    packet.push(u8::try_from(response.len()).unwrap_or_default());
    packet.extend(response);
    packet.extend(terminated(&primary.database)?);
    packet.extend(terminated(method.plugin())?);
    wire.send(&packet).await?;
    prove(&mut wire, password, Some(method), is_exposed).await?;
    Ok(wire)
}

/// Answers the server until it lets the client in.
async fn prove(
    wire: &mut Connected,
    password: &str,
    mut method: Option<Method>,
    is_exposed: bool,
) -> Result<(), crate::Error> {
    const MORE: u8 = 1;
    const KNOWN: u8 = 3;
    const UNKNOWN: u8 = 4;
    for _ in 0..MOST_STEPS {
        let packet = wire.receive().await?;
        match packet[..] {
            [DONE, ..] => return Ok(()),
            [ERROR, ..] => return Err(reply(&packet)),
            [END, ..] => {
                let (other, challenge) = other_method(&packet)?;
                method = Some(other);
                wire.send(&other.response(password, challenge, is_exposed)?).await?;
            }
            // The server remembers the proof of an earlier log-in, and says in the next packet whether this one is right.
            [MORE, KNOWN] if method == Some(Method::Sha2) => {}
            [MORE, UNKNOWN] if method == Some(Method::Sha2) => {
                wire.send(&auth::itself(password, is_exposed)?).await?;
            }
            _ => return Err(Error::NotMariaDb.into()),
        }
    }
    Err(Error::NotMariaDb.into())
}

/// The method to which the server wants to change, and its challenge.
fn other_method(packet: &[u8]) -> Result<(Method, &[u8]), Error> {
    let mut bytes = Bytes(&packet[1..]);
    let plugin = bytes.until_zero();
    let challenge = bytes.0.get(..CHALLENGE).unwrap_or_default();
    let method =
        Method::of_plugin(plugin).ok_or_else(|| Error::UnknownMethod(String::from_utf8_lossy(plugin).into()))?;
    Ok((method, challenge))
}

/// What a response begins with, and the whole of the request for TLS.
fn preface(capabilities: u64) -> Vec<u8> {
    let capabilities = u32::try_from(capabilities).unwrap_or_default();
    [
        &capabilities.to_le_bytes()[..],
        &LONGEST.to_le_bytes(),
        &[COLLATION],
        &[0; 23],
    ]
    .concat()
}

fn terminated(text: &str) -> Result<Vec<u8>, crate::Error> {
    if text.contains('\0') {
        return Err(crate::Error::Settings {
            setting: format!("{text:?}"),
            problem: "not the name of a user or a database".to_owned(),
            help: None,
        });
    }
    Ok([text.as_bytes(), b"\0"].concat())
}
