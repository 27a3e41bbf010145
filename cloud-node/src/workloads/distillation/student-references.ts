import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { digestTree } from "./tree-digest.ts";

/** What a student's folder says that points at a teacher. */
export interface TeacherReference {
  readonly file: string;
  readonly teacher: string;
}

/**
 * Names of teachers anywhere in a student's files, whatever these are: one that nobody can read must not be asked for by name.
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
    // Latin-1 keeps every byte: names are ASCII.
    const text = (await readFile(join(student, path))).toString("latin1");
    for (const teacher of models) {
      // A registry's names have no other character that means something in a pattern.
      const asPath = new RegExp(`[/\\\\]${teacher.replaceAll(".", "\\.")}(?![A-Za-z0-9._-])`);
      if (asPath.test(text)) found.push({ file: path, teacher });
    }
    for (const teacher of places) if (text.includes(teacher)) found.push({ file: path, teacher });
  }
  return found;
}
