import type { DescService } from "@bufbuild/protobuf";
import type { MeshClient } from "../../mesh/client.ts";
import type { Mesh, MeshOptions } from "../../mesh/mesh.ts";
import { Machine } from "./machine.ts";

/** A program that calls others, on a machine of its own. */
export class Caller extends Machine {
  #mesh: Mesh | undefined;

  /** Starts it. */
  async start(options: MeshOptions = {}): Promise<void> {
    this.#mesh = await this.begin().openMesh(options);
  }

  /** Its mesh. */
  get mesh(): Mesh {
    if (this.#mesh === undefined || this.node === undefined) throw new Error(`${this.name} does not run`);
    return this.#mesh;
  }

  /** A client of a service, which calls from this machine. */
  client<S extends DescService>(service: S): MeshClient<S> {
    return this.mesh.client(service);
  }

  /** Ends it as a program does that is told to. */
  async stop(): Promise<void> {
    const mesh = this.#mesh;
    if (this.node !== undefined && mesh !== undefined) await this.leave(this.node, () => mesh[Symbol.asyncDispose]());
  }
}
