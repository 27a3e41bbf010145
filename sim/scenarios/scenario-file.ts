import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import * as v from "valibot";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import { hasFlash } from "../firmware/firmware-build.ts";
import { SIGNAL_NAMES } from "../signals/signal-registry.ts";
import { type Scenario, ScenarioError } from "./scenario.ts";
import { SCENARIO_SCHEMA } from "./scenario-schema.ts";

type FieldPath = readonly (string | number)[];

/** Names of the scenarios that come with this package. */
export function scenarioNames(): string[] {
  return readdirSync(scenarioFolder())
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => basename(file, ".yaml"))
    .sort();
}

/**
 * Read a scenario file, or one that comes with this package by its name.
 *
 * @throws {ScenarioError} `unknown-scenario`, `cannot-read`, `not-yaml`, `bad-field`, with file, line and field
 */
export function loadScenario(nameOrFile: string): Scenario {
  const isFile = /[./\\]/.test(nameOrFile);
  const names = scenarioNames();
  if (!isFile && !names.includes(nameOrFile)) {
    throw new ScenarioError("unknown-scenario", {
      file: nameOrFile,
      problem: `neither a file nor one of ${names.join(", ")}`,
    });
  }
  const file = isFile ? nameOrFile : join(scenarioFolder(), `${nameOrFile}.yaml`);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new ScenarioError(
      "cannot-read",
      { file, problem: cause instanceof Error ? cause.message : String(cause) },
      { cause },
    );
  }
  return parseScenario(text, file);
}

/**
 * Parse the text of a scenario file.
 *
 * @param file  named in errors
 * @throws {ScenarioError} `not-yaml`, `bad-field`
 */
export function parseScenario(text: string, file: string): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = document.errors[0];
  if (broken !== undefined) {
    const { line } = lines.linePos(broken.pos[0]);
    throw new ScenarioError("not-yaml", { file, line, problem: broken.message }, { cause: broken });
  }
  const refuse = (path: FieldPath, problem: string) => {
    const line = lineOf(document, lines, path);
    return new ScenarioError("bad-field", { file, line, field: formatPath(path), problem });
  };
  const parsed = v.safeParse(SCENARIO_SCHEMA, document.toJS());
  if (!parsed.success) {
    const issue = parsed.issues[0];
    throw refuse(
      (issue.path ?? []).map(({ key }) => asKey(key)),
      issue.message,
    );
  }
  checkMeaning(parsed.output, refuse);
  return parsed.output;
}

/** What the shape of a file cannot say. */
function checkMeaning(scenario: Scenario, refuse: (path: FieldPath, problem: string) => ScenarioError): void {
  const ids = new Map<string, number>();
  for (const [i, device] of scenario.devices.entries()) {
    if (ids.has(device.id))
      throw refuse(["devices", i, "id"], `"${device.id}" is taken by devices.${ids.get(device.id)}`);
    ids.set(device.id, i);
    if (device.firmware !== undefined) {
      if (device.keepsRing && !hasFlash(device.board))
        throw refuse(["devices", i, "keepsRing"], `the firmware of ${device.board} has no flash for its ring`);
      continue;
    }
    if (!SIGNAL_NAMES.includes(device.signal.name)) {
      throw refuse(["devices", i, "signal", "name"], `"${device.signal.name}" is none of ${SIGNAL_NAMES.join(", ")}`);
    }
    for (const [j, { fromS, toS }] of (device.link?.cuts ?? []).entries()) {
      if (toS <= fromS) throw refuse(["devices", i, "link", "cuts", j, "toS"], `must be after fromS, ${fromS}`);
    }
  }
  for (const [i, event] of scenario.events.entries()) {
    const endS = event.atS + event.forS;
    if (endS > scenario.durationS) {
      throw refuse(["events", i, "forS"], `ends at ${endS} s, after the scenario's ${scenario.durationS} s`);
    }
    if (event.do === "kill-node") continue;
    const at = ids.get(event.device);
    if (at === undefined) throw refuse(["events", i, "device"], `"${event.device}" is no device of this scenario`);
    const device = scenario.devices[at];
    // Firmware goes on without what it held: what it holds is its own affair.
    if (event.do === "cut-power" && device?.firmware === undefined && device?.keepsRing !== true) {
      throw refuse(["events", i, "device"], `"${event.device}" needs keepsRing: true to survive a power cut`);
    }
  }
}

/** Line of a field, or of the nearest one around it that exists. */
function lineOf(document: Document, lines: LineCounter, path: FieldPath): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function asKey(key: unknown): string | number {
  return typeof key === "number" ? key : String(key);
}

function formatPath(path: FieldPath): string {
  return path.length === 0 ? "the file" : path.join(".");
}

function scenarioFolder(): string {
  return dirname(createRequire(import.meta.url).resolve("@lockstep/sim/scenarios/lossy-uplink.yaml"));
}
