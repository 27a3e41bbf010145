import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair } from "node:stream";
import {
  compileMacModule,
  JobClient,
  type JobClientError,
  type JobClientOptions,
  Loopback,
  mqttTransport,
  SerialLine,
  serialTransport,
  systemClock,
  systemRandom,
  type Transport,
  tcpTransport,
} from "@lockstep/edge-sdk";
import {
  type BirthFrame,
  decodeFrame,
  encodeFrame,
  encodeStreamFrame,
  type Frame,
  formatTopic,
  StreamDeframer,
} from "@lockstep/protocol";
import { connectAsync } from "mqtt";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DeviceBook } from "./access/device-book.ts";
import { makeCertificate, writeCertificate } from "./access/made-certificate.suite.ts";
import { readTlsFiles } from "./access/tls-files.ts";
import { systemClock as nodeClock } from "./clock.ts";
import { MemoryQueue } from "./ingest/memory-queue.suite.ts";
import type { JobQueue } from "./jobs/job-queue.ts";
import { SqliteQueue } from "./jobs/sqlite-queue.ts";
import { SILENT_LOGGER } from "./logger.ts";
import { CloudNode } from "./node.ts";
import type { CloudNodeOptions } from "./node-options.ts";
import { EncodedDevice } from "./reconstructor/encoded-device.suite.ts";

const ADDED = "2026-01-01T00:00:00.000Z";
const LIMIT_MS = 30_000;
const REQUEST = { workload: "telemetry", params: { eps: 0.5 } };
const MAC_WASM = new Uint8Array(readFileSync(new URL("../../edge-sdk/build/mac.wasm", import.meta.url)));

let folder = "";
let queue = new MemoryQueue();
let node: CloudNode | undefined;
let clients: JobClient[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-node-jobs-"));
  queue = new MemoryQueue();
  clients = [];
});
afterEach(async () => {
  for (const client of clients) await client.close();
  await node?.close();
  node = undefined;
  rmSync(folder, { recursive: true });
});

const storeFile = () => join(folder, "node.db");
const counted = (name: string) => node?.counters()[name] ?? 0;
const tcpUrl = () => `tcp://127.0.0.1:${node?.tcpPort}`;

async function openNode(options: Partial<CloudNodeOptions> = {}, jobs: JobQueue = queue) {
  const broker = { kind: "embedded", port: 0 } as const;
  const common = { storeFile: storeFile(), broker, tcpPort: 0, logger: SILENT_LOGGER, clock: nodeClock() };
  node = await CloudNode.openWith({ ...common, ...options }, { jobs });
  return node;
}

const around = () => ({ clock: systemClock(), random: systemRandom() });
const overTcp = (): Transport => tcpTransport({ url: tcpUrl(), ...around() });

function overMqtt(device: string, password?: string, url = node?.mqttUrl ?? ""): Transport {
  return mqttTransport({ url, group: "lockstep", device, password, ...around() });
}

function inProcess(speaker?: string): Transport {
  const loopback = new Loopback();
  node?.attach(loopback, speaker);
  return loopback.transport;
}

function overSerial(): Transport {
  const [near, far] = duplexPair();
  node?.attachLine("a line", new SerialLine({ openPort: async () => far, ...around() }));
  return serialTransport({ openPort: async () => near, ...around() });
}

async function openClient(transport: Transport, mac?: JobClientOptions["mac"]): Promise<JobClient> {
  const client = await JobClient.open({ transport, mac, ...around() });
  clients.push(client);
  return client;
}

const refusal = (promise: Promise<unknown>): Promise<JobClientError> =>
  promise.then(
    () => expect.fail("it was taken"),
    (error) => error,
  );

/** As `lockstep devices add NAME --jobs`. */
function addProgram(name: string, mayUseJobs: boolean, hasMac = false) {
  return new DeviceBook(storeFile()).add(name, { hasMac, mayUseJobs, added: ADDED });
}

