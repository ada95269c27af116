"""`python -m parcels tracking|labels`: answers on $PORT with what Cloud Run and the smoke checks ask for, and its name."""

from __future__ import annotations

import http.server
import json
import os
import signal
import sys
import threading

NAME = sys.argv[1]
ANSWERS = {
    "/health/ready": {"status": "ok"},
    "/health/live": {"status": "ok"},
    "/version": {"release": os.environ.get("RELEASE", ""), "commit": os.environ.get("COMMIT", "")},
    "/": {"service": NAME},
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def do_GET(self) -> None:
        found = ANSWERS.get(self.path.partition("?")[0])
        body = json.dumps(found if found is not None else {"error": "not found"}).encode()
        self.send_response(200 if found is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler)
# In a thread: shutdown() waits for the loop that a signal has interrupted.
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
