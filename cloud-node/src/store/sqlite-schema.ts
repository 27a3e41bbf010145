import type { DatabaseSync } from "node:sqlite";

/** "LSTP": tells our files from other SQLite databases. */
export const APPLICATION_ID = 0x4c535450;

/**
 * What brings a store from one version to the next; entry i makes version i + 1. Released entries never change.
 *
 * A device's key is its row in `devices`. Frames lie clustered by their key, so that a replay reads them in order, until
 * their stretch is closed: then they move into its pack, where a frame costs two bytes beside its own. What grows at many
 * places at once has no key but its row's number, which fills pages whole. Version 1 kept one snapshot per epoch and no
 * stretches: without it, an epoch is replayed from its beginning once, and divided on the way. Version 2 kept neither what
 * devices cost by time, nor the times of gaps, which are told by the frames behind them.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE store (version INTEGER NOT NULL) STRICT;
  INSERT INTO store VALUES (0);
  CREATE TABLE devices (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE births (
    device INTEGER NOT NULL,
    hash TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (device, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE epochs (
    device INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    nonce INTEGER NOT NULL,
    birth TEXT NOT NULL,
    opened_us INTEGER NOT NULL,
    PRIMARY KEY (device, epoch)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE frames (
    device INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (device, epoch, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE snapshots (
    device INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (device, epoch)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE gaps (
    device INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    through_seq INTEGER NOT NULL,
    reason TEXT NOT NULL,
    samples INTEGER NOT NULL,
    PRIMARY KEY (device, epoch, from_seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE modules (
    hash TEXT PRIMARY KEY,
    wasm BLOB NOT NULL,
    source TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE stretches (
    id INTEGER PRIMARY KEY,
    device INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    through_seq INTEGER NOT NULL,
    from_us INTEGER NOT NULL,
    to_us INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    flagged INTEGER NOT NULL,
    closed_us INTEGER NOT NULL,
    levels BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX stretches_by_place ON stretches (device, epoch, tier, from_seq);
  CREATE INDEX stretches_by_age ON stretches (closed_us) WHERE tier = 0;
  CREATE TABLE packs (
    stretch INTEGER PRIMARY KEY,
    state BLOB NOT NULL,
    frames BLOB NOT NULL
  ) STRICT;
  CREATE TABLE tails (
    device INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,
    from_us INTEGER NOT NULL,
    to_us INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    flagged INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    frame_bytes INTEGER NOT NULL,
    work INTEGER NOT NULL,
    levels BLOB NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (device, epoch)
  ) STRICT;
  CREATE TABLE expiries (
    device INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    through_seq INTEGER NOT NULL,
    PRIMARY KEY (device, epoch)
  ) STRICT, WITHOUT ROWID;
  DELETE FROM snapshots;
  `,
  `
  ALTER TABLE gaps ADD COLUMN from_us INTEGER;
  ALTER TABLE gaps ADD COLUMN to_us INTEGER;
  CREATE TABLE traffic (
    device INTEGER NOT NULL,
    minutes INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    vals INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    payload INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    socket INTEGER NOT NULL,
    packets INTEGER NOT NULL,
    counted_payload INTEGER NOT NULL,
    counted_vals INTEGER NOT NULL,
    PRIMARY KEY (device, minutes, slot)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** The schema that this release writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Bring the schema from `version` to SCHEMA_VERSION in one transaction. The database is not in WAL mode yet when new. */
export function migrate(database: DatabaseSync, version: number): void {
  if (version === SCHEMA_VERSION) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const step of MIGRATIONS.slice(version)) database.exec(step);
    database.exec(`UPDATE store SET version = ${SCHEMA_VERSION}`);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec("COMMIT");
  } catch (cause) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw cause;
  }
}
