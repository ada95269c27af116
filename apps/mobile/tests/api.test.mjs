import assert from "node:assert/strict";
import { test } from "node:test";
import { addNote, ApiError, listNotes } from "../src/api.mjs";

const NOTE = { id: "1", text: "Buy milk", summary: null, createdAt: "2026-01-02T03:04:05.000Z" };

/** A `fetch` that gives one answer and keeps what it was asked. */
function answering(status, body) {
  const asked = [];
  const fetch = async (url, init) => {
    asked.push({ url, ...init });
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
  };
  return { fetch, asked };
}

function refusal(message) {
  return (error) => error instanceof ApiError && error.message === message;
}

test("lists the notes", async () => {
  const { fetch, asked } = answering(200, { notes: [NOTE], next: null });
  assert.deepEqual(await listNotes(fetch, "https://api.test"), [NOTE]);
  assert.deepEqual([asked[0].method, asked[0].url, asked[0].body], ["GET", "https://api.test/notes", undefined]);
});

test("adds a note", async () => {
  const { fetch, asked } = answering(201, NOTE);
  assert.deepEqual(await addNote(fetch, "https://api.test", "Buy milk"), NOTE);
  assert.deepEqual([asked[0].method, asked[0].body], ["POST", '{"text":"Buy milk"}']);
  assert.equal(asked[0].headers["Content-Type"], "application/json");
});

test("passes on the server's explanation", async () => {
  const { fetch } = answering(429, { error: { code: "rate_limited", message: "Try again in 7 s." } });
  await assert.rejects(listNotes(fetch, "https://api.test"), refusal("Try again in 7 s."));
});

test("explains an answer that is none of ours", async () => {
  const page = answering(502, "<html>");
  await assert.rejects(listNotes(page.fetch, "https://api.test"), refusal("The server answered with HTTP 502."));
  for (const body of ["<html>", "null", "{}"]) {
    const { fetch } = answering(200, body);
    await assert.rejects(
      listNotes(fetch, "https://api.test"),
      refusal("The server sent an answer that cannot be read."),
    );
  }
});

test("explains a missing connection", async () => {
  const fetch = async () => Promise.reject(new TypeError("Network request failed"));
  const explained = refusal("The server cannot be reached. Check your connection and try again.");
  await assert.rejects(listNotes(fetch, "https://api.test"), explained);
});
