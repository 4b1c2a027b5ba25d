// Which value an option gets from flags, environment and files, and what is refused how.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readIndexPath } from "./index-path.ts";
import { findConfigFile, readConfigFile } from "./file.ts";
import { environmentName, optionNames } from "./options.ts";
import { resolveOptions, type Sources } from "./resolve.ts";

const folder = mkdtempSync(join(tmpdir(), "pawl-config-"));
after(() => rmSync(folder, { recursive: true }));

function values(sources: Partial<Sources>) {
  return resolveOptions({ flags: {}, environment: {}, file: null, ...sources });
}

function file(content: Record<string, unknown>) {
  return { path: "/somewhere/pawl.json", values: content };
}

test("without anything, every option has its default", () => {
  const all = values({});
  assert.equal(all.port, 8288);
  assert.equal(all.dir, ".pawl");
  assert.equal(all["retry-interval"], null);
  assert.deepEqual(all["sdk-url"], []);
  assert.deepEqual(Object.keys(all), [...optionNames]);
});

test("flag beats environment beats file beats default", () => {
  const sources = {
    flags: { port: "1" },
    environment: { PAWL_PORT: "2" },
    file: file({ port: 3 }),
  };
  assert.equal(values(sources).port, 1);
  assert.equal(values({ ...sources, flags: {} }).port, 2);
  assert.equal(values({ file: sources.file }).port, 3);
});

test("an empty variable counts as not set", () => {
  assert.equal(values({ environment: { PAWL_PORT: "" }, file: file({ port: 3 }) }).port, 3);
});

test("lists come from repeated flags, separated text and arrays", () => {
  const urls = ["http://a/x", "http://b/y"];
  assert.deepEqual(values({ flags: { "sdk-url": urls } })["sdk-url"], urls);
  assert.deepEqual(
    values({ environment: { PAWL_SDK_URL: "http://a/x, http://b/y" } })["sdk-url"],
    urls,
  );
  assert.deepEqual(values({ file: file({ "sdk-url": urls }) })["sdk-url"], urls);
  assert.deepEqual(values({ file: file({ "sdk-url": "http://a/x" }) })["sdk-url"], ["http://a/x"]);
});

test("a folder in a file is meant relative to the file", () => {
  assert.equal(values({ file: file({ dir: "data" }) }).dir, "/somewhere/data");
  assert.equal(values({ flags: { dir: "data" } }).dir, "data");
});

const refused: readonly (readonly [string, Partial<Sources>, string, RegExp])[] = [
  [
    "a misspelt key",
    { file: file({ prot: 1 }) },
    "option_unknown",
    /"prot" in \/somewhere\/pawl\.json\. Did you mean "port"\?/,
  ],
  [
    "a key like nothing known",
    { file: file({ zebra: 1 }) },
    "option_unknown",
    /Unknown key "zebra" in \/somewhere\/pawl\.json\.$/,
  ],
  ["a key that only flags may have", { file: file({ config: "x" }) }, "option_unknown", /"config"/],
  [
    "a key of Object's prototype",
    { file: file({ constructor: 1 }) },
    "option_unknown",
    /"constructor"/,
  ],
  [
    "a number out of range",
    { flags: { port: "65536" } },
    "option_invalid",
    /--port must be a whole number from 0 to 65535, not "65536"/,
  ],
  [
    "text for a number",
    { environment: { PAWL_PORT: "http" } },
    "option_invalid",
    /^PAWL_PORT must be/,
  ],
  [
    "a fraction",
    { file: file({ port: 1.5 }) },
    "option_invalid",
    /"port" in \/somewhere\/pawl\.json/,
  ],
  [
    "a URL without scheme",
    { flags: { "sdk-url": ["localhost:3000"] } },
    "option_invalid",
    /--sdk-url must be an http or https URL/,
  ],
  [
    "a word for a flag",
    { environment: { PAWL_NO_POLL: "maybe" } },
    "option_invalid",
    /true or false/,
  ],
  ["an unknown level", { flags: { "log-level": "loud" } }, "option_invalid", /one of debug, info/],
];

for (const [what, sources, code, message] of refused) {
  test(`${what} is refused`, () => {
    assert.throws(() => values(sources), { code, message });
  });
}

test("a bad key is refused without being repeated", () => {
  assert.throws(
    () => values({ environment: { PAWL_SIGNING_KEY: "hunter2" } }),
    (error: Error) =>
      error.message.startsWith("PAWL_SIGNING_KEY must be an even number") &&
      !error.message.includes("hunter2"),
  );
});

test("the environment twin follows from the name", () => {
  assert.equal(environmentName("poll-interval"), "PAWL_POLL_INTERVAL");
});

test("JSON, YAML and TOML say the same", async () => {
  const contents = {
    "a.json": '{"port": 9000, "sdk-url": ["http://localhost:3000/api/pawl"], "no-poll": true}',
    "a.yaml": "port: 9000\nsdk-url: [http://localhost:3000/api/pawl]\nno-poll: true\n",
    "a.toml": 'port = 9000\nsdk-url = ["http://localhost:3000/api/pawl"]\nno-poll = true\n',
  };
  for (const [name, content] of Object.entries(contents)) {
    writeFileSync(join(folder, name), content);
    const all = values({ file: await readConfigFile(join(folder, name)) });
    assert.equal(all.port, 9000, name);
    assert.equal(all["no-poll"], true, name);
    assert.deepEqual(all["sdk-url"], ["http://localhost:3000/api/pawl"], name);
  }
});

test("the closest file upward is found, and two in one folder are refused", () => {
  const inner = join(folder, "a", "b");
  mkdirSync(inner, { recursive: true });
  writeFileSync(join(folder, "pawl.json"), "{}");
  assert.equal(findConfigFile(inner), join(folder, "pawl.json"));
  writeFileSync(join(folder, "a", "pawl.toml"), "");
  assert.equal(findConfigFile(inner), join(folder, "a", "pawl.toml"));
  writeFileSync(join(folder, "a", "pawl.yaml"), "");
  assert.throws(() => findConfigFile(inner), {
    code: "config_file_invalid",
    message: /pawl\.yaml and pawl\.toml/,
  });
});

test("a file that cannot be used says which and why", async () => {
  writeFileSync(join(folder, "broken.json"), "{");
  writeFileSync(join(folder, "list.yaml"), "- 1\n");
  writeFileSync(join(folder, "empty.yaml"), "");
  writeFileSync(join(folder, "pawl.ini"), "");
  for (const name of ["broken.json", "list.yaml", "pawl.ini", "missing.json"]) {
    await assert.rejects(readConfigFile(join(folder, name)), {
      code: "config_file_invalid",
      message: new RegExp(name),
    });
  }
  assert.deepEqual((await readConfigFile(join(folder, "empty.yaml"))).values, {});
});

test("a path to index is an event's name and a path below its data or user", () => {
  const read = (text: string) => readIndexPath(text);
  assert.deepEqual(read("order/paid:data.orderId"), { event: "order/paid", path: "data.orderId" });
  assert.deepEqual(read('a:b:user["odd: key"].x'), { event: "a:b", path: 'user["odd: key"].x' });
  for (const text of ["order/paid", "order/paid:", ":data.a", "a:data", "a:ts", "a:data.", "a:b.c"])
    assert.equal(read(text), null, text);
  assert.throws(
    () => values({ flags: { "index-path": ["order/paid"] } }),
    /--index-path must be an event name and a path below data or user, like order\/paid:data\.orderId/,
  );
});
