import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../faults/broker-process.ts";
import { programPath, requires } from "../os-package.ts";
import { LockstepProcess } from "./lockstep-process.ts";

const TEST_MS = 60_000;
const SECRET = "correct-horse-battery";

let folder = "";
const closing: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-access-"));
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

/** A mosquitto that asks for a password, over TLS, with a certificate of an authority that nobody knows. */
async function startGuarded(): Promise<{ readonly url: string; readonly ca: string }> {
  const openssl = (...args: string[]) => {
    expect(spawnSync(programPath("openssl"), args, { cwd: folder, encoding: "utf8" })).toMatchObject({ status: 0 });
  };
  const [ca, key] = [
    "-subj /CN=Test-CA -keyout ca.key -out ca.pem",
    "-subj /CN=localhost -keyout server.key -out server.csr",
  ];
  openssl(..."req -x509 -newkey rsa:2048 -nodes -days 1".split(" "), ...ca.split(" "));
  openssl(..."req -newkey rsa:2048 -nodes".split(" "), ...key.split(" "));
  writeFileSync(join(folder, "san"), "subjectAltName=DNS:localhost");
  openssl(
    ..."x509 -req -days 1 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile san -out server.pem".split(
      " ",
    ),
  );
  const port = await freePort();
  const passwords = join(folder, "passwords");
  writeFileSync(passwords, `lockstep:${SECRET}\n`, { mode: 0o600 });
  const hashed = spawnSync("mosquitto_passwd", ["-U", passwords], { encoding: "utf8" });
  expect(hashed).toMatchObject({ status: 0 });
  const tls = ["cafile ca.pem", "certfile server.pem", "keyfile server.key"].map((line) =>
    line.replace(" ", ` ${folder}/`),
  );
  const config = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous false",
    `password_file ${passwords}`,
    `user root`,
    ...tls,
  ];
  writeFileSync(join(folder, "mosquitto.conf"), `${config.join("\n")}\n`);
  const broker = spawn(programPath("mosquitto"), ["-c", join(folder, "mosquitto.conf")], { stdio: "ignore" });
  closing.push(async () => {
    broker.kill("SIGKILL");
    if (broker.exitCode === null && broker.signalCode === null) await once(broker, "exit");
  });
  return { url: `mqtts://lockstep@localhost:${port}`, ca: join(folder, "ca.pem") };
}

function startNode(url: string, ...options: string[]): LockstepProcess {
  const store = join(folder, `${Math.random()}.db`);
  const common = ["--store", store, "--mqtt-port", "0", "--no-http", "--log", "debug", "--republish", "json,sparkplug"];
  const node = new LockstepProcess("serve", ...common, "--republish-to", url, ...options);
  closing.push(() => node.interrupted());
  return node;
}

function passwordFile(password: string): readonly string[] {
  const file = join(folder, `password-${password.length}`);
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return ["--republish-password-file", file];
}

requires("mosquitto", "openssl")("a broker with TLS and passwords", () => {
  test("is reached with a password and a CA from files, and neither is ever told", { timeout: TEST_MS }, async () => {
    const { url, ca } = await startGuarded();
    const node = startNode(url, "--republish-ca", ca, ...passwordFile(SECRET));
    for (const purpose of ["json", "sparkplug"])
      await node.said(new RegExp(`"purpose":"${purpose}","msg":"re-publishing: connected"`));
    const { stderr, stdout } = await node.interrupted();
    expect(`${stdout}${stderr}`).not.toContain(SECRET);
  });

  test.for([
    ["a wrong password", "not-the-password", true, /"reason":"[^"]*not authori[sz]ed/i],
    ["an authority that it was not told of", SECRET, false, /"reason":"[^"]*certificate/i],
  ] as const)("is not believed, or does not believe: %s", { timeout: TEST_MS }, async ([, password, hasCa, reason]) => {
    const { url, ca } = await startGuarded();
    const node = startNode(url, ...(hasCa ? ["--republish-ca", ca] : []), ...passwordFile(password));
    await node.said(reason);
    const { stderr, stdout } = await node.interrupted();
    expect(`${stdout}${stderr}`).not.toContain(password);
    expect(stderr).not.toContain("re-publishing: connected");
  });
});
