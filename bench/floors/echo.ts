// The smallest HTTP server: takes a POST and says `{}`. Prints its URL, ends when told to.
import { serveApp } from "../apps/serve-app.ts";

serveApp((request, response) => {
  request.resume().on("end", () => {
    response.writeHead(200, { "content-type": "application/json", "content-length": 2 });
    response.end("{}");
  });
}, "");
