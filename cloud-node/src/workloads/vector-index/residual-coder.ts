import type { CodedRows } from "./coded-rows.ts";
import type { IndexModel } from "./model.ts";
import { type PlacedModel, placeModel } from "./placed-model.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import { VectorKernel } from "./vector-kernel.ts";

/** Bytes of rows in the kernel's memory at once. */
const BATCH_BYTES = 1 << 20;

/** Memory for k coded rows. */
export function newCodedRows(k: number, codeBytes: number): CodedRows {
  return { codes: new Uint8Array(k * codeBytes), scales: new Uint16Array(k), terms: new Uint16Array(k) };
}

/**
 * Turns rows into codes of their residuals from their anchors, and codes back into rows. A row's code depends on the
 * model, the row and its list alone.
 */
export class ResidualCoder {
  /** Bytes of a row's code. */
  readonly codeBytes: number;
  /** What a row's term is counted in. */
  readonly termUnit: number;
  readonly #kernel = VectorKernel.load();
  readonly #placed: PlacedModel;
  readonly #batch: number;
  readonly #rows: number;
  readonly #rotated: number;
  readonly #lists: number;
  readonly #codes: number;
  readonly #scales: number;
  readonly #terms: number;
  readonly #errors: number;

  /** @throws {VectorIndexError} `bad-index` for a model that contradicts itself, `too-large` for one beyond 4 GB */
  constructor(model: IndexModel) {
    const kernel = this.#kernel;
    const placed = placeModel(kernel, model);
    this.#placed = placed;
    this.codeBytes = placed.codeBytes;
    this.termUnit = placed.termUnit;
    const rowBytes = model.paddedD * 4;
    this.#batch = Math.max(4, Math.floor(BATCH_BYTES / rowBytes));
    const scratch = kernel.reserve(kernel.calls.coderScratchBytes());
    this.#rows = kernel.reserve(this.#batch * rowBytes);
    this.#rotated = kernel.reserve(this.#batch * rowBytes);
    this.#lists = kernel.reserve(this.#batch * 4);
    this.#codes = kernel.reserve(this.#batch * this.codeBytes);
    this.#scales = kernel.reserve(this.#batch * 2);
    this.#terms = kernel.reserve(this.#batch * 2);
    this.#errors = kernel.reserve(this.#batch * 4);
    const { mean, rotation, anchors, deviations, weights } = placed;
    const { codeBytes, termUnit } = this;
    kernel.calls.setCoder(model.d, codeBytes, termUnit, mean, rotation, anchors, deviations, weights, scratch);
  }

  /**
   * Code rows.
   *
   * @param rows    shape (k, d), finite; for `cosine` of length 1
   * @param lists   shape (k): the anchor of each row
   * @param out     room for k rows, overwritten
   * @param errors  shape (k), overwritten: squared distance between each row and what its code stands for, in rotated
   *   space; the decoded row may be nearer, as what lies outside the d dimensions is left out of it
   * @throws {VectorIndexError} `bad-shape` when the lengths contradict each other or a list is not one of m
   */
  encode(rows: Float32Array, lists: Uint32Array, out: CodedRows, errors?: Float32Array): void {
    const { d } = this.#placed.model;
    this.#checkLists(lists);
    this.#checkLength("rows", rows.length, lists.length * d);
    this.#checkCoded(out, lists.length);
    if (errors !== undefined) this.#checkLength("errors", errors.length, lists.length);
    const kernel = this.#kernel;
    for (let from = 0; from < lists.length; from += this.#batch) {
      const count = Math.min(this.#batch, lists.length - from);
      kernel.floats(this.#rows, count * d).set(rows.subarray(from * d, (from + count) * d));
      kernel.words(this.#lists, count).set(lists.subarray(from, from + count));
      kernel.calls.encodeRows(
        this.#rows,
        count,
        this.#rotated,
        this.#lists,
        this.#codes,
        this.#scales,
        this.#terms,
        this.#errors,
      );
      out.codes.set(kernel.bytes(this.#codes, count * this.codeBytes), from * this.codeBytes);
      out.scales.set(kernel.halves(this.#scales, count), from);
      out.terms.set(kernel.halves(this.#terms, count), from);
      errors?.set(kernel.floats(this.#errors, count), from);
    }
  }

  /**
   * What codes stand for.
   *
   * @param coded  k rows
   * @param lists  shape (k): the anchor of each row
   * @param out    shape (k, d), overwritten
   * @throws {VectorIndexError} `bad-shape` as `encode`
   */
  decode(coded: CodedRows, lists: Uint32Array, out: Float32Array): void {
    const { d, paddedD } = this.#placed.model;
    this.#checkLists(lists);
    this.#checkLength("rows", out.length, lists.length * d);
    this.#checkCoded(coded, lists.length);
    const kernel = this.#kernel;
    for (let from = 0; from < lists.length; from += this.#batch) {
      const count = Math.min(this.#batch, lists.length - from);
      const codes = coded.codes.subarray(from * this.codeBytes, (from + count) * this.codeBytes);
      kernel.bytes(this.#codes, codes.length).set(codes);
      kernel.halves(this.#scales, count).set(coded.scales.subarray(from, from + count));
      kernel.words(this.#lists, count).set(lists.subarray(from, from + count));
      kernel.calls.decodeRows(count, this.#lists, this.#codes, this.#scales, this.#rotated);
      for (let i = 0; i < count; i++) {
        out.set(kernel.floats(this.#rotated + i * paddedD * 4, d), (from + i) * d);
      }
    }
  }

  #checkLists(lists: Uint32Array): void {
    const { m } = this.#placed.model;
    const row = lists.findIndex((list) => list >= m);
    if (row < 0) return;
    throw new VectorIndexError("bad-shape", `list ${lists[row]} of ${m}`, "give one of the index's lists", { row });
  }

  #checkCoded({ codes, scales, terms }: CodedRows, k: number): void {
    this.#checkLength("codes", codes.length, k * this.codeBytes);
    this.#checkLength("scales", scales.length, k);
    this.#checkLength("terms", terms.length, k);
  }

  #checkLength(what: string, have: number, need: number): void {
    if (have === need) return;
    throw new VectorIndexError("bad-shape", `${have} numbers of ${what}, need ${need}`, "pass arrays of one length");
  }
}
