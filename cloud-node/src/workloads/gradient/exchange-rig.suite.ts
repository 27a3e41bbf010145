import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../clock.ts";
import type { ChannelEnd } from "../../jobs/channel-end.ts";
import { ChannelGuest } from "../../jobs/channel-guest.ts";
import { ChannelHub } from "../../jobs/channel-hub.ts";
import type { ChannelReach } from "../../jobs/channel-reach.ts";
import type { JobChannel, JobContext, PeerNews } from "../../jobs/workload.ts";
import { SILENT_LOGGER } from "../../logger.ts";
import { parseRunConfig } from "../language-model/parse-run-config.ts";
import { SONNETS } from "../language-model/run-rig.suite.ts";
import { trainingText } from "../language-model/training-text.ts";
import type { Preset } from "./method.ts";
import { type Trained, trainFirst, trainOther, type WorkerRun } from "./train-worker.ts";

const JOB = "cd".repeat(32);
const SECRET = Buffer.alloc(32, 5);
const HOST = "127.0.0.1";
const OVER_TCP: ChannelReach = { channelHost: HOST };
/** First byte of an exchange's message, behind that of its piece. */
const READY = 1;

/** Something on the way from one worker to place 0 that can stop to pass anything on, as a cable that is pulled. */
class Relay {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  /** Passed on until now, to place 0 and from it. */
  up = 0;
  down = 0;

