// A client as a process of its own: reads one user and writes its name.
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { openMesh } from "../../mesh/mesh.ts";

const [discovery = "", cacheDir = "", id = "0"] = process.argv.slice(2);
await using mesh = await openMesh({ discovery, cacheDir });
const { user } = await mesh.client(UserService).getUser({ id: BigInt(id) }, { timeoutMs: 10_000 });
process.stdout.write(`read ${user?.name}\n`);
