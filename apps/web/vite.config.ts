import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { developmentConfig, versionFile } from "./vite.plugins.ts";

export default defineConfig({
  // One real page: an unknown path is a 404, not the start page under another address.
  appType: "mpa",
  // Installed packages may be linked in from a cache: where they really are must not show in the build.
  resolve: { preserveSymlinks: true },
  plugins: [react(), developmentConfig(), versionFile(process.env["COMMIT"])],
  server: { port: 5173, strictPort: true },
  preview: { port: 5173, strictPort: true },
  build: { target: "es2022", sourcemap: "hidden", reportCompressedSize: false },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.{ts,tsx}"],
    // Starting a worker and a jsdom costs more than any test here.
    pool: "threads",
    maxWorkers: 1,
    isolate: false,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
