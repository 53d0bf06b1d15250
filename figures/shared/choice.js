/**
 * One of several: radio buttons in a row, or a menu where there are many.
 *
 * `options` are `[value, text]` pairs. Returns `{ element, set }`; calls `changed(value)` when the reader chooses. `menu` is
 * a menu however few there are.
 */
const MANY = 6;
let groups = 0;

export function choice(label, options, value, changed) {
  return options.length > MANY ? menu(label, options, value, changed) : radios(label, options, value, changed);
}

function radios(label, options, value, changed) {
  const element = document.createElement("fieldset");
  const legend = document.createElement("legend");
  const name = `choice-${++groups}`;
  element.className = "choice";
  legend.textContent = label;
  element.append(legend);
  const boxes = options.map(([item, text]) => {
    const option = document.createElement("label");
    const box = document.createElement("input");
    box.type = "radio";
    box.name = name;
    box.checked = item === value;
    quiet(box, () => changed(item));
    option.append(box, text);
    element.append(option);
    return box;
  });
  const set = (item) => boxes.forEach((box, i) => (box.checked = options[i][0] === item));
  return { element, set };
}

export function menu(label, options, value, changed) {
  const element = document.createElement("label");
  const select = document.createElement("select");
  element.className = "choice";
  select.append(...options.map(([item, text]) => new Option(text, item, false, item === value)));
  quiet(select, () => changed(options[select.selectedIndex][0]));
  element.append(label, " ", select);
  const set = (item) => (select.selectedIndex = options.findIndex(([known]) => known === item));
  return { element, set };
}

/** Listens to a control; its own `input` is no selection of the figure's, and its keys move nothing else. */
export function quiet(control, changed, type = "change") {
  control.addEventListener("input", (event) => event.stopPropagation());
  control.addEventListener("keydown", (event) => event.key === "Escape" || event.stopPropagation());
  control.addEventListener(type, changed);
}
