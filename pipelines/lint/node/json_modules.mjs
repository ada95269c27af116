// The parser imports its grammar as JSON without saying so, which Node 20 refuses: read such files as modules.
import { readFile } from "node:fs/promises";

export async function load(url, context, next) {
  if (!url.startsWith("file:") || !url.endsWith(".json")) {
    return next(url, context);
  }
  const text = await readFile(new URL(url), "utf8");
  return { format: "module", shortCircuit: true, source: `export default ${text};` };
}
