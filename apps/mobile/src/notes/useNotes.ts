import { useEffect, useMemo, useReducer, useRef } from "react";
import { Api, ApiError } from "../api.mjs";
import { after, EMPTY, type Failure, type State } from "./notes.mjs";

export interface Notes {
  readonly state: State;
  /** The notes nearest to a query, or the newest for null. */
  readonly show: (query: string | null) => Promise<void>;
  readonly add: (text: string) => Promise<void>;
  readonly wrote: (text: string) => void;
  readonly searchedFor: (text: string) => void;
}

/** The notes on the screen and what can be done with them. What goes wrong is in `state.failure`. */
export function useNotes(apiUrl: string): Notes {
  const [state, happened] = useReducer(after, EMPTY);
  const turns = useRef(0);
  const actions = useMemo(() => {
    const api = new Api(apiUrl);
    const show = async (query: string | null): Promise<void> => {
      const turn = ++turns.current;
      happened({ type: "asked", turn, query });
      try {
        const notes = query === null ? await api.newest() : await api.search(query);
        happened({ type: "listed", turn, notes });
      } catch (error) {
        happened({ type: "list failed", turn, failure: explained(error) });
        throwBug(error);
      }
    };
    const add = async (text: string): Promise<void> => {
      happened({ type: "sending" });
      try {
        happened({ type: "added", note: await api.add(text) });
      } catch (error) {
        happened({ type: "add failed", failure: explained(error) });
        throwBug(error);
      }
    };
    return {
      show,
      add,
      wrote: (text: string) => happened({ type: "wrote", text }),
      searchedFor: (text: string) => happened({ type: "searched for", text }),
    };
  }, [apiUrl]);

  useEffect(() => void actions.show(null), [actions]);

  return { state, ...actions };
}

function explained(error: unknown): Failure {
  if (error instanceof ApiError) return { message: error.message, requestId: error.requestId };
  return { message: "Something in the app broke. The error has been reported.", requestId: null };
}

/** A bug of ours stays uncaught, so that it is reported. */
function throwBug(error: unknown): void {
  if (!(error instanceof ApiError)) throw error;
}
