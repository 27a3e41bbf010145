import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mqttTransport, systemClock, systemRandom } from "@lockstep/edge-sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LockstepProcess, runLockstep } from "../end-to-end/lockstep-process.ts";
import { freePort } from "../faults/broker-process.ts";
import { requires } from "../os-package.ts";
import { GuardedMosquitto } from "./guarded-mosquitto.ts";
import { GROUP, HOST, speaks, Target, THIEF, VICTIM } from "./target.ts";

let target: Target;
beforeEach(async () => {
  target = await Target.of(true);
});
afterEach(() => target.close());

const parts = { clock: systemClock(), random: systemRandom() };
const serve = (...args: string[]) => {
  const options = ["--store", target.storeFile, "--no-http", "--log", "debug", "--ack-age", "50"];
  const node = new LockstepProcess("serve", ...options, ...args);
  target.onClose(async () => {
    await node.interrupted();
  });
  return node;
};

/** Say something by the right secret, and try to by a wrong one. */
async function talk(url: string): Promise<void> {
  for (const [id, password] of [
    [VICTIM, target.passwordOf(VICTIM)],
    [THIEF, `wrong-${target.passwordOf(THIEF)}`],
  ] as const) {
    const session = await target.device(id, mqttTransport({ url, group: GROUP, device: id, password, ...parts }));
    expect(await speaks(session, id === VICTIM ? 20_000 : 1_500), id).toBe(id === VICTIM);
  }
}

/** Every secret there is, and what the book keeps of it. */
function secrets(): string[] {
  const book = readFileSync(`${target.storeFile}.devices`, "utf8");
  const kept = [...book.matchAll(/"(?:secretHash|brokerHash|macKey)": "([^"]+)"/g)].map(([, text = ""]) => text);
  return [...kept, ...[...target.credentials.values()].map(({ secret }) => secret)];
}

test("a node's log has no secret at its most talkative, whoever logs in", async () => {
  const port = await freePort();
  const node = serve("--mqtt-port", String(port));
  await node.said(/"listening"/);
  await talk(`mqtt://${HOST}:${port}`);
  const { code } = await node.interrupted();
  expect(code).toBe(0);
  expect(secrets().length).toBeGreaterThan(5);
  expect(node.output).toContain('"born"');
  for (const secret of secrets()) expect(node.output).not.toContain(secret);
});

requires("mosquitto")("a node at a broker that knows its users", () => {
  test("logs in by a password's file, which its log has not, and is told when it is the wrong one", async () => {
    const [port, folder] = [await freePort(), join(target.folder, "rules")];
    const rules = ["--store", target.storeFile, "--out", folder, "--port", String(port)];
    expect((await runLockstep("devices", "mosquitto", ...rules)).code).toBe(0);
    const broker = await GuardedMosquitto.start(target.folder, port, folder);
    target.onClose(() => broker.stop());
    const file = join(folder, "node.password");
    const address = `mqtt://lockstep-node@${HOST}:${port}`;
    const node = serve("--broker", address, "--broker-password-file", file);
    await node.said(/"listening"/);
    await talk(broker.url);
    await node.interrupted();
    const password = readFileSync(file, "utf8").trim();
    for (const secret of [password, ...secrets()]) expect(node.output).not.toContain(secret);
    const wrong = join(target.folder, "wrong");
    writeFileSync(wrong, "not-the-password\n");
    const refused = await runLockstep(
      ...["serve", "--store", join(target.folder, "other.db"), "--no-http", "--broker", address],
      ...["--broker-password-file", wrong],
    );
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/cannot be reached: Connection refused/);
    expect(refused.stderr).not.toContain("not-the-password");
  });
});
