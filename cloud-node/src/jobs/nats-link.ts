import { JetStreamApiError, type JetStreamClient, type JetStreamManager, jetstream } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { JetStreamWrites } from "./jetstream-writes.ts";
import { JobError } from "./job-error.ts";
import { maskedUrl } from "./masked-url.ts";

/** A connection to NATS, and what jobs and blobs need to know of it. */
export interface NatsLink {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly writes: JetStreamWrites;
  /** Servers that are to have a copy of everything. */
  readonly replicas: 1 | 3;
  /** What everything of ours begins with, so that others may use the same servers. */
  readonly prefix: string;
}

const URL = /^(nats|tls):\/\/(?:([^@/]*)@)?([^@/?#\s]+)\/?$/;
const PREFIX = "lockstep";
/** How long an answer is waited for; an election takes less. */
const ANSWER_MS = 3_000;
const RECONNECT_MS = 250;
/** Of the errors of JetStream: a message is not the last of its subject any more. */
const WRONG_LAST = new Set([10_071, 10_164]);
const NO_ROOM = new Set([10_023, 10_028, 10_047, 10_077]);
/** There is no message of that number. */
const GONE = new Set([10_043, 10_057]);

/**
 * Connect to NATS; once connected it comes back by itself, whatever goes away.
 *
 * @param url  `nats://[USER:PASSWORD@|TOKEN@]HOST:PORT[,HOST:PORT…]`, or `tls://…`
 * @throws {JobError} `bad-queue` for another URL, `queue-away`
 */
export async function openNatsLink(url: string): Promise<NatsLink> {
  const [, scheme, login, hosts = ""] = URL.exec(url) ?? [];
  if (scheme === undefined) {
    throw new JobError("bad-queue", `queue ${maskedUrl(url)}`, "give nats://HOST:PORT[,HOST:PORT…]");
  }
  return onNats(hosts, async () => {
    const connection = await connect({
      servers: hosts.split(","),
      ...loginOf(login),
      ...(scheme === "tls" ? { tls: {} } : {}),
      timeout: ANSWER_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      // Made for every question, whether it fails or not; what fails is told with its place by whoever asked.
      noAsyncTraces: true,
    });
    try {
      const js = jetstream(connection, { timeout: ANSWER_MS });
      const jsm = await js.jetstreamManager();
      const writes = new JetStreamWrites(connection, ANSWER_MS);
      return { connection, js, jsm, writes, replicas: connection.info?.cluster === undefined ? 1 : 3, prefix: PREFIX };
    } catch (error) {
      await connection.close();
      throw error;
    }
  });
}

function loginOf(login: string | undefined): { user?: string; pass?: string; token?: string } {
  if (login === undefined) return {};
  const [user = "", ...rest] = login.split(":").map(decodeURIComponent);
  return rest.length === 0 ? { token: user } : { user, pass: rest.join(":") };
}

/**
 * Ask something of NATS.
 *
 * @throws {JobError} `disk-full`, else `queue-away` for whatever NATS says, or where it says nothing
 */
export async function onNats<Result>(where: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof JobError) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    if (cause instanceof JetStreamApiError && NO_ROOM.has(cause.code)) {
      throw new JobError("disk-full", `${where} has no room left (${detail})`, "make room and try again", { cause });
    }
    throw new JobError("queue-away", `${where} (${detail})`, "look at the servers, and try again", { cause });
  }
}

/** Whether somebody else wrote first. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof JetStreamApiError && WRONG_LAST.has(error.code);
}

/**
 * Forget one revision of a key, and no other one, without a mark that it was there: whoever writes first then writes as
 * if it never had been.
 *
 * @param bucket  the stream of a key-value bucket that keeps one revision of a key
 * @returns false: it was changed since, or is gone already
 */
export async function forgetRevision({ jsm }: NatsLink, bucket: string, revision: number): Promise<boolean> {
  try {
    return await jsm.streams.deleteMessage(bucket, revision, false);
  } catch (error) {
    if (error instanceof JetStreamApiError && GONE.has(error.code)) return false;
    throw error;
  }
}
