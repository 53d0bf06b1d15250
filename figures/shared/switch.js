/** A labelled switch; calls `changed(on)`. */
export function switcher(text, on, changed) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  label.className = "switch";
  box.type = "checkbox";
  box.setAttribute("role", "switch");
  box.checked = on;
  // The figure itself emits `input` when its selection changes; a box's own event is no selection.
  box.addEventListener("input", (event) => event.stopPropagation());
  box.addEventListener("change", () => changed(box.checked));
  label.append(box, text);
  return label;
}
