import { compareBySeverity, compareNames, deviceState } from "../../api/device-state.ts";
import { formatCounted } from "../../api/number-text.ts";
import { sumAccounts } from "../../api/traffic-account.ts";
import type { NodeEvent } from "../../reconstructor/node-event.ts";
import type { TwinView } from "../../reconstructor/twin-view.ts";
import type { Surroundings } from "../surroundings.ts";
import { DEMO_EPS_TEXT } from "./demo-devices.ts";
import type { DemoSession } from "./demo-session.ts";
import { drawDemo, sparkWidth, type TableStyle } from "./demo-table.ts";
import type { DemoEvent, DemoRow, DemoView } from "./demo-view.ts";
import { type DemoKey, listenToKeys } from "./keys.ts";
import { Screen } from "./screen.ts";

/** Twice a second: numbers that move faster cannot be read. */
const DRAW_MS = 500;
/** How long the key `c` cuts a link. */
const CUT_MS = 10_000;
const MAX_EVENTS = 50;
const SORTS = ["severity", "name", "saved"] as const;

/** The live table in a terminal, and its keys. */
export class DemoWatch {
  readonly #session: DemoSession;
  readonly #around: Surroundings;
  readonly #isAscii: boolean;
  readonly #screen: Screen;
  readonly #events: DemoEvent[] = [];
  readonly #cuts = new Map<string, "asked" | "cut" | "recovering">();
  #sort = 0;
  #chosen: string | undefined;
  #isPaused = false;
  #isHelpShown = false;

  constructor(session: DemoSession, around: Surroundings, isAscii: boolean) {
    this.#session = session;
    this.#around = around;
    this.#isAscii = isAscii || !isUtf8(around.env);
    this.#screen = new Screen(around.stdout);
    session.node.onEvent((event) => this.#note(event));
  }

  /** Show the table until Ctrl-C, `q`, or the end of a duration. */
  async run(durationS: number | undefined): Promise<void> {
    const { clock, interrupt, stdin, stdout } = this.#around;
    const leave = (): void => this.#screen.leave();
    process.once("exit", leave);
    await new Promise<void>((resolve) => {
      const stop = (): void => {
        timer?.cancel();
        draw.cancel();
        giveBack();
        interrupt.removeEventListener("abort", stop);
        stdout.off("resize", resized);
        resolve();
      };
      const resized = (): void => {
        this.#screen.invalidate();
        this.#draw();
      };
      const repeat = (): void => {
        if (!this.#isPaused) this.#draw();
        draw = clock.setTimer(repeat, DRAW_MS);
      };
      const giveBack = listenToKeys(stdin, (key) => {
        if (key === "quit") return stop();
        this.#press(key);
        this.#draw();
      });
      const timer = durationS === undefined ? undefined : clock.setTimer(stop, durationS * 1000);
      let draw = clock.setTimer(repeat, DRAW_MS);
      interrupt.addEventListener("abort", stop);
      stdout.on("resize", resized);
      this.#screen.enter();
      this.#draw();
      if (interrupt.aborted) stop();
    });
    this.#screen.leave();
    process.off("exit", leave);
  }

  #press(key: Exclude<DemoKey, "quit">): void {
    const ids = this.#rows(0).map(({ id }) => id);
    const at = ids.indexOf(this.#chosen ?? ids[0] ?? "");
    if (key === "pause") this.#isPaused = !this.#isPaused;
    if (key === "help") this.#isHelpShown = !this.#isHelpShown;
    if (key === "sort") this.#sort = (this.#sort + 1) % SORTS.length;
    if (key === "up") this.#chosen = ids[Math.max(0, at - 1)];
    if (key === "down") this.#chosen = ids[Math.min(ids.length - 1, at + 1)];
    if (key === "cut") this.#cut(this.#chosen ?? ids[0]);
  }

  #cut(id: string | undefined): void {
    const stage = this.#cuts.get(id ?? "");
    if (id === undefined || stage === "asked" || stage === "cut") return;
    this.#chosen = id;
    this.#session.edge.cut(id, CUT_MS);
    this.#cuts.set(id, "asked");
    this.#tell(id, `link cut for ${CUT_MS / 1000} s; what it measures stays in its ring`);
  }

  /** Say how a cut ended, once the device tells. */
  #followCuts(): void {
    for (const [id, stage] of this.#cuts) {
      const status = this.#session.statusOf(id);
      if (status === undefined) continue;
      if (status.isCut) {
        this.#cuts.set(id, "cut");
      } else if (stage === "cut") {
        this.#cuts.set(id, "recovering");
        this.#tell(id, `link back; in its ring: ${formatCounted(status.unconfirmedFrames, "frame")}`);
      } else if (stage === "recovering" && status.unconfirmedFrames <= 2) {
        this.#cuts.delete(id);
        const lost = this.#session.node.device(id)?.lost.samples ?? 0;
        this.#tell(id, `caught up; ${lost} lost`);
      }
    }
  }

