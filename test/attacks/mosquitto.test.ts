import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mqttClientId } from "@lockstep/protocol";
import { connectAsync } from "mqtt";
import { afterEach, expect, test } from "vitest";
import { runLockstep } from "../end-to-end/lockstep-process.ts";
import { freePort } from "../faults/broker-process.ts";
import { requires } from "../os-package.ts";
import { GuardedMosquitto } from "./guarded-mosquitto.ts";
import { ATTACKS } from "./mqtt-attacks.ts";
import { becomes, GROUP, speaks, Target, THIEF } from "./target.ts";

requires("mosquitto")("mosquitto with the files that lockstep writes for it", () => {
  let target: Target | undefined;
  afterEach(async () => {
    await target?.close();
    target = undefined;
  });

  /** Write the rules as a person would. */
  async function writeRules(at: Target, port: number): Promise<string> {
    const folder = join(at.folder, "rules");
    const options = ["--store", at.storeFile, "--out", folder, "--port", String(port)];
    const { code, stderr, stdout } = await runLockstep("devices", "mosquitto", ...options);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    // The line to type names a file, and no password.
    expect(stdout).toContain("--broker-password-file");
    expect(stdout).not.toContain(readFileSync(join(folder, "node.password"), "utf8").trim());
    return folder;
  }

  async function start(isGuarded: boolean): Promise<{ at: Target; broker: GuardedMosquitto; folder: string }> {
    const at = await Target.of(isGuarded);
    target = at;
    const port = await freePort();
    const folder = isGuarded ? await writeRules(at, port) : at.folder;
    const broker = await GuardedMosquitto.start(at.folder, port, isGuarded ? folder : undefined);
    at.onClose(() => broker.stop());
    const password = isGuarded ? readFileSync(join(folder, "node.password"), "utf8").trim() : undefined;
    await at.start({
      broker: { kind: "external", url: broker.url, login: { user: "lockstep-node", password } },
      tcpPort: null,
    });
    return { at, broker, folder };
  }

  for (const attack of ATTACKS) {
    test(`${attack.name}: does not succeed, and its victim goes on`, async () => {
      const { at } = await start(true);
      const victim = await at.victim();
      expect(await attack.succeeds(at, victim)).toBe(false);
      expect(at.harm).toBe(0);
      expect(await speaks(victim)).toBe(true);
    });

    test(`${attack.name}: succeeds without them, so that its refusal proves something`, async () => {
      const { at } = await start(false);
      const victim = await at.victim();
      expect(await attack.succeeds(at, victim)).toBe(true);
    });
  }

  test("a device that was revoked is thrown out when the files were written again and mosquitto was told", async () => {
    const { at, broker } = await start(true);
    const victim = await at.victim();
    const clientId = mqttClientId(GROUP, THIEF);
    const login = { clientId, username: THIEF, password: at.passwordOf(THIEF), reconnectPeriod: 0 } as const;
    const client = await connectAsync(at.url, login, false);
    client.on("error", () => {});
    at.onClose(() => client.endAsync(true));
    await at.book.revoke(THIEF, "2026-01-02T00:00:00Z");
    await writeRules(at, broker.port);
    broker.reload();
    expect(await becomes(() => !client.connected, 10_000)).toBe(true);
    await expect(connectAsync(at.url, login, false)).rejects.toThrow();
    expect(await speaks(victim)).toBe(true);
  });
});
