import { Pressable, StyleSheet, Text } from "react-native";

interface Props {
  readonly title: string;
  readonly enabled?: boolean;
  readonly onPress: () => void;
}

export function Button({ title, enabled = true, onPress }: Props) {
  return (
    <Pressable role="button" disabled={!enabled} onPress={onPress} style={[styles.button, !enabled && styles.off]}>
      <Text style={styles.text}>{title}</Text>
    </Pressable>
  );
}

const styles = StyleSheet.create({
  button: { padding: 12, borderRadius: 8, alignItems: "center", backgroundColor: "#1f5eff" },
  off: { opacity: 0.5 },
  text: { color: "#fff", fontWeight: "600" },
});
