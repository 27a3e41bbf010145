import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { type ConnectionLimits, DEFAULT_CONNECTION_LIMITS, readTlsFiles } from "@lockstep/cloud-node";
import { mqttTransport, systemClock, systemRandom, type TlsCredentials, tcpTransport } from "@lockstep/edge-sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { type Certificate, TestAuthority } from "./certificates.ts";
import { becomes, GROUP, HOST, speaks, Target, THIEF, VICTIM } from "./target.ts";

/** How long a target that must not answer is waited for. */
const HEARD_MS = 2_000;
/** Where it must; reached only when something is broken. */
const LIMIT_MS = 20_000;
const parts = { clock: systemClock(), random: systemRandom() };

requires("openssl")("devices over TLS", () => {
  let target: Target;
  let authority: TestAuthority;
  let node: Certificate;

  beforeEach(async () => {
    target = await Target.of(true);
    authority = new TestAuthority(target.folder, "authority");
    node = authority.sign("localhost");
  });
  afterEach(() => target.close());

  const read = (file: string) => readFileSync(file, "utf8");
  const shown = ({ cert, key }: Certificate): TlsCredentials => ({ cert: read(cert), key: read(key) });
  const start = (clientCa?: string, connections?: ConnectionLimits) =>
    target.start({ tls: readTlsFiles({ ...node, clientCa }), connections });
  const port = () => target.node.tcpPort ?? 0;
  const overTcp = (id: string, tls: TlsCredentials) =>
    target.device(
      id,
      tcpTransport({ url: `tls://localhost:${port()}`, tls: { ca: read(authority.ca), ...tls }, ...parts }),
    );
  const overMqtt = (id: string, tls: TlsCredentials, password?: string) => {
    const url = target.url.replace(HOST, "localhost");
    const own = { ca: read(authority.ca), ...tls };
    return target.device(id, mqttTransport({ url, group: GROUP, device: id, password, tls: own, ...parts }));
  };

  test("a device is heard over MQTT with its password, and knows whom it speaks to", async () => {
    await start();
    expect(target.url).toMatch(/^mqtts:/);
    expect(await speaks(await overMqtt(VICTIM, {}, target.passwordOf(VICTIM)))).toBe(true);
    expect(await speaks(await overMqtt(THIEF, { ca: undefined }, target.passwordOf(THIEF)), HEARD_MS)).toBe(false);
  });

  test("a device is heard by its certificate, over TCP and over MQTT, without a password", async () => {
    await start(authority.ca);
    expect(await speaks(await overTcp(VICTIM, shown(authority.sign(VICTIM))))).toBe(true);
    expect(await speaks(await overMqtt(THIEF, shown(authority.sign(THIEF))))).toBe(true);
  });

  test("a certificate speaks for its own name alone, over TCP and over MQTT", async () => {
    await start(authority.ca);
    const thief = shown(authority.sign(THIEF));
    expect(await speaks(await overTcp(VICTIM, thief), HEARD_MS)).toBe(false);
    expect(await speaks(await overMqtt(VICTIM, thief, target.passwordOf(THIEF)), HEARD_MS)).toBe(false);
    expect(target.node.device(VICTIM)).toBeUndefined();
  });

  test("a certificate of an authority that the node does not know is worth nothing", async () => {
    await start(authority.ca);
    const forged = new TestAuthority(target.folder, "forger").sign(VICTIM);
    expect(await speaks(await overTcp(VICTIM, shown(forged)), HEARD_MS)).toBe(false);
    expect(await speaks(await overMqtt(VICTIM, shown(forged)), HEARD_MS)).toBe(false);
    expect(target.node.counters()["connections.bad-certificate"]).toBeGreaterThan(0);
  });

  test("a certificate for a name that was not added, and none at all, are worth nothing over TCP", async () => {
    await start(authority.ca);
    expect(await speaks(await overTcp("ghost", shown(authority.sign("ghost"))), HEARD_MS)).toBe(false);
    expect(await speaks(await overTcp(VICTIM, {}), HEARD_MS)).toBe(false);
  });

  test("a revoked device's connections end, over TCP and over MQTT, and its certificate opens none", async () => {
    await start(authority.ca);
    const [pump, thief] = [shown(authority.sign(VICTIM)), shown(authority.sign(THIEF))];
    const sessions = [await overTcp(VICTIM, pump), await overMqtt(THIEF, thief)];
    for (const session of sessions) expect(await speaks(session)).toBe(true);
    for (const id of [VICTIM, THIEF]) await target.book.revoke(id, "2026-01-02T00:00:00Z");
    for (const id of [VICTIM, THIEF]) {
      expect(await becomes(() => target.node.device(id)?.online === false, LIMIT_MS), id).toBe(true);
    }
    for (const session of sessions) expect(await speaks(session, HEARD_MS)).toBe(false);
  });

  test("TLS older than 1.2 is refused, which a server that allowed it would take", async () => {
    const { options } = readTlsFiles(node);
    // Weak enough on both ends that nothing but the version can be refused.
    const weak = { ciphers: "ALL:@SECLEVEL=0" };
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" } as const;
    const isTaken = async (changes: { minVersion?: "TLSv1.1" }, versions: object) => {
      const server = createTlsServer({ ...options, ...weak, ...changes }, (socket) => socket.end());
      server.on("tlsClientError", () => {});
      server.listen(0, HOST);
      await once(server, "listening");
      const { port: number } = server.address() as AddressInfo;
      const socket = connectTls({ host: HOST, port: number, ca: read(authority.ca), ...weak, ...versions });
      const hasSpoken = await Promise.race([
        once(socket, "secureConnect").then(() => true),
        once(socket, "close").then(
          () => false,
          () => false,
        ),
      ]).catch(() => false);
      socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      return hasSpoken;
    };
    expect(await isTaken({}, old)).toBe(false);
    expect(await isTaken({ minVersion: "TLSv1.1" }, old)).toBe(true);
    expect(await isTaken({}, {})).toBe(true);
  });

  test("a connection that never begins its handshake is ended, on both ports, and where there is no limit it is not", async () => {
    const hour = 3_600_000;
    for (const [firstWordMs, isEnded] of [
      [300, true],
      [hour, false],
    ] as const) {
      const held = await Target.of(true);
      try {
        const connections = { ...DEFAULT_CONNECTION_LIMITS, firstWordMs, messageMs: hour };
        await held.start({ tls: readTlsFiles(node), connections });
        for (const number of [Number(new URL(held.url).port), held.node.tcpPort ?? 0]) {
          const socket = connect({ host: HOST, port: number });
          socket.on("error", () => {});
          socket.resume();
          await once(socket, "connect");
          expect(await becomes(() => socket.closed, isEnded ? LIMIT_MS : 800)).toBe(isEnded);
          socket.destroy();
        }
      } finally {
        await held.close();
      }
    }
  });

  test("a certificate and a key that do not belong together are refused by name, and so is a key that all may read", () => {
    const other = authority.sign("other");
    expect(() => readTlsFiles({ cert: node.cert, key: other.key })).toThrow(/is not the key of/);
    expect(() => readTlsFiles({ cert: node.key, key: node.key })).toThrow(/has no certificate/);
    expect(() => readTlsFiles({ ...node, clientCa: `${node.cert}.none` })).toThrow(/there is no/);
  });
});
