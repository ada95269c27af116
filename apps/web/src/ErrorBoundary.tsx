import { Component, type ReactNode } from "react";
import type { Report } from "./reporting";

interface Props {
  readonly report: Report;
  /** Loads the page anew, which also replaces a script that a later deployment removed. */
  readonly reload?: () => void;
  readonly children: ReactNode;
}

/** Shows a way on when a part of the page breaks, and reports what broke. */
export class ErrorBoundary extends Component<Props, { readonly broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override componentDidCatch(error: unknown): void {
    void this.props.report(error);
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    return (
      <div role="alert" className="message failure">
        <p>Something on this page broke. The error has been reported.</p>
        <button type="button" onClick={this.props.reload ?? (() => window.location.reload())}>
          Try again
        </button>
      </div>
    );
  }
}
