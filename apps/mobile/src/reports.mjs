/**
 * Which app the reports to Sentry come from.
 *
 * @typedef {{ dsn: string, environment: string, release?: string, dist?: string }} Options
 */

/**
 * Options of the SDK; null without a DSN, and then nothing is reported.
 *
 * What the store delivered is named by the SDK: `ai.techmate.app@1.0.1+45`, with the build number. An update over the air is a release of
 * its own, or its crashes would count for the build it replaced: `ai.techmate.app@1.0.1+update.<id>`, with the id as `dist`. The version
 * is that of the update's app.json.
 *
 * @param {{ dsn: string | undefined, environment: string, app: string, version: string, updateId: string | null }} facts
 *   `updateId` is that of the update that runs, null for what the store delivered
 * @returns {Options | null}
 */
export function reporting({ dsn, environment, app, version, updateId }) {
  if (!dsn) return null;
  if (updateId === null) return { dsn, environment };
  const id = updateId.toLowerCase();
  return { dsn, environment, release: `${app}@${version}+update.${id}`, dist: id };
}

/**
 * A breadcrumb without the queries of its addresses: what people search for is theirs.
 *
 * @template {{ data?: Record<string, any> }} Breadcrumb
 * @param {Breadcrumb} breadcrumb
 * @returns {Breadcrumb}
 */
export function withoutQuery(breadcrumb) {
  const url = breadcrumb.data?.url;
  if (typeof url !== "string" || !url.includes("?")) return breadcrumb;
  return { ...breadcrumb, data: { ...breadcrumb.data, url: url.slice(0, url.indexOf("?")) } };
}
