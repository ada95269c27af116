import assert from "node:assert/strict";
import { test } from "node:test";
import { reporting, withoutQuery } from "../src/reports.mjs";

const UPDATE = "0B1F2D3C-4E5F-6071-8293-A4B5C6D7E8F9";
const facts = {
  dsn: "https://key@o1.ingest.de.sentry.io/2",
  environment: "production",
  app: "ai.techmate.app",
  version: "1.0.1",
  updateId: null,
};

test("nothing is reported without a DSN", () => {
  assert.equal(reporting({ ...facts, dsn: undefined }), null);
  assert.equal(reporting({ ...facts, dsn: "" }), null);
});

test("what the store delivered is named by the SDK, with its build number", () => {
  assert.deepEqual(reporting(facts), { dsn: facts.dsn, environment: "production" });
});

test("an update is a release of its own, of its version", () => {
  const { release, dist } = reporting({ ...facts, updateId: UPDATE });
  assert.equal(release, "ai.techmate.app@1.0.1+update.0b1f2d3c-4e5f-6071-8293-a4b5c6d7e8f9");
  assert.equal(dist, "0b1f2d3c-4e5f-6071-8293-a4b5c6d7e8f9");
});

test("what people search for is not reported", () => {
  const crumb = (url) => ({ category: "fetch", data: { method: "GET", url } });
  assert.deepEqual(withoutQuery(crumb("https://api.test/notes/search?q=secret")), crumb("https://api.test/notes/search"));
  for (const kept of [crumb("https://api.test/notes"), { category: "touch" }, { data: { url: 7 } }]) {
    assert.equal(withoutQuery(kept), kept);
  }
});
