//! One connection to one server, opened and checked.

use super::Master;
use super::error::Error;
use super::inspector::Elements;
use super::script::Scripts;
use crate::dial::{Bounded, Server};
use crate::watch_stream::Task;
use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::{AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo};
use std::sync::Arc;

/// The oldest major version that executes the scripts.
const OLDEST: u32 = 6;

/// A connection whose bytes a task moves, and which never reconnects. Dropping it closes it, whatever it waits for.
pub(super) struct Session {
    pub(super) connection: MultiplexedConnection,
    pub(super) driver: Task<()>,
    pub(super) scripts: Arc<Scripts>,
}

impl Session {
    /// Connects to this server, and checks that it is a master. `pushed` gets what the server sends unasked, which needs the
    /// newer protocol.
    pub(super) async fn open<T: AsyncPushSender>(
        master: &Master,
        server: &Server,
        pushed: Option<T>,
    ) -> Result<Self, crate::Error> {
        let stream = server.connect(master.tls.as_ref()).await?;
        let stream = Bounded::new(stream, Elements::default());
        // The caller sets the time limits.
        let mut config = AsyncConnectionConfig::new().set_response_timeout(None);
        let mut info = master.connection_info();
        if let Some(pushed) = pushed {
            config = config.set_push_sender(pushed);
            info = info.set_protocol(ProtocolVersion::RESP3);
        }
        let (connection, driver) = MultiplexedConnection::new_with_config(&info, stream, config).await?;
        let mut session = Self {
            connection,
            driver: Task::new(driver),
            scripts: Arc::clone(&master.scripts),
        };
        let info: String = redis::cmd("INFO").query_async(&mut session.connection).await?;
        check_server(&info)?;
        Ok(session)
    }
}

/// The value of a field in the text of INFO.
pub(super) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim_end)
}

/// Checks that this server can keep the lease's records.
fn check_server(info: &str) -> Result<(), Error> {
    if field(info, "redis_mode") == Some("sentinel") {
        return Err(Error::Sentinel);
    }
    if field(info, "cluster_enabled") == Some("1") || field(info, "redis_mode") == Some("cluster") {
        return Err(Error::Cluster);
    }
    let version = field(info, "redis_version").unwrap_or("?");
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST) {
        return Err(Error::TooOld(version.to_owned()));
    }
    match field(info, "role") {
        Some("master") => Ok(()),
        Some("slave") => Err(Error::Replica),
        _ => Err(Error::UnknownRole),
    }
}

impl Master {
    fn connection_info(&self) -> RedisConnectionInfo {
        let mut info = RedisConnectionInfo::default()
            .set_db(self.database.into())
            .set_skip_set_lib_name();
        if let Some(login) = &self.login {
            if !login.user.is_empty() {
                info = info.set_username(&login.user);
            }
            if let Some(password) = &login.password {
                info = info.set_password(password.reveal());
            }
        }
        info
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(info: &str) -> String {
        check_server(info).map_or_else(|error| crate::Error::from(error).what(), |()| "good".to_owned())
    }

    #[test]
    fn only_a_master_of_a_known_version_is_accepted() {
        assert_eq!(
            verdict("redis_version:6.0.16\r\nrole:master\r\ncluster_enabled:0\r\n"),
            "good"
        );
        assert_eq!(
            verdict("redis_version:7.2.4\r\nvalkey_version:8.1.1\r\nrole:master\r\n"),
            "good"
        );
        assert_eq!(
            verdict("redis_version:7.0.15\r\nrole:slave\r\n"),
            "this server is a replica"
        );
        assert_eq!(
            verdict("redis_version:5.0.14\r\nrole:master\r\n"),
            "this is Redis 5.0.14"
        );
        assert_eq!(verdict("role:master\r\n"), "this is Redis ?");
        assert_eq!(
            verdict("redis_version:7.0.15\r\nredis_mode:sentinel\r\n"),
            "this server is a Sentinel"
        );
        assert_eq!(
            verdict("redis_version:7.0.15\r\nrole:master\r\ncluster_enabled:1\r\n"),
            "this server is part of a Redis Cluster"
        );
        assert_eq!(
            verdict("redis_version:7.0.15\r\n"),
            "INFO does not say whether this server is a master"
        );
    }
}
