import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Api, ApiError, type Match, type Note } from "../api";

/** What is shown: the newest notes, or what a search found. */
export interface Shown {
  readonly query: string | null;
  readonly notes: readonly (Note | Match)[];
}

export interface Failure {
  readonly message: string;
  readonly requestId: string | null;
}

export interface Notes {
  /** null while the first answer is awaited. */
  readonly shown: Shown | null;
  readonly busy: boolean;
  readonly failure: Failure | null;
  /** Each resolves to whether it worked; what went wrong is in `failure`. */
  readonly list: () => Promise<boolean>;
  readonly add: (text: string) => Promise<boolean>;
  readonly search: (query: string) => Promise<boolean>;
  readonly remove: (id: string) => Promise<boolean>;
}

/** The notes on the page and what can be done with them. */
export function useNotes(api: Api): Notes {
  const [shown, setShown] = useState<Shown | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);

  const attempt = useCallback(async (work: () => Promise<void>): Promise<boolean> => {
    setBusy(true);
    try {
      await work();
      setFailure(null);
      return true;
    } catch (error) {
      setFailure(explained(error));
      // A bug of ours: uncaught, so that it is reported.
      if (!(error instanceof ApiError)) throw error;
      return false;
    } finally {
      setBusy(false);
    }
  }, []);

  const latest = useRef(0);
  const actions = useMemo(() => {
    /** Shows what was asked for last, in whatever order the answers come. */
    const show = async (query: string | null, asked: Promise<readonly (Note | Match)[]>) => {
      const turn = ++latest.current;
      const notes = await asked;
      if (turn === latest.current) setShown({ query, notes });
    };
    const list = () => attempt(() => show(null, api.newest()));
    const search = (query: string) => attempt(() => show(query, api.search(query)));
    const add = (text: string) =>
      attempt(async () => {
        await api.add(text);
        await show(null, api.newest());
      });
    const remove = (id: string) =>
      attempt(async () => {
        await api.remove(id);
        setShown((before) => before && { ...before, notes: before.notes.filter((note) => note.id !== id) });
      });
    return { list, search, add, remove };
  }, [api, attempt]);

  useEffect(() => {
    void actions.list();
  }, [actions]);

  return { shown, busy, failure, ...actions };
}

function explained(error: unknown): Failure {
  if (error instanceof ApiError) return { message: error.message, requestId: error.requestId };
  return { message: "Something on this page broke. The error has been reported.", requestId: null };
}
