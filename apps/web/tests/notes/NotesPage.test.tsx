import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { Api } from "../../src/api";
import NotesPage from "../../src/notes/NotesPage";
import { type Answer, answering, CONFIG, json, note } from "../backend";

afterEach(cleanup);

function show(answers: Record<string, Answer>) {
  const fetcher = answering(answers);
  render(<NotesPage api={new Api(CONFIG.apiUrl, fetcher)} />);
  return fetcher;
}

function texts(): string[] {
  return within(screen.getByRole("list")).queryAllByRole("listitem").map((item) => item.querySelector(".text")?.textContent ?? "");
}

function search(query: string): void {
  fireEvent.change(screen.getByLabelText("Search by meaning"), { target: { value: query } });
  fireEvent.click(screen.getByRole("button", { name: "Search" }));
}

const LISTED = json({ notes: [note("second"), note("first")], next: null });

describe("NotesPage", () => {
  it("lists the newest notes", async () => {
    show({ "GET /notes": LISTED });
    await screen.findByText("second");
    expect(texts()).toEqual(["second", "first"]);
    expect(screen.getByRole("list", { name: "Newest notes" })).toBeDefined();
  });

  it("adds a note and empties the field", async () => {
    const notes = [note("old")];
    show({
      "GET /notes": () => json({ notes, next: null }),
      "POST /notes": () => {
        notes.unshift(note("new"));
        return json(notes[0], { status: 201 });
      },
    });
    await screen.findByText("old");
    const field = screen.getByLabelText<HTMLTextAreaElement>("New note");
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Add note" }).disabled).toBe(true);
    fireEvent.change(field, { target: { value: "new" } });
    fireEvent.click(screen.getByRole("button", { name: "Add note" }));
    await waitFor(() => expect(texts()).toEqual(["new", "old"]));
    expect(field.value).toBe("");
  });

  it("keeps the text when it could not be stored, and says so", async () => {
    const refusal = json(
      { error: { code: "internal", message: "Something went wrong on our side." } },
      { status: 500, headers: { "X-Request-ID": "f3b1" } },
    );
    show({ "GET /notes": LISTED, "POST /notes": refusal });
    await screen.findByText("first");
    const field = screen.getByLabelText<HTMLTextAreaElement>("New note");
    fireEvent.change(field, { target: { value: "precious" } });
    fireEvent.click(screen.getByRole("button", { name: "Add note" }));
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("Something went wrong on our side.");
    expect(alert.textContent).toContain("f3b1");
    expect(field.value).toBe("precious");
    expect(texts()).toEqual(["second", "first"]);
  });

  it("searches by meaning and finds the way back", async () => {
    show({
      "GET /notes": LISTED,
      "GET /notes/search?q=outage": json({ query: "outage", results: [{ ...note("The API was down"), score: 0.423 }] }),
      "GET /notes/search?q=nothing": json({ query: "nothing", results: [] }),
    });
    await screen.findByText("first");
    search(" outage ");
    expect(await screen.findByRole("heading", { name: "Notes about “outage”" })).toBeDefined();
    expect(texts()).toEqual(["The API was down"]);
    expect(screen.getByText(/42 % alike/)).toBeDefined();
    search("nothing");
    expect(await screen.findByText("Nothing near that.")).toBeDefined();
    fireEvent.click(screen.getByRole("button", { name: "Show all" }));
    await screen.findByRole("heading", { name: "Newest notes" });
    expect(texts()).toEqual(["second", "first"]);
  });

  it("shows what was asked for last, whichever answer comes first", async () => {
    let answerSlow: (answer: Response) => void = () => undefined;
    const slow = new Promise<Response>((resolve) => (answerSlow = resolve));
    show({
      "GET /notes": LISTED,
      "GET /notes/search?q=slow": () => slow,
      "GET /notes/search?q=quick": json({ query: "quick", results: [{ ...note("quick one"), score: 0.9 }] }),
    });
    await screen.findByText("first");
    search("slow");
    search("quick");
    await screen.findByText("quick one");
    answerSlow(json({ query: "slow", results: [] }));
    await slow;
    await waitFor(() => expect(texts()).toEqual(["quick one"]));
    expect(screen.getByRole("heading", { name: "Notes about “quick”" })).toBeDefined();
  });

  it("deletes a note", async () => {
    show({ "GET /notes": LISTED, "DELETE /notes/id-first": new Response(null, { status: 204 }) });
    await screen.findByText("first");
    fireEvent.click(screen.getByRole("button", { name: "Delete: first" }));
    await waitFor(() => expect(texts()).toEqual(["second"]));
  });

  it("explains a missing connection and recovers", async () => {
    let online = false;
    show({
      "GET /notes": () => {
        if (!online) throw new TypeError("offline");
        return json({ notes: [note("back")], next: null });
      },
    });
    expect((await screen.findByRole("alert")).textContent).toContain("The server cannot be reached.");
    online = true;
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByText("back");
    expect(screen.queryByRole("alert")).toBeNull();
  });
});
