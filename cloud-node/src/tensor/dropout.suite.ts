import { describe, expect, test } from "vitest";
import type { Backend, DropoutDraw, Engine } from "./engine.ts";
import type { Program } from "./program.ts";
import { ProgramBuilder } from "./program-builder.ts";
import { mixWords, RandomStream } from "./random.ts";

const [ROWS, WIDTH, RATE] = [64, 67, 0.2];
const COUNT = ROWS * WIDTH;

/** What every backend leaves out, and when. */
export function dropoutSuite({ name, load }: Pick<Backend, "name" | "load">): void {
  describe(`dropout on ${name}`, () => {
    test("leaves nothing out until it is told to, and when it is told to stop", async () => {
      const engine = await load(onesProgram("a"));
      const ones = new Float32Array(COUNT).fill(1);
      engine.set("x", ones);
      await engine.forward();
      expect(await engine.read(engine.program.output)).toEqual(ones);
      expect(await resultOf(engine, { seed: 1, step: 1 })).toContain(0);
      expect(await resultOf(engine)).toEqual(ones);
    });

    test("leaves out the places that seed, name and step say, and grows the others", async () => {
      const engine = await load(onesProgram("a"));
      const key = new RandomStream(5, "a", 9).nextWord();
      const want = Float32Array.from({ length: COUNT }, (_, i) =>
        mixWords(key, i) < Math.floor(RATE * 2 ** 32) ? 0 : 1 / (1 - RATE),
      );
      expect(await resultOf(engine, { seed: 5, step: 9 })).toEqual(want);
    });

    test("leaves out nearly its share, and other places for another seed, step or name", async () => {
      const engine = await load(onesProgram("a"));
      const other = await load(onesProgram("b"));
      const first = await resultOf(engine, { seed: 5, step: 9 });
      const isOut = (values: Float32Array) => values.map((value) => (value === 0 ? 1 : 0));
      const share = (outs: Float32Array) => outs.reduce((sum, out) => sum + out, 0) / COUNT;
      // Five deviations of a mean of COUNT draws.
      const bound = (rate: number) => 5 * Math.sqrt((rate * (1 - rate)) / COUNT);
      expect(Math.abs(share(isOut(first)) - RATE)).toBeLessThan(bound(RATE));
      for (const second of [
        await resultOf(engine, { seed: 6, step: 9 }),
        await resultOf(engine, { seed: 5, step: 10 }),
        await resultOf(other, { seed: 5, step: 9 }),
      ]) {
        const both = share(isOut(first).map((out, i) => out * (second[i] === 0 ? 1 : 0)));
        expect(Math.abs(both - RATE ** 2)).toBeLessThan(bound(RATE ** 2));
      }
      expect(await resultOf(engine, { seed: 5, step: 9 })).toEqual(first);
    });
  });
}

function onesProgram(name: string): Program {
  const b = new ProgramBuilder();
  return b.build(b.dropout(b.parameter("x", [ROWS, WIDTH]), { name, rate: RATE }), { withGradients: false });
}

async function resultOf(engine: Engine, draw?: DropoutDraw): Promise<Float32Array> {
  engine.set("x", new Float32Array(COUNT).fill(1));
  engine.setDropout(draw);
  await engine.forward();
  return engine.read(engine.program.output);
}
