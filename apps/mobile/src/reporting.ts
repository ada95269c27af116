import * as Sentry from "@sentry/react-native";
import * as Updates from "expo-updates";
import app from "../app.json";
import { reporting, withoutQuery } from "./reports.mjs";
import { environmentOf } from "./settings.mjs";

/** Reports crashes and starts to Sentry from here on, where the build or the update was given a DSN. */
export function startReporting(): void {
  const options = reporting({
    dsn: process.env.EXPO_PUBLIC_SENTRY_DSN,
    environment: environmentOf(Updates.channel),
    app: app.expo.ios.bundleIdentifier,
    version: app.expo.version,
    updateId: Updates.isEmbeddedLaunch ? null : Updates.updateId,
  });
  if (options === null) return;
  Sentry.init({
    ...options,
    beforeBreadcrumb: withoutQuery,
    // The app has no navigation whose first transaction could carry the start: it is sent as one of its own.
    integrations: [Sentry.appStartIntegration({ standalone: true })],
    // A start is its only transaction. Lower it when there are too many; `app_starts` judges a release by 300.
    tracesSampleRate: 1,
  });
}

/** The app with the end of its start taken: the moment when its first screen stands. */
export const measured: typeof Sentry.wrap = Sentry.wrap;
