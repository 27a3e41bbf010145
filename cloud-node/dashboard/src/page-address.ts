import { spanBetween, type TimeSpan } from "./time-span.ts";

/** What the fleet table shows. */
export interface TableAddress {
  readonly search: string;
  readonly sort: string;
  readonly order: string;
  /** From 0. */
  readonly page: number;
  /** States with commas between; "": all. */
  readonly state: string;
}

/** Everything that a link to the page says. */
export interface PageAddress {
  /** Undefined: the fleet, or the jobs. */
  readonly device: string | undefined;
  /** Whether it is the jobs. */
  readonly isJobs: boolean;
  /** The job that is shown in full. */
  readonly job: string | undefined;
  /** Undefined: live. */
  readonly span: TimeSpan | undefined;
  /** Open lanes; undefined: the first eight. */
  readonly channels: readonly string[] | undefined;
  /** Channels over each other in one lane. */
  readonly compared: readonly string[];
  readonly table: TableAddress;
}

const DEFAULT_SORT = "severity";
const DEFAULT_ORDER = "asc";

/** Read what the browser's address says; what makes no sense there is left out. */
export function readAddress(search: string): PageAddress {
  const query = new URLSearchParams(search);
  const [from, to] = [Number(query.get("from") ?? Number.NaN), Number(query.get("to") ?? Number.NaN)];
  const isSpan = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from !== to;
  const page = Number(query.get("page") ?? 0);
  const job = query.get("job") ?? "";
  const isJobs = !query.get("device") && query.get("view") === "jobs";
  return {
    isJobs,
    job: isJobs && /^[0-9a-f]{64}$/.test(job) ? job : undefined,
    device: query.get("device") || undefined,
    span: isSpan && query.get("live") !== "1" ? spanBetween(from, to) : undefined,
    channels: query.get("channels")?.split(",").filter(Boolean),
    compared: query.get("compare")?.split(",").filter(Boolean) ?? [],
    table: {
      search: query.get("search") ?? "",
      sort: query.get("sort") ?? DEFAULT_SORT,
      order: query.get("order") ?? DEFAULT_ORDER,
      page: Number.isSafeInteger(page) && page > 0 ? page : 0,
      state: query.get("state") ?? "",
    },
  };
}

/** The same as an address: "?device=rotor-1&live=1". */
export function writeAddress({ device, isJobs, job, span, channels, compared, table }: PageAddress): string {
  const query = new URLSearchParams();
  if (device !== undefined) {
    query.set("device", device);
    if (span === undefined) query.set("live", "1");
    else {
      query.set("from", String(span.fromUs));
      query.set("to", String(span.toUs));
    }
    if (channels !== undefined) query.set("channels", channels.join(","));
    if (compared.length > 0) query.set("compare", compared.join(","));
  } else if (isJobs) {
    query.set("view", "jobs");
    if (job !== undefined) query.set("job", job);
  } else {
    for (const [name, value] of tableQuery(table)) if (name !== "rows") query.set(name, value);
  }
  const text = query.toString();
  return text === "" ? "/" : `?${text}`;
}

/** The part of the table as the API is asked for it. */
export function tableQuery({ search, sort, order, page, state }: TableAddress): URLSearchParams {
  const query = new URLSearchParams();
  if (search !== "") query.set("search", search);
  if (state !== "") query.set("state", state);
  if (sort !== DEFAULT_SORT) query.set("sort", sort);
  if (order !== DEFAULT_ORDER) query.set("order", order);
  if (page > 0) query.set("page", String(page));
  return query;
}
