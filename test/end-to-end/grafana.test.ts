import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RepublishingNode, TracedDevice } from "./sparkplug-rig.ts";

const LIMIT_MS = 60_000;
const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");

/** What Prometheus adds to every metric of a node. */
const TARGET_LABELS = ["instance", "job"];
/** Words of PromQL that are no metrics. */
const WORDS = new Set(
  "sum by rate increase histogram_quantile topk min and on ignoring label_values without max avg".split(" "),
);
/** Values of labels that exist only once something happened; those of the others must be told by any node. */
const OPEN_LABELS = new Set(["kind", "outcome", "device"]);

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly type: string; readonly definition?: string }[] };
}

const DASHBOARD = JSON.parse(read("docs/deploy/grafana-dashboard.json")) as Dashboard;

/** Labels of every metric that a node tells, and the values that they had. */
type Told = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

let folder = "";
let told: Told = new Map();
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-grafana-"));
  const node = await RepublishingNode.create(folder, "--republish", "json,sparkplug");
  await node.start();
  closing.push(() => node.stop());
  const device = await TracedDevice.boot("pump", node.tcpPort, { eps: 0.05, channels: ["x"] }, new Map(), 0);
  closing.push(() => device.off());
  await device.measure(100);
  // Refused, so that there is a reason to tell.
  await fetch(`${node.http}/api/v1/devices`, { headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" } });
  told = parseMetrics(await (await fetch(`${node.http}/metrics`)).text());
}, LIMIT_MS);

afterAll(async () => {
  for (const close of closing.reverse()) await close();
  rmSync(folder, { recursive: true });
}, LIMIT_MS);

function parseMetrics(text: string): Told {
  const metrics = new Map<string, Map<string, Set<string>>>();
  for (const line of text.split("\n")) {
    // A metric with labels that has no value yet is told by its type alone.
    const declared = /^# TYPE (\S+) /.exec(line)?.[1];
    const [, name = declared, labels = ""] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined || (line.startsWith("#") && declared === undefined)) continue;
    const known = metrics.get(name) ?? new Map<string, Set<string>>();
    metrics.set(name, known);
    for (const [, label = "", value = ""] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      known.set(label, (known.get(label) ?? new Set()).add(value));
    }
  }
  return metrics;
}

/** Everything that an expression names, and is not there. */
function unknownIn(expression: string): string[] {
  const problems: string[] = [];
  let bare = expression.replaceAll("$__rate_interval", "5m");
  for (const [, metric = "", matchers = ""] of bare.matchAll(/\b([a-z_]\w*)\{([^}]*)\}/g)) {
    for (const matcher of matchers.match(/\w+\s*(?:=~|!~|!=|=)\s*"[^"]*"/g) ?? []) {
      const [, label = "", value = ""] = /^(\w+)\W+"(.*)"$/.exec(matcher) ?? [];
      const values = told.get(metric)?.get(label);
      if (TARGET_LABELS.includes(label)) continue;
      const isOpen = OPEN_LABELS.has(label);
      const unknown = value
        .replaceAll("\\\\|", "|")
        .split("|")
        .filter((one) => !isOpen && values?.has(one) !== true);
      problems.push(...unknown.map((one) => `${metric}{${label}="${one}"}`));
    }
  }
  bare = bare.replaceAll(/\{[^}]*\}/g, " ").replaceAll(/\[[^\]]*\]/g, " ");
  const groupings = [...bare.matchAll(/\b(?:by|on|ignoring|without)\s*\(([^)]*)\)/g)].flatMap(([, names = ""]) =>
    names.split(",").map((name) => name.trim()),
  );
  bare = bare.replaceAll(/\b(?:by|on|ignoring|without)\s*\([^)]*\)/g, " ");
  const metrics = (bare.match(/[a-zA-Z_]\w*/g) ?? []).filter((word) => !WORDS.has(word));
  problems.push(...metrics.filter((metric) => !told.has(metric)));
  const known = (label: string, metric: string) =>
    TARGET_LABELS.includes(label) ||
    told.get(metric)?.has(label) === true ||
    // Nothing of it happened yet, so it shows no label.
    (told.get(metric)?.size === 0 && OPEN_LABELS.has(label));
  const strangers = groupings.filter((label) => !metrics.some((metric) => known(label, metric)));
  problems.push(...strangers.map((label) => `by ${label}`));
  return metrics.length === 0 ? [`${expression} names no metric`, ...problems] : problems;
}

test("the dashboard names only metrics, labels and values that a node tells", () => {
  const targets = DASHBOARD.panels.flatMap(({ targets = [], title }) =>
    targets.map((target) => ({ ...target, title })),
  );
  expect(targets.length).toBeGreaterThan(25);
  for (const { expr, title } of targets) expect(unknownIn(expr), `${title}: ${expr}`).toEqual([]);
  for (const { definition } of DASHBOARD.templating.list) {
    const [, metric, label] =
      /^label_values\((\w+), (\w+)\)$/.exec(definition ?? "label_values(lockstep_frames_total, instance)") ?? [];
    expect(told.has(metric ?? ""), definition).toBe(true);
    expect(TARGET_LABELS).toContain(label);
  }
});

test("a legend shows only labels that its expression keeps", () => {
  for (const { targets = [], title } of DASHBOARD.panels) {
    for (const { expr, legendFormat } of targets) {
      for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        const isKept = new RegExp(`by \\([^)]*\\b${label}\\b`).test(expr) || !/\b(sum|min|max)\b/.test(expr);
        expect(isKept, `${title}: {{${label}}} of ${expr}`).toBe(true);
      }
    }
  }
});

test("every metric of a node is on the dashboard, or no panel would show that it changed", () => {
  const text = JSON.stringify(DASHBOARD);
  const missing = [...told.keys()]
    .map((name) => name.replace(/^(lockstep_commit_seconds)_(sum|count|bucket)$/, "$1"))
    .filter((name) => !text.includes(name));
  expect(missing).toEqual([]);
});

test("the guide's expressions name only what a node tells", () => {
  const rows = read("docs/guides/grafana.md")
    .split("\n")
    .filter((line) => /^\| `/.test(line));
  const expressions = rows.map((row) => /^\| `(.*?)` \|/.exec(row)?.[1]?.replaceAll("\\|", "|") ?? "");
  expect(expressions.length).toBeGreaterThanOrEqual(5);
  for (const expression of expressions) expect(unknownIn(expression), expression).toEqual([]);
});
