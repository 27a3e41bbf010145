/**
 * The file of a thread, beside the module that starts it: TypeScript in a source tree, JavaScript where it was built.
 *
 * @param module  `import.meta.url` of that module
 * @param name  of the file, without its ending
 */
export function threadFile(module: string, name: string): URL {
  return new URL(`./${name}${module.endsWith(".ts") ? ".ts" : ".js"}`, module);
}
