import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { systemClock, systemRandom } from "@lockstep/edge-sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DeviceBook } from "../access/device-book.ts";
import { runCommandLine } from "./command-line.ts";

let folder = "";
let store = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-devices-"));
  store = join(folder, "node.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const around = { args, env: {}, stdin, stdout, stderr, clock: systemClock(), random: systemRandom() };
  const code = await runCommandLine({ ...around, interrupt: new AbortController().signal });
  return { code, out: String(stdout.read() ?? ""), err: String(stderr.read() ?? "") };
}

test("a device's secrets are told once, and the first device says what changes with it", async () => {
  const { code, out, err } = await run("devices", "add", "pump-1", "--store", store);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain("from now on only devices that were added may speak");
  const [, secret = ""] = /^password: (\S{43})$/m.exec(out) ?? [];
  const [, macKey] = /^MAC key: (\S{43})$/m.exec(out) ?? [];
  const book = new DeviceBook(store);
  expect(book.admits("pump-1", secret)).toBe(true);
  expect(Buffer.from(book.macKeyOf("pump-1") ?? []).toString("base64url")).toBe(macKey);
  const listed = await run("devices", "list", "--store", store);
  expect(listed.out).toMatch(/^pump-1 +added +0 +never/m);
  for (const text of [listed.out, (await run("devices", "list", "--store", store, "--json")).out]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(macKey);
  }
});

test("a bundle has all that firmware needs, is its owner's alone, and nothing of it is printed", async () => {
  const bundle = join(folder, "pump-1");
  const ca = join(folder, "ca.pem");
  const pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
  writeFileSync(ca, pem);
  const place = ["--store", store, "--bundle", bundle, "--url", "mqtts://node.example:8883", "--ca", ca];
  const { code, out } = await run("devices", "add", "pump-1", ...place, "--group", "plant", "--json");
  expect(code).toBe(0);
  expect(readdirSync(bundle).sort()).toEqual(["ca.pem", "device-secrets.h", "device.json", "mac-key", "password"]);
  const read = (name: string) => readFileSync(join(bundle, name), "utf8");
  expect(JSON.parse(read("device.json"))).toEqual({
    ...{ id: "pump-1", group: "plant", url: "mqtts://node.example:8883" },
    ...{ clientId: "ls-plant-pump-1", user: "pump-1", ca: "ca.pem" },
  });
  const [secret, macKey] = [read("password").trim(), read("mac-key").trim()];
  expect(new DeviceBook(store).admits("pump-1", secret)).toBe(true);
  expect(read("ca.pem")).toBe(pem);
  const header = read("device-secrets.h");
  expect(header).toContain(`#define LOCKSTEP_MQTT_PASSWORD "${secret}"`);
  expect(header).toContain(
    '#define LOCKSTEP_HOST "node.example"\n#define LOCKSTEP_PORT 8883\n#define LOCKSTEP_TLS 1\n',
  );
  const [, bytes = ""] = /#define LOCKSTEP_MAC_KEY \{ (.*) \}/.exec(header) ?? [];
  expect(Buffer.from(bytes.split(", ").map(Number)).toString("base64url")).toBe(macKey);
  for (const name of ["password", "mac-key", "device-secrets.h"]) {
    expect(statSync(join(bundle, name)).mode & 0o777, name).toBe(0o600);
  }
  expect(statSync(bundle).mode & 0o777).toBe(0o700);
  expect(out).not.toContain(secret);
  expect(out).not.toContain(macKey);
});

test("a device whose bundle cannot be written is revoked again, and can be added once more", async () => {
  const bundle = join(folder, "pump-1");
  const place = ["--store", store, "--bundle", bundle];
  // A folder can be read, though not as a file.
  const { code, out, err } = await run("devices", "add", "pump-1", ...place, "--ca", folder);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain("pump-1 was revoked again");
  expect(existsSync(bundle)).toBe(false);
  expect(new DeviceBook(store).grantOf("pump-1")).toBeUndefined();
  expect((await run("devices", "add", "pump-1", ...place)).code).toBe(0);
});

test("a device without MACs has no key for them", async () => {
  const bundle = join(folder, "plain");
  expect((await run("devices", "add", "plain", "--store", store, "--no-mac", "--bundle", bundle)).code).toBe(0);
  expect(existsSync(join(bundle, "mac-key"))).toBe(false);
  expect(readFileSync(join(bundle, "device-secrets.h"), "utf8")).not.toContain("MAC_KEY");
  expect(new DeviceBook(store).macKeyOf("plain")).toBeUndefined();
});

