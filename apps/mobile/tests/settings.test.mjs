import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readSettings, SettingsError } from "../src/settings.mjs";

const { build } = JSON.parse(readFileSync(new URL("../eas.json", import.meta.url), "utf8"));

for (const [profile, { env }] of Object.entries(build)) {
  test(`the ${profile} profile of eas.json gives usable settings`, () => {
    const given = { apiUrl: env.EXPO_PUBLIC_API_URL, environment: env.EXPO_PUBLIC_ENVIRONMENT };
    assert.deepEqual(readSettings(given), given);
  });
}

test("each profile is an environment of its own", () => {
  const addresses = Object.values(build).map(({ env }) => env.EXPO_PUBLIC_API_URL);
  const channels = Object.values(build).map(({ channel }) => channel);
  assert.deepEqual([addresses.length, new Set(addresses).size, new Set(channels).size], [3, 3, 3]);
});

for (const [why, given] of Object.entries({
  EXPO_PUBLIC_ENVIRONMENT: { apiUrl: "https://api.test", environment: undefined },
  "not set": { apiUrl: undefined, environment: "production" },
  "without a path": { apiUrl: "https://api.test/v1", environment: "production" },
  "must be https in production": { apiUrl: "http://localhost:3000", environment: "production" },
})) {
  test(`refused: ${why}`, () => {
    assert.throws(() => readSettings(given), (error) => error instanceof SettingsError && error.message.includes(why));
  });
}