  #note(event: NodeEvent): void {
    if (event.kind === "online") this.#tell(event.device, "online");
    if (event.kind === "offline") this.#tell(event.device, "offline");
    if (event.kind === "gap-lost")
      this.#tell(event.device, `${formatCounted(event.samples, "sample")} lost: ${event.reason}`);
    if (event.kind === "refused") this.#tell(event.device, `refused: ${event.reason}`);
    if (event.kind === "conflict") this.#tell(event.device, `conflicting bytes for frame ${event.seq}, not stored`);
    if (event.kind === "store-failed") this.#tell("store", event.message);
  }

  #tell(id: string, text: string): void {
    this.#events.push({ unixMs: this.#around.clock.unixUs() / 1000, id, text });
    if (this.#events.length > MAX_EVENTS) this.#events.shift();
  }

  #draw(): void {
    this.#followCuts();
    const { stdout, env } = this.#around;
    const style: TableStyle = {
      columns: stdout.columns ?? 80,
      rows: stdout.rows ?? 24,
      isAscii: this.#isAscii,
      hasColor: (env.NO_COLOR ?? "") === "",
    };
    this.#screen.draw(drawDemo(this.#view(style.columns), style));
  }

  #view(columns: number): DemoView {
    const { node, page, upMs } = this.#session;
    const views = node.devices();
    const truths = views.map(({ id }) => this.#session.truthOf(id));
    const ids = views.map(({ id }) => id);
    const rows = this.#rows(sparkWidth(ids, columns));
    return {
      eps: DEMO_EPS_TEXT,
      upMs,
      url: page.url,
      rows,
      chosen: this.#chosen ?? rows[0]?.id,
      ratioIp: sumAccounts(views.map((view) => this.#session.accountOf(view))).ratioIp,
      beyondEps: truths.reduce((sum, truth) => sum + (truth?.beyondEps ?? 0), 0),
      lost: views.reduce((sum, view) => sum + view.lost.samples, 0),
      events: this.#events,
      isPaused: this.#isPaused,
      isHelpShown: this.#isHelpShown,
    };
  }

  #rows(buckets: number): DemoRow[] {
    const nowUs = this.#around.clock.unixUs();
    const rows = this.#session.node.devices().map((view) => this.#row(view, buckets, nowUs));
    const sort = SORTS[this.#sort] ?? "severity";
    if (sort === "severity") return rows.sort(compareBySeverity);
    if (sort === "name") return rows.sort((a, b) => compareNames(a.id, b.id));
    return rows.sort((a, b) => (a.ratioIp || 0) - (b.ratioIp || 0) || compareNames(a.id, b.id));
  }

  #row(view: TwinView, buckets: number, nowUs: number): DemoRow {
    const { id } = view;
    const status = this.#session.statusOf(id);
    const ringFill = status?.ringFill ?? view.ringFill;
    return {
      id,
      state: status?.isCut === true ? "catching-up" : deviceState(view, nowUs, ringFill),
      // The devices run on this machine, by its clock.
      recent: this.#session.traceOf(id)?.buckets(buckets, nowUs) ?? [],
      ratioIp: this.#session.accountOf(view).ratioIp,
      errorShare: this.#session.truthOf(id)?.maxErrorOverEps ?? Number.NaN,
      p99Ms: view.latencyMs.p99,
      ringFill,
    };
  }
}

/** Whether the terminal's character set has block elements. */
function isUtf8(env: Surroundings["env"]): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  return locale === "" ? process.platform === "win32" || process.platform === "darwin" : /utf-?8/i.test(locale);
}
