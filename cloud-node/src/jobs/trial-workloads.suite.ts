/** Workloads that behave, and workloads that do not: what a worker's threads load in tests. */
import { appendFileSync, existsSync, readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import * as v from "valibot";
import type { JobProgress, JsonObject } from "./job.ts";
import type { JobError } from "./job-error.ts";
import type { JobContext, Workload } from "./workload.ts";
import type { WorkloadRegistry } from "./workload-registry.ts";

const anything = v.record(v.string(), v.any());

function trial(name: string, run: (params: JsonObject, context: JobContext) => Promise<JsonObject>): Workload {
  return { name, summary: name, params: anything, result: anything, run };
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function text(source: AsyncIterable<Uint8Array>): Promise<string> {
  return (await buffer(source)).toString();
}

/** Until somebody wants it to end. */
function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });
}

const echo: Workload = {
  name: "echo",
  summary: "gives its parameters back",
  params: v.strictObject({ count: v.number(), list: v.exactOptional(v.array(v.object({ x: v.string() }))) }),
  result: v.strictObject({ count: v.number() }),
  run: async ({ count }) => ({ count: count ?? 0 }),
};

const TRIALS: readonly Workload[] = [
  echo,
  trial("copies", async (_params, context) => {
    let bytes = 0;
    for (const input of context.inputs) {
      const seen = async function* () {
        for await (const chunk of context.read(input)) {
          bytes += chunk.length;
          yield chunk;
        }
      };
      await context.write(`${input.name}.read`, seen());
      await context.writeFile(`${input.name}.file`, await context.file(input));
    }
    await writeFile(join(context.scratch, "own"), "x");
    return { bytes, scratch: context.scratch, entries: readdirSync(context.scratch).sort() };
  }),
  trial("facts", async (_params, context) => ({
    jobId: context.jobId,
    attempt: context.attempt,
    numbers: [context.random(), context.random(), context.random()],
    isTime: Math.abs(context.nowMs() - Date.now()) < 60_000,
    isShared: context.channel !== undefined,
    environment: Object.keys(process.env),
  })),
  trial("crashes", async () => {
    setImmediate(() => {
      throw new RangeError("out of its mind");
    });
    await setTimeout(60_000);
    return {};
  }),
  trial("exits", async () => process.exit(7)),
  trial("rejects", async () => {
    void Promise.reject(new RangeError("nobody looks"));
    await setTimeout(60_000);
    return {};
  }),
  trial("spins", async (_params, context) => {
    context.log("spins");
    for (;;);
  }),
  trial("spins-and-tells", async (_params, context) => {
    for (let i = 0; !context.signal.aborted; i++) context.progress({ note: `turn ${i}` });
    return { reason: String((context.signal.reason as Error).message) };
  }),
  trial("ignores", async (_params, context) => {
    context.log("ignores");
    await setTimeout(60_000);
    return {};
  }),
  trial("waits", async (_params, context) => {
    await writeFile(join(context.scratch, "own"), "x");
    context.log("waits");
    await ended(context.signal);
    throw context.signal.reason;
  }),
  trial("says", async (_params, context) => {
    context.log("says");
    return {};
  }),
  trial("finishes", async (_params, context) => {
    context.log("waits");
    await ended(context.signal);
    return { finished: true };
  }),
  trial("eats-heap", async () => {
    const all: number[][] = [];
    for (;;) all.push(Array.from({ length: 100_000 }, (_, i) => i + all.length));
  }),
  trial("eats-buffers", async (_params, context) => {
    const all: Buffer[] = [];
    for (;;) {
      all.push(Buffer.alloc(4 << 20, 1));
      context.progress({ metrics: { all: all.length } });
      await setTimeout(5);
    }
  }),
  trial("throws", ({ what }) => {
    const things: Record<string, unknown> = {
      error: new RangeError("three is too many"),
      text: "a text",
      null: null,
      undefined: undefined,
      object: { a: 1 },
      long: new RangeError("x".repeat(10_000)),
      nasty: Object.defineProperty(new RangeError(), "message", {
        get: () => {
          throw new RangeError("not to be looked at");
        },
      }),
    };
    return Promise.reject(things[String(what)]);
  }),
  trial("answers", async ({ what, bytes }) => {
    const things: Record<string, unknown> = {
      long: { text: "x".repeat(Number(bytes)) },
      nothing: undefined,
      cycle: (() => {
        const object: Record<string, unknown> = {};
        object.self = object;
        return object;
      })(),
      big: { value: 1n },
      half: { text: "\ud800" },
      deep: JSON.parse(`${'{"a":'.repeat(40)}{}${"}".repeat(40)}`),
    };
    return things[String(what)] as JsonObject;
  }),
  { ...trial("promises", async () => ({ count: Number.NaN })), result: v.strictObject({ count: v.number() }) },
  trial("outputs", async ({ count, names = [] }, context) => {
    for (let i = 0; i < Number(count); i++) await context.write(`output-${i}`, pieces(String(i)));
    for (const name of names as string[]) await context.write(name, pieces("x"));
    return {};
  }),
  trial("breaks-off", async (_params, context) => {
    const broken = async function* () {
      yield Buffer.from("begun");
      throw new RangeError("the source broke");
    };
    return { answer: await context.write("broken", broken()).then(String, (error: Error) => error.message) };
  }),
  trial("steps", async ({ file, until, gate, pauseMs = 0 }, context) => {
    const before = context.resume();
    const from = before === undefined ? 0 : Number(await text(before));
    appendFileSync(String(file), `attempt ${context.attempt} from ${from}\n`);
    for (let step = from + 1; step <= 4; step++) {
      await context.checkpoint(pieces(String(step)));
      appendFileSync(`${file}-kept`, `${step}\n`);
      if (before === undefined) await setTimeout(Number(pauseMs));
      while (typeof gate === "string" && !existsSync(gate)) await setTimeout(5);
      if (step === Number(until) && before === undefined) throw new RangeError(`stopped at ${step}`);
    }
    return { from };
  }),
  trial("chatters", async ({ until, isLogging }, context) => {
    let said = 0;
    for (; !existsSync(String(until)); said++) {
      if (isLogging === true) context.log(`line ${said}\nof many`);
      else context.progress({ fraction: said / 1e9, note: `${said}` });
      if (said % 100 === 0) await setTimeout(1);
    }
    context.progress({ fraction: 7, note: "end", metrics: { said, bad: Number.NaN } });
    return { said };
  }),
  trial("tells-nonsense", async ({ what }, context) => {
    const things: Record<string, unknown> = {
      note: { fraction: 0.5, note: undefined },
      number: { fraction: 0.5, note: 5, metrics: { good: 1, text: "2", none: null } },
      metrics: { fraction: 0.5, metrics: null },
      fraction: { fraction: "half" },
      uncloned: { fraction: 0.5, metrics: { act: () => 1 } },
      nothing: null,
    };
    context.progress(things[String(what)] as Partial<JobProgress>);
    return {};
  }),
  trial("leaves-reads", async ({ file }, context) => {
    const read = async () => {
      for (const input of context.inputs) for await (const _ of context.read(input));
    };
    const say = (how: string) => appendFileSync(String(file), `${how}\n`);
    // Not before `run` has returned.
    const readLater = async () => {
      for (let i = 0; i < 5; i++) {
        await setTimeout(2);
        await read().then(
          () => say("read"),
          ({ code }: JobError) => say(code),
        );
      }
    };
    void readLater();
    return {};
  }),
  trial("leaves-work", async (_params, context) => {
    setInterval(() => context.progress({ note: "still here" }), 1);
    return {};
  }),
  { ...trial("talks", (params, context) => talk(params, context)), workers: ({ count }) => Number(count) },
];

