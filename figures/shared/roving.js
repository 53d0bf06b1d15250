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

/** Keys along a line of `count` items: left, right, Home, End. */
export function alongLine(count) {
  const keys = { ArrowLeft: (i) => i - 1, ArrowRight: (i) => i + 1, Home: () => 0, End: () => count - 1 };
  return (index, event) => keys[event.key]?.(index);
}

/** Keys over a grid of items row by row: arrows, Home and End (with Ctrl: first and last of all), page keys by five. */
export function overGrid(rows, columns) {
  const at = (row, column) => Math.min(Math.max(row, 0), rows - 1) * columns + Math.min(Math.max(column, 0), columns - 1);
  const keys = {
    ArrowLeft: (r, c) => at(r, c - 1),
    ArrowRight: (r, c) => at(r, c + 1),
    ArrowUp: (r, c) => at(r - 1, c),
    ArrowDown: (r, c) => at(r + 1, c),
    PageUp: (r, c) => at(r - 5, c),
    PageDown: (r, c) => at(r + 5, c),
    Home: (r, c, all) => at(all ? 0 : r, 0),
    End: (r, c, all) => at(all ? rows - 1 : r, columns - 1),
  };
  return (index, event) => keys[event.key]?.(Math.floor(index / columns), index % columns, event.ctrlKey);
}
