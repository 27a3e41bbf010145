import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CommandError } from "./command-error.ts";
import { planRepublish, type RepublishChoice } from "./republish-options.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-republish-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function choice(more: Partial<RepublishChoice>): RepublishChoice {
  const defaults = {
    republishTopic: "lockstep/{group}/{device}",
    republishEvery: 1_000,
    republishSamples: "newest",
  } as const;
  return { ...defaults, sparkplugNode: "lockstep", group: "lockstep", republish: ["json"], ...more };
}

function file(text: string): string {
  const path = join(folder, "password");
  writeFileSync(path, text);
  return path;
}

/** What a person would read. */
async function refusal(more: Partial<RepublishChoice>): Promise<string> {
  const error = await planRepublish(choice(more)).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(CommandError);
  return error instanceof CommandError ? `${error.message} ${JSON.stringify(error)}` : "";
}

const to = { republishTo: "mqtts://me%40home@broker.example:8883" };

test("the password is the first line of its file, whatever ends it, and the CA the whole of its", async () => {
  const republishPasswordFile = file("s3cret word \r\nnot this\n");
  const plan = await planRepublish(choice({ ...to, republishPasswordFile, republishCa: republishPasswordFile }));
  const url = "mqtts://broker.example:8883";
  expect(plan?.broker).toEqual({ url, user: "me@home", password: "s3cret word ", ca: "s3cret word \r\nnot this\n" });
});

test("no refusal repeats a secret", async () => {
  const republishPasswordFile = file("s3cret\n");
  const refusals = [
    await refusal({ republishTo: "mqtt://me:s3cret@broker" }),
    await refusal({ republishTo: "mqtts://broker", republishPasswordFile }),
    await refusal({ republishTo: "s3cret" }),
    await refusal({ republishPasswordFile }),
    await refusal({ ...to, republishPasswordFile: file("\ns3cret\n") }),
  ];
  for (const said of refusals) expect(said).not.toContain("s3cret");
});

test("a file that is not there is named", async () => {
  expect(await refusal({ ...to, republishPasswordFile: join(folder, "none") })).toContain(join(folder, "none"));
  expect(await refusal({ ...to, republishCa: join(folder, "no-ca") })).toContain(join(folder, "no-ca"));
});

test("nothing is planned where nothing was asked for, and the group of Sparkplug is the node's unless it is said", async () => {
  const { republish: _, ...nothing } = choice({});
  expect(await planRepublish(nothing)).toBeUndefined();
  expect((await planRepublish(choice({ group: "east" })))?.sparkplug.group).toBe("east");
  expect((await planRepublish(choice({ group: "east", sparkplugGroup: "Plant 1" })))?.sparkplug.group).toBe("Plant 1");
});

test("a port that there is none of is refused", async () => {
  for (const port of ["99999", "0", "1883x", "-1"]) {
    expect(await refusal({ republishTo: `mqtt://broker:${port}` }), port).toContain("mqtts://USER@HOST:PORT");
  }
  expect((await planRepublish(choice({ republishTo: "mqtt://[::1]:1883" })))?.broker).toMatchObject({
    url: "mqtt://[::1]:1883",
  });
});
