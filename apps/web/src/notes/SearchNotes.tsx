import { type FormEvent, useState } from "react";

interface Props {
  readonly search: (query: string) => Promise<boolean>;
  readonly clear: () => Promise<boolean>;
  readonly searching: boolean;
}

/** Asks for notes by what they mean. On submit, not on each key: the API counts requests. */
export function SearchNotes({ search, clear, searching }: Props) {
  const [query, setQuery] = useState("");

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (query.trim() !== "") void search(query.trim());
  }

  function showAll(): void {
    setQuery("");
    void clear();
  }

  return (
    <form className="search" role="search" aria-label="Search notes" onSubmit={submit}>
      <label htmlFor="query">Search by meaning</label>
      <input id="query" type="search" value={query} onChange={(event) => setQuery(event.target.value)} />
      <button type="submit">Search</button>
      {searching && (
        <button type="button" className="plain" onClick={showAll}>
          Show all
        </button>
      )}
    </form>
  );
}
