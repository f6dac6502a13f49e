//! One connection to one server, opened and looked over.

use super::{Inner, trouble};
use crate::Failure;
use crate::dial::{self, Address};
use crate::ear::Task;
use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::{AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo};

/// The oldest version whose scripts are known to do.
const OLDEST: u32 = 6;

/// A connection that is being driven, and never reconnects; closed when dropped, whatever it waits for.
pub(super) struct Link {
    pub(super) server: String,
    pub(super) connection: MultiplexedConnection,
    pub(super) driver: Task,
}

/// Opens one to the server of this number, if that is a master. What is told unasked goes to `told`: that needs the newer protocol.
pub(super) async fn open<T: AsyncPushSender>(inner: &Inner, number: usize, told: Option<T>) -> Result<Link, Failure> {
    let server = &inner.settings.servers[number];
    let address = &inner.addresses[number];
    let broken = |error| trouble::failure(server, &error);
    let mut stream = address.reach().await.map_err(|error| dial::unreached(server, &error))?;
    if let (Some(tls), Address::Tcp { host, .. }) = (&inner.tls, address) {
        stream = tls.wrap(server, host, stream).await?;
    }
    // Time limits are the caller's.
    let mut config = AsyncConnectionConfig::new().set_response_timeout(None);
    let mut info = inner.info();
    if let Some(told) = told {
        config = config.set_push_sender(told);
        info = info.set_protocol(ProtocolVersion::RESP3);
    }
    let opened = MultiplexedConnection::new_with_config(&info, stream, config).await;
    let (connection, driver) = opened.map_err(broken)?;
    let mut link = Link {
        server: server.clone(),
        connection,
        driver: Task::new(driver),
    };
    let asked: Result<String, _> = redis::cmd("INFO").query_async(&mut link.connection).await;
    suits(server, &asked.map_err(broken)?)?;
    Ok(link)
}

/// A line's value in what INFO says.
pub(super) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim_end)
}

/// Whether the lease's records may be kept there.
fn suits(server: &str, info: &str) -> Result<(), Failure> {
    let no = |what: &str, help: &str| Err(Failure::new(server, what).with_help(help));
    let version = field(info, "redis_version").unwrap_or("?");
    if field(info, "redis_mode") == Some("sentinel") {
        return no(
            "a Sentinel",
            "name the Redis servers that it watches, all of them: rcrond finds the master itself",
        );
    }
    if field(info, "cluster_enabled") == Some("1") || field(info, "redis_mode") == Some("cluster") {
        return no(
            "Redis Cluster",
            "it cannot change records on several nodes at once: use a server without cluster-enabled",
        );
    }
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST) {
        return no(
            &format!("Redis of version {version}"),
            "6.0 or later is needed, or Valkey",
        );
    }
    match field(info, "role") {
        Some("master") => Ok(()),
        Some("slave") => no(
            "a replica",
            "only the master will do: name all servers that may become it",
        ),
        _ => no(
            "INFO does not say whether it is a master",
            "rcrond needs to see what INFO replication says",
        ),
    }
}

impl Inner {
    fn info(&self) -> RedisConnectionInfo {
        let mut info = RedisConnectionInfo::default()
            .set_db(self.settings.database.into())
            .set_skip_set_lib_name();
        if let Some(login) = &self.settings.login {
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
        suits("s", info).map_or_else(|failure| failure.what, |()| "good".to_owned())
    }

    #[test]
    fn only_a_master_of_a_known_version_will_do() {
        assert_eq!(
            verdict("redis_version:6.0.16\r\nrole:master\r\ncluster_enabled:0\r\n"),
            "good"
        );
        assert_eq!(
            verdict("redis_version:7.2.4\r\nvalkey_version:8.1.1\r\nrole:master\r\n"),
            "good"
        );
        assert_eq!(verdict("redis_version:7.0.15\r\nrole:slave\r\n"), "a replica");
        assert_eq!(
            verdict("redis_version:5.0.14\r\nrole:master\r\n"),
            "Redis of version 5.0.14"
        );
        assert_eq!(verdict("role:master\r\n"), "Redis of version ?");
        assert_eq!(verdict("redis_version:7.0.15\r\nredis_mode:sentinel\r\n"), "a Sentinel");
        assert_eq!(
            verdict("redis_version:7.0.15\r\nrole:master\r\ncluster_enabled:1\r\n"),
            "Redis Cluster"
        );
        assert_eq!(
            verdict("redis_version:7.0.15\r\n"),
            "INFO does not say whether it is a master"
        );
    }
}
