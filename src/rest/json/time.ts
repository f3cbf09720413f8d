import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";

/** A `google.protobuf.Timestamp` as JSON. Throws for one that JSON has no words for. */
export function timestampText(value: unknown): string {
  const { seconds, nanos } = value as Timestamp;
  const at = Number(seconds);
  if (at < firstSecond || at > lastSecond || nanos < 0 || nanos > 999_999_999) {
    return JSON.stringify(toJson(TimestampSchema, value as Timestamp)); // which says what is wrong with it
  }
  const day = Math.floor(at / daySeconds);
  const ofDay = at - day * daySeconds;
  const [hours, minutes] = [Math.floor(ofDay / 3_600), Math.floor(ofDay / 60) % 60];
  return `"${dayText(day)}T${two(hours)}:${two(minutes)}:${two(ofDay % 60)}${fraction(nanos)}Z"`;
}

const daySeconds = 86_400;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
const firstSecond = -62_135_596_800;
const lastSecond = 253_402_300_799;

/** Days that were written of late: most instants are of a few of them. */
const days = new Map<number, string>();
const mostDays = 512;

function dayText(day: number): string {
  const known = days.get(day);
  if (known !== undefined) return known;
  const text = new Date(day * daySeconds * 1_000).toISOString().slice(0, 10);
  if (days.size >= mostDays) days.clear();
  days.set(day, text);
  return text;
}

function two(count: number): string {
  return count < 10 ? `0${count}` : String(count);
}

/** By thousands, as few digits as there have to be. */
function fraction(nanos: number): string {
  if (nanos === 0) return "";
  const digits = String(nanos).padStart(9, "0");
  if (digits.endsWith("000000")) return `.${digits.slice(0, 3)}`;
  return digits.endsWith("000") ? `.${digits.slice(0, 6)}` : `.${digits}`;
}
