import { type FormEvent, useState } from "react";

const MAX_LENGTH = 4000;

interface Props {
  readonly add: (text: string) => Promise<boolean>;
}

/** A form for a new note; the text stays in the field until it is stored. */
export function AddNote({ add }: Props) {
  const [text, setText] = useState("");
  const [adding, setAdding] = useState(false);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    setAdding(true);
    const stored = await add(text);
    setAdding(false);
    if (stored) setText("");
  }

  return (
    <form className="card" aria-label="Add a note" onSubmit={submit}>
      <label htmlFor="new-note">New note</label>
      <textarea
        id="new-note"
        rows={3}
        maxLength={MAX_LENGTH}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" disabled={adding || text.trim() === ""}>
        Add note
      </button>
    </form>
  );
}
