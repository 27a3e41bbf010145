import { readFile } from "node:fs/promises";
import { DEFAULT_BAUD_RATE, openSerialPort, SerialLine, TransportError } from "@lockstep/edge-sdk";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { TruthOf } from "../api/api-node.ts";
import { maskedUrl } from "../jobs/masked-url.ts";
import type { Logger } from "../logger.ts";
import type { CloudNode } from "../node.ts";
import type { BrokerOptions } from "../node-options.ts";
import { type AccessOptions, addAccessOptions, foreignBroker, readAccess } from "./access/serve-access.ts";
import { closeWithin } from "./close-within.ts";
import { CommandError } from "./command-error.ts";
import { DEFAULT_HTTP_PORT, DEFAULT_MQTT_PORT, DEFAULT_STORE_FILE, LOOPBACK_HOST } from "./defaults.ts";
import { checkQueueUrl } from "./jobs/open-door.ts";
import type { StartedWorker, WorkerPlan } from "./jobs/start-worker.ts";
import { LOG_LEVELS } from "./log-levels.ts";
import {
  parseAckAge,
  parseName,
  parsePort,
  parsePositive,
  parsePositiveCount,
  parseSerialPort,
  parseThreads,
  type SerialPortName,
} from "./option-values.ts";
import { addRepublishOptions, openRepublisher, planRepublish, type RepublishChoice } from "./republish-options.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";
import { untilInterrupt } from "./until-interrupt.ts";

interface ServeOptions extends AccessOptions, RepublishChoice {
  readonly broker: string;
  readonly mqttPort: number;
  readonly host: string;
  readonly store: string;
  readonly keepDays?: number;
  readonly keepBytes?: number;
  readonly http?: number | false;
  readonly tcp?: number;
  readonly serial: readonly SerialPortName[];
  readonly ackEvery: number;
  readonly ackAge?: number;
  readonly threads?: number;
  readonly jobs?: string | false;
  readonly jobThreads: number;
  readonly module: readonly string[];
  readonly testTruth?: string;
  readonly untilEof?: boolean;
  readonly pageClientCert?: boolean;
  readonly pageName: readonly string[];
  readonly log: string;
  readonly json?: boolean;
}

const HELP = `
Everything listens on this machine alone unless --host says otherwise. Beyond it only devices that were added may speak
(lockstep devices add), and the page and the API are for those alone who have a token (lockstep tokens add). Port 0 takes
any free one.
With --tls-cert and --tls-key devices and browsers speak TLS 1.2 or newer (mqtts://, tls://, https://); with --tls-client-ca
too, a device may show a certificate for its name instead of its password. A foreign broker's password is in a file: see
lockstep devices mosquitto.
Devices of this release are known; those of another build are heard once their module is registered (--module).
A device keeps each frame until the node has it on disk, and its acknowledgement says so: rare ones save bytes,
frequent ones free the device's memory sooner (--ack-every, --ack-age).
History is kept for ever unless --keep-days or --keep-bytes says otherwise; the newest end of each device always is.
A serial line has one device (--serial); its port may be plugged in later, unplugged and plugged in again. unix:PATH is a
line that is a Unix socket, as QEMU's can be.
Jobs are handed in to the node's queue over its API (lockstep jobs); they are done by workers (lockstep worker), or by the
node itself with --job-threads: see docs/guides/jobs.md.
What is confirmed flows on to SCADA and dashboards with --republish: see docs/guides/sparkplug.md.
With --json one object says where it listens, once it does.

Examples:
  $ lockstep serve
  $ lockstep serve --broker mqtt://192.168.1.5:1883 --store /var/lib/lockstep.db --http 8080
  $ lockstep serve --tcp 7400 --mqtt-port 0 --json
  $ lockstep serve --host 0.0.0.0 --tls-cert node.pem --tls-key node.key --page-name twins.example.com
  $ lockstep serve --broker mqtts://lockstep-node@broker.example:8883 --broker-password-file node.password --broker-ca ca.pem
  $ lockstep serve --serial /dev/ttyACM0 --serial /dev/ttyUSB0,9600`;

