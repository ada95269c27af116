/** The commit this build was made from (/version.json), or null: nice to know, never worth failing for. */
export async function loadCommit(fetcher: typeof fetch = fetch): Promise<string | null> {
  try {
    const response = await fetcher("/version.json", { cache: "no-store" });
    const { commit } = (await response.json()) as { commit?: unknown };
    return response.ok && typeof commit === "string" ? commit : null;
  } catch {
    return null;
  }
}
