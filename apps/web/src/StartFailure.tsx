/** Stands in for the page when its configuration or its code cannot be had. */
export function StartFailure({ reason }: { readonly reason: string }) {
  return (
    <main className="page">
      <h1>TechMate notes</h1>
      <div role="alert" className="message failure">
        <p>This page cannot start.</p>
        <p className="detail">{reason}</p>
        <button type="button" onClick={() => window.location.reload()}>
          Try again
        </button>
      </div>
    </main>
  );
}
