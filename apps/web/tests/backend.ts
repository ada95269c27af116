import { vi } from "vitest";
import type { Note } from "../src/api";

export const CONFIG = {
  apiUrl: "https://api.test",
  environment: "staging",
  release: "v1.2.0",
  sentryDsn: null,
};

/** A note as the API would send it. */
export function note(text: string, changed: Partial<Note> = {}): Note {
  return { id: `id-${text}`, text, summary: null, createdAt: "2026-01-02T03:04:05.000Z", ...changed };
}

export type Answer = Response | (() => Response | Promise<Response>);

/** `fetch` over a table of answers, "METHOD path" -> answer; anything else is a failing connection. */
export function answering(answers: Record<string, Answer>) {
  return vi.fn(async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const path = String(input).replace(CONFIG.apiUrl, "");
    const answer = answers[`${init.method ?? "GET"} ${path}`];
    if (answer === undefined) throw new TypeError(`no connection for ${init.method ?? "GET"} ${path}`);
    return typeof answer === "function" ? answer() : answer.clone();
  });
}

export function json(body: unknown, init: ResponseInit = {}): Response {
  return new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" }, ...init });
}