test("nothing is written over, and where a device is not added nothing is left behind", async () => {
  const bundle = join(folder, "pump-1");
  expect((await run("devices", "add", "pump-1", "--store", store)).code).toBe(0);
  const again = await run("devices", "add", "pump-1", "--store", store, "--bundle", bundle);
  expect(again.code).toBe(1);
  expect(again.err).toMatch(/pump-1 was added before: revoke it first/);
  expect(existsSync(bundle)).toBe(false);
  const taken = await run("devices", "add", "pump-2", "--store", store, "--bundle", folder);
  expect(taken.err).toMatch(/is there already: give another folder/);
  const lost = await run(
    "devices",
    "add",
    "pump-2",
    "--store",
    store,
    "--bundle",
    bundle,
    "--ca",
    join(folder, "none"),
  );
  expect(lost.err).toMatch(/none: there is no such file/);
  expect(new DeviceBook(store).list().map(({ id }) => id)).toEqual(["pump-1"]);
});

test("a program is added for jobs by --jobs, and listed so; a device is not", async () => {
  const added = await run("devices", "add", "planner", "--jobs", "--store", store);
  expect(added.out).toContain("planner may speak, and use jobs; from now on");
  await run("devices", "add", "pump-1", "--store", store);
  const book = new DeviceBook(store);
  expect([book.mayUseJobs("planner"), book.mayUseJobs("pump-1")]).toEqual([true, false]);
  const { out } = await run("devices", "list", "--store", store);
  expect(out).toMatch(/^planner .* yes$/m);
  expect(out).toMatch(/^pump-1 .* no$/m);
  const { devices } = JSON.parse((await run("devices", "list", "--store", store, "--json")).out);
  expect(devices).toMatchObject([
    { id: "planner", mayUseJobs: true },
    { id: "pump-1", mayUseJobs: false },
  ]);
});

test("a device that was revoked is listed so, and cannot be revoked twice", async () => {
  await run("devices", "add", "pump-1", "--store", store);
  expect((await run("devices", "revoke", "pump-1", "--store", store)).code).toBe(0);
  expect((await run("devices", "list", "--store", store)).out).toMatch(/^pump-1 +revoked/m);
  const twice = await run("devices", "revoke", "pump-1", "--store", store);
  expect(twice.code).toBe(1);
  expect(twice.err).toMatch(/was revoked before: see `lockstep devices list`/);
});

test.for<[string, string[], string]>([
  ["an address without a bundle", ["devices", "add", "a", "--url", "mqtts://h:1"], "give --bundle FOLDER too"],
  ["a bundle's address that is none", ["devices", "add", "a", "--bundle", "x", "--url", "h:1"], "write mqtts://"],
  ["a certificate without its key", ["serve", "--tls-cert", "x"], "give both"],
  ["clients' certificates without TLS", ["serve", "--tls-client-ca", "x"], "--tls-cert and --tls-key"],
  ["a password in a broker's address", ["serve", "--broker", "mqtt://me:hidden@h"], "--broker-password-file"],
  ["one in that of a channel", ["worker", "--channel-broker", "mqtt://me:hidden@h"], "--channel-broker-password-file"],
  ["a password without a user", ["serve", "--broker", "mqtt://h", "--broker-password-file", "x"], "mqtts://USER@HOST"],
  ["a password in a node's address", ["sim", "rotor", "--to", "mqtt://me:hidden@h:1"], "--password-file FILE"],
  ["half of a device's certificate", ["sim", "rotor", "--to", "tls://h:1", "--cert", "x"], "give both"],
  ["one password for many", ["sim", "fleet", "--to", "mqtt://h:1", "--password-file", "x"], "write {id}"],
])("%s is refused as wrong usage, with what to do, and without what is secret", async ([, args, remedy]) => {
  const { code, out, err } = await run(...args);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(remedy);
  expect(err).not.toContain("hidden");
});

test.for([
  ["--tcp", "0", "--mqtt-port", "0"],
  ["--mqtt-port", "0"],
])(
  "a node that would let everybody speak does not listen beyond this machine, and says what to type: %j",
  async (options) => {
    const place = ["--store", store, "--host", "0.0.0.0", "--no-http", "--log", "silent"];
    const { code, out, err } = await run("serve", ...place, ...options);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(`\`lockstep devices add NAME --store ${store}\``);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  },
);
