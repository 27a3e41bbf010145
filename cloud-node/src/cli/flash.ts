import { parseVersion } from "@lockstep/protocol";
import { type Command, InvalidArgumentError } from "commander";
import type { UpdateAnswer } from "../api/schemas/update-schema.ts";
import { CommandError } from "./command-error.ts";
import { DEFAULT_HTTP_PORT } from "./defaults.ts";
import type { NodeClient } from "./flash/node-client.ts";
import { CA_HELP, readToken, TOKEN_FILE_HELP, type TokenOptions, trustAuthority } from "./node-token.ts";
import { parseCount } from "./option-values.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";

interface FlashOptions extends NodeOptions {
  readonly to: readonly string[];
  readonly key?: string;
  readonly version?: number;
  readonly image: readonly string[];
  readonly firmware?: string;
  readonly target?: string;
  readonly stages: readonly number[];
  readonly maxFailures: number;
  readonly skip?: boolean;
  readonly dryRun?: boolean;
}

interface NodeOptions extends TokenOptions {
  readonly node: string;
  readonly ca?: string;
  readonly json?: boolean;
}

const DEFAULT_NODE = `http://localhost:${DEFAULT_HTTP_PORT}`;

const HELP = `
The node brings the package to each device over the connection that it has, goes on after any silence or restart, and lets
the device prove the module on itself before it switches. A device that does not prove itself goes back to what it ran.
Nothing is sent before every device was checked. With several devices they are updated in --stages, in the order given; the
next stage begins when the last one is through, and none does after more than --max-failures devices failed.
Ctrl-C ends this command alone: the node goes on. With --json one object says what became of it.

Examples:
  $ lockstep flash device.wasm --to pump --key release.key --version 1.2.0
  $ lockstep flash device.wasm --to 'rotor-*' --key release.key --version 1.2.0 --stages 10,50,100 --max-failures 1
  $ lockstep flash device.wasm --to pump --key release.key --version 1.2.0 --firmware firmware-examples/rotor-twin`;

/** `lockstep flash`: a new module to running devices. */
export function addFlash(program: Command, surroundings: Surroundings): void {
  const flash = program
    .command("flash")
    .summary("bring a new module to running devices: signed, proven on the chip, always a way back")
    .description("Bring a module, or firmware around it, to running devices, and watch until all are through.")
    .enablePositionalOptions()
    .argument("[MODULE]", "device.wasm of a build")
    .option("--to <DEVICES>", "names, or patterns as 'rotor-*', with commas between; may be repeated", collectNames, [])
    .option("--key <FILE>", "private key that devices and node trust, from `lockstep keys new`")
    .option(
      "--version <VERSION>",
      "of what is sent, as 1.2.0; a device takes no lower one than it has",
      parseVersionText,
    )
    .option(
      "--image <FILE>",
      "a whole image instead of the module: …a.bin for slot 0, …b.bin for 1; may be repeated",
      collect,
      [],
    )
    .option("--firmware <DIR>", "build both slots' images around the module with this Makefile")
    .option("--target <NAME>", "what images are for (default: what the first device says it is)")
    .option("--stages <PERCENTS>", "how much of the devices is updated before the next are begun", parseStages, [100])
    .option("--max-failures <N>", "devices that may fail before the rest is left alone", parseCount, 0)
    .option("--skip", "leave out devices that cannot be given it, rather than refuse all")
    .option("--dry-run", "check everything, and send nothing")
    .option("--node <URL>", "address of the node's page", DEFAULT_NODE)
    .option("--token-file <FILE>", TOKEN_FILE_HELP)
    .option("--ca <FILE>", CA_HELP)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", HELP)
    .action((module: string | undefined, options: FlashOptions) => runFlash(surroundings, module, options));
  flash
    .command("status")
    .summary("updates of a node, or how a device stands")
    .description("List the updates that the node remembers; with --to ask one device where it stands.")
    .argument("[UPDATE]", "one update, device by device")
    .option("--to <DEVICE>", "ask this device")
    .option("--node <URL>", "address of the node's page", DEFAULT_NODE)
    .option("--token-file <FILE>", TOKEN_FILE_HELP)
    .option("--ca <FILE>", CA_HELP)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep flash status --to pump")
    .action((update: string | undefined, options: NodeOptions & { to?: string }) =>
      runStatus(surroundings, update, options),
    );
  flash
    .command("watch")
    .summary("follow an update to its end")
    .description("Follow an update to its end; Ctrl-C ends this command alone.")
    .argument("<UPDATE>", "its id, from `lockstep flash status`")
    .option("--node <URL>", "address of the node's page", DEFAULT_NODE)
    .option("--token-file <FILE>", TOKEN_FILE_HELP)
    .option("--ca <FILE>", CA_HELP)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep flash watch 0f1e2d3c4b5a6978")
    .action((update: string, options: NodeOptions) => runWatch(surroundings, update, options));
  flash
    .command("cancel")
    .summary("call an update off")
    .description("Call an update off: devices that try the new one go back; those that have confirmed it keep it.")
    .argument("[UPDATE]", "its id, from `lockstep flash status`")
    .option("--to <DEVICE>", "the update that this device is part of")
    .option("--node <URL>", "address of the node's page", DEFAULT_NODE)
    .option("--token-file <FILE>", TOKEN_FILE_HELP)
    .option("--ca <FILE>", CA_HELP)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep flash cancel --to pump")
    .action((update: string | undefined, options: NodeOptions & { to?: string }) =>
      runCancel(surroundings, update, options),
    );
}

