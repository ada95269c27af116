import { captureException, init } from "@sentry/browser";
import type { Config } from "./config";

// Uncaught errors reach us through `reportUncaught`, and sessions that begin with an error would make every one bad.
const LEFT_OUT = ["GlobalHandlers", "BrowserSession"];

/** Starts the SDK and returns what sends an error. */
export function start(config: Config & { readonly sentryDsn: string }): (error: unknown) => void {
  init({
    dsn: config.sentryDsn,
    environment: config.environment,
    release: config.release,
    integrations: (defaults) => defaults.filter(({ name }) => !LEFT_OUT.includes(name)),
  });
  return (error) => void captureException(error);
}
