//! From the configuration to a store that can be asked.

use super::StoreConfig;
use store::etcd::Etcd;
use store::postgresql::PostgreSql;
use store::redis::Redis;
use store::{Failure, Store};

/// The client of the configured store. Connects to nothing yet.
///
/// # Errors
/// Certificates or keys that cannot be used.
pub(crate) fn open(config: &StoreConfig) -> Result<Box<dyn Store>, Failure> {
    Ok(match config {
        StoreConfig::Etcd(settings) => Box::new(Etcd::new(settings.clone())?),
        StoreConfig::PostgreSql(settings) => Box::new(PostgreSql::new(settings.clone())?),
        StoreConfig::Redis(settings) => Box::new(Redis::new(settings.clone())?),
    })
}
