import { useEffect, useState } from "react";
import type { Config } from "./config";
import { loadCommit } from "./version";

/** Says what this page is: release, environment and, where the build knows it, commit. */
export function VersionFooter({ config }: { readonly config: Config }) {
  const [commit, setCommit] = useState<string | null>(null);
  useEffect(() => {
    let shown = true;
    void loadCommit().then((found) => shown && setCommit(found));
    return () => {
      shown = false;
    };
  }, []);
  return (
    <footer data-testid="version" aria-label="Version">
      <span data-testid="release">{config.release}</span>
      <span data-testid="environment">{config.environment}</span>
      {commit !== null && <span data-testid="commit">{commit.slice(0, 7)}</span>}
    </footer>
  );
}
