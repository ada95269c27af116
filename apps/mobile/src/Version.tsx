import * as Updates from "expo-updates";
import { Text } from "react-native";
import app from "../app.json";
import { describeVersion } from "./version.mjs";

/** Says what this app is: version, environment, and the update where one runs. */
export function Version({ environment }: { readonly environment: string }) {
  const updateId = Updates.isEmbeddedLaunch ? null : Updates.updateId;
  return (
    <Text testID="version" style={{ color: "#5b6270", fontSize: 13 }}>
      {describeVersion({ version: app.expo.version, environment, updateId })}
    </Text>
  );
}
