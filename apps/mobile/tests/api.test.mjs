import assert from "node:assert/strict";
import { test } from "node:test";
import { Api, ApiError } from "../src/api.mjs";

const NOTE = { id: "1", text: "Buy milk", summary: null, createdAt: "2026-01-02T03:04:05.000Z" };
const UNREACHABLE = "The server cannot be reached. Check your connection and try again.";
const UNREADABLE = "The server sent an answer that cannot be read.";

/** A backend that gives one answer, and what it was asked. */
function answering(status, body, headers = {}) {
  const asked = [];
  const api = new Api("https://api.test", async (url, request) => {
    asked.push({ url, ...request });
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
  });
  return { api, asked };
}

function refusal(message, requestId = null) {
  return (error) => error instanceof ApiError && error.message === message && error.requestId === requestId;
}

test("lists the newest notes", async () => {
  const { api, asked } = answering(200, { notes: [NOTE], next: null });
  assert.deepEqual(await api.newest(), [NOTE]);
  assert.deepEqual([asked[0].method, asked[0].url, asked[0].body], ["GET", "https://api.test/notes", undefined]);
});

test("adds a note", async () => {
  const { api, asked } = answering(201, NOTE);
  assert.deepEqual(await api.add("Buy milk"), NOTE);
  assert.deepEqual([asked[0].method, asked[0].body], ["POST", '{"text":"Buy milk"}']);
  assert.equal(asked[0].headers["Content-Type"], "application/json");
});

test("searches for any text", async () => {
  const { api, asked } = answering(200, { results: [{ ...NOTE, score: 0.5 }] });
  assert.deepEqual(await api.search("milk & bread?"), [{ ...NOTE, score: 0.5 }]);
  assert.equal(asked[0].url, "https://api.test/notes/search?q=milk%20%26%20bread%3F");
});

test("passes on the server's explanation, and what to ask for help with", async () => {
  const { api } = answering(429, { error: { message: "Try again in 7 s." } }, { "X-Request-ID": "r-1" });
  await assert.rejects(api.newest(), refusal("Try again in 7 s.", "r-1"));
});

test("explains an answer that is none of ours", async () => {
  await assert.rejects(answering(502, "<html>").api.newest(), refusal("The server answered with HTTP 502."));
  for (const body of ["<html>", "null", "{}", '{"notes": 7}', "[]"]) {
    const { api } = answering(200, body);
    await assert.rejects(api.newest(), refusal(UNREADABLE));
    await assert.rejects(api.search("milk"), refusal(UNREADABLE));
    await assert.rejects(api.add("milk"), refusal(UNREADABLE));
  }
});

test("explains a missing connection", async () => {
  const api = new Api("https://api.test", async () => Promise.reject(new TypeError("Network request failed")));
  await assert.rejects(api.newest(), refusal(UNREACHABLE));
});

/** Rejects when the signal is aborted, as `fetch` does. */
function stuck(signal) {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
}

for (const [what, fetcher] of Object.entries({
  "a server that does not answer": async (_, { signal }) => stuck(signal),
  "an answer that does not end": async (_, { signal }) => ({
    ok: true, status: 200, headers: new Headers(), json: () => stuck(signal),
  }),
})) {
  test(`gives up on ${what}`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const refused = assert.rejects(new Api("https://api.test", fetcher).newest(), refusal(UNREACHABLE));
    // Once everything waits for nothing but the clock.
    await new Promise(setImmediate);
    t.mock.timers.tick(10_000);
    await refused;
  });
}

test("leaves no timer behind", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { api, asked } = answering(200, { notes: [] });
  await api.newest();
  t.mock.timers.tick(10_000);
  assert.equal(asked[0].signal.aborted, false);
});
