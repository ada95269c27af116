import { StatusBar } from "expo-status-bar";
import { SafeAreaProvider, SafeAreaView } from "react-native-safe-area-context";
import { NotesScreen } from "./src/NotesScreen";
import { readSettings } from "./src/settings.mjs";

// Written out in full: Expo puts the values in while bundling.
const settings = readSettings({
  apiUrl: process.env.EXPO_PUBLIC_API_URL,
  environment: process.env.EXPO_PUBLIC_ENVIRONMENT,
});

export default function App() {
  return (
    <SafeAreaProvider>
      <SafeAreaView style={{ flex: 1 }}>
        <NotesScreen settings={settings} />
        <StatusBar style="auto" />
      </SafeAreaView>
    </SafeAreaProvider>
  );
}
