import { RepublishError } from "../republish-error.ts";

const NAMESPACE = "spBv1.0";
/** Group and node together are in a client id, of which the node's own broker takes 160 characters. */
const MOST_CHARS = 64;

/** Who an edge node is. */
export interface EdgeNodeName {
  readonly group: string;
  readonly node: string;
}

/** What an edge node says of itself and of its devices, and hears. */
export type SparkplugVerb = "NBIRTH" | "NDEATH" | "NDATA" | "NCMD" | "DBIRTH" | "DDEATH" | "DDATA";

/** The topic of a message. @param device  for messages whose verb begins with D */
export function sparkplugTopic({ group, node }: EdgeNodeName, verb: SparkplugVerb, device?: string): string {
  return [NAMESPACE, group, verb, node, ...(device === undefined ? [] : [device])].join("/");
}

/** Where a host application says whether it is there. */
export function stateTopic(host: string): string {
  return `${NAMESPACE}/STATE/${host}`;
}

/** @throws {RepublishError} `bad-name` for what no topic can carry */
export function checkSparkplugName(name: string, what: string): string {
  if (name !== "" && name.length <= MOST_CHARS && !/[+#/\0]/.test(name) && name !== "STATE") return name;
  throw new RepublishError(
    "bad-name",
    `"${name}" is no name of a ${what}`,
    `write 1 to ${MOST_CHARS} characters without / + #`,
  );
}
