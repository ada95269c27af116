import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { ErrorBoundary } from "../src/ErrorBoundary";

afterEach(cleanup);

function Broken(): never {
  throw new Error("render failed");
}

it("shows what is in it while that works", () => {
  const report = vi.fn(async () => undefined);
  render(<ErrorBoundary report={report}>fine</ErrorBoundary>);
  expect(screen.getByText("fine")).toBeDefined();
  expect(report).not.toHaveBeenCalled();
});

it("reports what breaks and offers a way on", () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const report = vi.fn(async (_: unknown) => undefined);
  const reload = vi.fn();
  render(
    <ErrorBoundary report={report} reload={reload}>
      <Broken />
    </ErrorBoundary>,
  );
  expect(screen.getByRole("alert").textContent).toContain("Something on this page broke");
  expect(report.mock.calls.map(([error]) => String(error))).toEqual(["Error: render failed"]);
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(reload).toHaveBeenCalledOnce();
});
