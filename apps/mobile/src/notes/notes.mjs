/**
 * What the screen shows, as a pure function of what happened.
 *
 * Requests overlap: each has a turn, and what was asked for last is shown, in whatever order the answers come.
 *
 * @typedef {import("../api.mjs").Note} Note
 * @typedef {import("../api.mjs").Match} Match
 * @typedef {{ query: string | null, notes: readonly (Note | Match)[] }} Shown The newest notes, or what a search found.
 * @typedef {{ message: string, requestId: string | null }} Failure
 * @typedef {{ shown: Shown | null, asked: { query: string | null, turn: number }, loading: boolean, sending: boolean,
 *   failure: (Failure & { of: "list" | "add" }) | null, draft: string, query: string }} State
 * @typedef {{ type: "asked", turn: number, query: string | null }
 *   | { type: "listed", turn: number, notes: readonly (Note | Match)[] }
 *   | { type: "list failed", turn: number, failure: Failure }
 *   | { type: "sending" }
 *   | { type: "added", note: Note }
 *   | { type: "add failed", failure: Failure }
 *   | { type: "wrote", text: string }
 *   | { type: "searched for", text: string }} Event
 */

export const MAX_LENGTH = 4000;

/** @type {State} */
export const EMPTY = {
  shown: null,
  asked: { query: null, turn: 0 },
  loading: false,
  sending: false,
  failure: null,
  draft: "",
  query: "",
};

/**
 * The state after an event. A failure keeps the notes and the draft: nothing a person sees or wrote is lost.
 *
 * @param {State} state
 * @param {Event} event
 * @returns {State}
 */
export function after(state, event) {
  switch (event.type) {
    case "asked":
      return { ...state, loading: true, asked: { query: event.query, turn: event.turn } };
    case "listed":
      if (event.turn !== state.asked.turn) return state;
      return {
        ...state,
        loading: false,
        failure: without("list", state.failure),
        shown: { query: state.asked.query, notes: event.notes },
      };
    case "list failed":
      if (event.turn !== state.asked.turn) return state;
      return { ...state, loading: false, failure: { ...event.failure, of: "list" } };
    case "sending":
      return { ...state, sending: true };
    case "added":
      return {
        ...state,
        sending: false,
        failure: without("add", state.failure),
        draft: "",
        shown: withNote(state.shown, event.note),
      };
    case "add failed":
      return { ...state, sending: false, failure: { ...event.failure, of: "add" } };
    case "wrote":
      return { ...state, draft: event.text };
    case "searched for":
      return { ...state, query: event.text };
  }
}

/**
 * What is still wrong when one of the two works again.
 *
 * @param {"list" | "add"} of
 * @param {State["failure"]} failure
 */
function without(of, failure) {
  return failure?.of === of ? null : failure;
}

/**
 * The newest notes with one more; what a search found stays as it is.
 *
 * @param {Shown | null} shown
 * @param {Note} note
 * @returns {Shown | null}
 */
function withNote(shown, note) {
  if (shown === null || shown.query !== null) return shown;
  return { query: null, notes: [note, ...shown.notes.filter(({ id }) => id !== note.id)] };
}

/**
 * Whether the draft can be sent now.
 *
 * @param {State} state
 */
export function canAdd({ sending, draft }) {
  return !sending && draft.trim() !== "" && draft.trim().length <= MAX_LENGTH;
}

/**
 * The heading above what is shown.
 *
 * @param {Shown} shown
 */
export function heading({ query }) {
  return query === null ? "Newest notes" : `Notes about “${query}”`;
}

/**
 * What is shown of a note beneath its text.
 *
 * @param {Note | Match} note
 * @param {Date} now
 */
export function details(note, now) {
  const parts = [age(note.createdAt, now)];
  if ("score" in note) parts.push(`${Math.round(note.score * 100)} % alike`);
  if (note.summary !== null && note.summary !== note.text) parts.push(note.summary);
  return parts.join(" · ");
}

/**
 * How long ago a note was written, in words.
 *
 * @param {string} createdAt RFC 3339
 * @param {Date} now
 */
export function age(createdAt, now) {
  const minutes = Math.floor((now.getTime() - Date.parse(createdAt)) / 60_000);
  // A phone's clock may be behind the server's.
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  const days = Math.floor(hours / 24);
  return days === 1 ? "yesterday" : `${days} days ago`;
}