function collect(file: string, before: readonly string[]): readonly string[] {
  return [...before, file];
}

function collectNames(text: string, before: readonly string[]): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.every((name) => /^[A-Za-z0-9_*-]{1,64}$/.test(name))) return [...before, ...names];
  throw new InvalidArgumentError("write names of 1 to 64 letters, digits, _ or -, or patterns with *");
}

function parseStages(text: string): readonly number[] {
  const stages = text.split(",").map((percent) => (/^\d+(\.\d{1,3})?$/.test(percent) ? Number(percent) : Number.NaN));
  const isAscending = stages.every((percent, i) => percent > (stages[i - 1] ?? 0) && percent <= 100);
  if (isAscending && stages.at(-1) === 100) return stages;
  throw new InvalidArgumentError("write percents that ascend to 100, as 10,50,100");
}

/** A version as a number. */
function parseVersionText(text: string): number {
  const version = parseVersion(text);
  if (version === undefined) throw new InvalidArgumentError("write three numbers, as 1.2.0, up to 255.255.65535");
  return version;
}

async function runFlash(surroundings: Surroundings, module: string | undefined, options: FlashOptions): Promise<void> {
  const { to, key: keyFile, version, image, firmware } = options;
  const missing =
    module === undefined
      ? "a MODULE"
      : to.length === 0
        ? "--to DEVICE"
        : keyFile === undefined
          ? "--key FILE"
          : "--version 1.2.0";
  if (module === undefined || to.length === 0 || keyFile === undefined || version === undefined) {
    throw new CommandError("usage", `${missing} is missing`, "give it");
  }
  if (image.length > 0 && firmware !== undefined)
    throw new CommandError("usage", "--image and --firmware", "give one of them");
  const { readSigningKey } = await import("../flash/key-file.ts");
  const { makePackages, describePackages } = await import("./flash/package-source.ts");
  const { checkTable } = await import("./flash/update-tables.ts");
  const client = await clientOf(surroundings, options);
  const key = await readSigningKey(keyFile);
  const isImage = image.length > 0 || firmware !== undefined;
  const target = options.target ?? (isImage ? await targetOf(client, to) : undefined);
  const made = await makePackages({ module, version, key, images: image, firmware, target });
  const check = await client.check(made.bytes, to);
  const { stderr, stdout } = surroundings;
  const notes = options.json === true ? stderr : stdout;
  notes.write(`${describePackages(made)}\n${checkTable(check)}\n`);
  const fit = check.devices.filter(({ isFit }) => isFit).length;
  const isFit = options.skip === true ? fit > 0 : check.isFit;
  if (options.dryRun === true) {
    const line = isFit ? "nothing was sent: this was a dry run" : "nothing would be sent";
    await writeResult(surroundings, options.json, { dryRun: true, isFit, check }, line);
  }
  if (!isFit) throw new CommandError("refused", "not every device can be given this, so nothing was sent", "see above");
  if (options.dryRun === true) return;
  const { stages, maxFailures, skip = false } = options;
  const update = await client.start(made.bytes, { to, stages, maxFailures, isSkipping: skip });
  await follow(surroundings, client, update, options);
}

