/**
 * One tab stop for many items, moved by keys (the WAI-ARIA roving tabindex).
 *
 * `next(index, event)` returns the index that a key leads to, or `undefined` where it means nothing here. `go(index)`
 * focuses an item, `rest(index)` makes it the tab stop without focus.
 */
export function roving(root, items, next, moved) {
  let stop = -1;

  function rest(index) {
    if (items[stop]) items[stop].tabIndex = -1;
    stop = index;
    items[stop].tabIndex = 0;
  }

  function go(index) {
    rest(index);
    items[index].focus({ preventScroll: false });
    moved(index);
  }

  root.addEventListener("keydown", (event) => {
    if (event.altKey || event.metaKey) return;
    const index = items.indexOf(event.target);
    const target = index < 0 ? undefined : next(index, event);
    if (target === undefined || !items[target]) return;
    event.preventDefault();
    go(target);
  });

  if (items.length) rest(0);
  return { rest, go };
}

/** Keys along a line of `count` items: left, right, Home, End; in a line that is read from right to left, left is onward. */
export function alongLine(count) {
  const ends = { Home: 0, End: count - 1 };
  return (index, event) => ends[event.key] ?? (sideways(event) && index + sideways(event));
}

/** Returns how an arrow leads along a line of text: 1 onward, -1 back, `undefined` if it is no such key. */
export function sideways({ key, target }, line = target) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  return step && (getComputedStyle(line).direction === "rtl" ? -step : step);
}

/**
 * Keys over a grid of items row by row: arrows, Home and End (with Ctrl: first and last of all), page keys by five.
 *
 * What names rows and columns may be entered, too: after the cells come the names of the first `names` rows, then, with
 * `heads`, one a column. Left of a row's first cell is its name; above a column's first cell (`below` its last) is its
 * own. Arrows alone lead there. `placeInGrid` tells which item is what.
 */
export function overGrid(rows, columns, { names = 0, heads = false, below = false } = {}) {
  const edge = below ? rows : -1; // the row of the columns' names; that of the rows' names is column -1
  const keys = {
    ArrowLeft: (r, c) => [r, c - 1],
    ArrowRight: (r, c) => [r, c + 1],
    ArrowUp: (r, c) => [r - 1, c],
    ArrowDown: (r, c) => [r + 1, c],
    PageUp: (r, c) => [Math.max(r - 5, Math.min(r, 0)), c],
    PageDown: (r, c) => [Math.min(r + 5, Math.max(r, (c < 0 ? names : rows) - 1)), c],
    Home: (r, c, all) => [all ? 0 : r, Math.min(c, 0)],
    End: (r, c, all) => [all ? rows - 1 : r, columns - 1],
  };
  const at = (r, c) => {
    if (c < -1 || c >= columns) return undefined;
    if (c < 0) return r >= 0 && r < names ? rows * columns + r : undefined;
    if (r === edge && heads) return rows * columns + names + c;
    return r >= 0 && r < rows ? r * columns + c : undefined;
  };
  return (index, event) => {
    const [r, c] = placeInGrid(index, rows, columns, names);
    const to = keys[event.key]?.(r ?? edge, c ?? -1, event.ctrlKey);
    return to && (at(...to) ?? index);
  };
}

/** Returns `[row, column]` of an item of such a grid; the column is null at a row's name, the row at a column's. */
export function placeInGrid(index, rows, columns, names = 0) {
  const beyond = index - rows * columns;
  if (beyond < 0) return [Math.floor(index / columns), index % columns];
  return beyond < names ? [beyond, null] : [null, beyond - names];
}
