const http = require("node:http");

const answers = {
  "/health/ready": { status: "ok" },
  "/health/live": { status: "ok" },
  "/health": { status: "open" },
  "/version": { release: process.env.RELEASE || "", commit: process.env.COMMIT || "" },
};

const server = http.createServer((request, response) => {
  const answer = answers[request.url.split("?")[0]];
  response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
  response.end(JSON.stringify(answer || { error: "not found" }));
});
process.on("SIGTERM", () => server.close(() => process.exit(0)));
server.listen(Number(process.env.PORT));
