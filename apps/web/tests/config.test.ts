import { describe, expect, it } from "vitest";
import { ConfigError, loadConfig, readConfig } from "../src/config";
import { answering, CONFIG, json } from "./backend";

describe("loadConfig", () => {
  it("reads what the deployment wrote, past every cache", async () => {
    const fetcher = answering({ "GET /config.json": json({ ...CONFIG, apiUrl: "https://api.test//" }) });
    expect(await loadConfig(fetcher)).toEqual(CONFIG);
    expect(fetcher).toHaveBeenCalledWith("/config.json", { cache: "no-store" });
  });

  it.each([
    ["HTTP 404", new Response("<html>", { status: 404 })],
    ["is not JSON", new Response("<html>")],
    ["is not an object", json(null)],
  ])("says when it %s", async (reason, answer) => {
    const failure = loadConfig(answering({ "GET /config.json": answer }));
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow(reason);
  });

  it("says when there is no connection", async () => {
    await expect(loadConfig(answering({}))).rejects.toThrow("could not be fetched");
  });
});

describe("readConfig", () => {
  it.each([
    ["apiUrl", undefined],
    ["apiUrl", "javascript:alert(1)"],
    ["apiUrl", "http://"],
    ["environment", ""],
    ["release", 3],
    ["sentryDsn", 3],
  ])("names %s when it is %s", (key, value) => {
    expect(() => readConfig({ ...CONFIG, [key]: value })).toThrow(`/config.json: ${key} must be`);
  });

  it("takes a missing DSN for none", () => {
    expect(readConfig({ ...CONFIG, sentryDsn: undefined }).sentryDsn).toBeNull();
    expect(readConfig({ ...CONFIG, sentryDsn: "" }).sentryDsn).toBeNull();
  });
});
