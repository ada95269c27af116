/**
 * What this app is, for the foot of the screen and for the person asked for help.
 *
 * @param {{ version: string | null | undefined, environment: string, updateId: string | null }} facts
 *   `updateId` is that of the over-the-air update that runs, null for what the store delivered
 */
export function describeVersion({ version, environment, updateId }) {
  const parts = [`v${version ?? "unknown"}`];
  if (environment !== "production") parts.push(environment);
  if (updateId !== null) parts.push(`update ${updateId.slice(0, 8)}`);
  return parts.join(" · ");
}
