import { afterEach, describe, expect, it, vi } from "vitest";
import { createReport, reportUncaught } from "../src/reporting";
import { CONFIG } from "./backend";

const WITH_DSN = { ...CONFIG, sentryDsn: "https://key@sentry.test/1" };

describe("createReport", () => {
  it("never fetches the SDK without a DSN", async () => {
    const load = vi.fn();
    await createReport(CONFIG, load)(new Error("x"));
    expect(load).not.toHaveBeenCalled();
  });

  it("fetches the SDK with the first error, once", async () => {
    const send = vi.fn();
    const start = vi.fn(() => send);
    const load = vi.fn(async () => ({ start }));
    const report = createReport(WITH_DSN, load);
    expect(load).not.toHaveBeenCalled();
    const [first, second] = [new Error("1"), new Error("2")];
    await Promise.all([report(first), report(second)]);
    expect(load).toHaveBeenCalledOnce();
    expect(start).toHaveBeenCalledExactlyOnceWith(WITH_DSN);
    expect(send.mock.calls).toEqual([[first], [second]]);
  });

  it("survives an SDK that cannot be fetched, and tries again", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const send = vi.fn();
    const load = vi.fn().mockRejectedValueOnce(new Error("blocked")).mockResolvedValueOnce({ start: () => send });
    const report = createReport(WITH_DSN, load);
    await report(new Error("lost"));
    await report(new Error("sent"));
    expect(logged).toHaveBeenCalledOnce();
    expect(send).toHaveBeenCalledOnce();
  });
});

describe("reportUncaught", () => {
  const target = new EventTarget();
  let end = (): void => undefined;
  afterEach(() => end());

  it("reports errors and rejections until it is ended", () => {
    const report = vi.fn(async () => undefined);
    end = reportUncaught(report, target);
    const error = new Error("thrown");
    target.dispatchEvent(Object.assign(new Event("error"), { error }));
    target.dispatchEvent(Object.assign(new Event("unhandledrejection"), { reason: "rejected" }));
    end();
    target.dispatchEvent(new Event("error"));
    expect(report.mock.calls).toEqual([[error], ["rejected"]]);
  });
});

describe("the Sentry SDK itself", () => {
  it("sends the error with its release and environment", async () => {
    const sent = vi.fn<typeof fetch>(async () => new Response());
    vi.stubGlobal("fetch", sent);
    await createReport(WITH_DSN)(new Error("for Sentry"));
    await vi.waitFor(() => expect(sent).toHaveBeenCalled());
    const [address, request] = sent.mock.calls[0] ?? [];
    expect(String(address)).toContain("https://sentry.test/api/1/envelope/");
    const event = JSON.parse(String(request?.body).split("\n")[2] ?? "");
    expect(event).toMatchObject({ release: "v1.2.0", environment: "staging" });
    expect(event.exception.values[0].value).toBe("for Sentry");
  });
});
