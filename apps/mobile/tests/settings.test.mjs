import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CHANNELS, environmentOf, readSettings, SettingsError } from "../src/settings.mjs";

const { build } = JSON.parse(readFileSync(new URL("../eas.json", import.meta.url), "utf8"));

for (const [profile, { channel, env = {} }] of Object.entries(build)) {
  test(`builds of the profile ${profile} find their backend`, () => {
    const settings = readSettings({ channel, apiUrl: env.EXPO_PUBLIC_API_URL });
    assert.match(settings.apiUrl, profile === "development" ? /^http/ : /^https:/);
    assert.equal(settings.environment, environmentOf(channel));
  });
}

test("each profile has a channel of its own, and each channel an environment", () => {
  const channels = Object.values(build).map(({ channel }) => channel);
  assert.deepEqual(channels.sort(), [...Object.keys(CHANNELS), "development"].sort());
  assert.equal(new Set(channels.map(environmentOf)).size, channels.length);
});

test("a variable cannot lead a store's build elsewhere", () => {
  const { apiUrl } = readSettings({ channel: "production", apiUrl: "http://localhost:3000" });
  assert.equal(apiUrl, CHANNELS.production.apiUrl);
});

test("without a channel, as in Expo Go, it is development", () => {
  for (const channel of [null, ""]) {
    const settings = readSettings({ channel, apiUrl: "http://localhost:3000" });
    assert.deepEqual(settings, { environment: "development", apiUrl: "http://localhost:3000" });
  }
});

for (const [why, given] of Object.entries({
  "prodution is none of this app": { channel: "prodution", apiUrl: "https://api.test" },
  "not set": { channel: null, apiUrl: undefined },
  "without a path": { channel: "development", apiUrl: "https://api.test/v1" },
})) {
  test(`refused: ${why}`, () => {
    assert.throws(() => readSettings(given), (error) => error instanceof SettingsError && error.message.includes(why));
  });
}
