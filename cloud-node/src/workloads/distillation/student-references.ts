import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TEACHERS_FOLDER } from "./distillation-config.ts";
import { digestTree } from "./tree-digest.ts";

/** What a student's folder says that points at a teacher. */
export interface TeacherReference {
  readonly file: string;
  readonly teacher: string;
}

/** Bytes in front of a header of safetensors: its length, u64, little-endian. */
const LENGTH_BYTES = 8;

/**
 * Paths of teachers anywhere in the text of a student's files: one that nobody can read must not be asked for by name. Numbers
 * are no text: among enough of them, the bytes of any short name are found by chance.
 *
 * @param models  names of the teachers' folders
 * @param places  paths of teachers, wherever they are
 * @throws as `digestTree`: links are refused
 */
export async function teacherReferences(
  student: string,
  models: readonly string[],
  places: readonly string[] = [],
): Promise<TeacherReference[]> {
  const found: TeacherReference[] = [];
  for (const { path } of (await digestTree(student)).files) {
    const text = textOf(path, await readFile(join(student, path)));
    for (const teacher of models) {
      // A registry's names have no other character that means something in a pattern.
      const name = teacher.replaceAll(".", "\\.");
      const asPath = new RegExp(`(?<![A-Za-z0-9._-])${TEACHERS_FOLDER}[/\\\\]+${name}(?![A-Za-z0-9._-])`);
      if (asPath.test(text)) found.push({ file: path, teacher });
    }
    for (const teacher of places) if (text.includes(teacher)) found.push({ file: path, teacher });
  }
  return found;
}

/** Latin-1 keeps every byte: names are ASCII. */
function textOf(path: string, bytes: Buffer): string {
  if (!path.endsWith(".safetensors") || bytes.length < LENGTH_BYTES) return bytes.toString("latin1");
  return bytes.toString("latin1", LENGTH_BYTES, LENGTH_BYTES + Number(bytes.readBigUInt64LE()));
}
