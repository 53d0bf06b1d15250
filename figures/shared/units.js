/**
 * Units: what a reader sees as one piece of text, one token or several.
 *
 * A unit is `{ start, size, text, type, special }`: the tokens from `start` on, `size` of them.
 */

/** Returns one unit a token; tokens that only together are text (`span` in the data) make one unit. */
export function tokenUnits(tokens) {
  const units = [];
  for (let start = 0; start < tokens.length; ) {
    const size = Math.max(1, tokens[start].span ?? 1);
    units.push(unit(tokens, start, size));
    start += size;
  }
  return units;
}

/** Returns one unit a word, see `groupedUnits`. */
export function wordUnits(tokens) {
  return groupedUnits(tokens, "words");
}

/**
 * Returns units of `tokens`, `words`, `lines` or `sentences`: a token joins the one before it in the same line, or where it
 * begins inside a word or sentence (Unicode's, so that languages without spaces are not glued together). Input and output
 * are never joined, nor special tokens.
 */
export function groupedUnits(tokens, by) {
  const pieces = tokenUnits(tokens);
  if (by === "tokens" || (by !== "lines" && !Intl.Segmenter)) return pieces;
  const goesOn = by === "lines" ? inLine : inside(pieces.map((piece) => piece.text).join(""), by);
  const units = [];
  let offset = 0;
  for (const piece of pieces) {
    const last = units.at(-1);
    const joins = last && last.type === piece.type && !last.special && !piece.special && goesOn(offset, piece.text, last.text);
    if (joins) units[units.length - 1] = unit(tokens, last.start, last.size + piece.size);
    else units.push(piece);
    offset += piece.text.length;
  }
  return units;
}

/** Returns the names of groupings that differ, and that leave a target something before it; tokens always. */
export function groupings(tokens, targets) {
  const found = new Map();
  for (const by of ["tokens", "words", "lines", "sentences"]) {
    const units = groupedUnits(tokens, by);
    const key = units.map(({ start }) => start).join();
    const some = units.some((unit, u) => u && positions(unit).some((position) => targets.includes(position)));
    if (by === "tokens" || (some && !found.has(key))) found.set(key, by);
  }
  return [...found.values()];
}

/** An empty line goes with the one before it. */
function inLine(_offset, text, before) {
  return !before.endsWith("\n") || text.startsWith("\n");
}

function unit(tokens, start, size) {
  const text = tokens.slice(start, start + size).map((token) => token.text).join("");
  return { start, size, text, type: tokens[start].type, special: Boolean(tokens[start].special) };
}

/** Returns whether a piece at an offset begins inside a word, or a sentence: it has the space after it, a token the one before. */
function inside(text, by) {
  const sentences = by === "sentences";
  const within = new Set();
  const segmenter = new Intl.Segmenter(undefined, { granularity: sentences ? "sentence" : "word" });
  for (const { segment, index, isWordLike } of segmenter.segment(text)) {
    for (let i = index + 1; (sentences || isWordLike) && i < index + segment.length; i++) within.add(i);
  }
  return (offset, piece) => within.has(sentences && piece.trim() ? offset + piece.search(/\S/) : offset);
}

/**
 * Returns for each unit its row of scores over the units before it, or `null` where it has none.
 *
 * A unit's row is the mean of its tokens' rows: each gives to a unit before it the sum over that unit's tokens. What
 * its tokens give to the unit itself is left out, and `shares` are rescaled to sum to what the tokens' rows summed to.
 */
export function mergeRows(units, targets, scores, { shares = true } = {}) {
  const rows = new Map(targets.map((position, t) => [position, scores[t]]));
  return units.map((unit, u) => {
    const own = positions(unit).map((position) => rows.get(position)).filter(Boolean);
    if (!own.length || u === 0) return null;
    const merged = units.slice(0, u).map(({ start, size }) => {
      let sum = 0;
      for (const row of own) for (let i = start; i < start + size; i++) sum += row[i];
      return sum / own.length;
    });
    const kept = total(merged);
    const whole = total(own.map(total)) / own.length;
    return shares && kept > 0 ? merged.map((score) => (score * whole) / kept) : merged;
  });
}

/** Returns the positions of a unit's tokens. */
export function positions({ start, size }) {
  return Array.from({ length: size }, (_, i) => start + i);
}

function total(values) {
  return values.reduce((sum, value) => sum + value, 0);
}
