import { ConnectionError, ErrorCode } from "./errors.ts";
import type { Output } from "./output.ts";
import { protocolSettings, type Settings, settingsPairs } from "./settings.ts";

/** What we have told the peer of ourselves, and how much of it the peer has acknowledged (RFC 9113 §6.5.3). */
export class LocalSettings {
  /** What the peer keeps to by now. */
  acknowledged: Settings = protocolSettings;
  readonly #pending: { readonly settings: Settings; readonly sentAt: number }[] = [];

  /** When the oldest unacknowledged settings were sent. */
  get waitingSince(): number | undefined {
    return this.#pending[0]?.sentAt;
  }

  /** Tells the peer of a change. */
  send(output: Output, change: { readonly settings: Partial<Settings>; refusePush: boolean; nowMs: number }): void {
    const before = this.#pending.at(-1)?.settings ?? this.acknowledged;
    this.#pending.push({ settings: { ...before, ...change.settings }, sentAt: change.nowMs });
    output.settings(settingsPairs(change.settings, change.refusePush));
  }

  /** The peer has acknowledged the oldest; returns what held before. */
  acknowledge(): Settings {
    const before = this.acknowledged;
    const next = this.#pending.shift();
    if (next === undefined) throw new ConnectionError(ErrorCode.protocolError, "SETTINGS acknowledged, none sent");
    this.acknowledged = next.settings;
    return before;
  }
}
