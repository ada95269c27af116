import { type Root, createRoot } from "react-dom/client";
import { App } from "./App";
import { loadConfig } from "./config";
import { createReport, reportUncaught } from "./reporting";
import { StartFailure } from "./StartFailure";

// A chunk of its own, fetched while the configuration is. Not by `lazy`: React holds back what replaces a fallback
// for 300 ms, three times as long as both take.
const loadPage = () => import("./notes/NotesPage");

/** Reads the configuration and shows the page, or why it cannot be shown. */
export async function start(element: HTMLElement, fetcher: typeof fetch = fetch, load = loadPage): Promise<Root> {
  const root = createRoot(element);
  try {
    const [config, { default: NotesPage }] = await Promise.all([loadConfig(fetcher), load()]);
    const report = createReport(config);
    reportUncaught(report);
    root.render(<App config={config} report={report} NotesPage={NotesPage} />);
  } catch (error) {
    root.render(<StartFailure reason={error instanceof Error ? error.message : String(error)} />);
  }
  return root;
}
