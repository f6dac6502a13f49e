//! LISTEN.

use super::session::{self, Session};
use super::{Inner, sql, trouble};
use crate::ear::{self, Ear};
use crate::{Failure, Watch};

/// Listens for changes of these keys at the server of this number.
pub(super) async fn watch(inner: &Inner, number: usize, keys: &[String]) -> Result<Box<dyn Watch>, Failure> {
    let server = inner.settings.servers[number].clone();
    let (mouth, hints) = ear::hints();
    let session = session::open(inner, number, move || mouth.hint()).await?;
    // LISTEN takes one name, and no parameters. A channel's name is plain.
    let listen: Vec<_> = keys
        .iter()
        .map(|key| format!("LISTEN {}", sql::channel(&inner.settings.prefix, key)))
        .collect();
    let answer = session.client.batch_execute(&listen.join(";")).await;
    answer.map_err(|error| trouble::failure(&server, &error))?;
    inner.rotation.praise(number);
    Ok(Box::new(Ear::new(&server.clone(), hints, attend(server, session))))
}

async fn attend(server: String, Session { client, driver }: Session) -> Failure {
    let ask = async || {
        let answer = client.batch_execute("").await;
        answer.map_err(|error| trouble::failure(&server, &error))
    };
    ear::attend(&server, driver, ask).await
}
