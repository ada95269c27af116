/** Stands in for the page when its configuration cannot be read. */
export function ConfigFailure({ reason }: { readonly reason: string }) {
  return (
    <main className="page">
      <h1>TechMate notes</h1>
      <div role="alert" className="message failure">
        <p>This page cannot start: its configuration is missing or wrong.</p>
        <p className="detail">{reason}</p>
        <button type="button" onClick={() => window.location.reload()}>
          Try again
        </button>
      </div>
    </main>
  );
}
