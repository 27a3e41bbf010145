/** Entry of a process of its own: puts a blob, says so when so much of it is kept, and then waits to be killed. */
import { bytesOf, refOf, sourceOf } from "./blob-bytes.suite.ts";
import { FileBlobs } from "./file-blobs.ts";

const [folder = "", seed = "", until = ""] = process.argv.slice(2);
const bytes = bytesOf(Number(seed));
let kept = 0;
const source = async function* (from: number) {
  for await (const chunk of sourceOf(bytes).source(from)) {
    if (kept >= Number(until)) {
      process.stdout.write("kept\n");
      // Until it is killed: a timer keeps the process.
      await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
    }
    yield chunk;
  }
};
const onProgress = (n: number) => {
  kept = n;
};
await new FileBlobs(folder).put(source, { expect: refOf(bytes), onProgress });