test.for<[string, () => Transport]>([
  ["MQTT", () => overMqtt("planner")],
  ["TCP", overTcp],
  ["a serial line", overSerial],
  ["a loopback", () => inProcess()],
])("over %s a job is handed in, told of, and done", async ([, transport]) => {
  await openNode();
  const client = await openClient(transport());
  const job = await client.submit(REQUEST);
  expect([job.isNew, queue.jobs.get(job.id)?.params]).toEqual([true, { eps: 0.5 }]);
  const notes: string[] = [];
  const listening = (async () => {
    for await (const { note } of job.progress()) notes.push(note);
  })();
  queue.change(job.id, { state: "running", attempts: 1, progress: { fraction: 0.5, note: "half", metrics: {} } });
  await vi.waitFor(() => expect(notes).toContain("half"), LIMIT_MS);
  const outputs = [{ name: "out", sha256: "ff".repeat(32), bytes: 9 }];
  queue.change(job.id, { state: "done", result: { value: { ratio: 6.5 }, outputs } });
  expect(await job.result()).toEqual({ value: { ratio: 6.5 }, outputs });
  await listening;
  const again = await client.submit(REQUEST);
  expect([again.isNew, (await again.result()).value]).toEqual([false, { ratio: 6.5 }]);
  const other = await client.submit({ ...REQUEST, salt: "2" });
  other.cancel();
  expect((await refusal(other.result())).code).toBe("cancelled");
  await client.submit({ ...REQUEST, salt: "left" });
  expect(queue.listeners.size).toBe(1);
  await client.close();
  await vi.waitFor(() => expect(queue.listeners.size).toBe(0), LIMIT_MS);
  expect(counted("refused.unknown-device")).toBe(0);
});

test.for<[string, () => Transport]>([
  ["MQTT", () => overMqtt("planner")],
  ["TCP", overTcp],
])(
  "over %s a job outlives the node that it was handed in to, and its program hears of it",
  { timeout: 60_000 },
  async ([, transport]) => {
    const first = await openNode({ broker: { kind: "embedded", port: 0 } });
    const [mqttPort, tcpPort] = [Number(new URL(first.mqttUrl ?? "").port), first.tcpPort];
    const client = await openClient(transport());
    const job = await client.submit(REQUEST);
    await first.close();
    queue.change(job.id, { state: "done", result: { value: { after: true }, outputs: [] } });
    const meanwhile = client.submit({ ...REQUEST, salt: "while it was away" });
    await openNode({ broker: { kind: "embedded", port: mqttPort }, tcpPort });
    expect((await job.result()).value).toEqual({ after: true });
    expect((await meanwhile).isNew).toBe(true);
  },
);

test("jobs in a file are worked on by whoever opens it, and their program hears of it from the node", async () => {
  const file = join(folder, "node.db.jobs");
  const open = () => SqliteQueue.open(file, { clock: nodeClock() });
  const [inNode, inWorker] = [await open(), await open()];
  try {
    await openNode({}, inNode);
    const client = await openClient(overMqtt("planner"));
    const job = await client.submit(REQUEST);
    const lease = (await inWorker.claim(["telemetry"], "worker-1")) ?? expect.fail("nothing to do");
    expect([lease.job.id, lease.job.params]).toEqual([job.id, { eps: 0.5 }]);
    expect(await lease.extend({ fraction: 0.5, note: "half", metrics: {} })).toBe("held");
    await vi.waitFor(
      () => expect(job.standing).toMatchObject({ state: "running", fraction: 0.5, note: "half" }),
      LIMIT_MS,
    );
    const other = await client.submit({ ...REQUEST, salt: "other" });
    other.cancel();
    expect((await refusal(other.result())).code).toBe("cancelled");
    expect(await lease.done({ value: { ratio: 6.5 }, outputs: [] })).toBe(true);
    expect((await job.result()).value).toEqual({ ratio: 6.5 });
    const { facts } = await refusal(client.submit({ ...REQUEST, workload: "NO WORKLOAD" }));
    expect(facts.reason).toBe("bad-job");
  } finally {
    await node?.close();
    await inNode.close();
    await inWorker.close();
  }
});

