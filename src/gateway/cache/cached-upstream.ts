import type { Transport } from "@connectrpc/connect";
import { methodPolicy } from "../../call/policy.ts";
import { type Asked, Cache, type CacheOptions } from "./cache.ts";

/**
 * The same way upstream, which gives the answers of methods whose contract says `cache` again as long as that allows,
 * and makes one call for all who ask for the same at once. Errors are not kept. An answer that comes with `Cache-Control`,
 * `Vary` or `Set-Cookie` of its own is passed on as it is, to the one who asked.
 *
 * Behind the steps of the gateway: whoever gets an answer from here has been let in before.
 */
export function cachedUpstream(options: CacheOptions): Transport {
  const { upstream } = options;
  const cache = new Cache(options);
  return {
    unary(method, signal, timeoutMs, header, input, values) {
      const policy = methodPolicy(method);
      if (policy.cache === undefined) return upstream.unary(method, signal, timeoutMs, header, input, values);
      const sent = header instanceof Headers ? header : new Headers(header);
      const asked = { method, policy, signal, timeoutMs, header: sent, message: input };
      return cache.ask(asked as Asked) as Promise<never>;
    },
    stream: (method, signal, timeoutMs, header, input, values) =>
      upstream.stream(method, signal, timeoutMs, header, input, values),
  };
}
