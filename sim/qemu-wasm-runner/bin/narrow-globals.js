const BYTE_MOST = 255;

/**
 * Globals of which every value is a small number in the module's own text, such as what is true or false: a byte of the
 * instance each, in front of the others. One whose address the C hands out stays as it is.
 *
 * @param {{ source: string, header: string }} made
 * @returns {{ source: string, header: string }}
 */
export function narrowGlobals({ source, header }) {
  const fields = /^typedef struct w2c_\w+ \{\n((?: {2}u(?:32|64) \w+;\n)+)/m.exec(header)?.[1] ?? "";
  const lines = source.split("\n").map((line) => line.trim());
  const narrow = [...fields.matchAll(/^ {2}u32 (\w+);$/gm)]
    .map(([, name = ""]) => name)
    .filter((name) => !source.includes(`&instance->${name};`) && isSmall(lines, name));
  const rest = fields.replace(/^ {2}u32 (\w+);\n/gm, (line, name) => (narrow.includes(name) ? "" : line));
  return { source, header: header.replace(fields, () => narrow.map((name) => `  u8 ${name};\n`).join("") + rest) };
}

/** Each assignment of wasm2c's is of a number, or of a variable that the line before sets to one. */
function isSmall(lines, name) {
  const begin = `instance->${name} = `;
  const values = lines.flatMap((line, at) => {
    if (!line.startsWith(begin)) return [];
    const value = line.slice(begin.length, -1);
    const before = lines[at - 1] ?? "";
    const number = /^(\d+)u$/.exec(before.startsWith(`${value} = `) ? before.slice(`${value} = `.length, -1) : value);
    return [number === null ? Number.NaN : Number(number[1])];
  });
  return values.length > 0 && values.every((value) => value <= BYTE_MOST);
}
