import { expect, test } from "vitest";
import { drawDemo, sparkWidth } from "./demo-table.ts";
import type { DemoRow, DemoView } from "./demo-view.ts";

const IMU: DemoRow = {
  id: "imu-1",
  state: "catching-up",
  recent: Array.from({ length: 23 }, (_, i) => (i > 10 && i < 21 ? undefined : i % 8)),
  ratioIp: 9.129,
  errorShare: 0.9811,
  p99Ms: 1720,
  ringFill: 0.131,
};
const ROTOR: DemoRow = { ...IMU, id: "rotor-1", state: "live", ratioIp: 24.46, p99Ms: 41.2, ringFill: 0.011 };
const VIEW: DemoView = {
  eps: "0.05",
  upMs: 72_000,
  url: "http://localhost:8080",
  rows: [IMU, ROTOR],
  chosen: undefined,
  ratioIp: 21.79,
  beyondEps: 0,
  lost: 0,
  events: [],
  isPaused: false,
  isHelpShown: false,
};
const STYLE = { columns: 80, rows: 24, isAscii: false, hasColor: true };

test("80 columns show what the guide draws", () => {
  expect(drawDemo(VIEW, STYLE).slice(0, 6)).toEqual([
    "lockstep demo   eps 0.05   up 00:01:12   http://localhost:8080           ? keys",
    "2 devices, 1 catching up   IP bytes 21.7x fewer   beyond eps 0   lost 0",
    "",
    "DEVICE    STATE        LAST 60 s               SAVED IP  ERR/EPS      P99  RING",
    "imu-1     catching up  ▁▂▃▄▅▆▇█▁▂▃··········▆▇    9.12x     0.99    1.8 s  14 %",
    "rotor-1   live         ▁▂▃▄▅▆▇█▁▂▃··········▆▇    24.4x     0.99    42 ms   2 %",
  ]);
});

test.each([20, 40, 56, 60, 64, 70, 80, 100, 117, 200])("no line is wider than %i columns", (columns) => {
  const width = sparkWidth(["imu-1", "rotor-1"], columns);
  const rows = [IMU, ROTOR].map((row) => ({ ...row, recent: Array.from({ length: width }, () => 1) }));
  const lines = drawDemo({ ...VIEW, rows, isHelpShown: true }, { ...STYLE, columns });
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(columns);
});

test("a narrower terminal drops P99 first, then the ring, then the drawing; a wider one draws up to 60 characters", () => {
  const head = (columns: number): string => drawDemo(VIEW, { ...STYLE, columns })[3] ?? "";
  expect(head(80)).toMatch(/P99 +RING/);
  expect(head(64)).not.toContain("P99");
  expect(head(64)).toContain("RING");
  expect(head(54)).not.toContain("RING");
  expect(head(54)).toContain("LAST 60 s");
  expect(head(48)).not.toContain("LAST 60 s");
  expect(sparkWidth(["rotor-1"], 300)).toBe(60);
});

test("more devices than lines end in how many more are live", () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ ...ROTOR, id: `rotor-${i}` }));
  const lines = drawDemo({ ...VIEW, rows }, STYLE);
  expect(lines.length).toBeLessThanOrEqual(24);
  expect(lines.join("\n")).toMatch(/… and \d+ more live/);
});

test("only what needs action is bold, and red where colours are wanted", () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with one
  const style = /\u001b\[[0-9;]+m/g;
  const escapes = (hasColor: boolean, view: DemoView): string =>
    [
      ...drawDemo(view, { ...STYLE, hasColor })
        .join("\n")
        .matchAll(style),
    ].join("");
  expect(escapes(true, VIEW)).toBe("");
  const bad = { ...VIEW, lost: 3, rows: [{ ...IMU, state: "offline" as const }] };
  expect(escapes(true, bad)).toContain("\u001b[1;31m");
  expect(escapes(false, bad)).not.toContain("31m");
});

test("plain characters are all there is with --ascii", () => {
  const events = [{ unixMs: 0, id: "imu-1", text: "online" }];
  const lines = drawDemo({ ...VIEW, events, isHelpShown: true }, { ...STYLE, isAscii: true, hasColor: false });
  expect(lines.join("\n")).toMatch(/^[ -~\n]*$/);
  expect(lines[4]).toContain("?????");
});
