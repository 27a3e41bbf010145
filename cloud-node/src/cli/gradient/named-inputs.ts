import { basename } from "node:path";
import type { InputFile } from "../jobs/job-request.ts";

/** Files by names of their own: those of two folders may have the same one. */
export function inputsOf(paths: readonly string[]): InputFile[] {
  const taken = new Set<string>();
  return paths.map((path) => {
    let name = basename(path);
    for (let number = 2; taken.has(name); number += 1) name = `${number}-${basename(path)}`;
    taken.add(name);
    return { name, path };
  });
}
