/**
 * What a build was told: the variables of its profile in eas.json.
 *
 * @typedef {{ apiUrl: string, environment: string }} Settings
 */

/** The build was given no usable settings; the message names the variable. */
export class SettingsError extends Error {
  name = "SettingsError";
}

/**
 * Checks the variables of a build. Throws SettingsError: a store build without an address must fail its first start
 * in review, not reach people and call a development server.
 *
 * @param {{ apiUrl: string | undefined, environment: string | undefined }} given
 * @returns {Settings}
 */
export function readSettings({ apiUrl, environment }) {
  if (!environment) throw new SettingsError("EXPO_PUBLIC_ENVIRONMENT is not set");
  if (!apiUrl || !/^https?:\/\/[^/\s]+$/.test(apiUrl)) {
    throw new SettingsError(`EXPO_PUBLIC_API_URL is not an address without a path: ${apiUrl ?? "not set"}`);
  }
  if (environment !== "development" && !apiUrl.startsWith("https://")) {
    throw new SettingsError(`EXPO_PUBLIC_API_URL must be https in ${environment}: ${apiUrl}`);
  }
  return { apiUrl, environment };
}
