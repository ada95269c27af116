import { FlatList, RefreshControl, StyleSheet, Text, TextInput, View } from "react-native";
import type { Match, Note } from "../api.mjs";
import { Button } from "../Button";
import { canAdd, details, heading, MAX_LENGTH, type Failure } from "./notes.mjs";
import { type Notes, useNotes } from "./useNotes";

/** Writing, searching and listing notes. Pull down to ask again. */
export function NotesScreen({ apiUrl }: { readonly apiUrl: string }) {
  const notes = useNotes(apiUrl);
  const { shown, loading, failure } = notes.state;
  const again = () => void notes.show(notes.state.asked.query);
  return (
    <View style={styles.screen}>
      <Text role="heading" style={styles.title}>
        TechMate notes
      </Text>
      <AddNote notes={notes} />
      <SearchNotes notes={notes} />
      {failure !== null && (
        <FailureMessage failure={failure} again={failure.of === "add" ? () => void notes.add(notes.state.draft) : again} />
      )}
      {shown !== null && (
        <Text role="heading" style={styles.heading}>
          {heading(shown)}
        </Text>
      )}
      <FlatList<Note | Match>
        data={shown?.notes ?? []}
        keyExtractor={(note) => note.id}
        renderItem={({ item }) => <NoteRow note={item} />}
        ListEmptyComponent={shown === null ? null : <Text style={styles.quiet}>{nothing(shown.query)}</Text>}
        keyboardShouldPersistTaps="handled"
        refreshControl={<RefreshControl refreshing={loading} onRefresh={again} />}
      />
    </View>
  );
}

function nothing(query: string | null): string {
  return query === null ? "No notes yet. Write the first one." : "Nothing near that.";
}

/** A field for a new note; the text stays in it until it is stored. */
function AddNote({ notes }: { readonly notes: Notes }) {
  return (
    <>
      <TextInput
        accessibilityLabel="New note"
        placeholder="New note"
        style={[styles.field, styles.tall]}
        multiline
        maxLength={MAX_LENGTH}
        value={notes.state.draft}
        onChangeText={notes.wrote}
      />
      <Button title="Add note" enabled={canAdd(notes.state)} onPress={() => void notes.add(notes.state.draft)} />
    </>
  );
}

/** Asks for notes by what they mean. On submit, not on each key: the API counts requests. */
function SearchNotes({ notes }: { readonly notes: Notes }) {
  const query = notes.state.query.trim();
  const showAll = () => {
    notes.searchedFor("");
    void notes.show(null);
  };
  return (
    <View accessibilityRole="search" style={styles.search}>
      <TextInput
        accessibilityLabel="Search by meaning"
        placeholder="Search by meaning"
        style={[styles.field, styles.wide]}
        returnKeyType="search"
        value={notes.state.query}
        onChangeText={notes.searchedFor}
        onSubmitEditing={() => query !== "" && void notes.show(query)}
      />
      {notes.state.shown?.query != null && <Button title="Show all" onPress={showAll} />}
    </View>
  );
}

function FailureMessage({ failure, again }: { readonly failure: Failure; readonly again: () => void }) {
  return (
    <View role="alert" style={styles.failure}>
      <Text>{failure.message}</Text>
      {failure.requestId !== null && <Text style={styles.quiet}>Reference: {failure.requestId}</Text>}
      <Button title="Try again" onPress={again} />
    </View>
  );
}

function NoteRow({ note }: { readonly note: Note | Match }) {
  return (
    <View style={styles.row}>
      <Text>{note.text}</Text>
      <Text style={styles.quiet}>{details(note, new Date())}</Text>
    </View>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1, gap: 12 },
  title: { fontSize: 26, fontWeight: "700" },
  heading: { fontSize: 18, fontWeight: "600" },
  field: { padding: 12, borderWidth: 1, borderColor: "#c9ced9", borderRadius: 8 },
  tall: { minHeight: 64 },
  wide: { flex: 1 },
  search: { flexDirection: "row", gap: 8 },
  failure: { padding: 12, gap: 8, borderLeftWidth: 4, borderColor: "#b3261e" },
  row: { paddingVertical: 12, borderBottomWidth: 1, borderColor: "#dfe2e9" },
  quiet: { color: "#5b6270", fontSize: 13 },
});
