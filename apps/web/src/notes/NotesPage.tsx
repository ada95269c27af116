import type { Api } from "../api";
import { AddNote } from "./AddNote";
import { NoteList } from "./NoteList";
import { SearchNotes } from "./SearchNotes";
import { type Failure, useNotes } from "./useNotes";

/** Adding, searching and listing. */
export default function NotesPage({ api }: { readonly api: Api }) {
  const notes = useNotes(api);
  return (
    <>
      <AddNote add={notes.add} />
      <SearchNotes search={notes.search} clear={notes.list} searching={notes.shown?.query != null} />
      {notes.failure !== null && <FailureMessage failure={notes.failure} retry={notes.list} />}
      {notes.shown === null && notes.busy && <p role="status">Loading…</p>}
      {notes.shown !== null && <NoteList shown={notes.shown} remove={notes.remove} />}
    </>
  );
}

function FailureMessage({ failure, retry }: { readonly failure: Failure; readonly retry: () => void }) {
  return (
    <div role="alert" className="message failure">
      <p>{failure.message}</p>
      {failure.requestId !== null && (
        <p className="detail">
          Reference: <code>{failure.requestId}</code>
        </p>
      )}
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}
