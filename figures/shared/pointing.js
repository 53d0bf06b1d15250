/**
 * Mouse, pen, touch and keys on a set of items, as three intentions: `point(index)` while a mouse or pen is over an item
 * (`null` when it, or the keyboard's focus, leaves them all), `press(index)` for click, tap, Enter and space, and `escape()`.
 *
 * A finger only presses: there is no hover to be trapped in.
 */
export function pointing(root, items, { point, press, escape }) {
  const indexOf = (event) => {
    const item = event.target.closest?.("[data-item]");
    return item && root.contains(item) ? Number(item.dataset.item) : null;
  };
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
    if (index !== null) press(index);
  });
  root.addEventListener("keydown", (event) => {
    const index = indexOf(event);
    if (event.key === "Escape") escape();
    if (index === null || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    press(index);
  });
}
