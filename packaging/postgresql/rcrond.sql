-- The table in which rcrond(8) keeps its records: some lines for each node and each cluster, each far below a kilobyte.
--
-- `rcrond --init-store` executes this, if rcrond's role may. Else the database's owner does, once:
--
--     psql --dbname=DATABASE --file=rcrond.sql
--
-- PostgreSQL 13 or later. Nothing happens to a table that is there. Another name goes into rcrond.toml as `table`.
--
-- What rcrond's own role needs, if it is not the table's owner:
--
--     CREATE ROLE rcrond LOGIN PASSWORD '...';
--     GRANT CONNECT ON DATABASE ... TO rcrond;
--     GRANT USAGE ON SCHEMA public TO rcrond;         -- the schema that the table is in
--     GRANT SELECT, INSERT, UPDATE ON rcron TO rcrond;
--
-- and EXECUTE on pg_control_system() and on the functions around pg_current_wal_flush_lsn(), as everybody has unless somebody has revoked it.

CREATE TABLE IF NOT EXISTS rcron (
    key     text COLLATE "C" PRIMARY KEY,  -- bytes in their order, not a language's
    version bigint NOT NULL,               -- random, drawn anew for each write
    value   bytea  NOT NULL
) WITH (fillfactor = 50);                  -- room for the next version of a row on its own page: rows are rewritten every few seconds
