import { environmentOr } from "../../base/env.ts";

/** The setting that lets faults happen in production. */
export const faultsInProduction = "HEDDLE_FAULTS_IN_PRODUCTION";

/** What says whether faults may happen here. */
export interface FaultPermission {
  /** What `NODE_ENV` says. */
  readonly nodeEnv: string;
  /** What `HEDDLE_FAULTS_IN_PRODUCTION` says. */
  readonly inProduction: string;
}

/** Throws where faults are not allowed, saying how to switch them on. A plan left in a setting must not break production. */
export function assertFaultsAllowed(permission: FaultPermission = permissionHere()): void {
  if (permission.nodeEnv !== "production" || permission.inProduction === "yes") return;
  throw new Error(
    `faults are refused, for NODE_ENV is production: with ${faultsInProduction}=yes calls may be broken on purpose here, too`,
  );
}

function permissionHere(): FaultPermission {
  return { nodeEnv: environmentOr("NODE_ENV", ""), inProduction: environmentOr(faultsInProduction, "no") };
}
