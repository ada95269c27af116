import * as Sentry from "@sentry/react-native";
import * as Updates from "expo-updates";
import { StyleSheet, Text, View } from "react-native";
import { Button } from "./Button";

/** Offers an update that was downloaded since the start; without it, it runs from the next start on. */
export function UpdateReady() {
  const { isUpdatePending } = Updates.useUpdates();
  if (!isUpdatePending) return null;
  const restart = async () => {
    // What is still to be reported belongs to the release that runs now.
    await Sentry.flush();
    await Updates.reloadAsync();
  };
  return (
    <View role="status" style={styles.ready}>
      <Text>A new version is ready.</Text>
      <Button title="Restart" onPress={() => void restart()} />
    </View>
  );
}

const styles = StyleSheet.create({
  ready: { flexDirection: "row", gap: 12, alignItems: "center", justifyContent: "space-between" },
});
