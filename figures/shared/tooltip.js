/**
 * A card beside what is pointed at, one a figure.
 *
 * It holds nothing that the readout does not say, or that the figure does not show otherwise, so it is hidden from
 * screen readers and lets the pointer through.
 */
const GAP = 8; // px between a card and what it is about

export function tooltip(root) {
  const card = document.createElement("div");
  card.className = "tip";
  card.hidden = true;
  card.setAttribute("aria-hidden", "true");
  root.append(card);
  // A finger that touches elsewhere is done with it; after a change of size it would stand in the wrong place.
  document.addEventListener("pointerdown", (event) => root.contains(event.target) || hide());
  addEventListener("resize", hide);

  /** Shows content at an element: `beside` it where there is room (so that its column stays in sight), else below or above. */
  function show(anchor, content, { beside = false } = {}) {
    if (!root.isConnected) return; // a pin restored before the figure is in the page: there is no place yet
    card.replaceChildren(...content);
    card.hidden = false;
    const around = root.getBoundingClientRect();
    const at = anchor.getBoundingClientRect();
    const [width, height] = [card.offsetWidth, card.offsetHeight];
    const screen = document.documentElement.clientHeight;
    const side = beside && [at.right + GAP, at.left - GAP - width].find((x) => x >= around.left && x + width <= around.right);
    const middle = Math.max(around.left, Math.min(at.left + at.width / 2 - width / 2, around.right - width));
    const below = at.bottom + GAP + height < screen || at.top < height + GAP ? at.bottom + GAP : at.top - height - GAP;
    const level = Math.max(Math.min(at.top, screen - height - GAP), Math.min(at.top, 0));
    const [left, top] = side ? [side, level] : [middle, below];
    card.style.translate = `${Math.round(left - around.left)}px ${Math.round(top - around.top)}px`;
  }

  function hide() {
    card.hidden = true;
  }

  return { show, hide };
}

/** Returns a list of names and values for a tooltip; a value is text or nodes. */
export function facts(pairs) {
  const list = document.createElement("dl");
  for (const [name, ...value] of pairs) {
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    term.textContent = name;
    description.append(...value);
    list.append(term, description);
  }
  return list;
}
