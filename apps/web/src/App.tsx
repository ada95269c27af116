import { lazy, Suspense } from "react";
import { Api } from "./api";
import type { Config } from "./config";
import { ErrorBoundary } from "./ErrorBoundary";
import type { Report } from "./reporting";
import { VersionFooter } from "./VersionFooter";

// A chunk of its own: it is on its way while the configuration is.
const notesPage = import("./notes/NotesPage");
notesPage.catch(() => undefined); // whoever renders it hears of a failure
const NotesPage = lazy(() => notesPage);

interface Props {
  readonly config: Config;
  readonly report: Report;
}

export function App({ config, report }: Props) {
  return (
    <>
      <main className="page">
        <h1>TechMate notes</h1>
        <ErrorBoundary report={report}>
          <Suspense fallback={<p role="status">Loading…</p>}>
            <NotesPage api={new Api(config.apiUrl)} />
          </Suspense>
        </ErrorBoundary>
      </main>
      <VersionFooter config={config} />
    </>
  );
}
