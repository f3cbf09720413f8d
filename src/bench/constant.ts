/** What clients are measured against, as a process of its own: three ports that answer every call with the same bytes. */
import { answerParent } from "./answer-parent.ts";
import { openLeanServer } from "./lean-answerer.ts";

answerParent({ ready: { ports: await Promise.all([openLeanServer(), openLeanServer(), openLeanServer()]) } });
