import type { ScratchMethod } from "../../../testing/scratch-contract.ts";
import { methodOf } from "./row.ts";

const raw = "google.api.HttpBody";

/** Bindings that no contract of ours has: each way in which a field can travel, and where they meet. */
export const oddMethods: readonly ScratchMethod[] = [
  "GET /v1/all",
  "GET /v1/one/{name}",
  "GET /v1/two/{name}/of/{left}",
  "GET /v1/{name=shelves/*}",
  "GET /v1/{name=shelves/*/books/**}",
  "GET /v1/rest/{inner.label=**}",
  "GET /v1/numbers/{small_int}/{long_int}/{unsigned}/{fixed}",
  "GET /v1/others/{flag}/{ratio}/{short_ratio}/{kind}/{data}",
  "GET /v1/texts/{created_at}/{span}/{nick_name}/{big_int}/{truth}",
  "GET /v1/deep/{self.self.inner.label}/{self.address.line_1}",
  "POST /v1/verbs/{name}:stop",
  "POST /v1/{name=verbs/*/deep/*}:stop body=*",
  "GET /v1/statted/{name=**}:stat",
  "POST /v1/whole body=*",
  "PUT /v1/whole/{name}/{inner.count} body=*",
  "POST /v1/inner body=inner",
  "PUT /v1/inner/{inner.label} body=inner",
  "PUT /v1/inner-of/{self.name} body=inner",
  "POST /v1/self/{name} body=self",
  "POST /v1/tags body=tags",
  "POST /v1/inners body=inners",
  "POST /v1/counts body=counts",
  "POST /v1/parts body=parts",
  "POST /v1/name body=name",
  "POST /v1/long body=long_int",
  "POST /v1/kind body=kind",
  "POST /v1/extra body=extra",
  "POST /v1/any body=any",
  "POST /v1/moment body=created_at",
  "POST /v1/nick body=nick_name",
  "POST /v1/right body=right",
  "PATCH /v1/address body=address",
  "PATCH /v1/address/{address.city} body=address",
  "POST /v1/files/{name} body=file",
  "DELETE /v1/gone/{name}",
  "PURGE /v1/purged/{name}",
  "* /v1/anything/{name}",
  "GET /v1/first/{name} + POST /v1/second/{left} body=inner + PUT /v2/third body=*",
]
  .map(methodOf)
  .concat({ ...methodOf("POST /v1/bytes body=*", 0), name: "Bytes", input: raw });
