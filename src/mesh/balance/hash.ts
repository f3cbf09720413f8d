/**
 * 32 bits of a text, the same in every process: FNV-1a, mixed so that texts that differ little end up far apart. With a
 * sign, as bit operations leave it: without, half of them would be put on the heap.
 */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mixed(hash);
}

/** 32 bits made of two times 32. */
export function hashOfBoth(one: number, other: number): number {
  return mixed(Math.imul(one, 0x9e3779b1) ^ mixed(other));
}

/** Each bit of the input turns about half of the output's (murmur3's last step). */
function mixed(bits: number): number {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
