import { type Lookahead, parseSerialUrl, TransportError } from "@lockstep/edge-sdk";
import { type Command, Option } from "commander";
import { CommandError } from "../command-error.ts";
import { DEVICE_PROFILES, type DeviceProfile } from "../device-profile.ts";
import { parseName, parsePositive, parsePositiveCount, parseSeed } from "../option-values.ts";

/** What every simulated device is told on the command line. */
export interface DeviceOptions {
  readonly to?: string;
  readonly id?: string;
  readonly group: string;
  readonly frameSamples: number;
  readonly silence: number;
  readonly ring?: number;
  readonly lookahead: Lookahead;
  readonly profile: DeviceProfile;
  readonly trust?: string;
  readonly passwordFile?: string;
  readonly macKeyFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly duration?: number;
  readonly seed: number;
  readonly testTruth?: string;
  readonly check?: string;
  readonly json?: boolean;
}

const DEFAULT_SILENCE_MS = 10_000;

/** How far devices look ahead in a frame; `lockstep encode` has the same efforts. */
export function lookaheadOption(description: string): Option {
  return new Option("--lookahead <EFFORT>", description).choices(["none", "greedy", "programme"]);
}

/** Add the options of `DeviceOptions`. */
export function addDeviceOptions(command: Command, defaults: { readonly frameSamples: number }): Command {
  return command
    .option(
      "--to <URL>",
      "where it connects: mqtt://HOST:PORT, mqtts://…, tcp://HOST:PORT, tls://… or serial:PATH?baud=RATE",
    )
    .option("--id <NAME>", "name of the device", parseName)
    .option("--group <NAME>", "first topic level over MQTT", parseName, "lockstep")
    .option(
      "--frame-samples <COUNT>",
      "samples of a frame: longer ones save more and arrive later",
      parsePositiveCount,
      defaults.frameSamples,
    )
    .option("--silence <MS>", "longest time without a word", parsePositiveCount, DEFAULT_SILENCE_MS)
    .option("--ring <BYTES>", "memory for frames that are not confirmed yet", parsePositiveCount)
    .addOption(lookaheadOption("what a gateway does with a frame before it sends it").default("none"))
    .addOption(
      new Option("--profile <NAME>", "codec of a device; lite: fewer taps, for one that interprets it")
        .choices(DEVICE_PROFILES)
        .default("full"),
    )
    .option("--trust <FILE>", "a key, as `lockstep keys` writes it: whoever signs with it may replace the module")
    .option("--password-file <FILE>", "its secret, as `lockstep devices add` wrote it; {id} stands for its name")
    .option("--mac-key-file <FILE>", "its key for MACs on frames, as `lockstep devices add` wrote it; {id} likewise")
    .option("--ca <FILE>", "over TLS: PEM of the authority that signed the other end's certificate")
    .option("--cert <FILE>", "over TLS: PEM of its own certificate, for its name; {id} stands for it")
    .option("--key <FILE>", "and of that certificate's private key")
    .option("--duration <SECONDS>", "end by itself (default: at Ctrl-C)", parsePositive)
    .option("--seed <NUMBER>", "the same seed gives the same signal", parseSeed, 1)
    .option("--test-truth <FOLDER>", "for tests: say there what the devices are made of; lockstep serve has it too")
    .option("--check <STORE>", "at the end compare what the node has stored there with what each device measured")
    .option("--json", "one JSON object on standard output at the end");
}

/** The address that so many devices need. */
export function destination({ to }: DeviceOptions, devices: number): string {
  if (to === undefined) {
    throw new CommandError("usage", "no place to send to", "give --to mqtt://HOST:PORT, as `lockstep serve` prints it");
  }
  if (/^\w+:\/\/[^/]*@/.test(to)) {
    const remedy = "give --password-file FILE: an address is shown to everybody";
    throw new CommandError("usage", "--to has a name or a password in it", remedy);
  }
  if (!/^((mqtts?|tcp|tls):\/\/[^/]+|serial:[^?]+(\?baud=.*)?$)/.test(to)) {
    const forms =
      "write mqtt://HOST:PORT, mqtts://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT or serial:PATH?baud=RATE";
    throw new CommandError("usage", `--to "${to}" is no address`, forms);
  }
  if (to.startsWith("serial:")) refuseRate(to);
  if (to.startsWith("serial:") && devices > 1) {
    throw new CommandError("usage", `--to "${to}" for ${devices} devices`, "a serial line has one: give --count 1");
  }
  return to;
}

function refuseRate(to: string): void {
  try {
    parseSerialUrl(to);
  } catch (cause) {
    if (!(cause instanceof TransportError)) throw cause;
    throw new CommandError("usage", `--to "${to}"`, cause.message, { cause });
  }
}
