/** Entry of a process of its own: fills a store without end, until it is killed; says one word once it has begun. */
import { KeptStore } from "./kept-store.suite.ts";
import { ScriptedDevice } from "./scripted-device.suite.ts";

const [file = "", seed = "1", epoch = "1"] = process.argv.slice(2);
const kept = new KeptStore(file);
const device = new ScriptedDevice({ seed: Number(seed), epoch: Number(epoch), channels: 2, frameSamples: 20 });
// Boots follow each other in time.
device.setClock(device.timeUs + Number(epoch) * 10_000_000_000);
kept.birth(device);
for (let i = 0; ; i++) {
  const isCut = i % 12 === 0;
  kept.receive(device, isCut ? device.keyframe() : device.residual(i % 7 === 0));
  if (i % 9 === 0) await kept.commit();
  if (i === 600) process.stdout.write("filling\n");
}
