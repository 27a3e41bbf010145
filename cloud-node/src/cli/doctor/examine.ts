import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_HTTP_PORT, DEFAULT_MQTT_PORT, LOOPBACK_HOST } from "../defaults.ts";
import { osPackageFindings } from "./os-package-findings.ts";

/** One thing looked at. `optional`: only the named part of Lockstep does without it. */
export interface Finding {
  readonly name: string;
  readonly state: "ok" | "optional" | "missing";
  /** What was found, or what is left out without it. */
  readonly found: string;
  /** The line to type; "" where there is nothing to do. */
  readonly remedy: string;
}

/** The first Node with everything used here; `bin/node24.js` moves to it. */
const NODE_MAJOR_NEEDED = 24;

/** Look at everything, in the order in which a person would mend it. */
export async function examine(): Promise<Finding[]> {
  return [
    examineNode(),
    await examineCodec(),
    await examineSqlite(),
    examinePage(),
    await examinePort("MQTT port", DEFAULT_MQTT_PORT, "--mqtt-port 0"),
    await examinePort("HTTP port", DEFAULT_HTTP_PORT, "--http 0"),
    await examineGraphics(),
    ...(await osPackageFindings()),
  ];
}

function examineNode(): Finding {
  const isNew = Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_NEEDED;
  return isNew
    ? ok("Node", `${process.version} at ${process.execPath}`)
    : missing("Node", process.version, "npm install --include=optional");
}

async function examineCodec(): Promise<Finding> {
  try {
    const { shippedDeviceModule } = await import("../device-module.ts");
    const { model, bytes } = shippedDeviceModule();
    return ok("codec module", `${bytes.length} bytes, model ${model.slice(0, 16)}…`);
  } catch (error) {
    return missing("codec module", textOf(error), "npm run build");
  }
}

async function examineSqlite(): Promise<Finding> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-doctor-"));
  try {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(join(folder, "probe.db"));
    const mode = database.prepare("PRAGMA journal_mode=WAL").get()?.journal_mode;
    const version = database.prepare("SELECT sqlite_version() AS version").get()?.version;
    database.close();
    return mode === "wal"
      ? ok("SQLite", `${version}, write-ahead log works in ${tmpdir()}`)
      : missing("SQLite", `no write-ahead log in ${tmpdir()}`, "set TMPDIR to a local disk");
  } catch (error) {
    return missing("SQLite", textOf(error), `make ${tmpdir()} writable, or set TMPDIR to a folder that is`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function examinePage(): Finding {
  const page = new URL("../../../dashboard/dist/index.html", import.meta.url);
  return existsSync(page) ? ok("page", "built") : missing("page", "not built", "npm run build");
}

function examinePort(name: string, port: number, flag: string): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const found = error.code === "EADDRINUSE" ? `${port} is in use` : `${port}: ${error.message}`;
      resolve({ name, state: "optional", found, remedy: `lockstep serve ${flag}` });
    });
    server.listen(port, LOOPBACK_HOST, () => server.close(() => resolve(ok(name, `${port} is free`))));
  });
}

/** In a process of its own, as models are computed there: a driver that aborts takes nothing else with it. */
async function examineGraphics(): Promise<Finding> {
  const name = "graphics";
  try {
    const { webGpuBackend } = await import("../../tensor/webgpu/webgpu-backend.ts");
    return ok(name, `${await webGpuBackend({ isSoftware: false }).device()}, for --backend webgpu`);
  } catch (error) {
    return {
      name,
      state: "optional",
      found: `none: models are computed by the processor (${textOf(error)})`,
      remedy: "",
    };
  }
}

function ok(name: string, found: string): Finding {
  return { name, state: "ok", found, remedy: "" };
}

function missing(name: string, found: string, remedy: string): Finding {
  return { name, state: "missing", found, remedy };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
