/**
 * The backend, as the app uses it.
 *
 * @typedef {{ id: string, text: string, summary: string | null, createdAt: string }} Note
 * @typedef {{ ok: boolean, status: number, json(): Promise<unknown> }} Answer
 * @typedef {(url: string, init: { method: string, headers: Record<string, string>, body?: string }) => Promise<Answer>} Fetch
 */

/** A request failed; the message is for the person with the phone. */
export class ApiError extends Error {
  name = "ApiError";
}

/**
 * The newest notes.
 *
 * @param {Fetch} fetch
 * @param {string} apiUrl
 * @returns {Promise<Note[]>}
 */
export async function listNotes(fetch, apiUrl) {
  const { notes } = await ask(fetch, `${apiUrl}/notes`, "GET");
  if (!Array.isArray(notes)) throw new ApiError("The server sent an answer that cannot be read.");
  return notes;
}

/**
 * Stores a note and returns it as stored.
 *
 * @param {Fetch} fetch
 * @param {string} apiUrl
 * @param {string} text
 * @returns {Promise<Note>}
 */
export async function addNote(fetch, apiUrl, text) {
  return ask(fetch, `${apiUrl}/notes`, "POST", { text });
}

/**
 * @param {Fetch} fetch
 * @param {string} url
 * @param {string} method
 * @param {unknown} [content]
 * @returns {Promise<any>}
 */
async function ask(fetch, url, method, content) {
  const body = content === undefined ? {} : { body: JSON.stringify(content) };
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  const answer = await fetch(url, { method, headers, ...body }).catch(() => {
    throw new ApiError("The server cannot be reached. Check your connection and try again.");
  });
  const answered = await answer.json().catch(() => null);
  if (!answer.ok) throw new ApiError(explanation(answered) ?? `The server answered with HTTP ${answer.status}.`);
  if (typeof answered !== "object" || answered === null) {
    throw new ApiError("The server sent an answer that cannot be read.");
  }
  return answered;
}

/**
 * @param {unknown} answered
 * @returns {string | null}
 */
function explanation(answered) {
  const message = /** @type {any} */ (answered)?.error?.message;
  return typeof message === "string" ? message : null;
}