  static async open(port: number): Promise<Relay> {
    const relay = new Relay(port);
    await new Promise<void>((resolve) => relay.#server.listen(0, HOST, resolve));
    return relay;
  }

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect({ port, host: HOST });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.push(from);
        from.on("error", () => undefined).on("close", () => to.destroy());
        from.on("data", (bytes) => {
          if (from === near) this.up += bytes.length;
          else this.down += bytes.length;
          to.write(bytes);
        });
      }
    });
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === "object" ? address.port : 0;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  mend(): void {
    for (const socket of this.#sockets) socket.resume();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** A worker beside place 0. */
interface Other {
  /** undefined: a broker is between. */
  readonly relay: Relay | undefined;
  readonly guest: ChannelGuest;
  readonly ended: Promise<unknown>;
}

/** A whole training over connections of this machine, of which a test holds every end. */
export class ExchangeRig {
  readonly run: WorkerRun;
  /** Whether steps wait for nobody: else they wait for ever. */
  #isImpatient = false;
  /** What place 0 said, and its channel. */
  readonly log: string[];
  readonly #reach: ChannelReach;
  readonly #folder = mkdtempSync(join(tmpdir(), "lockstep-exchange-"));
  readonly #hub: ChannelHub;
  readonly #others = new Map<number, Other>();
  readonly #end = new AbortController();
  #readies = 0;
  #ready = Promise.withResolvers<void>();

  static async open(
    workers: number,
    compress: Preset,
    settings: readonly string[],
    reach = OVER_TCP,
  ): Promise<ExchangeRig> {
    const secrets = { job: JOB, secret: SECRET };
    const log: string[] = [];
    const logger = { ...SILENT_LOGGER, info: (_: object, line: string) => log.push(line) };
    const around = { clock: systemClock(), logger, ...reach };
    const hub = await ChannelHub.open({ ...secrets, ...around, count: workers, isRefilled: true });
    const config = parseRunConfig({ settings: [...settings, `data.shards=${workers}`] });
    const text = trainingText(Buffer.from(SONNETS), "sonnets.txt");
    const run = { config, text, tokenizer: undefined, workers, compress, mask: undefined, patienceMs: 0 };
    return new ExchangeRig(run, hub, reach, log);
  }

  private constructor(run: Omit<WorkerRun, "wait">, hub: ChannelHub, reach: ChannelReach, log: string[]) {
    const wait = async (_: number, signal: AbortSignal) => {
      if (!this.#isImpatient && !signal.aborted) await once(signal, "abort");
    };
    this.run = { ...run, wait };
    this.#hub = hub;
    this.#reach = reach;
    this.log = log;
  }

  get out(): string {
    return join(this.#folder, "run");
  }

  /** A worker takes a place, and trains until it ends or is killed. */
  async join(rank: number): Promise<void> {
    const isByBroker = this.#reach.channelBroker !== undefined;
    const relay = isByBroker ? undefined : await Relay.open(Number(new URL(this.#hub.address).port));
    const address = relay === undefined ? this.#hub.address : `tcp://${HOST}:${relay.port}`;
    const seat = { job: JOB, attempt: 1, startedMs: 1, address, secret: SECRET.toString("hex") };
    const guest = await ChannelGuest.join(
      { ...seat, index: rank, count: this.run.workers },
      this.#reach,
      systemClock(),
    );
    const channel = new EndChannel(guest, this.run.workers);
    // That it was killed is what a test wanted.
    const ended = trainOther(this.run, contextOf(channel, this.#end.signal), channel).catch((error: unknown) => error);
    this.#others.set(rank, { relay, guest, ended });
  }

  /** Bytes that went over all connections until now, as the wire had them. */
  get wire(): { readonly up: number; readonly down: number } {
    const relays = [...this.#others.values()].map(({ relay }) => relay);
    const sum = (side: "up" | "down") => relays.reduce((total, relay) => total + (relay?.[side] ?? 0), 0);
    return { up: sum("up"), down: sum("down") };
  }

  /** A worker is not there any more, from one moment to the next. @returns once it noticed */
  async kill(rank: number): Promise<void> {
    this.#others.get(rank)?.relay?.close();
    await this.#others.get(rank)?.ended;
  }

  /** Nothing comes through any more, and steps wait for nobody. */
  cut(rank: number): void {
    this.#isImpatient = true;
    this.#others.get(rank)?.relay?.cut();
  }

  mend(rank: number): void {
    this.#isImpatient = false;
    this.#others.get(rank)?.relay?.mend();
  }

  /** Resolves when some worker says that it is ready, after this call. */
  async nextReady(): Promise<void> {
    const before = this.#readies;
    while (this.#readies === before) await this.#ready.promise;
  }

  /**
   * Train at place 0 to the end.
   *
   * @param onCheckpoint  at each evaluation, before the step that comes next: nothing goes on meanwhile
   * @param orderOf  which of the contributions of a round is heard first; as they come when not given
   */
  async train(
    onCheckpoint: (step: number) => Promise<void> = async () => {},
    orderOf?: (round: number) => readonly number[],
  ): Promise<Trained> {
    await this.#hub.allThere();
    const channel = new EndChannel(this.#hub, this.run.workers, orderOf, (news) => this.#hear(news));
    const context = contextOf(channel, this.#end.signal, (line) => this.log.push(line));
    let evaluations = 0;
    const trained = await trainFirst(
      this.run,
      {
        ...context,
        checkpoint: async () => await onCheckpoint(evaluations++ * this.run.config.evalEvery),
      },
      this.out,
      undefined,
    );
    await Promise.all([...this.#others.values()].map(({ ended }) => ended));
    return trained;
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#hub.close();
    for (const { relay, guest } of this.#others.values()) {
      await guest.close();
      relay?.close();
    }
    rmSync(this.#folder, { recursive: true });
  }

  #hear(news: PeerNews): void {
    if (news.kind !== "message" || news.message[1] !== READY) return;
    this.#readies += 1;
    this.#ready.resolve();
    this.#ready = Promise.withResolvers<void>();
  }
}

/** An end of a channel as a workload has it, of which a test may say in which order rounds are heard. */
class EndChannel implements JobChannel {
  readonly index: number;
  readonly count: number;
  readonly #end: ChannelEnd;
  readonly #orderOf: ((round: number) => readonly number[]) | undefined;
  readonly #onNews: (news: PeerNews) => void;
  readonly #ordered: PeerNews[] = [];
  #rounds = 0;

  constructor(
    end: ChannelEnd,
    count: number,
    orderOf?: (round: number) => readonly number[],
    onNews: (news: PeerNews) => void = () => {},
  ) {
    this.#end = end;
    this.index = end.index;
    this.count = count;
    this.#orderOf = orderOf;
    this.#onNews = onNews;
  }

  async send(to: number, message: Uint8Array): Promise<number> {
    return await this.#end.send(to, message.slice());
  }

  async receive(): Promise<PeerNews> {
    const news = this.#orderOf === undefined ? await this.#end.receive() : await this.#inOrder(this.#orderOf);
    this.#onNews(news);
    return news;
  }

  /** One message of each other worker at a time: they say the same number of things, in rounds. */
  async #inOrder(orderOf: (round: number) => readonly number[]): Promise<PeerNews> {
    while (this.#ordered.length === 0) {
      const heard = new Map<number, PeerNews[]>();
      for (let others = 1; others < this.count; ) {
        const news = await this.#end.receive();
        const before = heard.get(news.from) ?? [];
        heard.set(news.from, [...before, news]);
        if (before.length === 0) others += 1;
      }
      for (const from of orderOf(this.#rounds++)) this.#ordered.push(...(heard.get(from) ?? []));
    }
    return this.#ordered.shift() as PeerNews;
  }
}

function contextOf(channel: JobChannel, signal: AbortSignal, log: (line: string) => void = () => {}): JobContext {
  const none = async (): Promise<never> => {
    throw new RangeError("a training asks for none of these");
  };
  return {
    ...{ jobId: JOB, attempt: 1, inputs: [], signal, scratch: "", channel, log },
    ...{ random: () => 0, nowMs: () => 0, progress: () => {}, resume: () => undefined },
    ...{ read: () => (async function* () {})(), file: none, write: none, writeFile: none },
    checkpoint: async () => {},
  };
}
