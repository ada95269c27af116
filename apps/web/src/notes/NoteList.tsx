import type { Match, Note } from "../api";
import type { Shown } from "./useNotes";

interface Props {
  readonly shown: Shown;
  readonly remove: (id: string) => Promise<boolean>;
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** The notes shown, with a heading that says which they are. */
export function NoteList({ shown, remove }: Props) {
  const { query, notes } = shown;
  return (
    <section aria-labelledby="shown">
      <h2 id="shown">{query === null ? "Newest notes" : `Notes about “${query}”`}</h2>
      {notes.length === 0 && <p>{query === null ? "No notes yet. Write the first one." : "Nothing near that."}</p>}
      {notes.length > 0 && (
        <ul className="notes" aria-labelledby="shown">
          {notes.map((note) => (
            <NoteItem key={note.id} note={note} remove={remove} />
          ))}
        </ul>
      )}
    </section>
  );
}

function NoteItem({ note, remove }: { readonly note: Note | Match; readonly remove: Props["remove"] }) {
  return (
    <li className="card">
      <p className="text">{note.text}</p>
      <p className="detail">
        <time dateTime={note.createdAt}>{moment.format(new Date(note.createdAt))}</time>
        {"score" in note && <span> · {Math.round(note.score * 100)} % alike</span>}
        {note.summary !== null && note.summary !== note.text && <span> · {note.summary}</span>}
      </p>
      <button type="button" className="plain" aria-label={`Delete: ${note.text}`} onClick={() => void remove(note.id)}>
        Delete
      </button>
    </li>
  );
}
