// `GET /v0/` (protocol.md 8.1): a page on development servers to try queries by hand. It holds all it
// needs; nothing is loaded from elsewhere.
import type { Route } from "../../http/router.ts";

const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/** The page, with and without the slash. It exists on development servers only. */
export function playgroundRoutes(): readonly Route[] {
  return ["/v0/", "/v0"].map((pattern) => ({
    method: "GET",
    pattern,
    access: "dev",
    bodyBytesMax: 0,
    anyOrigin: false,
    startsWork: false,
    handle: () => ({
      status: 200,
      headers: {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": `${policy}; connect-src 'self'`,
      },
      body: page,
    }),
  }));
}

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Pawl: GraphQL</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
textarea { width: 100%; box-sizing: border-box; font: 14px/1.4 monospace; }
pre { font: 14px/1.4 monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>GraphQL</h1>
<p>Queries go to <code>POST /v0/gql</code>. The schema answers introspection.</p>
<form>
<p><label>Query<br><textarea id="query" rows="12">{
  apps { name functions { slug } }
}</textarea></label></p>
<p><label>Variables, as JSON<br><textarea id="variables" rows="3">{}</textarea></label></p>
<p><button>Run</button></p>
</form>
<pre id="answer" aria-live="polite"></pre>
<script>
const value = (id) => document.getElementById(id).value;
document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const shown = document.getElementById("answer");
  try {
    const body = JSON.stringify({ query: value("query"), variables: JSON.parse(value("variables") || "{}") });
    const answer = await fetch("/v0/gql", { method: "POST", headers: { "content-type": "application/json" }, body });
    shown.textContent = JSON.stringify(await answer.json(), null, 2);
  } catch (error) {
    shown.textContent = String(error);
  }
});
</script>
</body>
</html>
`;
