/** A process that opens, cancels, resets and reconnects, round after round, and prints what it holds before and after. */
import { Ledger } from "./ledger.ts";

const ledger = new Ledger();
const { Rounds } = await import("./rounds.ts");

const [warmUp = 0, rounds = 0] = process.argv.slice(2).map(Number);
const signal = ledger.follow(new AbortController().signal);
const atFirst = ledger.counts();
{
  const churn = await Rounds.open(signal);
  await churn.run(warmUp);
  await churn.rest(ledger);
  const before = await ledger.take();
  await churn.run(rounds);
  await churn.rest(ledger);
  const after = await ledger.take();
  await churn[Symbol.asyncDispose]();
  await churn.silence(ledger, atFirst);
  console.log(JSON.stringify({ before, after, atFirst, atLast: ledger.counts(), tally: churn.tally }));
}
