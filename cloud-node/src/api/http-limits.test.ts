import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";

closeRigsAfterEach();

const LIMIT_MS = 20_000;
/** Each of the two alone, so that one does not hide that the other is missing. */
const QUICK_HEAD = { headMs: 300, requestMs: 60_000, lookMs: 50 };
const QUICK_BODY = { headMs: 600, requestMs: 600, lookMs: 50 };

/** A connection, and what came over it until it ended. */
function open({ server }: ApiRig, localAddress = "127.0.0.1") {
  const socket = connect({ port: server.port, host: "127.0.0.1", localAddress });
  let text = "";
  socket.on("error", () => {});
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return { socket, ended: new Promise<string>((resolve) => socket.once("close", () => resolve(text))) };
}

/** Send a letter now and then, for as long as it is taken. */
function drip(socket: Socket, letter = "x"): void {
  const timer = setInterval(() => (socket.writable ? socket.write(letter) : clearInterval(timer)), 40);
  socket.once("close", () => clearInterval(timer));
}

test("a head that comes letter by letter, or never, is cut in time, and so is a body; others are answered meanwhile", async () => {
  const rig = await ApiRig.open({ limits: QUICK_HEAD });
  const slow = Array.from({ length: 20 }, () => {
    const one = open(rig);
    one.socket.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: ");
    drip(one.socket);
    return one;
  });
  const silent = open(rig);
  silent.socket.write("G");
  const patient = await ApiRig.open({ limits: QUICK_BODY });
  const body = open(patient);
  body.socket.write(
    "POST /api/v1/updates/check?to=a HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/octet-stream\r\ncontent-length: 100000\r\n\r\n",
  );
  drip(body.socket);
  expect((await rig.get("/healthz")).status).toBe(200);
  for (const { ended } of [...slow, silent, body]) {
    expect(await ended).toMatch(/^(HTTP\/1\.1 408 Request Timeout\r\n.*"code":"too-slow"|)/s);
  }
  expect(await slow[0]?.ended).toContain('"code":"too-slow"');
  expect((await rig.get("/healthz")).status).toBe(200);
});

test("an address has so many connections, and another one has its own", async () => {
  const rig = await ApiRig.open({ limits: { connectionsPerAddress: 5 } });
  const held = Array.from({ length: 5 }, () => open(rig, "127.0.0.2"));
  await Promise.all(held.map(({ socket }) => once(socket, "connect")));
  await vi.waitFor(async () => {
    expect(await open(rig, "127.0.0.2").ended).toBe("");
  }, LIMIT_MS);
  expect((await rig.get("/healthz")).status).toBe(200);
  expect(await rig.get("/metrics").then((answer) => answer.text())).toMatch(
    /lockstep_http_refused_total\{reason="too-many-connections"\} [1-9]/,
  );
  held[0]?.socket.destroy();
  await vi.waitFor(async () => {
    const { socket, ended } = open(rig, "127.0.0.2");
    socket.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    expect(await ended).toContain("200 OK");
  }, LIMIT_MS);
  for (const { socket } of held) socket.destroy();
});

test("beyond so many connections in all none is taken", async () => {
  const rig = await ApiRig.open({ limits: { connections: 3 } });
  const held = Array.from({ length: 3 }, (_, n) => open(rig, `127.0.0.${n + 2}`));
  await Promise.all(held.map(({ socket }) => once(socket, "connect")));
  expect(await open(rig, "127.0.0.9").ended).toBe("");
  for (const { socket } of held) socket.destroy();
  await vi.waitFor(async () => expect((await rig.get("/healthz")).status).toBe(200), LIMIT_MS);
});
