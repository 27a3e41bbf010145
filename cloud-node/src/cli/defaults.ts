/** Nothing listens beyond this machine unless a person asks for it. */
export const LOOPBACK_HOST = "127.0.0.1";
/** The port that IANA gave to MQTT. */
export const DEFAULT_MQTT_PORT = 1883;
/** The customary port of a web page that is not the machine's main one. */
export const DEFAULT_HTTP_PORT = 8080;
/** In the folder where the command is run. */
export const DEFAULT_STORE_FILE = "lockstep.db";
