import { expect, test } from "vitest";
import { BOARDS } from "./board.ts";
import { doctor, locateTool } from "./doctor.ts";

test("every tool of every board is in the table, with the line that installs it", async () => {
  const tools = await doctor();
  const named = new Set(tools.map(({ name }) => name));
  for (const { name, tools: needed } of BOARDS) {
    expect(
      needed.filter((tool) => !named.has(tool)),
      name,
    ).toEqual([]);
  }
  for (const { name, install, boards } of tools) {
    expect(install, name).toMatch(/^apt-get install -y --no-install-recommends [a-z]/);
    expect(boards.length, name).toBeGreaterThan(0);
  }
});

test("a tool that the path does not have is refused with the line that installs it", () => {
  expect(() => locateTool("qemu-system-riscv32", "/nowhere:/neither")).toThrow(
    expect.objectContaining({
      code: "missing-tool",
      facts: {
        tool: "qemu-system-riscv32",
        install: "apt-get install -y --no-install-recommends qemu-system-misc",
      },
    }),
  );
});
