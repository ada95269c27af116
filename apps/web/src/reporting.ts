import type { Config } from "./config";

/** Sends an error to Sentry; resolves when that is done, and never fails. */
export type Report = (error: unknown) => Promise<void>;

type SentryModule = Pick<typeof import("./sentry"), "start">;

/**
 * Reports errors to Sentry where the configuration has a DSN. The SDK is 90 kB that most visitors never need,
 * so it is fetched with the first error.
 */
export function createReport(config: Config, load: () => Promise<SentryModule> = () => import("./sentry")): Report {
  const dsn = config.sentryDsn;
  if (dsn === null) return async () => undefined;
  let sending: Promise<(error: unknown) => void> | null = null;
  return async (error) => {
    try {
      sending ??= load().then((module) => module.start({ ...config, sentryDsn: dsn }));
      (await sending)(error);
    } catch (failure) {
      // Perhaps a blocker, or no connection: try again with the next error.
      sending = null;
      console.error("error could not be reported", failure);
    }
  };
}

/** Reports what nobody caught; returns what ends that. */
export function reportUncaught(report: Report, target: EventTarget = window): () => void {
  const onError = (event: Event): void => void report((event as ErrorEvent).error ?? event);
  const onRejection = (event: Event): void => void report((event as PromiseRejectionEvent).reason);
  target.addEventListener("error", onError);
  target.addEventListener("unhandledrejection", onRejection);
  return () => {
    target.removeEventListener("error", onError);
    target.removeEventListener("unhandledrejection", onRejection);
  };
}
