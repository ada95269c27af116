import * as Updates from "expo-updates";
import { useCallback, useEffect, useReducer } from "react";
import { FlatList, Pressable, RefreshControl, StyleSheet, Text, TextInput, View } from "react-native";
import { addNote, ApiError, listNotes, type Note } from "./api.mjs";
import { after, age, canAdd, EMPTY } from "./notes.mjs";
import type { Settings } from "./settings.mjs";
import { describeVersion } from "./version.mjs";
import app from "../app.json";

/** The notes, newest first, with a field for a new one. Pull down to ask again. */
export function NotesScreen({ settings }: { settings: Settings }) {
  const [state, happened] = useReducer(after, EMPTY);

  const attempt = useCallback(async (work: () => Promise<void>) => {
    happened({ type: "asked" });
    await work().catch((error: unknown) => {
      happened({ type: "failed", message: error instanceof ApiError ? error.message : "Something broke." });
      if (!(error instanceof ApiError)) throw error;
    });
  }, []);
  const list = useCallback(
    () => attempt(async () => happened({ type: "listed", notes: await listNotes(fetch, settings.apiUrl) })),
    [attempt, settings],
  );
  const add = () =>
    attempt(async () => happened({ type: "added", note: await addNote(fetch, settings.apiUrl, state.draft) }));

  useEffect(() => void list(), [list]);

  return (
    <View style={styles.screen}>
      <Text role="heading" style={styles.title}>
        TechMate notes
      </Text>
      <TextInput
        accessibilityLabel="New note"
        style={styles.field}
        multiline
        value={state.draft}
        onChangeText={(text) => happened({ type: "typed", text })}
      />
      <AddButton enabled={canAdd(state)} onPress={add} />
      {state.failure !== null && (
        <Text role="alert" style={styles.failure}>
          {state.failure}
        </Text>
      )}
      <FlatList
        data={state.notes}
        keyExtractor={(note) => note.id}
        renderItem={({ item }) => <NoteRow note={item} />}
        ListEmptyComponent={state.loading ? null : <Text style={styles.quiet}>No notes yet.</Text>}
        refreshControl={<RefreshControl refreshing={state.loading} onRefresh={list} />}
      />
      <Version environment={settings.environment} />
    </View>
  );
}

function AddButton({ enabled, onPress }: { enabled: boolean; onPress: () => void }) {
  return (
    <Pressable role="button" disabled={!enabled} onPress={onPress} style={[styles.button, !enabled && styles.off]}>
      <Text style={styles.buttonText}>Add note</Text>
    </Pressable>
  );
}

function NoteRow({ note }: { note: Note }) {
  return (
    <View style={styles.row}>
      <Text>{note.text}</Text>
      <Text style={styles.quiet}>{age(note.createdAt, new Date())}</Text>
    </View>
  );
}

function Version({ environment }: { environment: string }) {
  const updateId = Updates.isEmbeddedLaunch ? null : Updates.updateId;
  return (
    <Text testID="version" style={styles.quiet}>
      {describeVersion({ version: app.expo.version, environment, updateId })}
    </Text>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1, padding: 20, gap: 12 },
  title: { fontSize: 26, fontWeight: "700" },
  field: { minHeight: 64, padding: 12, borderWidth: 1, borderColor: "#c9ced9", borderRadius: 8 },
  button: { padding: 12, borderRadius: 8, alignItems: "center", backgroundColor: "#1f5eff" },
  off: { opacity: 0.5 },
  buttonText: { color: "#fff", fontWeight: "600" },
  failure: { padding: 12, borderLeftWidth: 4, borderColor: "#b3261e" },
  row: { paddingVertical: 12, borderBottomWidth: 1, borderColor: "#dfe2e9" },
  quiet: { color: "#5b6270", fontSize: 13 },
});
