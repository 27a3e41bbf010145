import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ScenarioError } from "./scenario.ts";
import { loadScenario, parseScenario, scenarioNames } from "./scenario-file.ts";

const GOOD = `name: good
about: a device
seed: 1
durationS: 10
devices:
  - id: a
    signal: { name: rotor }
    eps: { abs: 0.05 }
    frameSamples: 10
    keepsRing: true
  - id: b
    signal:
      name: sine
      channels: 2
    eps: { rel: 0.01 }
    frameSamples: 5
    lookahead: greedy
    link:
      loss: 0.2
      cuts:
        - { fromS: 1, toS: 2 }
events:
  - { do: cut-power, device: a, atS: 2, forS: 1 }
expect:
  gaps: none
`;

function refusal(text: string): ScenarioError {
  try {
    parseScenario(text, "test.yaml");
  } catch (error) {
    if (error instanceof ScenarioError) return error;
    throw error;
  }
  throw new ScenarioError("bad-field", { file: "test.yaml", problem: "was accepted" });
}

test("a scenario is read with its defaults", () => {
  const scenario = parseScenario(GOOD, "test.yaml");
  expect(scenario).toMatchObject({
    name: "good",
    settleS: 30,
    expect: { lostConfirmed: 0, maxErrorOverEps: 1, converged: true },
  });
  expect(scenario.devices).toMatchObject([
    { transport: "mqtt", keepsRing: true, lookahead: "none" },
    { transport: "mqtt", keepsRing: false, lookahead: "greedy" },
  ]);
});

test("every scenario that comes with the package is sound, and named as its file", () => {
  const names = scenarioNames();
  expect(names).toEqual(["firmware-rotor", "long-offline", "lossy-uplink", "power-cut", "thousand-devices"]);
  for (const name of names) expect(loadScenario(name).name).toBe(name);
});

test.for([
  ["durationS: 10", "durationS: ten", 4, "durationS"],
  ["seed: 1", "seed: 1.5", 3, "seed"],
  ["    frameSamples: 5", "    frameSamples: 0", 16, "devices.1.frameSamples"],
  ["    lookahead: greedy", "    lookahead: far", 17, "devices.1.lookahead"],
  ["      channels: 2", "      channels: 17", 14, "devices.1.signal.channels"],
  ["      name: sine", "      name: sinus", 13, "devices.1.signal.name"],
  ["      loss: 0.2", "      loss: 2", 19, "devices.1.link.loss"],
  ["      loss: 0.2", "      lose: 0.2", 19, "devices.1.link.lose"],
  ["toS: 2 }", "toS: 0.5 }", 21, "devices.1.link.cuts.0.toS"],
  ["  - id: b", "  - id: a", 11, "devices.1.id"],
  ["    eps: { rel: 0.01 }", "    eps: 0.01", 15, "devices.1.eps"],
  ["do: cut-power, device: a", "do: cut-power, device: c", 23, "events.0.device"],
  ["do: cut-power, device: a", "do: cut-power, device: b", 23, "events.0.device"],
  ["do: cut-power", "do: cut-hair", 23, "events.0.do"],
  ["forS: 1", "forS: 100", 23, "events.0.forS"],
  ["  gaps: none", "  gaps: some", 25, "expect.gaps"],
  ["  gaps: none", "  lostConfirmed: 3", 25, "expect.lostConfirmed"],
] as const)("%s → %s is refused at its line and field", ([good, bad, line, field]) => {
  expect(GOOD).toContain(good);
  const { code, facts, message } = refusal(GOOD.replace(good, bad));
  expect([code, facts.line, facts.field]).toEqual(["bad-field", line, field]);
  expect(message).toContain(`test.yaml:${line}: ${field}: `);
});

const FIRMWARE = `name: firmware
about: a board under QEMU
seed: 1
durationS: 10
devices:
  - id: rotor-m4
    firmware: rotor-twin
    board: netduinoplus2
    noise: { everyBytes: 500 }
  - id: rotor-rv32
    firmware: rotor-twin
    board: riscv32-virt
    rateHz: 250
    keepsRing: true
events:
  - { do: cut-power, device: rotor-m4, atS: 2, forS: 1 }
`;

test("a device may be firmware under QEMU, whose power may be cut whether it keeps its ring or not", () => {
  expect(parseScenario(FIRMWARE, "test.yaml").devices).toEqual([
    {
      ...{ id: "rotor-m4", firmware: "rotor-twin", board: "netduinoplus2", transport: "serial", rateHz: 100 },
      ...{ keepsRing: false, noise: { everyBytes: 500, mostBytes: 40 } },
    },
    {
      ...{ id: "rotor-rv32", firmware: "rotor-twin", board: "riscv32-virt", transport: "serial", rateHz: 250 },
      keepsRing: true,
    },
  ]);
});

test.for([
  ["    firmware: rotor-twin\n    board: net", "    firmware: blinky\n    board: net", 7, "devices.0.firmware"],
  ["board: netduinoplus2", "board: microbit", 8, "devices.0.board"],
  ["board: netduinoplus2", "board: node", 8, "devices.0.board"],
  ["    board: netduinoplus2\n", "    board: netduinoplus2\n    keepsRing: true\n", 9, "devices.0.keepsRing"],
  ["    board: netduinoplus2\n", "    board: netduinoplus2\n    transport: tcp\n", 9, "devices.0.transport"],
  ["    board: netduinoplus2\n", "    board: netduinoplus2\n    eps: { abs: 1 }\n", 9, "devices.0.eps"],
  ["everyBytes: 500", "everyBytes: 0", 9, "devices.0.noise.everyBytes"],
  ["rateHz: 250", "rateHz: 300", 13, "devices.1.rateHz"],
  ["id: rotor-rv32", "id: rotor-m4", 10, "devices.1.id"],
] as const)("firmware: %j → %j is refused at its line and field", ([good, bad, line, field]) => {
  expect(FIRMWARE).toContain(good);
  const { code, facts } = refusal(FIRMWARE.replace(good, bad));
  expect([code, facts.line, facts.field]).toEqual(["bad-field", line, field]);
});

test("a missing field is named, at the line of what should have it", () => {
  const { facts } = refusal(GOOD.replace("    frameSamples: 5\n", ""));
  expect([facts.line, facts.field]).toEqual([11, "devices.1.frameSamples"]);
  expect(refusal("").facts).toMatchObject({ line: 1 });
});

test("what is not YAML is refused at its line", () => {
  const { code, facts } = refusal(GOOD.replace("seed: 1", "seed: [1"));
  expect(code).toBe("not-yaml");
  expect(facts.line).toBeGreaterThanOrEqual(3);
});

test("a name that is neither a file nor shipped, and a file that is not there, are refused", () => {
  expect(() => loadScenario("lossy")).toThrow(/lossy-uplink/);
  expect(() => loadScenario("./absent.yaml")).toThrow(ScenarioError);
  const folder = mkdtempSync(join(tmpdir(), "lockstep-scenario-"));
  try {
    writeFileSync(join(folder, "own.yaml"), GOOD);
    expect(loadScenario(join(folder, "own.yaml")).name).toBe("good");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
