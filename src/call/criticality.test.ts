import { expect, test } from "vitest";
import { Criticality as Stated } from "../../gen/heddle/policy/v1/policy_pb.ts";
import { contract } from "../testing/contract.ts";
import { type Criticality, criticalityTold, criticalityToTell, lowerCriticality } from "./criticality.ts";

const [sheddable, normal, critical] = contract([
  { name: "Sheddable", policy: { criticality: Stated.SHEDDABLE } },
  { name: "Normal" },
  { name: "Critical", policy: { criticality: Stated.CRITICAL } },
]).methods as [Method, Method, Method];
type Method = Parameters<typeof criticalityTold>[1];

test("a call is what its contract says, unless its caller says it matters less; nobody raises it", () => {
  expect([sheddable, normal, critical].map((method) => criticalityTold(undefined, method))).toEqual([
    "sheddable",
    "normal",
    "critical",
  ]);
  expect(criticalityTold("sheddable", critical)).toBe("sheddable");
  expect(criticalityTold("normal", critical)).toBe("normal");
  expect(criticalityTold("critical", normal)).toBe("normal");
  for (const wrong of ["", "Critical", "SHEDDABLE", "low"]) expect(criticalityTold(wrong, normal)).toBe("normal");
});

test("what is called on behalf of a call matters no more than it, and no more than its own contract says", () => {
  const arrives = (inherited: Criticality | undefined, method: Method) =>
    criticalityTold(criticalityToTell(inherited, method), method);
  expect(arrives("sheddable", critical)).toBe("sheddable");
  expect(arrives("critical", sheddable)).toBe("sheddable");
  expect(arrives("critical", normal)).toBe("normal");
  expect(arrives("normal", critical)).toBe("normal");
  expect(arrives("critical", critical)).toBe("critical");
  expect(arrives(undefined, critical)).toBe("critical");
});

test("nothing is told where the contract says the same", () => {
  expect(criticalityToTell("normal", normal)).toBeUndefined();
  expect(criticalityToTell("critical", normal)).toBeUndefined();
  expect(criticalityToTell(undefined, critical)).toBeUndefined();
  expect(criticalityToTell("normal", critical)).toBe("normal");
});

test("the lower of two does not depend on their order", () => {
  const all = ["sheddable", "normal", "critical"] as const;
  for (const one of all)
    for (const other of all) expect(lowerCriticality(one, other)).toBe(lowerCriticality(other, one));
  expect(lowerCriticality("normal", "sheddable")).toBe("sheddable");
});
