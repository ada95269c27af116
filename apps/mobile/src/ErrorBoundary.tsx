import * as Sentry from "@sentry/react-native";
import type { ReactNode } from "react";
import { StyleSheet, Text, View } from "react-native";
import { Button } from "./Button";

/** Shows a way on when a part of the screen breaks, and reports what broke. */
export function ErrorBoundary({ children }: { readonly children: ReactNode }) {
  return (
    <Sentry.ErrorBoundary fallback={({ resetError }) => <Broken again={resetError} />}>{children}</Sentry.ErrorBoundary>
  );
}

function Broken({ again }: { readonly again: () => void }) {
  return (
    <View role="alert" style={styles.broken}>
      <Text>Something in the app broke. The error has been reported.</Text>
      <Button title="Try again" onPress={again} />
    </View>
  );
}

const styles = StyleSheet.create({ broken: { flex: 1, gap: 12, justifyContent: "center" } });
