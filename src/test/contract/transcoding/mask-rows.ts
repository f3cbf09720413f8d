import type { JsonObject } from "@bufbuild/protobuf";
import type { Row } from "./row.ts";

/** AIP-134: a PATCH without a mask changes what its body names. */
export const maskRows: readonly Row[] = (
  [
    ["names the fields of its body", { label: "x", count: 1 }, "label,count"],
    ["names a field that is set back to nothing", { count: 0 }, "count"],
    ["names a field that is null", { label: null }, "label"],
    ["names no field for an empty body", {}, undefined],
  ] as const
).map(([what, body, mask]) => ({
  says: `the mask of a PATCH without one ${what}`,
  rules: "PATCH /v1/x body=inner",
  ask: "PATCH /v1/x",
  body,
  arrives: { inner: expect(body), ...(mask !== undefined && { updateMask: mask }) },
}));

function expect(body: { readonly label?: string | null; readonly count?: number }): JsonObject {
  return { ...(body.label && { label: body.label }), ...(body.count && { count: String(body.count) }) };
}

const patch = { rules: "PATCH /v1/{address.city} body=address" } as const;

/** The same, below the top and in the contract's own spelling. */
export const deepMaskRows: readonly Row[] = [
  {
    ...patch,
    says: "the mask of a PATCH names the fields below a message, so that the others stay",
    ask: "PATCH /v1/Bonn",
    body: { at: { label: "x" } },
    arrives: { address: { city: "Bonn", at: { label: "x" } }, updateMask: "at.label" },
  },
  {
    ...patch,
    says: "the mask of a PATCH names a message that is empty as a whole",
    ask: "PATCH /v1/Bonn",
    body: { at: {} },
    arrives: { address: { city: "Bonn", at: {} }, updateMask: "at" },
  },
  {
    ...patch,
    says: "the mask of a PATCH leaves out what the path names",
    ask: "PATCH /v1/Bonn",
    body: { city: "Bonn", at: { count: 0 } },
    arrives: { address: { city: "Bonn", at: {} }, updateMask: "at.count" },
  },
  {
    ...patch,
    says: "a mask that is given stands",
    ask: "PATCH /v1/Bonn?update_mask=at",
    body: { at: { label: "x" } },
    arrives: { address: { city: "Bonn", at: { label: "x" } }, updateMask: "at" },
  },
  {
    says: "a mask is left to the service where the method is no PATCH",
    rules: "PUT /v1/x body=inner",
    ask: "PUT /v1/x",
    body: { label: "x" },
    arrives: { inner: { label: "x" } },
  },
  {
    says: "a mask is left to the service where the body is the whole request",
    rules: "PATCH /v1/x body=*",
    ask: "PATCH /v1/x",
    body: { inner: { label: "x" } },
    arrives: { inner: { label: "x" } },
  },
];
