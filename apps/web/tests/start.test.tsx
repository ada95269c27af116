import { act, screen } from "@testing-library/react";
import type { Root } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { start } from "../src/start";
import { answering, CONFIG, json, note } from "./backend";

let element: HTMLElement;
let root: Root | null = null;

beforeEach(() => {
  element = document.body.appendChild(document.createElement("div"));
});
afterEach(async () => {
  await act(async () => root?.unmount());
  element.remove();
});

async function open(
  answers: Parameters<typeof answering>[0],
  load?: Parameters<typeof start>[2],
): Promise<void> {
  const fetcher = answering(answers);
  vi.stubGlobal("fetch", fetcher);
  await act(async () => {
    root = await start(element, fetcher, load);
  });
}

describe("start", () => {
  it("shows the notes, and which version this is", async () => {
    await open({
      "GET /config.json": json(CONFIG),
      "GET /version.json": json({ commit: "0123456789abcdef" }),
      "GET /notes": json({ notes: [note("Buy milk")], next: null }),
    });
    expect(await screen.findByText("Buy milk")).toBeDefined();
    expect(screen.getByTestId("release").textContent).toBe("v1.2.0");
    expect(screen.getByTestId("environment").textContent).toBe("staging");
    expect((await screen.findByTestId("commit")).textContent).toBe("0123456");
  });

  it("does without a commit", async () => {
    await open({
      "GET /config.json": json(CONFIG),
      "GET /version.json": json({ commit: null }),
      "GET /notes": json({ notes: [], next: null }),
    });
    expect(await screen.findByText(/No notes yet/)).toBeDefined();
    expect(screen.queryByTestId("commit")).toBeNull();
  });

  it("says why it cannot start", async () => {
    await open({ "GET /config.json": new Response("", { status: 404 }) });
    expect(screen.getByRole("alert").textContent).toContain("/config.json was answered with HTTP 404");
    expect(screen.getByRole("button", { name: "Try again" })).toBeDefined();
    expect(screen.queryByTestId("version")).toBeNull();
  });

  it("says when a script is gone, as after a deployment", async () => {
    await open({ "GET /config.json": json(CONFIG) }, () => Promise.reject(new TypeError("Failed to fetch module")));
    expect(screen.getByRole("alert").textContent).toContain("Failed to fetch module");
  });
});