test("a node without a queue refuses jobs by name, and everything else goes on", async () => {
  node = await CloudNode.open({
    ...{ storeFile: storeFile(), broker: null, tcpPort: 0, logger: SILENT_LOGGER, clock: nodeClock() },
  });
  const client = await openClient(overTcp());
  const { code, facts } = await refusal(client.submit(REQUEST));
  expect([code, facts.reason]).toEqual(["refused", "no-queue"]);
  expect(counted("refused.job-no-queue")).toBe(1);
});

test("once a device was added, jobs are for those that were added with --jobs, over MQTT", async () => {
  const planner = await addProgram("planner", true);
  const pump = await addProgram("pump", false);
  await openNode();
  const job = await (await openClient(overMqtt("planner", planner.secret))).submit(REQUEST);
  expect(job.isNew).toBe(true);
  const pumps = await openClient(overMqtt("pump", pump.secret));
  const { code, facts } = await refusal(pumps.submit({ ...REQUEST, salt: "pump" }));
  expect([code, facts.reason]).toEqual(["refused", "not-admitted"]);
  expect([queue.jobs.size, counted("refused.job-not-admitted")]).toEqual([1, 1]);
  queue.change(job.id, { state: "cancelled" });
  expect((await refusal(job.result())).code).toBe("cancelled");
});

test("over TCP and in process somebody without a name, or not added for it, is told so", async () => {
  await addProgram("planner", true);
  await addProgram("pump", false);
  await openNode();
  for (const transport of [overTcp(), inProcess(), inProcess("pump"), inProcess("ghost")]) {
    const { code, facts } = await refusal((await openClient(transport)).submit(REQUEST));
    expect([code, facts.reason]).toEqual(["refused", "not-admitted"]);
  }
  expect([queue.jobs.size, counted("refused.job-not-admitted")]).toEqual([0, 4]);
  expect((await (await openClient(inProcess("planner"))).submit(REQUEST)).isNew).toBe(true);
});

test("a program with a key says nothing without a MAC, and nothing else is taken in its name", async () => {
  const { secret, macKey } = await addProgram("planner", true, true);
  await openNode();
  const key = { module: compileMacModule(MAC_WASM), bytes: new Uint8Array(Buffer.from(macKey ?? "", "base64url")) };
  void (await openClient(inProcess("planner"))).submit(REQUEST).catch(() => {});
  await vi.waitFor(() => expect(counted("refused.no-mac")).toBeGreaterThan(0), LIMIT_MS);
  const wrong = { ...key, bytes: key.bytes.with(0, (key.bytes[0] ?? 0) ^ 1) };
  void (await openClient(inProcess("planner"), { device: "planner", key: wrong })).submit(REQUEST).catch(() => {});
  await vi.waitFor(() => expect(counted("refused.bad-mac")).toBeGreaterThan(0), LIMIT_MS);
  expect(queue.jobs.size).toBe(0);
  const client = await openClient(overMqtt("planner", secret), { device: "planner", key });
  const largest = { a: "x".repeat(32_000) };
  const inputs = Array.from({ length: 64 }, (_, i) => ({
    name: `${i}`.padStart(255, "n"),
    sha256: "00".repeat(32),
    bytes: 1,
  }));
  const job = await client.submit({ ...REQUEST, params: largest, inputs });
  queue.change(job.id, { state: "done", result: { value: largest, outputs: inputs } });
  expect(await job.result()).toEqual({ value: largest, outputs: inputs });
});

test("over TLS a program is known by its certificate; who is revoked hears no more of its jobs", async () => {
  const authority = makeCertificate("authority");
  const [server, client] = [makeCertificate("node", authority), makeCertificate("planner", authority)];
  await addProgram("planner", true);
  const { cert, key } = writeCertificate(folder, server);
  await openNode({
    broker: null,
    tls: readTlsFiles({ cert, key, clientCa: writeCertificate(folder, authority).cert }),
  });
  const tls = { ca: authority.certPem, cert: client.certPem, key: client.keyPem };
  const sender = await openClient(tcpTransport({ url: `tls://127.0.0.1:${node?.tcpPort}`, tls, ...around() }));
  const job = await sender.submit(REQUEST);
  expect([job.isNew, queue.listeners.size]).toEqual([true, 1]);
  await new DeviceBook(storeFile()).revoke("planner", ADDED);
  await vi.waitFor(() => expect(queue.listeners.size).toBe(0), LIMIT_MS);
});

