// Read workflows and actions as GitHub itself reads them: print `file:line:column: message` for each thing it refuses.
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { basename } from "node:path";

register("./json_modules.mjs", import.meta.url);
const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import("@actions/workflow-parser");
const { parseAction } = await import("@actions/workflow-parser/actions/action-parser");

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("no file was named, so nothing was checked");
  process.exit(2);
}

let problems = 0;
for (const file of files) {
  const entry = { name: file, content: readFileSync(file, "utf8") };
  const trace = new NoOperationTraceWriter();
  const isAction = ["action.yml", "action.yaml"].includes(basename(file));
  const result = isAction ? parseAction(entry, trace) : parseWorkflow(entry, trace);
  if (!isAction && result.value) {
    // The second half of the reading: jobs, needs, events, expressions. Its errors join those of the first.
    await convertWorkflowTemplate(result.context, result.value);
  }
  for (const error of result.context.errors.getErrors()) {
    problems += 1;
    const start = error.range?.start;
    const place = start ? `${file}:${start.line}:${start.column}` : file;
    const text = error.rawMessage ?? error.message;
    console.log(text.startsWith(file) ? text : `${place}: ${text}`);
  }
}
console.log(`${files.length} files read, ${problems} problems`);
process.exit(problems === 0 ? 0 : 1);
