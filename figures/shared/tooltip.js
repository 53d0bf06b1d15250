/**
 * A card beside what is pointed at, one a figure. It holds nothing that the readout does not say, or that the figure
 * does not show otherwise, so it is hidden from screen readers and lets the pointer through.
 */
export function tooltip(root) {
  const card = document.createElement("div");
  card.className = "tip";
  card.hidden = true;
  card.setAttribute("aria-hidden", "true");
  root.append(card);

  function show(anchor, ...content) {
    card.replaceChildren(...content);
    card.hidden = false;
    const around = root.getBoundingClientRect();
    const at = anchor.getBoundingClientRect();
    const middle = at.left + at.width / 2 - around.left;
    const left = Math.max(0, Math.min(middle - card.offsetWidth / 2, around.width - card.offsetWidth));
    const below = at.bottom + card.offsetHeight + 10 < document.documentElement.clientHeight || at.top < card.offsetHeight + 10;
    const top = below ? at.bottom + 6 : at.top - card.offsetHeight - 6;
    card.style.translate = `${Math.round(left)}px ${Math.round(top - around.top)}px`;
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
