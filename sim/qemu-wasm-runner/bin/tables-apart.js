/**
 * Tables in flash, and globals where the module thinks that they are. A module that exports the constant TABLES_END says that
 * below it nothing is ever written, and nothing is read but tables, by accesses whose constant offset is the table's address
 * (edge-sdk/assembly/tables.ts). So where memory lies in the instance (WASM_RT_MEMORY_BYTES) and accesses are not checked, the
 * instance is its memory: globals lie in the first bytes of it, nearest to what every function has at hand, and the tables in a
 * constant. Globals for which there is no room lie behind the memory.
 *
 * Where accesses are checked nothing of this holds, since then no damaged message may ever reach a global.
 */
const APART = "WASM_RT_TABLES_APART";
const INSTANCE = /^typedef struct (w2c_\w+) \{\n((?:#.*\n| {2}\w+ \w+;\n)+)\} \1;\n/m;
const FIELD = /^ {2}u(8|32|64) \w+;\n/gm;
const SEGMENT = /^static const u8 (data_segment_data_\w+)\[\] = \{\n([\s\S]*?)\};\n/gm;
const LOADED = /^ {2}LOAD_DATA\(instance->(\w+), (\d+)u, (\w+), (\d+)\);\n/gm;
const ZEROS = "  memset(instance, 0, sizeof *instance);\n";
const ZEROED = / {2}memset\(instance, 0, sizeof \*instance\);\n/;
/** Memory first where globals lie in it, which is made zeros. */
const STARTED = /( {2}init_globals\(instance\);\n)( {2}init_memories\(instance\);\n)/;
const TABLE_ALIGNMENT = 8;
/** What a load is of, and what it answers. */
const LOADS = {
  i32_load: ["u32", "u32", "u32"],
  i64_load: ["u64", "u64", "u64"],
  i32_load8_s: ["s8", "s32", "u32"],
  i32_load8_u: ["u8", "u32", "u32"],
  i32_load16_s: ["s16", "s32", "u32"],
  i32_load16_u: ["u16", "u32", "u32"],
  i64_load8_u: ["u8", "u64", "u64"],
  i64_load16_u: ["u16", "u64", "u64"],
  i64_load32_u: ["u32", "u64", "u64"],
};

/**
 * @param {{ source: string, header: string }} made
 * @returns {{ source: string, header: string }}  as it was, where the module has no such tables
 */
export function tablesApart({ source, header }) {
  const end = tablesEnd(source);
  const instance = INSTANCE.exec(header);
  if (end === undefined || instance === null) return { source, header };
  const bytes = new Uint8Array(end);
  const tables = [...source.matchAll(LOADED)].filter(([, , at, , length]) => Number(at) + Number(length) <= end);
  for (const [, , at, name] of tables) bytes.set(segmentBytes(source, name), Number(at));
  const first = Math.min(...tables.map(([, , at]) => Number(at)));
  const from = first - (first % TABLE_ALIGNMENT);
  const accesses = tableAccesses(source, from, end);
  if (tables.length === 0 || accesses.some(({ name }) => !(name in LOADS))) return { source, header };
  return {
    source: withTables(source, { tables, accesses, from, bytes: bytes.subarray(from) }),
    header: header.replace(INSTANCE, (whole) => `${instanceAsMemory(instance, end)}#else\n${whole}#endif\n`),
  };
}

function tablesEnd(source) {
  const [, field] = /^u32\* \w+_TABLES_END\(\w+\* instance\) \{\n {2}return \(u32\*\)&(\w+);/m.exec(source) ?? [];
  const [, value] = new RegExp(`^static const u32 ${field} = (\\d+)u;`, "m").exec(source) ?? [];
  return value === undefined ? undefined : Number(value);
}

function segmentBytes(source, name) {
  const [, , text = ""] = [...source.matchAll(SEGMENT)].find(([, one]) => one === name) ?? [];
  return text.split(",").flatMap((byte) => (byte.trim() === "" ? [] : [Number(byte)]));
}

/** Loads and stores at a number that is not known, plus one that is a table's address. */
function tableAccesses(source, from, end) {
  const pattern = /\b(\w+_(?:load|store)\w*?)_default32\(&instance->\w+, (\(u64\)\(\w+\) \+ (\d+)u)/g;
  return [...source.matchAll(pattern)]
    .map(([text, name, , offset]) => ({ text, name, offset: Number(offset) }))
    .filter(({ offset }) => offset >= from && offset < end);
}

function withTables(source, { tables, accesses, from, bytes }) {
  const names = [...new Set(accesses.map(({ name }) => name))];
  const apart = [
    `static const u8 tables[${bytes.length}] __attribute__((aligned(${TABLE_ALIGNMENT}))) = {`,
    ...(
      Array.from(bytes)
        .join(", ")
        .match(/.{1,110}(?:, |$)/g) ?? []
    ).map((line) => `  ${line.trim()}`),
    "};",
    ...names.map((name) => {
      const [stored, as, answer] = LOADS[name];
      const read = `${stored} result; wasm_rt_memcpy(&result, &tables[at - ${from}u], sizeof result);`;
      return `static inline ${answer} ${name}_table(u32 at) { ${read} return (${answer})(${as})result; }`;
    }),
  ];
  const whole = names.map(
    (name) => `#define ${name}_table(at) ${name}_default32(&instance->${tables[0]?.[1]}, (u64)(at))`,
  );
  let text = source;
  for (const { text: access, name, offset } of accesses) {
    const index = /\(u64\)\((\w+)\)/.exec(access)?.[1] ?? "";
    text = text.replace(access, `${name}_table((${index}) + ${offset}u`);
  }
  for (const [line] of tables) text = text.replace(line, `#ifndef ${APART}\n${line}#endif\n`);
  for (const [, , , name] of tables) {
    text = text.replace(SEGMENT, (segment, one) => (one === name ? `#ifndef ${APART}\n${segment}#endif\n` : segment));
  }
  const prototypes = /^(?=static (?:void|u32|u64) \w+\(w2c_\w+\*(?:, \w+)*\);\n)/m;
  return text
    .replace(prototypes, () => `#ifdef ${APART}\n${apart.join("\n")}\n#else\n${whole.join("\n")}\n#endif\n\n`)
    .replace(ZEROED, (line) => `#ifndef ${APART}\n${line}#endif\n`)
    .replace(
      STARTED,
      (_, globals, memories) => `#ifdef ${APART}\n${ZEROS}${memories}${globals}#else\n${globals}${memories}#endif\n`,
    );
}

function instanceAsMemory([, name, fields], end) {
  const memory = /^ {2}wasm_rt_memory_t \w+;\n/m.exec(fields)?.[0] ?? "";
  let left = end;
  const inside = [];
  const behind = [];
  for (const [field, bits] of fields.matchAll(FIELD)) {
    const size = Number(bits) / 8;
    const padding = -(end - left) & (size - 1);
    const fits = size + padding <= left;
    (fits ? inside : behind).push(field);
    if (fits) left -= size + padding;
  }
  return `#if defined(WASM_RT_MEMORY_BYTES) && WASM_RT_MEMCHECK_GUARD_PAGES
#define ${APART}
__extension__ typedef struct ${name} {
__extension__ union {
${memory}__extension__ struct {
${inside.join("")}};
};
${behind.join("")}} ${name};
`;
}