test("what a broker kept, what workers say to each other, and answers are nobody's jobs", async () => {
  await openNode();
  const topic = formatTopic({ group: "lockstep", device: "planner", level: "jobs" });
  const params = new TextEncoder().encode("{}");
  const said = {
    kind: "job",
    op: "submit",
    nonce: 1,
    workload: "a",
    params,
    inputs: [],
    salt: "",
    attempts: 0,
  } as const;
  const client = await connectAsync(node?.mqttUrl ?? "", { protocolVersion: 4 });
  const say = (frame: Frame) => client.publishAsync(topic, Buffer.from(encodeFrame(frame)), { qos: 1 });
  await say({ kind: "exchange", job: "00".repeat(8), from: 0, to: 1, seq: 0, isLast: true, payload: params });
  await say({ kind: "result", op: "cancelled", nonce: 1, id: "00".repeat(32) });
  await vi.waitFor(() => expect(counted("refused.wrong-direction")).toBe(2), LIMIT_MS);
  await client.publishAsync(topic, Buffer.from(encodeFrame(said)), { qos: 1, retain: true });
  await vi.waitFor(() => expect(queue.jobs.size).toBe(1), LIMIT_MS);
  const url = node?.mqttUrl ?? "";
  const second = await CloudNode.openWith(
    {
      storeFile: join(folder, "second.db"),
      broker: { kind: "external", url },
      logger: SILENT_LOGGER,
      clock: nodeClock(),
    },
    { jobs: new MemoryQueue() },
  );
  try {
    await vi.waitFor(() => expect(second.counters()["refused.retained-job"]).toBe(1), LIMIT_MS);
  } finally {
    await second.close();
    await client.endAsync();
  }
}, 60_000);

test("a device may have jobs as well as a program may; of a boot that is over none is taken", async () => {
  await openNode({ broker: null });
  const { birthBytes } = new EncodedDevice(1);
  const birth = decodeFrame(birthBytes) as BirthFrame;
  const socket = connect(node?.tcpPort ?? 0, "127.0.0.1");
  const heard: Frame[] = [];
  const deframer = new StreamDeframer();
  socket.on("data", (chunk) => heard.push(...deframer.push(chunk).map(decodeFrame)));
  const say = (frame: Frame) => socket.write(encodeStreamFrame(encodeFrame(frame)));
  const boots = [birth.nonce, birth.nonce + 1];
  for (const nonce of boots) {
    say({ ...birth, nonce, epoch: 0 });
    await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ kind: "welcome", nonce }), LIMIT_MS);
  }
  for (const nonce of boots) say({ kind: "job", op: "ask", nonce, id: "00".repeat(32) });
  await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ kind: "result", nonce: birth.nonce + 1 }), LIMIT_MS);
  expect([counted("refused.stale-job"), counted("refused.job-unknown-job")]).toEqual([1, 1]);
  socket.destroy();
});

test("a connection on which jobs are all that is said is not ended for want of a birth; one of a stranger is", async () => {
  const limits = { total: 9, perAddress: 9, perLoopbackAddress: 9, firstWordMs: 300, messageMs: 60_000 };
  await openNode({ connections: limits });
  const socket = connect(node?.tcpPort ?? 0, "127.0.0.1");
  const answers: Frame[] = [];
  socket.on("data", (chunk) => answers.push(decodeFrame(chunk.subarray(2))));
  socket.write(encodeStreamFrame(encodeFrame({ kind: "job", op: "ask", nonce: 1, id: "00".repeat(32) })));
  const idle = connect(node?.tcpPort ?? 0, "127.0.0.1");
  await new Promise((resolve) => idle.once("close", resolve));
  expect(answers).toMatchObject([{ kind: "result", op: "failed", code: "unknown-job" }]);
  expect([socket.closed, counted("connections.too-slow")]).toEqual([false, 1]);
  socket.destroy();
});
