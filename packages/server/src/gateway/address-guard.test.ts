import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AddressGuard, isAllowRule, isPublicAddress } from "./address-guard.ts";

const strict = new AddressGuard({ allowPrivate: false, allow: [] });

const closed = [
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "10.255.255.255",
  "100.64.0.1",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.1",
  "192.0.2.1",
  "192.168.1.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::127.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:a9fe:a9fe",
  "0:0:0:0:0:ffff:10.0.0.1",
  "::FFFF:192.168.0.1",
  "::ffff:0:127.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b::808:808",
  "64:ff9b:1::1",
  "100::1",
  "2001::1",
  "2001:0:7f00:1::",
  "2001:db8::1",
  "2002:7f00:1::",
  "2002:a9fe:a9fe::1",
  "3fff::1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "fec0::1",
  "ff02::1",
  "4000::1",
];
const open = [
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.1",
  "100.63.255.255",
  "100.128.0.1",
  "128.0.0.1",
  "172.15.255.255",
  "172.32.0.1",
  "192.167.255.255",
  "223.255.255.255",
  "::ffff:8.8.8.8",
  "2606:4700:4700::1111",
  "2a00:1450:4001::1",
];

test("addresses that are not those of public hosts are refused, in every notation", () => {
  for (const address of closed) assert.equal(isPublicAddress(address), false, address);
  for (const address of open) assert.equal(isPublicAddress(address), true, address);
  for (const text of ["", "localhost", "1.2.3", "8.8.8.8.8", "[::1]"])
    assert.equal(isPublicAddress(text), false, text);
});

test("a zone does not open a local address", () => {
  assert.equal(strict.allows("printer", "fe80::1%eth0"), false);
  assert.equal(strict.allows("printer", "::ffff:10.0.0.1%2"), false);
});

test("an IPv4 address mapped into IPv6 is judged as the IPv4 address", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(octet, octet, octet, octet, fc.boolean(), (a, b, c, d, upper) => {
      const plain = [a, b, c, d].join(".");
      const words = [a * 256 + b, c * 256 + d].map((word) => word.toString(16)).join(":");
      const forms = [`::ffff:${plain}`, `::ffff:${words}`, `0:0:0:0:0:ffff:${words}`];
      for (const form of forms) {
        const written = upper ? form.toUpperCase() : form;
        assert.equal(isPublicAddress(written), isPublicAddress(plain), `${written} as ${plain}`);
      }
    }),
  );
});

test("whatever the parser of URLs makes of a number is an address that is judged", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.boolean(), (number, hex) => {
      const written = hex ? `0x${number.toString(16)}` : String(number);
      const host = new URL(`http://${written}/`).hostname;
      const octets = [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255];
      assert.equal(host, octets.join("."));
      const isLoopback = octets[0] === 127 || octets[0] === 10 || octets[0] === 0;
      if (isLoopback) assert.equal(isPublicAddress(host), false);
    }),
  );
});

test("what is allowed by name, address or range may be reached, and nothing beside it", () => {
  const allow = ["db.internal", "*.svc.local", "10.1.0.0/16", "fd00::/8", "192.168.7.7"];
  const guard = new AddressGuard({ allowPrivate: false, allow });
  const reached = (host: string, address: string): boolean => guard.allows(host, address);
  assert.ok(reached("db.internal", "10.9.9.9"));
  assert.ok(reached("DB.internal.", "127.0.0.1"));
  assert.ok(reached("a.b.svc.local", "10.9.9.9"));
  assert.ok(!reached("svc.local", "10.9.9.9"));
  assert.ok(!reached("evil-svc.local", "10.9.9.9"));
  assert.ok(!reached("db.internal.evil.com", "10.9.9.9"));
  assert.ok(reached("x", "10.1.255.1"));
  assert.ok(reached("x", "::ffff:10.1.255.1"));
  assert.ok(!reached("x", "10.2.0.1"));
  assert.ok(reached("x", "fd12::1"));
  assert.ok(reached("x", "192.168.7.7"));
  assert.ok(!reached("x", "192.168.7.8"));
  assert.ok(new AddressGuard({ allowPrivate: true, allow: [] }).allows("x", "127.0.0.1"));
});

test("a rule is a name, a suffix, an address or a range", () => {
  for (const rule of ["localhost", "*.corp", "a.b-c.d", "10.0.0.0/8", "::1", "fd00::/8"])
    assert.ok(isAllowRule(rule), rule);
  for (const rule of [
    "",
    "*",
    "a.*",
    "http://a",
    "10.0.0.0/33",
    "10.0.0.0/x",
    "fd00::/129",
    "a/8",
    "a b",
  ])
    assert.ok(!isAllowRule(rule), rule);
});
