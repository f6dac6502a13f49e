-- The table in which rcrond(8) keeps its records: some lines for each node and each cluster, each far below a kilobyte.
--
-- `rcrond --init-store` executes this if rcrond's user may create tables. Otherwise an administrator of the database does, once:
--
--     mariadb DATABASE <rcrond-mariadb.sql
--
-- MariaDB 10.5 or later, or MySQL 8.0 or later. A table that exists is left as it is. If you choose another name, write it into
-- rcrond.toml as `table`.
--
-- All that rcrond's own user needs:
--
--     CREATE USER rcron@'192.0.2.%' IDENTIFIED BY '...';
--     GRANT SELECT, INSERT, UPDATE ON DATABASE.rcron TO rcron@'192.0.2.%';
--
-- Do not give it SUPER or READ ONLY ADMIN: with these, a server that has become a replica would still accept its writes.

CREATE TABLE IF NOT EXISTS rcron (
    `key`   VARBINARY(3072) NOT NULL PRIMARY KEY, -- the row with the empty key identifies the table and counts its changes
    version BIGINT NOT NULL,                      -- random, drawn anew for each write
    value   MEDIUMBLOB NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
