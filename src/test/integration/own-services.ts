/**
 * Two services of somebody who has only the package, as files of their project: one keeps notes and publishes that they
 * were added, the other counts their words and says so; of each note a saga waits for that. They import `heddle` and
 * `heddle/events`, and nothing of this project.
 */
export const ownServices: ReadonlyMap<string, string> = new Map([
  ["proto/notes/v1/notes.proto", contract()],
  ["rows.ts", rows()],
  ["migrate.ts", migrate()],
  ["notes.ts", notes()],
  ["words.ts", words()],
  ["add.ts", add()],
  ["count.ts", count()],
]);

/** What both say of themselves, and of the event. */
function contract() {
  return `syntax = "proto3";
package notes.v1;

import "heddle/event/v1/event.proto";

service NoteService {
  rpc AddNote(AddNoteRequest) returns (AddNoteResponse);
}

message AddNoteRequest {
  string id = 1;
  string text = 2;
}

message AddNoteResponse {}

// A note was added.
message NoteAdded {
  option (heddle.event.v1.event) = {type: "notes.v1.NoteAdded", key: "id", version: 1};
  string id = 1;
  string text = 2;
}

// The words of a note were counted.
message NoteCounted {
  option (heddle.event.v1.event) = {type: "notes.v1.NoteCounted", key: "id", version: 1};
  string id = 1;
}

service WordService {
  rpc CountWords(CountWordsRequest) returns (CountWordsResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
}

message CountWordsRequest {}

message CountWordsResponse {
  int32 notes = 1;
  int32 words = 2;
}
`;
}

/** What they keep, and where. */
function rows() {
  return `import { defineEntity, p, sagaRows, serviceEventRows } from "heddle/events";

export const Note = defineEntity({
  name: "Note",
  tableName: "notes",
  properties: { id: p.string().length(100).primary(), text: p.text() },
});
export const Counted = defineEntity({
  name: "Counted",
  tableName: "counted",
  properties: { id: p.string().length(100).primary(), notes: p.integer(), words: p.integer() },
});

const where = { databaseUrl: "", dataDir: process.env.HEDDLE_DATA ?? ".heddle/data" };
const migrations = \`\${import.meta.dirname}/migrations\`;

export const noteEvents = serviceEventRows("notes");
export const noteSagas = sagaRows("notes");
export const noteRows = {
  name: "notes",
  entities: [Note, noteSagas, ...noteEvents.entities],
  migrationsDir: \`\${migrations}/notes\`,
  ...where,
};
export const wordEvents = serviceEventRows("words");
export const wordRows = {
  name: "words",
  entities: [Counted, ...wordEvents.entities],
  migrationsDir: \`\${migrations}/words\`,
  ...where,
};
`;
}

/** Writes their first migrations, by MikroORM's own migrator. */
function migrate() {
  return `import { openStore } from "heddle/events";
import { noteRows, wordRows } from "./rows.ts";

for (const rows of [noteRows, wordRows]) {
  const store = await openStore(rows);
  await store.orm.migrator.create(undefined, false, false, "Init");
  await store[Symbol.asyncDispose]();
}
`;
}

/** Publishes. */
function notes() {
  return `import { openMesh, serve } from "heddle";
import {
  createOutbox,
  on,
  openEvents,
  openStore,
  Saga,
  SagaService,
  sagaService,
  startSagaTimers,
} from "heddle/events";
import { NoteAddedSchema, NoteCountedSchema, NoteService, WordService } from "./gen/notes/v1/notes_pb.ts";
import { Note, noteRows, noteSagas, noteEvents as rows } from "./rows.ts";

const name = "notes";
const store = await openStore(noteRows);
const mesh = await openMesh();
const outbox = createOutbox({ source: name, rows: rows.events });
const counting = new Saga({ name: "count-note", rows: noteSagas, steps: { count: { timeoutMs: 60_000 } } });
const counted = on(NoteCountedSchema, async ({ id }, { em, now }) => {
  await counting.complete({ em, id, now });
});
const events = await openEvents({
  name,
  store,
  rows,
  outbox,
  publishes: [NoteAddedSchema],
  subscriptions: [{ source: "words", handlers: [counted] }],
  publishers: { words: WordService },
  resolver: mesh.resolver,
});
const sagas = { store, rows: noteSagas, sagas: [counting] };
const timers = startSagaTimers(sagas);
const server = await serve({
  name,
  services: [
    [
      NoteService,
      {
        async addNote({ id, text }) {
          await store.unit(async (em) => {
            em.create(Note, { id, text });
            await counting.begin({ em, id, now: Date.now() });
            await outbox.append(em, NoteAddedSchema, { id, text });
          });
          return {};
        },
      },
    ],
    [SagaService, sagaService(sagas)],
    ...events.services,
  ],
});
await server.drained;
for (const open of [timers, events, mesh, store]) await open[Symbol.asyncDispose]();
`;
}

/** Subscribes. */
function words() {
  return `import { openMesh, serve } from "heddle";
import { createOutbox, on, openEvents, openStore } from "heddle/events";
import { NoteAddedSchema, NoteCountedSchema, NoteService, WordService } from "./gen/notes/v1/notes_pb.ts";
import { Counted, wordEvents as rows, wordRows } from "./rows.ts";

const name = "words";
const store = await openStore(wordRows);
const mesh = await openMesh();
const outbox = createOutbox({ source: name, rows: rows.events });
const count = on(NoteAddedSchema, async ({ id, text }, { em }) => {
  const counted = (await em.findOne(Counted, { id: "all" })) ?? em.create(Counted, { id: "all", notes: 0, words: 0 });
  counted.notes += 1;
  counted.words += text.split(" ").length;
  await outbox.append(em, NoteCountedSchema, { id });
});
const events = await openEvents({
  name,
  store,
  rows,
  outbox,
  publishes: [NoteCountedSchema],
  subscriptions: [{ source: "notes", handlers: [count] }],
  publishers: { notes: NoteService },
  resolver: mesh.resolver,
});
const countWords = async () => {
  const counted = await store.read((em) => em.findOne(Counted, { id: "all" }));
  return { notes: counted?.notes ?? 0, words: counted?.words ?? 0 };
};
const server = await serve({ name, services: [[WordService, { countWords }], ...events.services] });
await server.drained;
for (const open of [events, mesh, store]) await open[Symbol.asyncDispose]();
`;
}

/** Adds 20 notes. */
function add() {
  return `import { randomUUID } from "node:crypto";
import { openMesh } from "heddle";
import { NoteService } from "./gen/notes/v1/notes_pb.ts";

const mesh = await openMesh();
const notes = mesh.client(NoteService);
for (let note = 0; note < 20; note++) await notes.addNote({ id: randomUUID(), text: "two words" });
await mesh[Symbol.asyncDispose]();
`;
}

/** Tells what has been counted. */
function count() {
  return `import { openMesh } from "heddle";
import { SagaService } from "heddle/events";
import { WordService } from "./gen/notes/v1/notes_pb.ts";

const mesh = await openMesh();
const { notes, words } = await mesh.client(WordService).countWords({});
const { sagas } = await mesh.client(SagaService).listSagas({ state: 3, pageSize: 1000 });
console.log(\`\${notes} notes, \${words} words, \${sagas.length} sagas completed\`);
await mesh[Symbol.asyncDispose]();
`;
}
