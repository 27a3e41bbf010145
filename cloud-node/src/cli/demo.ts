import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { CommandError } from "./command-error.ts";
import { parsePort, parsePositive, parseSeed } from "./option-values.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";
import { untilInterrupt } from "./until-interrupt.ts";

interface DemoOptions {
  readonly duration?: number;
  readonly store?: string;
  readonly http?: number;
  readonly seed: number;
  readonly ascii?: boolean;
  readonly json?: boolean;
}

const HELP = `
A simulated rotor (100 rad/s, noise 0.01, eps 0.05) and a recorded hand-held IMU (eps 1 % of each channel's range),
both 6 channels at 100 Hz, send frames of one second over MQTT to the cloud node on this machine.

Jobs handed in to its page's address (lockstep jobs submit --queue URL) are done here, one at a time.

Keys: q quit, p pause, s sort, arrows choose a device, c cuts its link for 10 s: its ring fills, nothing is lost.

At the end the store is opened again and every value compared with the original that the node never saw. With --json:
  samples, confirmed, lost   taken by the device; found in the store; the difference
  maxErrorOverEps            largest error as a part of its bound; rmsErrorPooled: of all channels together
  payloadBytes, frameBytes   of the codec; with envelopes, births, status and heartbeats
  ipBytes                    sockets in both directions, plus 52 B of headers (IPv4, TCP, timestamps) for each packet and
                             for one TCP acknowledgement of each
  rawBytes                   float32 in the same messages with the same envelopes; each ratio adds that layer's own
  latencyMsP50, P99          from a frame's arrival to its commit
  cpuShareEdge               CPU time of the devices' own process, as a share of one core

Examples:
  $ lockstep demo
  $ lockstep demo --duration 15 --json`;

/** `lockstep demo`: everything on one machine, live. */
export function addDemo(program: Command, surroundings: Surroundings): void {
  program
    .command("demo")
    .summary("broker, cloud node, page and two devices, live on this machine")
    .description("Watch two devices and their twins, live, until Ctrl-C.")
    .option("--duration <SECONDS>", "end by itself", parsePositive)
    .option("--store <FILE>", "keep what is received (default: a temporary file)")
    .option("--http <PORT>", "port of the page (default: 8080, or the next one that is free)", parsePort)
    .option("--seed <NUMBER>", "of the rotor's noise and the devices' dice", parseSeed, 1)
    .option("--ascii", "draw with plain characters")
    .option("--json", "one JSON object on standard output at the end")
    .addHelpText("after", HELP)
    .action((options: DemoOptions) => runDemo(surroundings, options));
}

async function runDemo(surroundings: Surroundings, options: DemoOptions): Promise<void> {
  const { DemoSession } = await import("./demo/demo-session.ts");
  const { brokenPromises, summaryLines } = await import("./demo/demo-result.ts");
  const { stdout, stderr, interrupt, clock } = surroundings;
  const folder = options.store === undefined ? await mkdtemp(join(tmpdir(), "lockstep-demo-")) : undefined;
  try {
    const storeFile = options.store ?? join(folder ?? "", "demo.db");
    const session = await DemoSession.open(surroundings, { storeFile, seed: options.seed, httpPort: options.http });
    try {
      if (stdout.isTTY === true && options.json !== true) {
        const { DemoWatch } = await import("./demo/demo-watch.ts");
        await new DemoWatch(session, surroundings, options.ascii === true).run(options.duration);
      } else {
        stderr.write(`lockstep demo: ${session.page.url}\n`);
        await untilInterrupt(interrupt, clock, options.duration);
      }
    } catch (error) {
      await session.close();
      throw error;
    }
    const { result, verdicts } = await session.finish();
    const lines = summaryLines(result).join("\n");
    if (options.json === true) await writeResult(surroundings, true, result, "");
    else if (stdout.isTTY === true) await writeResult(surroundings, false, result, lines);
    else stderr.write(`${lines}\n`);
    const broken = brokenPromises(result, verdicts);
    if (broken.length > 0) throw new CommandError("outside-bound", broken.join("; "), "");
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}
