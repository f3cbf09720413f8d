import { expect, test } from "vitest";
import { addressSet, plainAddress, subscriberOf } from "./addresses.ts";

test("a set has the addresses of its networks, of both families, and no others", () => {
  const set = addressSet(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]);
  for (const inside of ["10.1.2.3", "192.0.2.7", "2001:db8:1::5"]) expect(set.has(inside), inside).toBe(true);
  for (const outside of ["11.0.0.1", "192.0.2.8", "2001:db9::1", "", "unknown"]) {
    expect(set.has(outside), outside).toBe(false);
  }
});

test.each(["10.0.0.0/33", "10.0.0/8", "proxy", "10.0.0.0/8/1", "::1/129", "10.0.0.0/x", ""])(
  "%s is no network, and the error says how to write one",
  (network) => {
    expect(() => addressSet([network])).toThrow(/is no network; write 10\.0\.0\.0\/8/);
  },
);

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["192.0.2.7:4711", "192.0.2.7"],
  ["[2001:DB8::1]:80", "2001:db8::1"],
  ["[::1]", "::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["unknown", undefined],
  ["_hidden", undefined],
  ["1.2.3", undefined],
])("%s is the address %s", (text, address) => {
  expect(plainAddress(text)).toBe(address);
});

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0002::9", "2001:db8:1:2::/64"],
  ["2001:db8::9", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["1:2:3:4:5:6::", "1:2:3:4::/64"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
])("%s counts as %s", (address, subscriber) => {
  expect(subscriberOf(address)).toBe(subscriber);
});
