import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { systemClock, systemRandom } from "@lockstep/edge-sdk";
import { expect, test, vi } from "vitest";
import { SILENT_LOGGER } from "../../logger.ts";
import { CloudNode } from "../../node.ts";
import { runCommandLine } from "../command-line.ts";

const HOST = "127.0.0.1";
const WAIT = { timeout: 25_000, interval: 20 };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

test.for(["tcp", "mqtt"] as const)(
  "a node that is not there is told once over %s, and once that it is",
  async (scheme) => {
    const folder = mkdtempSync(join(tmpdir(), "lockstep-unreachable-"));
    const port = await freePort();
    const url = `${scheme}://${HOST}:${port}`;
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    let err = "";
    stderr.on("data", (text) => {
      err += text;
    });
    const interrupt = new AbortController();
    const clock = systemClock();
    const options = ["--to", url, "--count", "3", "--rate", "50", "--frame-samples", "10"];
    const running = runCommandLine({
      ...{ args: ["sim", "fleet", ...options], env: {}, stdin, stdout, stderr, clock, random: systemRandom() },
      interrupt: interrupt.signal,
    });
    const problem = `${url} cannot be reached, trying again: nothing listens there: is a node running, and is that its port?`;
    const times = (text: string) => err.split(text).length - 1;
    let node: CloudNode | undefined;
    try {
      await vi.waitFor(() => expect(err).toContain(problem), WAIT);
      node = await CloudNode.open({
        storeFile: join(folder, "store.db"),
        ...(scheme === "tcp"
          ? { broker: null, tcpPort: port, tcpHost: HOST }
          : { broker: { kind: "embedded", port, host: HOST } }),
        ...{ acks: { everyFrames: 1, ageMs: 50 }, logger: SILENT_LOGGER, clock },
      });
      await vi.waitFor(() => expect(err).toContain("connected again"), WAIT);
      expect([times(problem), times("connected again")]).toEqual([1, 1]);
      interrupt.abort();
      expect(await running).toBe(0);
    } finally {
      interrupt.abort();
      await node?.close();
      rmSync(folder, { recursive: true });
    }
  },
);

test("a node that was never there is named with its address and what to look at, at the end too", async () => {
  const url = `tcp://${HOST}:${await freePort()}`;
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const interrupt = new AbortController();
  let err = "";
  stderr.on("data", (text) => {
    err += text;
    if (err.includes("to be confirmed")) interrupt.abort();
  });
  const code = await runCommandLine({
    ...{ args: ["sim", "rotor", "--to", url, "--duration", "0.1"], env: {}, stdin, stdout, stderr },
    ...{ clock: systemClock(), random: systemRandom(), interrupt: interrupt.signal },
  });
  expect(code).toBe(1);
  const [last] = err.trimEnd().split("\n").slice(-1);
  expect(last).toMatch(/^lockstep: \d+ samples were not confirmed: tcp:.* cannot be reached, .*is a node running/);
});