/** `lockstep serve`: the cloud node. */
export function addServe(program: Command, surroundings: Surroundings): void {
  const command = program
    .command("serve")
    .summary("the cloud node: takes frames in, keeps twins, stores, shows the page")
    .description("Run the cloud node until Ctrl-C: broker, twins, store and page.")
    .option("--broker <embedded|URL>", "embedded, or any MQTT 3.1.1 broker as mqtt://HOST:PORT", "embedded")
    .option("--mqtt-port <PORT>", "port of the embedded broker", parsePort, DEFAULT_MQTT_PORT)
    .option("--tcp <PORT>", "listen for devices over plain TCP too", parsePort)
    .option(
      "--serial <PATH[,BAUD]>",
      `listen for a device on a serial port too, at ${DEFAULT_BAUD_RATE} baud unless given; may be repeated`,
      collectSerial,
      [],
    )
    .option("--host <ADDRESS>", "address to listen on; 0.0.0.0: all", LOOPBACK_HOST)
    .option("--store <FILE>", "SQLite file with everything received", DEFAULT_STORE_FILE)
    .option("--keep-days <DAYS>", "delete history that came in longer ago (default: keep all)", parsePositive)
    .option("--keep-bytes <BYTES>", "delete the oldest history while the store is larger", parsePositiveCount)
    .option("--http <PORT>", `port of the page (default: ${DEFAULT_HTTP_PORT})`, parsePort)
    .option("--no-http", "no page")
    .option("--page-name <NAME>", "a name with a dot by which the page is reached; may be repeated", collect, [])
    .option("--page-client-cert", "page and API for those alone who show a certificate of --tls-client-ca")
    .option("--group <NAME>", "first topic level of the devices", parseName, "lockstep")
    .option("--ack-every <FRAMES>", "acknowledge after so many frames", parsePositiveCount, DEFAULT_ACK_FRAMES)
    .option(
      "--ack-age <MS>",
      "and so long after the first of them at the latest, 0 to 30000 (default: six frames, 1 to 30 s)",
      parseAckAge,
    )
    .option("--threads <COUNT>", "threads that decode beside the node's own (default: by the cores)", parseThreads)
    .option("--jobs <URL>", "queue of jobs, sqlite:FILE or nats://HOST:PORT (default: STORE.jobs)")
    .option("--no-jobs", "no queue of jobs")
    .option("--job-threads <N>", "jobs that the node itself does at once", parseThreads, 0)
    .option("--module <FILE>", "register a device's module, device.wasm of another build; may be repeated", collect, [])
    .option("--test-truth <FOLDER>", "for tests: where lockstep sim says what its devices are made of")
    .option("--until-eof", "end when standard input does: for a program that starts a node, and may be killed")
    .addOption(new Option("--log <LEVEL>", "what is told on standard error").choices(LOG_LEVELS).default("info"))
    .option("--json", "one JSON object on standard output when it listens")
    .addHelpText("after", HELP);
  addAccessOptions(command);
  addRepublishOptions(command);
  command.action((options: ServeOptions) => runServe(surroundings, options));
}

/** Of the node's own default policy; here because loading the node takes longer than `--help` should. */
const DEFAULT_ACK_FRAMES = 16;
const DAY_MS = 86_400_000;

function collectSerial(text: string, before: readonly SerialPortName[]): readonly SerialPortName[] {
  const port = parseSerialPort(text);
  if (before.some(({ path }) => path === port.path)) throw new InvalidArgumentError(`${port.path} is given twice`);
  return [...before, port];
}

function collect(file: string, before: readonly string[]): readonly string[] {
  return [...before, file];
}

/** The bytes of a device's module. @throws {CommandError} `file` when they are not one */
async function readModule(file: string): Promise<Uint8Array> {
  const { loadCore, ModuleError } = await import("@lockstep/edge-sdk/core");
  const bytes = new Uint8Array(await readFile(file));
  try {
    loadCore(bytes);
  } catch (cause) {
    if (!(cause instanceof ModuleError)) throw cause;
    throw new CommandError("file", `${file} is no device module (${cause.message})`, "give device.wasm of a build", {
      cause,
    });
  }
  return bytes;
}

async function runServe(surroundings: Surroundings, options: ServeOptions): Promise<void> {
  const { clock, interrupt } = surroundings;
  const broker = brokerOptions(options);
  const access = await readAccess(options);
  if (options.pageClientCert === true && access.tls?.isMutual !== true) {
    throw new CommandError("usage", "--page-client-cert needs --tls-cert, --tls-key and --tls-client-ca", "give them");
  }
  const jobs = jobsOf(options);
  const republishPlan = await planRepublish(options);
  const { checkBooks } = await import("./access/check-books.ts");
  const tcpDoor = options.tcp === undefined ? undefined : "a TCP port for devices";
  const deviceDoor = broker.kind === "embedded" ? "the broker" : tcpDoor;
  await checkBooks({ store: options.store, host: options.host, deviceDoor, hasPage: options.http !== false });
  const { CloudNode } = await import("../node.ts");
  const { HttpServer } = await import("../api/http-server.ts");
  const { createLogger } = await import("./log.ts");
  const logger = createLogger(options.log);
  const node = await CloudNode.open({
    storeFile: options.store,
    broker,
    tcpPort: options.tcp ?? null,
    tcpHost: options.host,
    ...access,
    group: options.group,
    acks: { everyFrames: options.ackEvery, ageMs: options.ackAge },
    retention: {
      maxAgeMs: options.keepDays === undefined ? undefined : options.keepDays * DAY_MS,
      maxBytes: options.keepBytes,
    },
    modules: await Promise.all(options.module.map(readModule)),
    threads: options.threads,
    jobs,
    logger,
    clock,
  });
  let republish: Awaited<ReturnType<typeof openRepublisher>> | undefined;
  let page: Awaited<ReturnType<typeof HttpServer.open>> | undefined;
  let worker: StartedWorker | undefined;
  try {
    worker = await openWorker(node, options.jobThreads, { clock, logger });
    if (republishPlan !== undefined) republish = await openRepublisher(republishPlan, { node, clock, logger });
    const truthOf = options.testTruth === undefined ? undefined : await toldTruths(node, options.testTruth, logger);
    const http = options.http ?? DEFAULT_HTTP_PORT;
    page =
      http === false
        ? undefined
        : await openPage(HttpServer.open, {
            ...{ node, clock, logger, host: options.host, port: http, truthOf, republish },
            ...{ tls: access.tls, needsCertificate: options.pageClientCert, pageNames: options.pageName },
          });
    node.onEvent((event) => {
      if (event.kind !== "confirmed") logger.info(event, event.kind);
    });
    const { store, serial } = options;
    await attachLines(node, serial, surroundings);
    const places = {
      mqtt: node.mqttUrl,
      tcpPort: node.tcpPort,
      tls: access.tls !== undefined,
      serial,
      http: page?.url ?? null,
      jobs: jobs === undefined ? null : maskedUrl(jobs),
      store,
    };
    logger.info(places, "listening");
    if (options.json === true) await writeResult(surroundings, true, places, "");
    const end = options.untilEof === true ? AbortSignal.any([interrupt, endOf(surroundings.stdin)]) : interrupt;
    await untilInterrupt(end, clock);
    logger.info({}, "shutting down: what was taken in is committed and acknowledged first");
  } finally {
    // Whatever one of them says, the node is closed.
    const ends = async () => {
      try {
        await Promise.all([page?.close(), republish?.close(), worker?.stop()]);
      } finally {
        await node.close();
      }
    };
    await closeWithin(surroundings, ends);
  }
}

