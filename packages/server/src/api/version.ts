// The version of this server, kept equal to package.json by a test.

/** Semantic version, as `pawl --version`, `GET /dev` and the page at `/` show it. */
export const version = "0.1.0";
