/** A sentence that says what is selected: shown with chips of text, and spoken by screen readers once it settles. */
const SETTLED = 250; // ms: a pointer that crosses a figure does not make it talk all the way

export function readout() {
  const element = document.createElement("div");
  const shown = document.createElement("p");
  const live = document.createElement("p");
  element.className = "readout";
  shown.setAttribute("aria-hidden", "true");
  live.className = "spoken";
  live.setAttribute("aria-live", "polite");
  element.append(shown, live);
  let timer;

  /**
   * Takes nodes and strings for the eye, a string for the ear, and whether that is pinned, which both are told; the first
   * sentence is not announced, only there to read, and one that stands there already is not said again.
   */
  function say(nodes, sentence, pinned = false) {
    const heard = pinned ? `${sentence.replace(/\.?\s*$/, "")}. Pinned` : sentence;
    shown.replaceChildren(...nodes, ...(pinned ? [pinMark()] : []));
    clearTimeout(timer);
    if (heard === live.textContent) return;
    if (!live.textContent) live.textContent = heard;
    else timer = setTimeout(() => (live.textContent = heard), SETTLED);
  }

  return { element, say };
}

/** Returns the mark of a pinned selection, for the end of the sentence. */
export function pinMark() {
  const mark = document.createElement("span");
  mark.className = "pinned";
  mark.textContent = "pinned";
  return mark;
}