/** Where the node's queue of jobs is; undefined: it has none. @throws {CommandError} `usage` */
function jobsOf({ jobs, jobThreads, store }: ServeOptions): string | undefined {
  if (jobs === false) {
    if (jobThreads > 0) throw new CommandError("usage", "--job-threads needs a queue of jobs", "leave --no-jobs out");
    return undefined;
  }
  if (jobs !== undefined) checkQueueUrl(jobs);
  return jobs ?? `sqlite:${store}.jobs`;
}

/** The worker of the node itself; undefined: it leaves all jobs to others. */
async function openWorker(
  { jobs }: CloudNode,
  threads: number,
  around: Pick<WorkerPlan, "clock" | "logger">,
): Promise<StartedWorker | undefined> {
  if (jobs === null || threads === 0) return undefined;
  const { nodeWorker } = await import("./jobs/start-worker.ts");
  return await nodeWorker(jobs, threads, around);
}

/** Aborted once nothing more can come in. */
function endOf(input: Surroundings["stdin"]): AbortSignal {
  const ended = new AbortController();
  for (const event of ["end", "close"]) input.once(event, () => ended.abort());
  input.resume();
  return ended.signal;
}

/** The truth of simulated devices that say in a folder what they are made of. */
async function toldTruths(node: CloudNode, folder: string, logger: Logger): Promise<TruthOf> {
  const { ToldTruths } = await import("./truth/told-truths.ts");
  const truths = new ToldTruths({ folder, logger, device: (id) => node.device(id) });
  node.onEvent((event) => truths.observe(event));
  return (id) => truths.truthOf(id);
}

/**
 * Listen on serial lines. A port that is not there is waited for.
 *
 * @throws {CommandError} `usage` when there is something at its path that is no port, and never will be
 */
async function attachLines(
  node: CloudNode,
  ports: readonly SerialPortName[],
  { clock, random }: Surroundings,
): Promise<void> {
  for (const { path, baud } of ports) {
    const open = () => openSerialPort({ path, baudRate: baud, clock });
    // The line goes on with the port of this first try: on many boards, to open it twice is to reset them twice.
    let first = await open().catch((cause: unknown) => {
      // Every other problem may pass; the line tries again, and tells it.
      if (!(cause instanceof TransportError) || cause.code !== "not-a-port") return undefined;
      const remedy = "give the path of one, as /dev/ttyUSB0 or /dev/serial/by-id/…";
      throw new CommandError("usage", `--serial "${path}" is no serial port`, remedy, { cause });
    });
    const openPort = async () => {
      const port = first ?? (await open());
      first = undefined;
      return port;
    };
    node.attachLine(path, new SerialLine({ openPort, clock, random }));
  }
}

function brokerOptions({ broker, mqttPort, host, ...access }: ServeOptions): BrokerOptions {
  if (broker === "embedded") return { kind: "embedded", port: mqttPort, host };
  if (/^mqtts?:\/\/[^/]+/.test(broker)) return foreignBroker(broker, access);
  throw new CommandError("usage", `--broker "${broker}" is no broker`, "write embedded, or mqtt://HOST:PORT");
}

/** Open a page server, and say what to do about a port that is taken. */
export async function openPage<Options extends { readonly port: number }, Page>(
  open: (options: Options) => Promise<Page>,
  options: Options,
): Promise<Page> {
  try {
    return await open(options);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "EADDRINUSE" || error.code === "EACCES")))
      throw error;
    const problem = `port ${options.port} for the page ${error.code === "EACCES" ? "is not allowed" : "is in use"}`;
    throw new CommandError("port-in-use", problem, "give another with --http, or 0 for any", { cause: error });
  }
}
