import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { systemClock, systemRandom } from "@lockstep/edge-sdk";
import { afterEach, expect, test } from "vitest";
import { HttpServer } from "../api/http-server.ts";
import { closeRigs, FlashRig, otherModule } from "../flash/flash-rig.suite.ts";
import { createKey } from "../flash/signing-key.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { runCommandLine } from "./command-line.ts";

const TEST_LIMIT_MS = 60_000;
let server: HttpServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
  await closeRigs();
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], interrupt = new AbortController().signal): Promise<Ended> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const streams = { stdin, stdout, stderr };
  const clock = systemClock();
  const code = await runCommandLine({ args, env: {}, ...streams, clock, random: systemRandom(), interrupt });
  return { code, out: String(stdout.read() ?? ""), err: String(stderr.read() ?? "") };
}

/** A node with its page, a device, a module and its key: what `lockstep flash` needs, and the words for it. */
async function open(...devices: string[]) {
  const rig = await FlashRig.open();
  for (const device of devices) await rig.device(device);
  const { node } = rig;
  server = await HttpServer.open({ node, clock: systemClock(), logger: SILENT_LOGGER, host: "127.0.0.1", port: 0 });
  const module = join(rig.folder, "other.wasm");
  await writeFile(module, otherModule(1));
  const key = join(rig.folder, "release.key");
  await writeFile(key, rig.keyText, { mode: 0o600 });
  const where = ["--node", `http://127.0.0.1:${server.port}`];
  const flash = (...more: string[]) => ["flash", module, "--key", key, ...where, ...more];
  return { rig, module, key, where, flash };
}

test(
  "a module is checked, sent, proven and confirmed, and the command says so",
  async () => {
    const { rig, where, flash } = await open("pump");
    const dry = await run(flash("--to", "pump", "--version", "1.2.0", "--dry-run"));
    expect([dry.code, dry.err]).toEqual([0, ""]);
    expect(dry.out).toMatch(/^module 1\.2\.0 for module, \d+ B, model [0-9a-f]{16}, signed by [0-9a-f]{16}\n/);
    expect(dry.out).toContain("pump  runs 0.0.0; can be given 1.2.0");
    expect(new Set(rig.devices[0]?.heard)).toEqual(new Set(["ask"]));
    const done = await run(flash("--to", "pump", "--version", "1.2.0", "--json"));
    expect(done.code, done.err).toBe(0);
    const { update } = JSON.parse(done.out);
    expect(update).toMatchObject({
      state: "done",
      version: "1.2.0",
      devices: [{ device: "pump", step: "done", share: 1 }],
    });
    expect((await run(["flash", "status", ...where])).out).toMatch(/UPDATE .*\n[0-9a-f]{16} {2}done +1\.2\.0/);
    expect((await run(["flash", "status", update.id, ...where])).out).toContain("pump  done");
    const device = await run(["flash", "status", "--to", "pump", ...where]);
    expect(device.out).toMatch(/^pump\n {2}runs +1\.2\.0, module, slot 0, model/);
    expect(JSON.parse((await run(["flash", "watch", update.id, "--json", ...where])).out).update.id).toBe(update.id);
    const back = await run(flash("--to", "pump", "--version", "1.1.9"));
    expect([back.code, back.err]).toEqual([1, expect.stringMatching(/^lockstep: .*nothing was sent: see above\n$/)]);
    expect(back.out).toContain("version-goes-back: it has confirmed 1.2.0, and this is 1.1.9: give a higher --version");
  },
  TEST_LIMIT_MS,
);

test(
  "Ctrl-C leaves the update to the node, and says how to watch it and how to call it off",
  async () => {
    const { rig, where, flash } = await open("pump");
    if (rig.devices[0] !== undefined) rig.devices[0].fault = { loses: 2 };
    const interrupt = new AbortController();
    const running = run(flash("--to", "pump", "--version", "1.0.0"), interrupt.signal);
    await rig.step("pump", "sending");
    interrupt.abort();
    const { code, out, err } = await running;
    const [id = ""] = /[0-9a-f]{16}(?= --node)/.exec(err) ?? [];
    expect([code, err]).toEqual([0, expect.stringContaining(`lockstep flash cancel ${id} --node`)]);
    expect(out).toContain("running");
    expect(rig.node.updates.get(id).state).toBe("running");
    const cancelled = await run(["flash", "cancel", "--to", "pump", ...where, "--json"]);
    expect(JSON.parse(cancelled.out).update.id).toBe(id);
    expect((await rig.over(id)).state).toBe("cancelled");
    expect((await run(["flash", "cancel", id, ...where])).err).toContain("is over (cancelled)");
  },
  TEST_LIMIT_MS,
);

