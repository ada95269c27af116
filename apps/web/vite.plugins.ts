import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Connect, Plugin } from "vite";

const DEVELOPMENT_CONFIG = fileURLToPath(new URL("config.development.json", import.meta.url));

/**
 * Answers /config.json while developing. A build never contains that file: what is built once runs in every
 * environment, and each deployment adds its own.
 */
export function developmentConfig(): Plugin {
  const answer: Connect.NextHandleFunction = (request, response, next) => {
    if (request.url?.split("?")[0] !== "/config.json") {
      next();
      return;
    }
    readFile(DEVELOPMENT_CONFIG).then((config) => {
      response.setHeader("Content-Type", "application/json");
      response.end(config);
    }, next);
  };
  return {
    name: "development-config",
    configureServer: (server) => void server.middlewares.use(answer),
    configurePreviewServer: (server) => void server.middlewares.use(answer),
  };
}

/**
 * Writes dist/version.json: the commit it was built from, or null when nobody says. It is a file of its own so that
 * the scripts of two commits with the same sources stay the same bytes.
 */
export function versionFile(commit: string | undefined): Plugin {
  return {
    name: "version-file",
    apply: "build",
    generateBundle() {
      const source = `${JSON.stringify({ commit: commit || null })}\n`;
      this.emitFile({ type: "asset", fileName: "version.json", source });
    },
  };
}
