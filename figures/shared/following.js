/** Views that follow another: what a reader chooses in one is shown in them, whether in one figure or in several. */

const RESTED = 150; // ms: a pointer that crosses many heads has none of them fetched
const USED = ["pointermove", "pointerdown", "focusin", "keydown"]; // what a reader does in a view
const led = new WeakSet(); // views that show what was chosen elsewhere

/**
 * Calls `follow(value)` of each of `followers` with what is chosen in `view`: at once where it is pinned, else once the
 * reader rests, and then of those alone that have nothing pinned themselves: a pointer on its way takes no pin away.
 *
 * Following emits no `input`, so that views may follow each other, and is not announced: a screen reader hears of the view
 * that the reader is in, and finds the sentence of the others where it stands.
 */
export function following(view, followers) {
  let timer;
  view.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(pass, view.value.pinned ? 0 : RESTED);
  });
  for (const one of followers) for (const type of USED) one.addEventListener(type, (event) => used(one, event));
  if (view.value.pinned) followers.forEach((one) => one.value.pinned || lead(one)); // two pins of one address are both meant

  /** Whoever goes on in a view is no longer led there: what was passed on the way is not followed. */
  function used(one, { movementX, movementY, type }) {
    if (type === "pointermove" && !movementX && !movementY) return; // the page moved, below a pointer that rests
    clearTimeout(timer);
    if (led.delete(one)) announce(one, true);
  }

  function pass() {
    followers.forEach((one) => (one.value.pinned && !view.value.pinned) || lead(one));
  }

  function lead(one) {
    led.add(one);
    announce(one, false);
    one.follow?.(view.value);
  }
}

/** Selects what another view has selected: not pinned, unless that is what is pinned here. */
export function select(state, item) {
  if (JSON.stringify(item) === JSON.stringify(state.current)) return;
  state.release();
  state.preview(item);
}

function announce(view, aloud) {
  for (const live of view.querySelectorAll("[aria-live]")) live.ariaLive = aloud ? "polite" : "off";
}
