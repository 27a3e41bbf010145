import { afterEach, expect, test } from "vitest";
import { ATTACKS, EMBEDDED_ATTACKS } from "./mqtt-attacks.ts";
import { speaks, Target } from "./target.ts";

let target: Target | undefined;
afterEach(async () => {
  await target?.close();
  target = undefined;
});

for (const attack of [...ATTACKS, ...EMBEDDED_ATTACKS]) {
  test(`${attack.name}: refused by the embedded broker, and its victim goes on`, async () => {
    target = await (await Target.of(true)).start();
    const victim = await target.victim();
    expect(await attack.succeeds(target, victim)).toBe(false);
    expect(target.harm).toBe(0);
    expect(await speaks(victim)).toBe(true);
  });

  test(`${attack.name}: succeeds where no device was added, so that its refusal proves something`, async () => {
    target = await (await Target.of(false)).start();
    const victim = await target.victim();
    expect(await attack.succeeds(target, victim)).toBe(true);
  });
}
