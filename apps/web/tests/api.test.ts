import { describe, expect, it } from "vitest";
import { Api, ApiError } from "../src/api";
import { type Answer, answering, CONFIG, json, note } from "./backend";

function api(answers: Record<string, Answer>) {
  const fetcher = answering(answers);
  return { api: new Api(CONFIG.apiUrl, fetcher), fetcher };
}

async function failure(work: Promise<unknown>): Promise<ApiError> {
  return work.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => {
      expect(error).toBeInstanceOf(ApiError);
      return error as ApiError;
    },
  );
}

describe("Api", () => {
  it("lists, adds, searches and deletes", async () => {
    const one = note("one");
    const { api: notes, fetcher } = api({
      "GET /notes": json({ notes: [one], next: null }),
      "POST /notes": json(one, { status: 201 }),
      "GET /notes/search?q=a%26b": json({ query: "a&b", results: [{ ...one, score: 0.5 }] }),
      "DELETE /notes/id-one": new Response(null, { status: 204 }),
    });
    expect(await notes.newest()).toEqual([one]);
    expect(await notes.add("one")).toEqual(one);
    expect(await notes.search("a&b")).toEqual([{ ...one, score: 0.5 }]);
    expect(await notes.remove("id-one")).toBeUndefined();
    expect(fetcher.mock.calls[1]?.[1]).toMatchObject({ method: "POST", body: '{"text":"one"}' });
  });

  it("passes on the API's own explanation and its request id", async () => {
    const refusal = json(
      { error: { code: "rate_limited", message: "Try again in 7 s." } },
      { status: 429, headers: { "X-Request-ID": "abc" } },
    );
    const error = await failure(api({ "GET /notes": refusal }).api.newest());
    expect([error.message, error.status, error.requestId]).toEqual(["Try again in 7 s.", 429, "abc"]);
  });

  it.each([
    ["The server answered with HTTP 502.", new Response("<html>", { status: 502 })],
    ["The server sent an answer that cannot be read.", new Response("<html>")],
  ])("explains: %s", async (message, answer) => {
    expect((await failure(api({ "GET /notes": answer }).api.newest())).message).toBe(message);
  });

  it("explains a missing connection", async () => {
    const error = await failure(api({}).api.newest());
    expect([error.message, error.status]).toEqual([
      "The server cannot be reached. Check your connection and try again.",
      null,
    ]);
  });

  it("takes a note that is gone for deleted", async () => {
    await expect(api({ "DELETE /notes/x": json({}, { status: 404 }) }).api.remove("x")).resolves.toBeUndefined();
    await expect(api({ "DELETE /notes/x": json({}, { status: 500 }) }).api.remove("x")).rejects.toThrow(ApiError);
  });
});