/** Follow an update, and end as it did. */
async function follow(
  surroundings: Surroundings,
  client: NodeClient,
  update: UpdateAnswer,
  { json, node }: NodeOptions,
): Promise<void> {
  const { watchUpdate } = await import("./flash/watch-update.ts");
  const { resultTable } = await import("./flash/update-tables.ts");
  const last = await watchUpdate(surroundings, client, update);
  await writeResult(surroundings, json, { update: last }, resultTable(last));
  if (last.state === "running") {
    const where = node === DEFAULT_NODE ? "" : ` --node ${node}`;
    const told = `watch it with \`lockstep flash watch ${last.id}${where}\`, call it off with \`lockstep flash cancel ${last.id}${where}\``;
    surroundings.stderr.write(`the update goes on on the node: ${told}\n`);
    return;
  }
  if (last.state === "done" && last.devices.every(({ step }) => step === "done")) return;
  const remedy = "what was not updated runs what it ran; see above";
  throw new CommandError("refused", `the update ended as ${last.state}, not every device runs the new one`, remedy);
}

async function runStatus(
  surroundings: Surroundings,
  update: string | undefined,
  options: NodeOptions & { to?: string },
): Promise<void> {
  const { deviceLines, resultTable, updateList } = await import("./flash/update-tables.ts");
  const client = await clientOf(surroundings, options);
  if (update !== undefined && options.to !== undefined)
    throw new CommandError("usage", "an update and --to", "give one of them");
  if (options.to !== undefined) {
    const device = await client.device(options.to);
    await writeResult(surroundings, options.json, device, deviceLines(device));
  } else if (update !== undefined) {
    const one = await client.update(update);
    await writeResult(surroundings, options.json, one, resultTable(one));
  } else {
    const updates = await client.list();
    await writeResult(surroundings, options.json, { updates }, updateList(updates, surroundings.clock.unixUs()));
  }
}

async function runWatch(surroundings: Surroundings, update: string, options: NodeOptions): Promise<void> {
  const client = await clientOf(surroundings, options);
  await follow(surroundings, client, await client.update(update), options);
}

async function runCancel(
  surroundings: Surroundings,
  update: string | undefined,
  options: NodeOptions & { to?: string },
): Promise<void> {
  if ((update === undefined) === (options.to === undefined)) {
    throw new CommandError("usage", "which update is called off", "give its id, or --to DEVICE");
  }
  const { resultTable } = await import("./flash/update-tables.ts");
  const client = await clientOf(surroundings, options);
  const id = update ?? (await client.device(options.to ?? "")).update?.id;
  if (id === undefined)
    throw new CommandError("refused", `${options.to} is part of no update`, "see `lockstep flash status`");
  const cancelled = await client.cancel(id);
  await writeResult(surroundings, options.json, { update: cancelled }, resultTable(cancelled));
}

async function clientOf(surroundings: Surroundings, { node, ca, tokenFile }: NodeOptions): Promise<NodeClient> {
  if (!URL.canParse(node) || !/^https?:/.test(node)) {
    throw new CommandError("usage", `--node "${node}" is no address`, `write ${DEFAULT_NODE}`);
  }
  if (ca !== undefined) await trustAuthority(ca);
  const token = await readToken(surroundings, { tokenFile }, node);
  const { NodeClient } = await import("./flash/node-client.ts");
  return new NodeClient(node, token, surroundings.interrupt);
}

/** What the devices say they are: an image is for one kind. */
async function targetOf(client: NodeClient, to: readonly string[]): Promise<string> {
  const name = to.find((wish) => !wish.includes("*"));
  const state = name === undefined ? null : (await client.device(name)).state;
  if (state !== null) return state.target;
  throw new CommandError("usage", "images are for one kind of device", "name it with --target");
}
