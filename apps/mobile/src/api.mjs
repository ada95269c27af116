/**
 * The backend, as the app uses it.
 *
 * @typedef {{ id: string, text: string, summary: string | null, createdAt: string }} Note
 * @typedef {Note & { score: number }} Match A note found by a search; `score` is its cosine similarity to the query.
 * @typedef {{ ok: boolean, status: number, headers: { get(name: string): string | null }, json(): Promise<unknown> }} Answer
 * @typedef {{ method: string, headers: Record<string, string>, body?: string, signal: AbortSignal }} Request
 * @typedef {(url: string, request: Request) => Promise<Answer>} Fetch
 */

const TIMEOUT_MS = 10_000;
const UNREACHABLE = "The server cannot be reached. Check your connection and try again.";
const UNREADABLE = "The server sent an answer that cannot be read.";

/** A request failed; the message is for the person with the phone, `requestId` for the person they ask for help. */
export class ApiError extends Error {
  name = "ApiError";

  /**
   * @param {string} message
   * @param {string | null} [requestId]
   */
  constructor(message, requestId = null) {
    super(message);
    this.requestId = requestId;
  }
}

/** The backend at an address. Every method throws ApiError. */
export class Api {
  /**
   * @param {string} baseUrl
   * @param {Fetch} [fetcher]
   */
  constructor(baseUrl, fetcher = (url, request) => fetch(url, request)) {
    this.baseUrl = baseUrl;
    this.fetcher = fetcher;
  }

  /**
   * The newest notes.
   *
   * @returns {Promise<Note[]>}
   */
  async newest() {
    return listed(await this.#ask("GET", "/notes"), "notes");
  }

  /**
   * Stores a note, and returns it as stored.
   *
   * @param {string} text
   * @returns {Promise<Note>}
   */
  async add(text) {
    const { body, requestId } = await this.#ask("POST", "/notes", { text });
    if (typeof body?.id !== "string") throw new ApiError(UNREADABLE, requestId);
    return body;
  }

  /**
   * Notes nearest in meaning to the query, best first.
   *
   * @param {string} query
   * @returns {Promise<Match[]>}
   */
  async search(query) {
    return listed(await this.#ask("GET", `/notes/search?q=${encodeURIComponent(query)}`), "results");
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [content]
   * @returns {Promise<{ body: any, requestId: string | null }>} `body` is null when it is no JSON
   */
  async #ask(method, path, content) {
    const headers = { Accept: "application/json", "Content-Type": "application/json" };
    const body = content === undefined ? {} : { body: JSON.stringify(content) };
    // React Native has no AbortSignal.timeout.
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), TIMEOUT_MS);
    try {
      const answer = await this.fetcher(this.baseUrl + path, { method, headers, ...body, signal: patience.signal });
      const answered = await answer.json().catch(() => null);
      // Cut off while it came, rather than unreadable.
      if (patience.signal.aborted) throw new ApiError(UNREACHABLE);
      const requestId = answer.headers.get("X-Request-ID");
      if (!answer.ok) throw new ApiError(explanation(answered, answer.status), requestId);
      return { body: answered, requestId };
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError(UNREACHABLE);
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * @param {{ body: any, requestId: string | null }} answered
 * @param {string} key
 */
function listed({ body, requestId }, key) {
  if (!Array.isArray(body?.[key])) throw new ApiError(UNREADABLE, requestId);
  return body[key];
}

/**
 * @param {any} answered
 * @param {number} status
 * @returns {string}
 */
function explanation(answered, status) {
  const message = answered?.error?.message;
  return typeof message === "string" ? message : `The server answered with HTTP ${status}.`;
}