test(
  "a roll-out that was stopped ends with exit code 1 and a table of what became of each device",
  async () => {
    const { rig, flash } = await open("rotor-1", "rotor-2", "rotor-3");
    if (rig.devices[0] !== undefined) rig.devices[0].fault = { trips: "trapped" };
    const { code, out, err } = await run(flash("--to", "rotor-*", "--version", "1.0.0", "--stages", "30,100"));
    expect([code, err]).toEqual([1, expect.stringContaining("ended as stopped")]);
    expect(out).toMatch(/rotor-1 {2}reverted {2}the new one trapped.*\nrotor-2 {2}skipped .*\nrotor-3 {2}skipped/);
  },
  TEST_LIMIT_MS,
);

test(
  "what is wrong ends with exit code 2 for wrong usage, else 1, and one line that says what to do",
  async () => {
    const { rig, module, key, where, flash } = await open("pump");
    const [stranger, text] = [join(rig.folder, "stranger.key"), join(rig.folder, "text")];
    await writeFile(stranger, createKey("ed25519").fileText, { mode: 0o600 });
    await writeFile(text, "hello");
    const all = ["--to", "pump", "--version", "1.0.0"];
    const cases: readonly (readonly [readonly string[], number, string])[] = [
      [["flash"], 2, "a MODULE is missing"],
      [["flash", module], 2, "--to DEVICE is missing"],
      [["flash", module, "--to", "pump"], 2, "--key FILE is missing"],
      [["flash", module, "--to", "pump", "--key", key], 2, "--version 1.2.0 is missing"],
      [flash("--to", "pump", "--version", "1.2"), 2, "three numbers"],
      [flash("--to", "pump", "--version", "256.0.0"), 2, "255.255.65535"],
      [flash("--to", "a/b", "--version", "1.0.0"), 2, "letters, digits"],
      [flash(...all, "--stages", "50,10,100"), 2, "10,50,100"],
      [flash(...all, "--stages", "50"), 2, "10,50,100"],
      [flash(...all, "--max-failures", "-1"), 2, "whole number"],
      [flash(...all, "--image", text, "--firmware", "."), 2, "give one of them"],
      [flash(...all, "--image", text, "--target", "board"), 2, "a.bin for slot 0"],
      [["flash", "cancel", ...where], 2, "give its id"],
      [["flash", "status", "x", "--to", "pump", ...where], 2, "give one of them"],
      [["flash", "status", "--node", "nowhere"], 2, "http://localhost:8080"],
      [["flash", "status", "--node", "http://127.0.0.1:9"], 1, "lockstep serve"],
      [["flash", "status", "x", ...where], 1, "update"],
      [["flash", "status", "--to", "nobody", ...where], 1, "nobody"],
      [["flash", text, "--key", key, ...all, ...where], 1, "integers only"],
      [["flash", module, "--key", text, ...all, ...where], 1, "holds no key"],
      [["flash", module, "--key", stranger, ...all, ...where], 1, "does not trust"],
      [flash("--to", "nobody", "--version", "1.0.0"), 1, "nothing was sent"],
      [flash("--to", "rotor-*", "--version", "1.0.0"), 1, "nothing was sent"],
      [flash(...all, "--firmware", join(rig.folder, "none")), 1, "make -C"],
    ];
    for (const [args, code, hint] of cases) {
      const ended = await run(args);
      expect([ended.code, ended.err], args.join(" ")).toEqual([code, expect.stringContaining(hint)]);
      expect(ended.err.trimEnd().split("\n"), args.join(" ")).toHaveLength(1);
    }
    expect(rig.devices[0]?.heard.filter((op) => op !== "ask")).toEqual([]);
  },
  TEST_LIMIT_MS,
);
