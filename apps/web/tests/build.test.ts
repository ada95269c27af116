// @vitest-environment node
import { describe, expect, it } from "vitest";
import { versionFile } from "../vite.plugins.ts";

function written(commit: string | undefined): unknown {
  const files: { fileName: string; source: string }[] = [];
  const generate = versionFile(commit).generateBundle as unknown as (this: unknown) => void;
  generate.call({ emitFile: (file: { fileName: string; source: string }) => files.push(file) });
  expect(files.map((file) => file.fileName)).toEqual(["version.json"]);
  return JSON.parse(files[0]?.source ?? "");
}

describe("versionFile", () => {
  it("holds the commit, or null when nobody says", () => {
    expect(written("abc")).toEqual({ commit: "abc" });
    expect(written("")).toEqual({ commit: null });
    expect(written(undefined)).toEqual({ commit: null });
  });
});
