import assert from "node:assert/strict";
import { test } from "node:test";
import { after, age, canAdd, EMPTY } from "../src/notes.mjs";

const note = (id) => ({ id, text: `note ${id}`, summary: null, createdAt: "2026-01-02T03:04:05.000Z" });
const play = (...events) => events.reduce(after, EMPTY);

test("a list replaces what was shown", () => {
  const state = play({ type: "asked" }, { type: "listed", notes: [note("2"), note("1")] });
  assert.deepEqual(state.notes.map(({ id }) => id), ["2", "1"]);
  assert.equal(state.loading, false);
  assert.deepEqual(after(state, { type: "listed", notes: [] }).notes, []);
});

test("an added note comes first, once, and empties the field", () => {
  const typed = play({ type: "listed", notes: [note("1")] }, { type: "typed", text: "two" });
  const state = after(after(typed, { type: "added", note: note("2") }), { type: "added", note: note("2") });
  assert.deepEqual(state.notes.map(({ id }) => id), ["2", "1"]);
  assert.equal(state.draft, "");
});

test("a failure loses neither notes nor draft, and the next success clears it", () => {
  const before = play({ type: "listed", notes: [note("1")] }, { type: "typed", text: "precious" }, { type: "asked" });
  const failed = after(before, { type: "failed", message: "offline" });
  assert.deepEqual(failed, { notes: before.notes, draft: "precious", loading: false, failure: "offline" });
  assert.equal(after(failed, { type: "listed", notes: [] }).failure, null);
});

test("only a text can be added, and only once at a time", () => {
  const typed = (text) => play({ type: "typed", text });
  assert.equal(canAdd(EMPTY), false);
  assert.equal(canAdd(typed("  \n")), false);
  assert.equal(canAdd(typed("x")), true);
  assert.equal(canAdd(typed("x".repeat(4001))), false);
  assert.equal(canAdd(after(typed("x"), { type: "asked" })), false);
});

test("age in words", () => {
  const written = Date.parse("2026-01-02T03:04:05.000Z");
  const minute = 60_000;
  const said = [-5, 0.5, 1, 59, 60, 23 * 60, 24 * 60, 72 * 60].map((minutes) =>
    age("2026-01-02T03:04:05.000Z", new Date(written + minutes * minute)),
  );
  assert.deepEqual(said, [
    "just now", "just now", "1 min ago", "59 min ago", "1 h ago", "23 h ago", "yesterday", "3 days ago",
  ]);
});
