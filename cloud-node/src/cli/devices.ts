import { rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "commander";
import { CommandError } from "./command-error.ts";
import { DEFAULT_MQTT_PORT, DEFAULT_STORE_FILE, LOOPBACK_HOST } from "./defaults.ts";
import { parseName, parsePort } from "./option-values.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";

const HELP = `
While no device was ever added, everybody who reaches a node may speak, and it listens on this machine alone. From the first
one on only those that were added may, over every transport: over MQTT by their secret, or a certificate for their name; over
TCP and serial lines by the MACs of their frames, over TCP also by a certificate. What is added or revoked here holds for a
node that is running: within a second, and with the end of a revoked device's connection. Jobs are for those that were added with --jobs.

Examples:
  $ lockstep devices add pump-1 --bundle pump-1 --url mqtts://node.example:1883 --ca ca.pem
  $ lockstep devices add planner --jobs --no-mac
  $ lockstep devices revoke pump-1
  $ lockstep devices list`;

/** `lockstep devices`: who may speak to a node, and who has. */
export function addDevices(program: Command, surroundings: Surroundings): void {
  const devices = program
    .command("devices")
    .summary("who may speak to a node, and who has")
    .description("The devices that may speak to a node, in a file beside its store; and those in the store.")
    .addHelpText("after", HELP);
  const command = (name: string, summary: string, description: string) =>
    devices
      .command(name)
      .summary(summary)
      .description(description)
      .option("--store <FILE>", "SQLite file of the node", DEFAULT_STORE_FILE)
      .option("--json", "one JSON object on standard output");
  command(
    "add",
    "let a device speak; its secrets are told once",
    "Let a device speak. Its secrets are printed, or written to a folder for its firmware, and told never again.",
  )
    .argument("<ID>", "its name", parseName)
    .option("--no-mac", "its frames have no MAC: for one that cannot compute it, over MQTT, or TCP with a certificate")
    .option("--jobs", "it may hand jobs in as well, and end them: for a program")
    .option("--bundle <FOLDER>", "write what its firmware needs there, and print no secret")
    .option("--url <URL>", "where it connects, for the bundle: mqtts://HOST:PORT, tls://HOST:PORT, …")
    .option("--ca <FILE>", "PEM of the authority that signed the node's certificate, for the bundle")
    .option("--group <NAME>", "first topic level over MQTT, for the bundle", parseName, "lockstep")
    .addHelpText("after", "\nExample:\n  $ lockstep devices add pump-1 --bundle pump-1 --url mqtts://node.example:1883")
    .action((id: string, options: AddOptions) => runAdd(surroundings, id, options));
  command(
    "revoke",
    "let a device speak no more, and end its connection",
    "Let a device speak no more. A running node ends its connection. What it sent stays.",
  )
    .argument("<ID>", "its name", parseName)
    .addHelpText("after", "\nExample:\n  $ lockstep devices revoke pump-1 --store lockstep.db")
    .action((id: string, options: StoreOptions) => runRevoke(surroundings, id, options));
  command(
    "list",
    "every device: whether it may speak, its boots and what it lost",
    "List every device that was added, or that a store knows. Reads only; a node may be running on the store.",
  )
    .addHelpText("after", "\nExample:\n  $ lockstep devices list --store lockstep.db")
    .action((options: StoreOptions) => runList(surroundings, options));
  command(
    "mosquitto",
    "the files by which mosquitto holds each device to its own topics",
    "Write access rules, passwords and the lines of mosquitto.conf that name them. Run it again after a device was added or revoked, and send mosquitto a SIGHUP.",
  )
    .requiredOption("--out <FOLDER>", "where they are put")
    .option("--port <PORT>", "where mosquitto listens", parsePort, DEFAULT_MQTT_PORT)
    .option("--host <ADDRESS>", "and at which address; 0.0.0.0: all", LOOPBACK_HOST)
    .option("--tls-cert <FILE>", "with TLS: PEM of its certificate")
    .option("--tls-key <FILE>", "and of its private key")
    .option("--group <NAME>", "first topic level of the devices", parseName, "lockstep")
    .addHelpText("after", "\nExample:\n  $ lockstep devices mosquitto --out /etc/mosquitto/lockstep")
    .action((options: MosquittoOptions) => runMosquitto(surroundings, options));
}

interface StoreOptions {
  readonly store: string;
  readonly json?: boolean;
}

interface AddOptions extends StoreOptions {
  readonly mac: boolean;
  readonly jobs?: boolean;
  readonly bundle?: string;
  readonly url?: string;
  readonly ca?: string;
  readonly group: string;
}

interface MosquittoOptions extends StoreOptions {
  readonly out: string;
  readonly group: string;
  readonly port: number;
  readonly host: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

async function runAdd(surroundings: Surroundings, id: string, options: AddOptions): Promise<void> {
  const { store, mac: hasMac, jobs: mayUseJobs = false, bundle, url = null, ca, group, json } = options;
  checkBundle(options);
  const { DeviceBook } = await import("../access/device-book.ts");
  const { openBundle, writeDeviceBundle } = await import("../access/device-bundle.ts");
  if (bundle !== undefined) openBundle(bundle, ca);
  const book = new DeviceBook(store);
  const isFirst = book.isOpen;
  const given = await addOr(() => book.add(id, { hasMac, mayUseJobs, added: nowText(surroundings) }), bundle);
  const { secret, macKey } = given;
  const told = { id, isFirst, hasMac, mayUseJobs, file: book.file };
  const may = mayUseJobs ? "may speak, and use jobs" : "may speak";
  const closed = isFirst ? "; from now on only devices that were added may speak" : "";
  if (bundle === undefined) {
    const lines = [`${id} ${may}${closed}`, `password: ${secret}`, ...(macKey === null ? [] : [`MAC key: ${macKey}`])];
    const remark = "They are told this once: give them to the device, and keep them nowhere else.";
    await writeResult(surroundings, json, { ...told, secret, macKey }, [...lines, remark].join("\n"));
    return;
  }
  const write = () => writeDeviceBundle(bundle, { ...given, group, url, ca });
  const files = await writeOr(write, bundle, async () => {
    await book.revoke(id, nowText(surroundings));
    return `${id} was revoked again${isFirst ? "; from now on only devices that were added may speak" : ""}`;
  });
  await writeResult(surroundings, json, { ...told, files }, `${id} ${may}${closed}; its secrets are in ${bundle}`);
}

/** Where a device is not added nothing is left behind. */
async function addOr<Given>(add: () => Promise<Given>, bundle: string | undefined): Promise<Given> {
  try {
    return await add();
  } catch (error) {
    if (bundle !== undefined) rmSync(bundle, { recursive: true });
    throw error;
  }
}

/** A device whose secrets nobody has is not let in by them. @param takeBack  returns what it did */
async function writeOr<Written>(
  write: () => Written,
  bundle: string,
  takeBack: () => Promise<string>,
): Promise<Written> {
  try {
    return write();
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    rmSync(bundle, { recursive: true, force: true });
    const remedy = `${await takeBack()}. Mend it, and add the device again`;
    throw new CommandError("file", `${bundle} cannot be written, ${problem}`, remedy, { cause });
  }
}

function nowText({ clock }: Surroundings): string {
  return new Date(clock.unixUs() / 1000).toISOString();
}

function checkBundle({ bundle, url, ca }: AddOptions): void {
  if (bundle === undefined && (url !== undefined || ca !== undefined)) {
    throw new CommandError("usage", "--url and --ca are for a bundle", "give --bundle FOLDER too");
  }
  if (url === undefined) return;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^(mqtts?|tcp|tls):$/.test(parsed.protocol) || parsed.username !== "") {
    throw new CommandError("usage", `--url "${url}" is no address`, "write mqtts://HOST:PORT or tls://HOST:PORT");
  }
}

async function runRevoke(surroundings: Surroundings, id: string, { store, json }: StoreOptions): Promise<void> {
  const { DeviceBook } = await import("../access/device-book.ts");
  const book = new DeviceBook(store);
  await book.revoke(id, nowText(surroundings));
  await writeResult(surroundings, json, { id, file: book.file }, `${id} may not speak any more`);
}

async function runList(surroundings: Surroundings, { store, json }: StoreOptions): Promise<void> {
  const { DeviceBook } = await import("../access/device-book.ts");
  const { deviceTable, listDevices } = await import("./devices/devices-list.ts");
  const book = new DeviceBook(store);
  const devices = await listDevices(store, book);
  await writeResult(surroundings, json, { store, isOpen: book.isOpen, devices }, deviceTable(devices));
}

async function runMosquitto(surroundings: Surroundings, options: MosquittoOptions): Promise<void> {
  const { store, out, group, port, host, tlsCert: cert, tlsKey: key, json } = options;
  if ((cert === undefined) !== (key === undefined)) {
    throw new CommandError("usage", "one of --tls-cert and --tls-key", "they go together: give both");
  }
  const tls = cert === undefined || key === undefined ? undefined : { cert, key };
  const { DeviceBook, NODE_USER } = await import("../access/device-book.ts");
  const { writeMosquittoFiles } = await import("../access/mosquitto-files.ts");
  const book = new DeviceBook(store);
  if (book.isOpen) {
    throw new CommandError(
      "file",
      `${book.file} has no device`,
      `add one first, lockstep devices add NAME --store ${store}`,
    );
  }
  const files = writeMosquittoFiles(out, { group, listener: { port, host, tls }, devices: book.list() });
  const name = host === "0.0.0.0" ? "HOST" : host;
  const address = `${tls === undefined ? "mqtt" : "mqtts"}://${NODE_USER}@${name}:${port}`;
  const line = `lockstep serve --store ${store} --broker ${address} --broker-password-file ${files.nodePassword}`;
  const told = `add "include_dir ${dirname(files.configuration)}" to mosquitto.conf, and start the node with\n  ${line}`;
  await writeResult(surroundings, json, { user: NODE_USER, ...files }, told);
}
