/**
 * A process of its own for one benchmark of `npm run reproduce`: `run-bench.ts FOLDER NAME [options]` writes its page and
 * plots into the folder, and ends as `npm run bench` does.
 */
import { pathToFileURL } from "node:url";
import { main } from "../bench/main.ts";

const [folder = "", ...args] = process.argv.slice(2);
process.exitCode = await main([...args, "--write"], {
  results: pathToFileURL(`${folder}/`),
  say: () => {},
  complain: (text) => process.stderr.write(text),
});
