/** The number that `look` answers, once it has answered the same ten times, 50 ms apart. */
export async function standingStill(look: () => number): Promise<number> {
  let last = Number.NaN;
  for (let same = 0; same < 10; same = look() === last ? same + 1 : 0) {
    last = look();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return last;
}
