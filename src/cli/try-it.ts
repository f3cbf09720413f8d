import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type User, UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { silentLogger } from "../base/log.ts";
import { openMesh } from "../mesh/mesh.ts";
import { gatewayScheme, typed } from "./plan.ts";

/** A command to try, and what it shows. */
export interface Trial {
  readonly about: string;
  readonly command: string;
}

/** What the commands depend on. */
export interface TrialFacts {
  /** The first users there are. */
  readonly users: readonly Pick<User, "id" | "email">[];
  /** A program that speaks gRPC, the first words of a command. */
  readonly grpc: "grpcurl" | "buf";
  /** How buf is called. */
  readonly buf: string;
  /** How curl is told of the gateway: "localhost:8000". */
  readonly gateway: string;
}

const names = ["Ada", "Grace", "Barbara", "Frances", "Radia", "Margaret", "Katherine", "Annie"];

/**
 * Four commands that work as printed, in their order, whatever an earlier run has left: the email is one that nobody
 * has, a repeated first command gives the same user again, and the user of the second exists.
 */
export function trials({ users, grpc, buf, gateway }: TrialFacts): Trial[] {
  const { name, email } = newcomer(new Set(users.map((user) => user.email.toLowerCase())));
  const id = users[0]?.id ?? 1n; // of an empty table: the first that the first command makes
  const json = "-H 'content-type: application/json'";
  const user = JSON.stringify({ name, email, request_id: `try-${email}` });
  const order = `{"user_id":${id},"items":[{"sku":"ABC","qty":2}]}`;
  return [
    { about: "a user, through the gateway", command: `curl ${gateway}/api/users ${json} -d '${user}'` },
    { about: "an order for a user", command: `curl ${gateway}/api/orders ${json} -d '${order}'` },
    {
      about: "a product, which asks for a token",
      command: `curl ${gateway}/api/products ${bearer} ${json} -d '${product}'`,
    },
    { about: "the orders, by gRPC", command: grpc === "grpcurl" ? overGrpcurl : overBuf(buf) },
  ];
}

const product = JSON.stringify({
  sku: "BOBBIN",
  name: "Bobbin",
  price: { currency_code: "EUR", units: 2, nanos: 500_000_000 },
  stock: 7,
  request_id: "try-BOBBIN",
});
const bearer = `-H "authorization: Bearer $(${typed("token", "--sub ada --scope products:write")})"`;

const method = "shop.order.v1.OrderService/ListOrders";
const overGrpcurl = `grpcurl -plaintext localhost:8002 ${method}`;
const overBuf = (buf: string) => `${buf} curl --protocol grpc --http2-prior-knowledge http://localhost:8002/${method}`;

function newcomer(taken: ReadonlySet<string>): { readonly name: string; readonly email: string } {
  for (let round = 1; ; round++) {
    for (const name of names) {
      const email = `${name.toLowerCase()}${round === 1 ? "" : round}@example.com`;
      if (!taken.has(email)) return { name, email };
    }
  }
}

/** The facts as they are on this machine and in this mesh. */
export async function trialFacts(discovery: string, env: NodeJS.ProcessEnv): Promise<TrialFacts> {
  const local = join("node_modules", ".bin", "buf");
  const path = env.PATH ?? "";
  return {
    users: await firstUsers(discovery).catch(() => []), // not to be had: taken for an empty shop
    grpc: path.split(delimiter).some((folder) => isProgram(join(folder, "grpcurl"))) ? "grpcurl" : "buf",
    gateway: gatewayScheme(env) === "https" ? "-k https://localhost:8000" : "localhost:8000",
    buf: isProgram(local) ? local : "npx @bufbuild/buf",
  };
}

async function firstUsers(discovery: string): Promise<readonly User[]> {
  await using mesh = await openMesh({ discovery, faults: "", log: silentLogger });
  const { users } = await mesh.client(UserService).listUsers({ pageSize: 1_000 });
  return users;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not to be run
  }
}
