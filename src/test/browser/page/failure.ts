import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "../../../../gen/google/rpc/error_details_pb.ts";
import { byId, origin, type PageElement } from "./dom.ts";

/** Shows, above everything, what went wrong; `undefined` takes it away. */
export function notice(text: string | undefined): void {
  const place = byId("notice");
  place.textContent = text ?? "";
  place.hidden = text === undefined;
}

/** Says in a sentence what a failure means for whoever looks at the page. */
export function explain(reason: unknown, gateway: string): string {
  if (reason instanceof TypeError || isUnreached(reason)) {
    return `No answer from ${gateway}. Does it run, and does its CORS_ORIGINS allow ${origin}?`;
  }
  return reason instanceof ConnectError ? reason.rawMessage : String(reason);
}

/** `fetch` tells a page neither why it failed nor that CORS forbade it: all is a TypeError. */
function isUnreached(reason: unknown): boolean {
  return reason instanceof ConnectError && reason.code === Code.Unknown && reason.cause instanceof TypeError;
}

/** Takes all errors off a form's fields. */
export function clearFieldErrors(form: PageElement): void {
  for (const place of form.querySelectorAll("[data-error-of]")) place.textContent = "";
  for (const input of form.querySelectorAll("[aria-invalid]")) input.setAttribute("aria-invalid", "false");
}

/** Puts what is wrong with a request beside the fields it is about. False when something had no field to stand at. */
export function showFieldErrors(form: PageElement, reason: unknown): boolean {
  const errors = fieldErrors(reason);
  const shown = errors.map(({ field, description }) => {
    for (const input of form.querySelectorAll(`[name="${field}"]`)) input.setAttribute("aria-invalid", "true");
    const places = [...form.querySelectorAll(`[data-error-of="${field}"]`)];
    for (const place of places) place.textContent = description;
    return places.length > 0;
  });
  return shown.length > 0 && shown.every(Boolean);
}

/** The fields an error names: by BadRequest when they are wrong, by ErrorInfo when somebody else has the value. */
function fieldErrors(reason: unknown): { field: string; description: string }[] {
  if (!(reason instanceof ConnectError)) return [];
  const wrong = reason.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  if (wrong.length > 0)
    return wrong.map(({ field, description }) => ({ field: field.split(".").at(-1) ?? "", description }));
  const taken = reason.findDetails(ErrorInfoSchema).flatMap(({ metadata }) => metadata.field ?? []);
  return taken.map((field) => ({ field, description: reason.rawMessage }));
}
