/**
 * What a reader looks at: a preview by hover or arrow keys, until something is pinned by click, tap or Enter.
 *
 * While something is pinned, hovering changes nothing, so that the reader can move over the figure and read it.
 * `changed` is called after each change.
 */
export function selection({ current = null, pinned = false, changed }) {
  const state = {
    get current() {
      return current;
    },
    get pinned() {
      return pinned;
    },
    /** Hover: follows the pointer unless pinned. */
    preview(item) {
      if (!pinned) set(item, false);
    },
    /** Arrow keys: moves what is shown, and the pin with it. */
    step(item) {
      set(item, pinned);
    },
    /**
     * Click, tap, Enter: pins, or releases what is pinned. `place` returns where an item is drawn: two tokens of a word that
     * they are merged into are one, and what was selected of it stays so.
     */
    toggle(item, place = (item) => item) {
      const again = same(place(item), place(current));
      set(again ? current : item, !(pinned && again));
    },
    /** Escape: releases; what was shown stays. */
    release() {
      set(current, false);
    },
  };

  function set(item, pin) {
    if (same(item, current) && pin === pinned) return;
    current = item;
    pinned = pin;
    changed(state);
  }

  return state;
}

/** Marks the one item within `root` that is pinned, or none, as selected for screen readers: a cell or header of a grid. */
export function pick(root, item) {
  root.querySelector("[aria-selected]")?.removeAttribute("aria-selected");
  if (item) item.setAttribute("aria-selected", "true");
}

function same(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
