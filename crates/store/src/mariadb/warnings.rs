//! What an administrator must know about a server.

use super::variables::Variables;

/// From the server's variables and its status.
pub(super) fn of(variables: &Variables, status: &Variables) -> Vec<String> {
    let replicas = status.count("slaves_connected");
    let semi_synchronous =
        status.is_on("rpl_semi_sync_master_status") && status.count("rpl_semi_sync_master_clients") > 0;
    let checks = [
        (
            variables.get("innodb_flush_log_at_trx_commit") != "1",
            "innodb_flush_log_at_trx_commit is not 1: after a crash the server may have lost what it has confirmed, and two \
             nodes can be active",
        ),
        (
            variables.is_on("log_bin") && variables.get("sync_binlog") != "1",
            "the binary log is on and sync_binlog is not 1: after a power failure the server drops what it has confirmed, if it \
             is not in the binary log, and two nodes can be active",
        ),
        (
            matches!(variables.get("innodb_doublewrite"), "OFF" | "0"),
            "innodb_doublewrite is off: a power failure may corrupt the table",
        ),
        (
            replicas > 0 && !semi_synchronous,
            "the server has replicas, but none is semi-synchronous. If one is promoted while this server still runs, both accept \
             writes, and two nodes can be active. Stop or fence the old server before each promotion",
        ),
        (
            status.count("slaves_running") > 0,
            "this server accepts writes and replicates from another: if rcrond's nodes use both, these are two stores, and two \
             nodes can be active. Set read_only on one of them",
        ),
    ];
    let found = checks.into_iter().filter(|(holds, _)| *holds);
    found.map(|(_, text)| text.to_owned()).collect()
}
