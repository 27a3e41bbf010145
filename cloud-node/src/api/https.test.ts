import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:https";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type MadeCertificate, makeCertificate, writeCertificate } from "../access/made-certificate.suite.ts";
import { readTlsFiles } from "../access/tls-files.ts";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";

closeRigsAfterEach();

const LIMIT_MS = 20_000;
let folder = "";
let authority: MadeCertificate;
let node: MadeCertificate;
let files: { readonly cert: string; readonly key: string };
let clientCa = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-https-"));
  authority = makeCertificate("authority");
  node = makeCertificate("node", authority);
  files = writeCertificate(folder, node);
  clientCa = writeCertificate(folder, authority).cert;
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Ask over TLS. */
async function ask(
  rig: ApiRig,
  path: string,
  {
    host = "localhost",
    method = "GET",
    headers = {},
    body,
    ...tls
  }: ConnectionOptions & {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  } = {},
): Promise<Answer> {
  const options = { ...tls, ca: authority.certPem, servername: "localhost", host: "127.0.0.1", port: rig.server.port };
  const asked = request({ ...options, path, method, headers: { host, ...headers }, agent: false });
  asked.end(body);
  const [response] = await once(asked, "response");
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, headers: response.headers, body: text };
}

/** The TLS version that a client with these wishes gets; undefined: none. */
function agreed(rig: ApiRig, options: ConnectionOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    const where = { host: "127.0.0.1", port: rig.server.port, servername: "localhost", ca: authority.certPem };
    const socket = connect({ ...where, ...options });
    // A refused certificate is told after the handshake (TLS 1.3): whoever is answered is in.
    socket.once("secureConnect", () =>
      socket.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"),
    );
    socket.once("data", () => resolve(socket.getProtocol() ?? undefined));
    socket.once("error", () => resolve(undefined));
    socket.once("close", () => resolve(undefined));
  });
}

test("over TLS the page says so, keeps browsers there, and its cookie goes nowhere else", async () => {
  const rig = await ApiRig.open({ tls: readTlsFiles(files) });
  expect(rig.server.url).toBe(`https://localhost:${rig.server.port}`);
  const page = await ask(rig, "/", { host: "node:8443" });
  expect([page.status, page.headers["strict-transport-security"]]).toEqual([200, "max-age=31536000"]);
  // It would hold for every other server of this machine too.
  expect((await ask(rig, "/", { host: "localhost:1" })).headers["strict-transport-security"]).toBeUndefined();
  const { secret } = await rig.book.add({ name: "ops", roles: ["read"] }, Date.now());
  const logIn = async () =>
    await ask(rig, "/api/v1/session", {
      ...{ method: "POST", host: "node:8443", body: JSON.stringify({ token: secret }) },
      headers: { origin: "https://node:8443", "content-type": "application/json" },
    });
  const told = await vi.waitFor(async () => {
    const answer = await logIn();
    expect(answer.headers["set-cookie"]).toBeDefined();
    return answer;
  }, LIMIT_MS);
  const [cookie = ""] = told.headers["set-cookie"] as string[];
  expect(cookie).toMatch(
    /^__Host-lockstep-[0-9a-f]{8}=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure; /,
  );
  const headers = { cookie: cookie.split(";")[0] ?? "" };
  expect((await ask(rig, "/api/v1/devices", { headers })).status).toBe(200);
  const downgraded = await ask(rig, "/api/v1/session", {
    method: "DELETE",
    headers: { ...headers, origin: "http://localhost" },
  });
  expect(downgraded.status).toBe(403);
});

test("TLS before 1.2 is not spoken, nor plain HTTP on its port", async () => {
  const rig = await ApiRig.open({ tls: readTlsFiles(files) });
  const old = { ciphers: "DEFAULT:@SECLEVEL=0" };
  expect(await agreed(rig, { ...old, minVersion: "TLSv1", maxVersion: "TLSv1.1" })).toBeUndefined();
  expect(await agreed(rig, { maxVersion: "TLSv1.2" })).toBe("TLSv1.2");
  expect(await agreed(rig, {})).toBe("TLSv1.3");
  const socket = connectPlain(rig.server.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
  let answer = "";
  socket.on("data", (chunk) => {
    answer += String(chunk);
  });
  await once(socket, "close");
  expect(answer).not.toContain("HTTP/1.1 200");
  expect(await agreed(rig, {})).toBe("TLSv1.3");
});

test("where certificates are needed only who shows one of the right authority is heard, and a token is needed all the same", async () => {
  const rig = await ApiRig.open({ tls: readTlsFiles({ ...files, clientCa }), needsCertificate: true });
  const client = makeCertificate("client", authority);
  const stranger = makeCertificate("client", makeCertificate("authority"));
  const shown = ({ certPem: cert, keyPem: key }: MadeCertificate) => ({ cert, key });
  expect(await agreed(rig, {})).toBeUndefined();
  expect(await agreed(rig, shown(stranger))).toBeUndefined();
  expect(await agreed(rig, shown(client))).toBe("TLSv1.3");
  await rig.book.add({ name: "ops", roles: ["read"] }, Date.now());
  await vi.waitFor(async () => {
    expect((await ask(rig, "/api/v1/devices", shown(client))).status).toBe(401);
  }, LIMIT_MS);
});
