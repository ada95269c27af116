/** What a deployment tells the page at run time, in /config.json. */
export interface Config {
  readonly apiUrl: string;
  readonly environment: string;
  readonly release: string;
  readonly sentryDsn: string | null;
}

export const CONFIG_PATH = "/config.json";

/** The page cannot start; the message says what is wrong with /config.json. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Fetches and checks the configuration. Throws ConfigError. */
export async function loadConfig(fetcher: typeof fetch = fetch): Promise<Config> {
  // Never from a cache: the same address serves another release after a deployment.
  const response = await fetcher(CONFIG_PATH, { cache: "no-store" }).catch((error: unknown) => {
    throw new ConfigError(`${CONFIG_PATH} could not be fetched: ${String(error)}`);
  });
  if (!response.ok) throw new ConfigError(`${CONFIG_PATH} was answered with HTTP ${response.status}`);
  const raw: unknown = await response.json().catch(() => {
    throw new ConfigError(`${CONFIG_PATH} is not JSON`);
  });
  return readConfig(raw);
}

/** Checks a parsed /config.json. Throws ConfigError naming the first wrong key. */
export function readConfig(raw: unknown): Config {
  if (typeof raw !== "object" || raw === null) throw new ConfigError(`${CONFIG_PATH} is not an object`);
  const values = raw as Record<string, unknown>;
  const sentryDsn = values["sentryDsn"] ?? null;
  if (sentryDsn !== null && typeof sentryDsn !== "string") throw wrong("sentryDsn", "text or null");
  return {
    apiUrl: readUrl(values),
    environment: readText(values, "environment"),
    release: readText(values, "release"),
    sentryDsn: sentryDsn || null,
  };
}

function readText(values: Record<string, unknown>, key: string): string {
  const value = values[key];
  if (typeof value !== "string" || value === "") throw wrong(key, "text");
  return value;
}

function readUrl(values: Record<string, unknown>): string {
  const text = readText(values, "apiUrl");
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) throw wrong("apiUrl", "an http(s) address");
  return text.replace(/\/+$/, "");
}

function wrong(key: string, expected: string): ConfigError {
  return new ConfigError(`${CONFIG_PATH}: ${key} must be ${expected}`);
}