/** Workers of one job that send each other what a test wants. */
async function talk({ how, bytes = 0 }: JsonObject, context: JobContext): Promise<JsonObject> {
  const { channel, signal } = context;
  if (channel === undefined) return { alone: true };
  const { index, count } = channel;
  const others = Array.from({ length: count }, (_, place) => place).filter((place) => place !== index);
  if (how === "leave" && index === 1) return {};
  if (how === "crash" && index === 1) process.exit(3);
  if (how === "hang") {
    context.log("hangs");
    await ended(signal);
    throw signal.reason;
  }
  const staying = others.filter((place) => place !== 1 || how === "stay");
  for (const to of staying) {
    for (let i = 0; i < MESSAGES; i++) await channel.send(to, Buffer.alloc(Number(bytes), 16 * index + i));
  }
  const heard: string[] = [];
  const reports: string[] = [];
  let isOver = false;
  const isComplete = () => heard.length === MESSAGES * staying.length + others.length - staying.length;
  while (index === 0 ? !isComplete() || reports.length < staying.length : !isOver) {
    const next = await channel.receive();
    if (next.kind !== "message") heard.push(`${next.kind} ${next.from}`);
    else if (next.message[0] === REPORT) reports.push(Buffer.from(next.message.subarray(1)).toString());
    else if (next.message[0] === OVER) isOver = true;
    else heard.push(`${next.message.length} of ${next.message[0] ?? "none"} from ${next.from}`);
    if (index === 0 || isOver || !isComplete()) continue;
    const report = Buffer.from(JSON.stringify({ index, heard: heard.sort() }));
    await channel.send(0, Buffer.concat([Buffer.of(REPORT), report]));
  }
  if (index === 0) for (const to of staying) await channel.send(to, Buffer.of(OVER));
  return { heard: heard.sort(), reports: reports.sort().map((report) => JSON.parse(report)) };
}

const MESSAGES = 3;
/** First bytes that no message of `talk` has. */
const REPORT = 0xfe;
const OVER = 0xff;

export const WORKLOADS: WorkloadRegistry = {
  ...Object.fromEntries(TRIALS.map((workload) => [workload.name, async () => workload])),
  "cannot-load": async () => {
    await readFile("/no/such/file");
    return echo;
  },
};

export const TRIALS_URL = import.meta.url;
