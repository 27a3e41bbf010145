import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openHistory } from "@lockstep/cloud-node";
import { mqttTransport, systemClock, systemRandom } from "@lockstep/edge-sdk";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freePort } from "../faults/broker-process.ts";
import { Mosquitto } from "../faults/mosquitto.ts";
import { programPath, requires } from "../os-package.ts";
import { runLockstep } from "./lockstep-process.ts";
import { RepublishingNode, TracedDevice } from "./sparkplug-rig.ts";

const LIMIT_MS = 60_000;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (name: string) => readFileSync(join(ROOT, "docs/deploy", name), "utf8");
/** What docs/deploy/README.md says that systemd says. */
const EXPOSURE = /exposure of (\d\.\d) of 10/.exec(read("README.md"))?.[1];

let folder = "";
const closing: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-deploy-"));
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

requires("systemd")("the unit of systemd", () => {
  const analyze = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(programPath("systemd"), args, { encoding: "utf8" });
    return { status, said: `${stdout}${stderr}` };
  };

  test("is one that systemd reads without a word, where the program is", () => {
    const unit = join(folder, "lockstep.service");
    writeFileSync(unit, read("lockstep.service").replaceAll("/opt/lockstep/", ROOT));
    expect(analyze("verify", "--man=no", unit)).toEqual({ status: 0, said: "" });
  });

  test("is as little exposed as its page says", () => {
    const unit = join(ROOT, "docs/deploy/lockstep.service");
    const { status, said } = analyze("security", "--offline=true", "--no-pager", "--threshold=15", unit);
    expect(said).toContain(`exposure level for lockstep.service: ${EXPOSURE} OK`);
    expect(status).toBe(0);
  });

  test("starts the node with options that it has", async () => {
    const [, line = ""] = /^ExecStart=\S+lockstep\.js (.*)$/m.exec(read("lockstep.service")) ?? [];
    const options = line.replace("$OPTIONS", "").trim().split(/\s+/);
    expect(options[0]).toBe("serve");
    expect(await runLockstep(...options, "--help")).toMatchObject({ code: 0 });
  });
});

requires("mosquitto")("the bridge of mosquitto", () => {
  test(
    "carries a device's samples to the node, and its acknowledgements back, without a loss",
    async () => {
      const central = await Mosquitto.start(folder);
      closing.push(() => central.stop());
      const node = await RepublishingNode.create(folder, "--broker", central.url);
      await node.start();
      closing.push(() => node.stop());
      const site = await freePort();
      const config = join(folder, "bridge.conf");
      writeFileSync(
        config,
        read("mosquitto-bridge.conf")
          .replace("listener 1883", `listener ${site}`)
          .replace("127.0.0.1:1884", `127.0.0.1:${central.port}`),
      );
      const bridge = spawn(programPath("mosquitto"), ["-c", config], { stdio: "ignore" });
      closing.push(async () => {
        bridge.kill("SIGKILL");
        await once(bridge, "exit");
      });
      const [clock, random] = [systemClock(), systemRandom()];
      const transport = mqttTransport({
        url: `mqtt://127.0.0.1:${site}`,
        group: "lockstep",
        device: "pump",
        clock,
        random,
      });
      const originals = new Map<number, number[]>();
      const device = await TracedDevice.over("pump", transport, { eps: 0.05, channels: ["x", "y"] }, originals, 0);
      closing.push(() => device.off());
      for (let i = 0; i < 5; i += 1) await device.measure(100);
      const history = await openHistory(node.store);
      const samples = [...history.samples("pump")];
      history.close();
      expect(samples.map(({ timeUs }) => timeUs / 1_000)).toEqual([...originals.keys()]);
    },
    LIMIT_MS,
  );
});

describe("the Containerfile", () => {
  const lines = read("Containerfile")
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const of = (instruction: string) =>
    lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));

  test("is made of instructions, and ends as somebody else than root", () => {
    const known = /^(FROM|WORKDIR|COPY|RUN|LABEL|ENV|USER|VOLUME|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD) /;
    expect(lines.filter((line) => !known.test(line))).toEqual([]);
    expect(of("USER")).toEqual(["node"]);
    expect(of("FROM")).toHaveLength(2);
    const { engines } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { engines: { node: string } };
    for (const image of of("FROM"))
      expect(Number(/node:(\d+)-/.exec(image)?.[1])).toBeGreaterThanOrEqual(Number(/\d+/.exec(engines.node)?.[0]));
  });

  test("names files that are here, ports that the node has, and a command that it knows", async () => {
    const [entry = ""] = JSON.parse(of("ENTRYPOINT")[0] ?? "[]") as string[];
    expect(existsSync(join(ROOT, entry.replace("/opt/lockstep/", "")))).toBe(true);
    expect(read("Containerfile")).toContain("node scripts/bootstrap.js");
    expect(existsSync(join(ROOT, "scripts/bootstrap.js"))).toBe(true);
    const command = JSON.parse(of("CMD")[0] ?? "[]") as string[];
    const { code, stdout } = await runLockstep(...command, "--help");
    expect(code).toBe(0);
    for (const port of (of("EXPOSE")[0] ?? "").split(" ")) expect(stdout).toContain(port);
    expect(of("HEALTHCHECK")[0]).toContain("/healthz");
  });
});

test("files that the pages name are there", () => {
  const text = ["docs/deploy/README.md", "docs/guides/sparkplug.md", "docs/guides/grafana.md"].map(
    (path) => [path, readFileSync(join(ROOT, path), "utf8")] as const,
  );
  let links = 0;
  for (const [path, page] of text) {
    for (const [, target = ""] of page.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      links += 1;
      expect(existsSync(join(ROOT, path, "..", target)), `${path}: ${target}`).toBe(true);
    }
  }
  expect(links).toBeGreaterThan(5);
});
