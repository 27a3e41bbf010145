import type { Clock, Timer } from "../clock.ts";
import { FlashError } from "../flash/flash-error.ts";
import type { RolloutRecord } from "../flash/update-record.ts";
import type { ApiUpdates } from "./api-node.ts";
import type { MessageSink } from "./live-stream.ts";
import { updateAnswer } from "./update-answers.ts";

/** At most five times a second. */
const PACE_MS = 200;
/** So that a reader knows that the node is there while nothing happens. */
const HEARTBEAT_MS = 5_000;

/** Whom one update is told to. */
export interface UpdateFeedOptions {
  readonly updates: Pick<ApiUpdates, "get" | "onChange">;
  readonly clock: Clock;
  readonly stream: MessageSink;
  /** Of the update. */
  readonly id: string;
}

/** Tells one reader of one update: whole at every change, and no more often than it can read. */
export class UpdateFeed {
  readonly #options: UpdateFeedOptions;
  readonly #unsubscribe: () => void;
  #timer: Timer | undefined;
  #heartbeat: Timer | undefined;
  #isClosed = false;
  #count = 0;

  constructor(options: UpdateFeedOptions) {
    this.#options = options;
    const { updates, id } = options;
    this.#unsubscribe = updates.onChange((changed) => {
      if (changed === id) this.#soon();
    });
    this.#beat();
    this.#send();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#heartbeat?.cancel();
    this.#unsubscribe();
    this.#options.stream.end();
  }

  #soon(): void {
    this.#timer ??= this.#options.clock.setTimer(() => {
      this.#timer = undefined;
      this.#send();
    }, PACE_MS);
  }

  #send(): void {
    const { updates, stream, id } = this.#options;
    if (this.#isClosed) return;
    if (!stream.isReady) {
      this.#soon();
      return;
    }
    const record = known(updates, id);
    if (record === undefined) {
      this.close();
      return;
    }
    const update = updateAnswer(record);
    this.#count += 1;
    stream.send("update", this.#count, update);
    if (update.state !== "running") this.close();
  }

  #beat(): void {
    if (this.#isClosed) return;
    const { clock, stream } = this.#options;
    if (stream.isReady) stream.send("heartbeat", this.#count, { nowUs: clock.unixUs() });
    this.#heartbeat = clock.setTimer(() => this.#beat(), HEARTBEAT_MS);
  }
}

/** An update; undefined once it is remembered no more, which a slow reader may live to see. */
function known(updates: UpdateFeedOptions["updates"], id: string): RolloutRecord | undefined {
  try {
    return updates.get(id);
  } catch (error) {
    if (error instanceof FlashError && error.code === "unknown-update") return undefined;
    throw error;
  }
}
