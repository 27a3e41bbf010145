/**
 * Exported globals that keep their start value. In the C that wasm2c writes such a global is a field of the instance, with a
 * function that hands out its address, a line that sets its start value, and otherwise only reads and assignments.
 *
 * @param {{ source: string, header: string }} made  both files, without the module's true constants
 * @param {readonly string[]} names  as exported
 * @returns {{ source: string, header: string, unknown: string[] }}  `unknown`: those that are no such global
 */
export function fixGlobals(made, names) {
  let { source, header } = made;
  const unknown = [];
  for (const name of names) {
    const reader = new RegExp(
      `^(u32|u64)\\* w2c_(\\w+?)_${name}\\(w2c_\\w+\\* instance\\) \\{\\n {2}return &instance->(\\w+);\\n\\}\\n`,
      "m",
    );
    const [whole, type, , field] = reader.exec(source) ?? [];
    const start = new RegExp(`^ {2}instance->${field} = (\\d+(?:u|ull));\\n`, "m").exec(source);
    if (!/^\w+$/.test(name) || whole === undefined || start === null) {
      unknown.push(name);
      continue;
    }
    const [line, value] = start;
    const constant = `fixed_${field}`;
    source = source
      .replace(line, "")
      .replace(
        whole,
        whole
          .replace(/^/, `static const ${type} ${constant} = ${value};\n`)
          .replace(`return &instance->${field}`, `return (${type}*)&${constant}`),
      )
      .replace(new RegExp(`instance->${field} = ([^;]+);`, "g"), `if (UNLIKELY(($1) != ${value})) TRAP(UNREACHABLE);`)
      .replace(new RegExp(`instance->${field}\\b`, "g"), value);
    header = header
      .replace(new RegExp(`^ {2}${type} ${field};\\n`, "m"), "")
      .replace(/^(#include "wasm-rt\.h"\n)/m, `$1\n#define WASM_FIXED_${name}\n`);
  }
  return { source, header, unknown };
}
