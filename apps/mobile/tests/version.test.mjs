import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { describeVersion } from "../src/version.mjs";

const read = (name) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));
const { expo } = read("app.json");

test("the store's production app shows its version alone", () => {
  assert.equal(describeVersion({ version: "1.0.0", environment: "production", updateId: null }), "v1.0.0");
});

test("anything else says what it is", () => {
  const facts = { version: undefined, environment: "staging", updateId: "0b1f2d3c-4e5f-0000-0000-000000000000" };
  assert.equal(describeVersion(facts), "vunknown · staging · update 0b1f2d3c");
});

test("the version stands in app.json alone, so that a release edits one file", () => {
  const lock = read("package-lock.json");
  assert.match(expo.version, /^\d+\.\d+\.\d+$/);
  assert.deepEqual([read("package.json").version, lock.version, lock.packages[""].version], [undefined, undefined, undefined]);
});

test("build numbers are written by the release, and stand in no commit", () => {
  assert.equal(expo.ios.buildNumber, undefined);
  assert.equal(expo.android.versionCode, undefined);
});
