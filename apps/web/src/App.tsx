import type { ComponentType } from "react";
import { Api } from "./api";
import type { Config } from "./config";
import { ErrorBoundary } from "./ErrorBoundary";
import type { Report } from "./reporting";
import { VersionFooter } from "./VersionFooter";

interface Props {
  readonly config: Config;
  readonly report: Report;
  readonly NotesPage: ComponentType<{ readonly api: Api }>;
}

export function App({ config, report, NotesPage }: Props) {
  return (
    <>
      <main className="page">
        <h1>TechMate notes</h1>
        <ErrorBoundary report={report}>
          <NotesPage api={new Api(config.apiUrl)} />
        </ErrorBoundary>
      </main>
      <VersionFooter config={config} />
    </>
  );
}
