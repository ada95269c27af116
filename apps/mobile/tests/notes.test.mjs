import assert from "node:assert/strict";
import { test } from "node:test";
import { after, age, canAdd, details, EMPTY, heading } from "../src/notes/notes.mjs";

const WRITTEN = "2026-01-02T03:04:05.000Z";
const note = (id, more = {}) => ({ id, text: `note ${id}`, summary: null, createdAt: WRITTEN, ...more });
const play = (...events) => events.reduce(after, EMPTY);
const asked = (turn, query = null) => ({ type: "asked", turn, query });
const listed = (turn, ...ids) => ({ type: "listed", turn, notes: ids.map((id) => note(id)) });
const ids = (state) => state.shown?.notes.map(({ id }) => id);
const offline = { message: "offline", requestId: null };

test("a list replaces what was shown", () => {
  const state = play(asked(1), listed(1, "2", "1"));
  assert.deepEqual(ids(state), ["2", "1"]);
  assert.equal(state.loading, false);
  assert.equal(heading(state.shown), "Newest notes");
  assert.deepEqual(ids([asked(2), listed(2)].reduce(after, state)), []);
});

test("nothing is shown as empty before the first answer", () => {
  assert.equal(play(asked(1)).shown, null);
  assert.equal(play(asked(1)).loading, true);
});

test("what was asked for last is shown, in whatever order the answers come", () => {
  const state = play(asked(1), asked(2, "milk"), listed(2, "7"), listed(1, "1"));
  assert.deepEqual([ids(state), heading(state.shown), state.loading], [["7"], "Notes about “milk”", false]);
  const waiting = play(asked(1), asked(2, "milk"), { type: "list failed", turn: 1, failure: offline });
  assert.deepEqual([waiting.loading, waiting.failure], [true, null]);
});

test("an added note comes first, once, and empties the field", () => {
  const typed = play(asked(1), listed(1, "1"), { type: "wrote", text: "two" }, { type: "sending" });
  const state = after(after(typed, { type: "added", note: note("2") }), { type: "added", note: note("2") });
  assert.deepEqual([ids(state), state.draft, state.sending], [["2", "1"], "", false]);
});

test("an added note is none of what a search found, nor all that there is", () => {
  const found = play(asked(1, "milk"), listed(1, "1"), { type: "added", note: note("2") });
  assert.deepEqual(ids(found), ["1"]);
  assert.equal(play({ type: "added", note: note("2") }).shown, null);
});

test("a failure loses neither notes nor draft, and the next success clears it", () => {
  const before = play(asked(1), listed(1, "1"), { type: "wrote", text: "precious" }, { type: "sending" });
  const failed = after(before, { type: "add failed", failure: offline });
  assert.deepEqual(failed, { ...before, sending: false, failure: { ...offline, of: "add" } });
  assert.equal(after(failed, { type: "added", note: note("2") }).failure, null);
});

test("a list that works does not hide that a note was not stored, nor the other way round", () => {
  const unstored = play(asked(1), { type: "add failed", failure: offline }, listed(1, "1"));
  assert.equal(unstored.failure.of, "add");
  const unlisted = play(asked(1), { type: "list failed", turn: 1, failure: offline }, { type: "added", note: note("2") });
  assert.equal(unlisted.failure.of, "list");
  assert.equal([asked(2), listed(2)].reduce(after, unlisted).failure, null);
});

test("trying again asks for what was asked for, though something else is shown", () => {
  const state = play(asked(1), listed(1, "1"), asked(2, "milk"), { type: "list failed", turn: 2, failure: offline });
  assert.deepEqual([state.asked.query, state.shown.query], ["milk", null]);
});

test("only a text can be added, and only once at a time", () => {
  const typed = (text) => play({ type: "wrote", text });
  assert.equal(canAdd(EMPTY), false);
  assert.equal(canAdd(typed("  \n")), false);
  assert.equal(canAdd(typed("x")), true);
  assert.equal(canAdd(typed("x".repeat(4001))), false);
  assert.equal(canAdd(after(typed("x"), { type: "sending" })), false);
});

test("a note's details are its age, how near it is and what it is about", () => {
  const now = new Date(Date.parse(WRITTEN) + 120_000);
  assert.equal(details(note("1"), now), "2 min ago");
  assert.equal(details(note("1", { summary: "note 1" }), now), "2 min ago");
  assert.equal(details(note("1", { summary: "short", score: 0.876 }), now), "2 min ago · 88 % alike · short");
});

test("age in words", () => {
  const minute = 60_000;
  const said = [-5, 0.5, 1, 59, 60, 23 * 60, 24 * 60, 72 * 60].map((minutes) =>
    age(WRITTEN, new Date(Date.parse(WRITTEN) + minutes * minute)),
  );
  assert.deepEqual(said, [
    "just now", "just now", "1 min ago", "59 min ago", "1 h ago", "23 h ago", "yesterday", "3 days ago",
  ]);
});
