/**
 * Where an app belongs, by its update channel.
 *
 * Not by variables of its profile in eas.json: those reach builds and not the updates that replace them, and an update that is published
 * again to another channel would take its address with it. The channel is in the build, whatever runs in it.
 *
 * @typedef {{ apiUrl: string, environment: string }} Settings
 */

/** @type {Readonly<Record<string, Settings>>} */
export const CHANNELS = {
  production: { environment: "production", apiUrl: "https://api.techmate.ai" },
  preview: { environment: "staging", apiUrl: "https://api-staging.techmate.ai" },
};
const DEVELOPMENT = "development";

/** The build was given no usable settings; the message says what is missing. */
export class SettingsError extends Error {
  name = "SettingsError";
}

/** @param {string | null} channel that of the build; null or empty in Expo Go */
export function environmentOf(channel) {
  return CHANNELS[channel ?? ""]?.environment ?? DEVELOPMENT;
}

/**
 * Throws SettingsError: a store build without a channel must fail its first start in review, not reach people and call a
 * development server.
 *
 * @param {{ channel: string | null, apiUrl: string | undefined }} given `apiUrl` counts in development alone
 * @returns {Settings}
 */
export function readSettings({ channel, apiUrl }) {
  const known = CHANNELS[channel ?? ""];
  if (known) return known;
  if (channel && channel !== DEVELOPMENT) throw new SettingsError(`the update channel ${channel} is none of this app`);
  if (!apiUrl || !/^https?:\/\/[^/\s]+$/.test(apiUrl)) {
    throw new SettingsError(`EXPO_PUBLIC_API_URL is not an address without a path: ${apiUrl ?? "not set"}`);
  }
  return { environment: DEVELOPMENT, apiUrl };
}
