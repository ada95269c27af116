import { StatusBar } from "expo-status-bar";
import * as Updates from "expo-updates";
import { SafeAreaProvider, SafeAreaView } from "react-native-safe-area-context";
import { ErrorBoundary } from "./src/ErrorBoundary";
import { NotesScreen } from "./src/notes/NotesScreen";
import { measured, startReporting } from "./src/reporting";
import { readSettings } from "./src/settings.mjs";
import { UpdateReady } from "./src/UpdateReady";
import { Version } from "./src/Version";

// First, so that settings nobody can use are reported as well.
startReporting();

const settings = readSettings({
  channel: Updates.channel,
  // Written out in full: Expo puts the value in while bundling.
  apiUrl: process.env.EXPO_PUBLIC_API_URL,
});

function App() {
  return (
    <SafeAreaProvider>
      <SafeAreaView style={{ flex: 1, padding: 20, gap: 12, backgroundColor: "#fff" }}>
        <ErrorBoundary>
          <UpdateReady />
          <NotesScreen apiUrl={settings.apiUrl} />
        </ErrorBoundary>
        <Version environment={settings.environment} />
      </SafeAreaView>
      <StatusBar style="dark" />
    </SafeAreaProvider>
  );
}

export default measured(App);
