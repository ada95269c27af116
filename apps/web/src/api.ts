/** A note as the API shows it. `summary` is null until a worker has written it. */
export interface Note {
  readonly id: string;
  readonly text: string;
  readonly summary: string | null;
  readonly createdAt: string;
}

/** A note found by a search; `score` is its cosine similarity to the query. */
export interface Match extends Note {
  readonly score: number;
}

/** A request failed; the message is for the person at the page, `requestId` for the person they ask for help. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    readonly status: number | null,
    readonly requestId: string | null,
  ) {
    super(message);
  }
}

const TIMEOUT_MS = 10_000;

/** The backend. Every method throws ApiError. */
export class Api {
  constructor(
    private readonly baseUrl: string,
    private readonly fetcher: typeof fetch = (...request) => fetch(...request),
  ) {}

  /** The newest notes. */
  async newest(): Promise<Note[]> {
    return (await this.ask<{ notes: Note[] }>("/notes")).notes;
  }

  /** Stores a note. */
  async add(text: string): Promise<Note> {
    const headers = { "Content-Type": "application/json" };
    return this.ask<Note>("/notes", { method: "POST", headers, body: JSON.stringify({ text }) });
  }

  /** Deletes a note; one that is gone already is no error. */
  async remove(id: string): Promise<void> {
    await this.ask(`/notes/${encodeURIComponent(id)}`, { method: "DELETE" }).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });
  }

  /** Notes nearest in meaning to the query, best first. */
  async search(query: string): Promise<Match[]> {
    return (await this.ask<{ results: Match[] }>(`/notes/search?q=${encodeURIComponent(query)}`)).results;
  }

  private async ask<Answer>(path: string, request: RequestInit = {}): Promise<Answer> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await this.fetcher(this.baseUrl + path, { ...request, signal }).catch(() => {
      throw new ApiError("The server cannot be reached. Check your connection and try again.", null, null);
    });
    const requestId = response.headers.get("X-Request-ID");
    if (!response.ok) throw new ApiError(await explanation(response), response.status, requestId);
    if (response.status === 204) return undefined as Answer;
    return response.json().catch(() => {
      throw new ApiError("The server sent an answer that cannot be read.", response.status, requestId);
    }) as Promise<Answer>;
  }
}

async function explanation(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => null);
  const message = (body as { error?: { message?: unknown } } | null)?.error?.message;
  return typeof message === "string" ? message : `The server answered with HTTP ${response.status}.`;
}
