import { type Root, createRoot } from "react-dom/client";
import { App } from "./App";
import { ConfigFailure } from "./ConfigFailure";
import { type Config, loadConfig } from "./config";
import { createReport, reportUncaught } from "./reporting";

/** Reads the configuration and shows the page, or what is wrong with the configuration. */
export async function start(element: HTMLElement, fetcher: typeof fetch = fetch): Promise<Root> {
  const root = createRoot(element);
  let config: Config;
  try {
    config = await loadConfig(fetcher);
  } catch (error) {
    root.render(<ConfigFailure reason={error instanceof Error ? error.message : String(error)} />);
    return root;
  }
  const report = createReport(config);
  reportUncaught(report);
  root.render(<App config={config} report={report} />);
  return root;
}
