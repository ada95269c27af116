/**
 * What the screen shows, as a pure function of what happened.
 *
 * @typedef {import("./api.mjs").Note} Note
 * @typedef {{ notes: readonly Note[], loading: boolean, failure: string | null, draft: string }} State
 * @typedef {{ type: "asked" }
 *   | { type: "listed", notes: readonly Note[] }
 *   | { type: "typed", text: string }
 *   | { type: "added", note: Note }
 *   | { type: "failed", message: string }} Event
 */

/** @type {State} */
export const EMPTY = { notes: [], loading: false, failure: null, draft: "" };

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
      return { ...state, loading: true };
    case "listed":
      return { ...state, loading: false, failure: null, notes: event.notes };
    case "typed":
      return { ...state, draft: event.text };
    case "added": {
      const others = state.notes.filter((note) => note.id !== event.note.id);
      return { ...state, loading: false, failure: null, draft: "", notes: [event.note, ...others] };
    }
    case "failed":
      return { ...state, loading: false, failure: event.message };
  }
}

/**
 * Whether the draft can be sent now.
 *
 * @param {State} state
 */
export function canAdd(state) {
  return !state.loading && state.draft.trim() !== "" && state.draft.trim().length <= 4000;
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
