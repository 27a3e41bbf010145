import { InvariantError } from "../invariant-error.ts";
import type { ArenaPlan } from "./arena-plan.ts";
import type { KernelName, Kernels } from "./kernels.ts";
import type { KernelArgument, KernelCall } from "./program.ts";
import { type Address, rowsOf, sizeOf, type Tensor, widthOf } from "./tensor.ts";

/** A kernel's parameters, each also as a place or as "none". */
export type CallArguments<Name extends KernelName> = Placed<Parameters<Kernels[Name]>>;
type Placed<Numbers extends readonly number[]> = { [Index in keyof Numbers]: KernelArgument };

/** Where a contribution to a gradient goes, and whether it adds (1) to what is there or is the first (0). */
export interface Contribution {
  readonly address: Address;
  readonly add: 0 | 1;
}

/** What is known of the gradient of one tensor that is no view. */
interface Slot {
  readonly address: Address;
  /** Only a gradient with a place of its own may be given away or back. */
  readonly isOwned: boolean;
  isWhole: boolean;
  /** Views that have a contribution while the whole has none. */
  readonly views: Set<Tensor>;
}

/**
 * Records the backward half of a program, last operation first. Which contribution to a gradient comes first is known
 * here, so that no step clears gradients; a gradient's place is used again once its operation has read it.
 */
export class GradientTape {
  readonly calls: KernelCall[] = [];
  readonly #plan: ArenaPlan;
  readonly #needs: ReadonlySet<Tensor>;
  readonly #views: ReadonlyMap<Tensor, readonly Tensor[]>;
  readonly #trained: ReadonlyMap<Tensor, Address>;
  readonly #slots = new Map<Tensor, Slot>();

  /**
   * @param plan  of the section `work`
   * @param needs  the tensors that a trained parameter leads to, and the parameters themselves
   * @param views  the parts of each tensor that was split
   * @param trained  where the gradients of parameters go
   */
  constructor(
    plan: ArenaPlan,
    needs: ReadonlySet<Tensor>,
    views: ReadonlyMap<Tensor, readonly Tensor[]>,
    trained: ReadonlyMap<Tensor, Address>,
  ) {
    this.#plan = plan;
    this.#needs = needs;
    this.#views = views;
    this.#trained = trained;
  }

  call<Name extends KernelName>(kernel: Name, ...args: CallArguments<Name>): void {
    this.calls.push({ kernel, args });
  }

  /** Whether a gradient of it is wanted at all. */
  needs(tensor: Tensor): boolean {
    return this.#needs.has(rootOf(tensor));
  }

  /** The gradient of an operation's result, complete; `undefined` where the loss does not depend on it. */
  take(tensor: Tensor): Address | undefined {
    const slot = this.#slots.get(rootOf(tensor));
    if (slot === undefined) return undefined;
    this.#completeViews(rootOf(tensor), slot);
    return slot.address;
  }

  /** Ask where the gradient of an operand goes; the caller writes it with the call that it records next. */
  give(tensor: Tensor): Contribution {
    const root = rootOf(tensor);
    const slot = this.#slots.get(root) ?? this.#open(root);
    if (!isPart(tensor)) {
      this.#completeViews(root, slot);
      const add = slot.isWhole ? 1 : 0;
      slot.isWhole = true;
      return { address: slot.address, add };
    }
    const add = slot.isWhole || slot.views.has(tensor) ? 1 : 0;
    slot.views.add(tensor);
    return { address: partOf(slot.address, tensor), add };
  }

  /** As `give`, or "none" for what needs no gradient. */
  giveIfNeeded(tensor: Tensor | undefined): { readonly address: Address | undefined; readonly add: 0 | 1 } {
    return tensor !== undefined && this.needs(tensor) ? this.give(tensor) : { address: undefined, add: 0 };
  }

  /**
   * The gradient of `result` is that of `operand` too, unchanged. Where nothing else has come to `operand` yet, it
   * takes the place over; so this is the last that the operation of `result` does.
   */
  pass(result: Tensor, operand: Tensor): void {
    if (!this.needs(operand)) return;
    const from = this.#slots.get(rootOf(result));
    if (from === undefined) throw new InvariantError("a gradient is passed on that was never given");
    const root = rootOf(operand);
    const canMove = from.isOwned && !this.#slots.has(root) && !isPart(operand) && root !== rootOf(result);
    if (canMove && !this.#trained.has(root)) {
      this.#slots.set(root, { ...from, views: new Set() });
      this.#slots.set(rootOf(result), { ...from, isOwned: false });
      return;
    }
    const { address, add } = this.give(operand);
    this.call("copy", address, from.address, sizeOf(operand.shape), add);
  }

  /** The operation that made `tensor` has read its gradient: the place is free. */
  close(tensor: Tensor): void {
    const slot = this.#slots.get(tensor);
    if (slot?.isOwned) this.#plan.release(slot.address, sizeOf(tensor.shape));
  }

  #open(root: Tensor): Slot {
    const kept = this.#trained.get(root);
    const address = kept ?? this.#plan.reserve(sizeOf(root.shape));
    const slot: Slot = { address, isOwned: kept === undefined, isWhole: false, views: new Set() };
    this.#slots.set(root, slot);
    return slot;
  }

  /** Parts that nothing came to are zero. */
  #completeViews(root: Tensor, slot: Slot): void {
    if (slot.isWhole || slot.views.size === 0) return;
    for (const view of this.#views.get(root) ?? []) {
      if (slot.views.has(view)) continue;
      this.call("fill", partOf(slot.address, view), rowsOf(view), widthOf(view), view.stride, 0);
    }
    slot.isWhole = true;
  }
}

/** The tensor whose numbers these are. */
export function rootOf(tensor: Tensor): Tensor {
  return tensor.view?.of ?? tensor;
}

/** Whether it is some of its root's columns, and not the whole under another shape. */
function isPart(tensor: Tensor): boolean {
  return tensor.view !== undefined && sizeOf(tensor.shape) < sizeOf(tensor.view.of.shape);
}

function partOf({ section, offset }: Address, { view }: Tensor): Address {
  return { section, offset: offset + (view?.column ?? 0) };
}
