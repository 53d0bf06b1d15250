/**
 * Mouse, pen, touch and keys on a set of items, as three intentions: `point(index)` while a mouse or pen is over an item
 * (`null` when it, or the keyboard's focus, leaves them all), `press(index)` for click, tap, Enter and space, and `escape()`.
 *
 * A finger only presses: there is no hover to be trapped in. Where items may be smaller than its tip, as the cells of a
 * grid, `slide: true` lets it slide sideways over them, too: what was pinned is let go, each item that it comes to is
 * pointed at, and the one where it lifts is pressed. Up and down it scrolls the page as ever, and sideways what is wider
 * than its room.
 */
export function pointing(root, items, { point, press, escape, slide = false }) {
  const indexOf = ({ target }) => {
    const item = target?.closest?.("[data-item]");
    return item && root.contains(item) ? Number(item.dataset.item) : null;
  };
  const slid = slide ? sliding(root, indexOf, { point, press, escape }) : () => false;
  items.forEach((item, index) => (item.dataset.item = index));
  root.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "touch") point(indexOf(event));
  });
  root.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") point(null);
  });
  root.addEventListener("focusout", (event) => {
    if (!root.contains(event.relatedTarget)) point(null);
  });
  root.addEventListener("click", (event) => {
    const index = indexOf(event);
    if (index !== null && !slid(event)) press(index);
  });
  root.addEventListener("keydown", (event) => {
    const index = indexOf(event);
    if (event.key === "Escape") escape();
    if (index === null || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    press(index);
  });
}

const [SLOP, LATE] = [10, 500]; // px that a finger moves in a tap; ms after it lifted in which a click is its own

/** Listens for a finger that slides; returns whether a click only ends such a slide. */
function sliding(root, indexOf, { point, press, escape }) {
  let finger = null;
  let lifted = -Infinity;
  const scrolls = () => getComputedStyle(root).overflowX === "auto" && root.scrollWidth > root.clientWidth;
  new ResizeObserver(() => (root.style.touchAction = scrolls() ? "" : "pan-y pinch-zoom")).observe(root);
  root.addEventListener("pointerdown", (event) => {
    lifted = -Infinity;
    if (event.pointerType !== "touch") return;
    const { isPrimary, pointerId: id, clientX: x, clientY: y } = event;
    finger = isPrimary && !scrolls() && indexOf(event) !== null ? { id, x, y, at: null } : null; // a second one zooms
  });
  root.addEventListener("pointermove", ({ pointerId, clientX, clientY }) => {
    if (pointerId !== finger?.id) return;
    const [across, down] = [Math.abs(clientX - finger.x), Math.abs(clientY - finger.y)];
    if (finger.at === null && (across < SLOP || across < down)) return;
    const index = indexOf({ target: document.elementFromPoint(clientX, clientY) }); // its events stay where it came down
    if (index === null || index === finger.at) return;
    if (finger.at === null) escape();
    finger.at = index;
    point(index);
  });
  root.addEventListener("pointerup", ({ pointerId, timeStamp }) => {
    if (pointerId === finger?.id && finger.at !== null) {
      lifted = timeStamp;
      press(finger.at);
    }
    finger = null;
  });
  root.addEventListener("pointercancel", () => (finger = null));
  return ({ timeStamp }) => timeStamp - lifted < LATE;
}
