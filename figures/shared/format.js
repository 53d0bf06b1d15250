/** Numbers as readers see them. */

/** Returns a share as a percentage; what is not nothing is never "0%", what is not all never "100%". */
export function percent(share) {
  if (share < 0.0001) return "<0.01%";
  if (share > 0.9995 && share < 1) return ">99.9%";
  const digits = share < 0.00995 ? 2 : share < 0.0995 || (share > 0.995 && share < 1) ? 1 : 0;
  return `${(100 * share).toFixed(digits)}%`;
}

/** Returns a whole number with its thousands apart. */
export function whole(number) {
  return number.toLocaleString("en");
}

/** Returns a rank in at most four characters: 999, 1.2k, 49k. */
export function compact(rank) {
  if (rank < 1000) return `${rank}`;
  return rank < 9950 ? `${(rank / 1000).toFixed(1)}k` : `${Math.round(rank / 1000)}k`;
}
